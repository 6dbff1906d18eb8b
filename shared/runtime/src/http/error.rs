//! Why a call has no answer, and whether it can have been received.

use std::error::Error;
use std::sync::Arc;

use super::address::PrivateAddress;
use super::gate::Progress;

/// A call without an answer. The variant says what may have happened at the other side.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No byte of the body has left, and a call without a body has not reached a connection: safe to try again.
    #[error("the call was not sent")]
    NotSent(#[source] Cause),
    /// The request may have been received and acted on: find out before trying again.
    #[error("the call may have been received, but has no usable answer")]
    Unknown(#[source] Cause),
    /// Time ran out.
    #[error("the call timed out ({})", if *sent { "it may have been received" } else { "before it was sent" })]
    Timeout {
        /// Whether the request may have been received.
        sent: bool,
    },
}

impl HttpError {
    /// True when the request may have been received.
    #[must_use]
    pub fn may_have_been_received(&self) -> bool {
        match self {
            Self::NotSent(_) => false,
            Self::Unknown(_) => true,
            Self::Timeout { sent } => *sent,
        }
    }

    /// The `error.type` of span and metric: one of a few words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Timeout { sent: true } => "timeout",
            Self::Timeout { sent: false } => "timeout_unsent",
            Self::NotSent(cause) | Self::Unknown(cause) => cause.kind(),
        }
    }
}

/// What went wrong. No text contains a URL, a header or a body.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The connection failed, or broke.
    #[error("the connection failed or broke")]
    Transport(#[source] reqwest::Error),
    /// The moment until which the call could be sent has passed.
    #[error("its moment has passed: it is not sent late")]
    SendByPassed,
    /// The clock of this process is too far from the database's.
    #[error("this machine's clock is too far from the database's: correct it")]
    ClockUntrusted,
    /// A call with `send_by` that changes something has no body, and only a body can be held back.
    #[error("a call with send_by needs a body: send its parameters as a form or as JSON")]
    NothingToGate,
    /// The address is private, and that is not allowed.
    #[error(
        "the address is private or loopback: set http.allow_private_addresses if that is meant"
    )]
    PrivateAddress,
    /// The URL is neither http nor https.
    #[error("the url is neither http nor https")]
    Scheme,
    /// A value that cannot stand in a header, such as a token with a line end.
    #[error(
        "a header or the content type has a value that cannot be sent: check the stored credential"
    )]
    Header,
    /// The answer is longer than allowed.
    #[error(
        "the answer is longer than {cap_bytes} bytes: raise http.body_cap_bytes if that is right"
    )]
    AnswerTooLong {
        /// The configured cap.
        cap_bytes: usize,
    },
    /// The client cannot be built.
    #[error("cannot set up the http client: check the machine's root certificates")]
    Setup(#[source] reqwest::Error),
}

impl Cause {
    fn kind(&self) -> &'static str {
        match self {
            Self::Transport(error) if error.is_connect() => "connect",
            Self::Transport(_) => "transport",
            Self::SendByPassed => "send_by_passed",
            Self::ClockUntrusted => "clock_untrusted",
            Self::PrivateAddress => "private_address",
            Self::AnswerTooLong { .. } => "answer_too_long",
            Self::NothingToGate | Self::Scheme | Self::Header | Self::Setup(_) => "request",
        }
    }
}

/// How far a request has come: what turns a transport error into an [`HttpError`].
pub(super) struct Sending {
    body: Option<Arc<Progress>>,
}

impl Sending {
    pub(super) fn without_body() -> Self {
        Self { body: None }
    }

    pub(super) fn with_body(progress: Arc<Progress>) -> Self {
        Self {
            body: Some(progress),
        }
    }

    /// There is no status: the call failed on the way.
    pub(super) fn failed(&self, error: reqwest::Error) -> HttpError {
        let error = error.without_url();
        if let Some(cause) = self.body.as_ref().and_then(|progress| progress.refusal()) {
            return HttpError::NotSent(cause);
        }
        if caused_by_private_address(&error) {
            return HttpError::NotSent(Cause::PrivateAddress);
        }
        let sent = match &self.body {
            Some(progress) => progress.released(),
            // Without a body nothing tells when the head was written, only that there never was a connection.
            None => !error.is_connect(),
        };
        match (error.is_timeout(), sent) {
            (true, sent) => HttpError::Timeout { sent },
            (false, true) => HttpError::Unknown(Cause::Transport(error)),
            (false, false) => HttpError::NotSent(Cause::Transport(error)),
        }
    }
}

/// There was a status, so the request has arrived, and then the answer broke off.
pub(super) fn answer_lost(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    if error.is_timeout() {
        return HttpError::Timeout { sent: true };
    }
    HttpError::Unknown(Cause::Transport(error))
}

fn caused_by_private_address(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(next) = source {
        if next.is::<PrivateAddress>() {
            return true;
        }
        source = next.source();
    }
    false
}
