//! The way out: one call through the house's HTTP client, and what a lost one means.

use std::sync::Arc;

use mooring_domain::{Failure, Platform, Time};
use mooring_runtime::{Call, Clock, Http, HttpError, http::Cause};
use url::Url;

use crate::wire::{Op, Reply, join};

/// What every adapter holds: the client, the time, and its platform's name.
#[derive(Clone)]
pub(crate) struct Transport {
    http: Http,
    clock: Arc<dyn Clock>,
    platform: Platform,
}

impl Transport {
    pub(crate) fn new(http: Http, clock: Arc<dyn Clock>, platform: Platform) -> Self {
        Self {
            http,
            clock,
            platform,
        }
    }

    /// The present, for expiries and limits that the platform tells as spans.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// A call to `base` plus path segments. `template` names the endpoint in spans, without ids.
    pub(crate) fn call(
        &self,
        template: &'static str,
        method: http::Method,
        base: &Url,
        segments: &[&str],
    ) -> Result<Call, Failure> {
        Ok(Call::new(
            self.platform.as_str(),
            template,
            method,
            join(base, segments)?,
        ))
    }

    /// A call to an address that the platform itself gave, such as an upload's.
    pub(crate) fn call_at(&self, template: &'static str, method: http::Method, url: Url) -> Call {
        Call::new(self.platform.as_str(), template, method, url)
    }

    /// Makes the call, once.
    pub(crate) async fn send(&self, op: Op, call: Call) -> Result<Reply, Failure> {
        let answer = self
            .http
            .send(call)
            .await
            .map_err(|error| lost(op, &error))?;
        Ok(Reply {
            status: answer.status.as_u16(),
            headers: answer.headers,
            body: answer.body,
        })
    }
}

/// What a call without an answer means.
///
/// A mutation that may have arrived leaves a question; one that certainly has not may be repeated. A read that met
/// network trouble has learnt nothing, and says so in the word that the provider's verdict counts.
fn lost(op: Op, error: &HttpError) -> Failure {
    match error {
        _ if op.mutates() && error.may_have_been_received() => Failure::Indeterminate,
        _ if op.mutates() => Failure::NotSent,
        HttpError::NotSent(Cause::Transport(_))
        | HttpError::Unknown(_)
        | HttpError::Timeout { .. } => Failure::ProviderDown,
        // Our own refusal (a private address, an untrusted clock) is not the platform's trouble.
        HttpError::NotSent(_) => Failure::NotSent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_is_a_question_only_where_something_may_have_changed() {
        let too_long = || HttpError::Unknown(Cause::AnswerTooLong { cap_bytes: 1 });
        for op in [Op::Publish, Op::Refresh, Op::Delete, Op::Revoke] {
            assert_eq!(lost(op, &too_long()), Failure::Indeterminate, "{op:?}");
            assert_eq!(
                lost(op, &HttpError::Timeout { sent: true }),
                Failure::Indeterminate,
                "{op:?}"
            );
            assert_eq!(
                lost(op, &HttpError::Timeout { sent: false }),
                Failure::NotSent,
                "{op:?}"
            );
            assert_eq!(
                lost(op, &HttpError::NotSent(Cause::SendByPassed)),
                Failure::NotSent,
                "{op:?}"
            );
        }
        for op in [Op::Check, Op::Read, Op::Connect] {
            assert_eq!(lost(op, &too_long()), Failure::ProviderDown, "{op:?}");
            assert_eq!(
                lost(op, &HttpError::Timeout { sent: true }),
                Failure::ProviderDown,
                "{op:?}"
            );
            assert_eq!(
                lost(op, &HttpError::NotSent(Cause::PrivateAddress)),
                Failure::NotSent,
                "{op:?}"
            );
        }
    }
}
