//! What all adapters share on the wire: the purpose of a call, its reply, and what a lost call means.

use bytes::Bytes;
use http::HeaderMap;
use mooring_domain::{Failure, Time, time::from_ms};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

/// What a call is for. The same error name means different things to different calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    /// Log-in, code exchange, listing of destinations.
    Connect,
    /// Token, account and right to publish.
    Check,
    /// New token for old.
    Refresh,
    /// A step before the one that publishes. It may be repeated, so a lost answer is no question.
    Prepare,
    /// The call after which a post exists.
    Publish,
    /// A post is read, or posts are listed.
    Read,
    /// A post is deleted.
    Delete,
    /// A credential is given back.
    Revoke,
}

impl Op {
    /// Whether the call changes something at the platform, so that a lost answer leaves a question.
    pub(crate) const fn mutates(self) -> bool {
        matches!(
            self,
            Self::Refresh | Self::Publish | Self::Delete | Self::Revoke
        )
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body of a success. One that cannot be read is a broken contract, never a success.
    pub(crate) fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| Failure::Contract {
            // The parser's message may quote the body, so it stays out.
            detail: format!("status {} with a body that is no {what}", self.status),
        })
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` in its form of seconds; the form of a date is used by no platform here.
    pub(crate) fn retry_after(&self, now: Time) -> Option<Time> {
        let seconds = self.header("retry-after")?.trim().parse::<u32>().ok()?;
        Some(now + chrono::TimeDelta::seconds(i64::from(seconds)))
    }
}

/// The instant that a count of seconds since 1970 names; 0 means "none" to the platforms that use it.
pub(crate) fn unix(seconds: i64) -> Option<Time> {
    (seconds > 0).then(|| from_ms(seconds.saturating_mul(1000)))
}

/// `base` with more path segments. A path that the base has stays in front; each segment is escaped.
pub(crate) fn join(base: &Url, segments: &[&str]) -> Result<Url, Failure> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    } else {
        let detail = "the account's host is no base URL: correct it".to_owned();
        return Err(Failure::Contract { detail });
    }
    Ok(url)
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! Reading of `fixtures/errors.json`: answers as platforms gave them, and what they mean.

    use http::{HeaderName, HeaderValue};
    use serde_json::Value;

    use super::*;

    /// One recorded answer.
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct Case {
        #[serde(rename = "case")]
        pub(crate) title: String,
        pub(crate) op: Op,
        pub(crate) status: u16,
        #[serde(default)]
        headers: std::collections::BTreeMap<String, String>,
        /// A JSON value, or a text for bodies that are no JSON.
        body: Value,
        pub(crate) failure: Failure,
    }

    impl Case {
        pub(crate) fn reply(&self) -> Reply {
            let body = match &self.body {
                Value::String(text) => text.clone(),
                json => json.to_string(),
            };
            let headers = self.headers.iter().map(|(name, value)| {
                let name = HeaderName::try_from(name).expect("a header's name");
                (
                    name,
                    HeaderValue::try_from(value).expect("a header's value"),
                )
            });
            Reply {
                status: self.status,
                headers: headers.collect(),
                body: body.into(),
            }
        }
    }

    /// 2026-11-23T15:00:00Z: the moment at which every recorded answer arrives.
    pub(crate) fn now() -> Time {
        unix(1_795_446_000).expect("after 1970")
    }

    /// Holds every case against a map, and reports all that differ.
    pub(crate) fn check(cases: &str, map: impl Fn(Op, &Reply, Time) -> Failure) -> usize {
        let cases: Vec<Case> = serde_json::from_str(cases).expect("a list of cases");
        let mut wrong = Vec::new();
        for case in &cases {
            let got = map(case.op, &case.reply(), now());
            if got != case.failure {
                wrong.push(format!(
                    "{}: got {got:?}, wanted {:?}",
                    case.title, case.failure
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        cases.len()
    }

    /// Holds the map's totality against bodies that nobody should send.
    pub(crate) fn check_total(map: impl Fn(Op, &Reply, Time) -> Failure) {
        let ops = [
            Op::Connect,
            Op::Check,
            Op::Refresh,
            Op::Prepare,
            Op::Publish,
            Op::Read,
            Op::Delete,
            Op::Revoke,
        ];
        let bodies = [
            "",
            "{}",
            "[]",
            "null",
            "<html>",
            "{\"error\":null}",
            "{\"error\":[]}",
            "{\"error\":{}}",
            "\u{0}",
        ];
        for op in ops {
            for status in 100..600 {
                for body in bodies {
                    let reply = Reply {
                        status,
                        headers: HeaderMap::new(),
                        body: Bytes::from_static(body.as_bytes()),
                    };
                    let failure = map(op, &reply, now());
                    assert!(
                        failure.is_transient(),
                        "{op:?} {status} {body:?} ended in {failure:?}"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_keeps_its_path_and_segments_cannot_leave_theirs() {
        let base = Url::parse("http://127.0.0.1:1/facebook/?x=1").expect("a URL");
        let url = join(&base, &["v25.0", "12/../me?a=b", "feed"]).expect("a base");
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:1/facebook/v25.0/12%2F..%2Fme%3Fa=b/feed"
        );
        assert!(join(&Url::parse("data:x").expect("a URL"), &["a"]).is_err());
    }

    #[test]
    fn zero_is_no_instant() {
        assert_eq!(unix(0), None);
        assert_eq!(unix(1).map(|at| at.timestamp()), Some(1));
    }
}
