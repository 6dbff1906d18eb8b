//! What travels on a lane: a claimed job's identity, fence and lease, in at most 300 bytes and without a secret.
//!
//! The wire format is compact JSON with a version in front: `{"v":1,"k":"publish","s":"0193…","g":7,"l":…,"d":…,"p":…}`.
//! A reader tolerates fields it does not know, so that the next version may add some, and refuses versions and
//! kinds it does not know. `fixtures/v1` holds samples that every later version has to read.

use mooring_domain::job::{Claim, Fence, JobKind};
use mooring_domain::time::{Time, from_ms};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The largest encoded envelope in bytes.
pub const MAX_BYTES: usize = 300;

/// The version that this code writes.
pub const VERSION: u64 = 1;

/// One priority is worth this many milliseconds of score, which is more than all of them until the year 2286.
const PRIORITY_STEP: u64 = 10_000_000_000_000;

/// The least urgent priority with which every score still fits an `f64` exactly.
const MAX_PRIORITY: i16 = 899;

/// The length of a W3C `traceparent` of version 00.
const TRACEPARENT_BYTES: usize = 55;

/// One claimed job on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What to do.
    pub kind: JobKind,
    /// To what: a connection, grant, target or attempt.
    pub subject: Uuid,
    /// The fencing token of the claim.
    pub generation: i64,
    /// Until when the claim holds. Popped later than this, the envelope is dropped.
    pub lease_until: Time,
    /// When the job was due.
    pub due: Time,
    /// Smaller is more urgent: 0 to 899.
    pub priority: i16,
    /// The W3C trace context of the cause. One that is not well formed is left out.
    pub traceparent: Option<String>,
}

/// The wire form, version 1. The order of the fields is part of the golden samples.
#[derive(Serialize, Deserialize)]
struct Wire {
    v: u64,
    k: String,
    s: Uuid,
    g: i64,
    l: i64,
    d: i64,
    p: i16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<String>,
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

/// Why bytes are not an envelope. None of the messages repeats the content.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the JSON that was expected.
    #[error("not an envelope: {0}")]
    Garbage(#[from] serde_json::Error),
    /// Written by a version that this one cannot read.
    #[error("envelope version {0} is unknown here: roll out the readers before the writers")]
    Version(u64),
    /// A kind that this version does not have.
    #[error("a kind of job that is unknown here: roll out the readers before the writers")]
    Kind,
}

impl Envelope {
    /// The envelope of a claim.
    #[must_use]
    pub fn of(claim: &Claim, traceparent: Option<String>) -> Self {
        Self {
            kind: claim.fence.kind,
            subject: claim.fence.subject,
            generation: claim.fence.generation,
            lease_until: claim.lease_until,
            due: claim.due,
            priority: claim.priority,
            traceparent,
        }
    }

    /// Who may act on the job.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        Fence {
            kind: self.kind,
            subject: self.subject,
            generation: self.generation,
        }
    }

    /// The place on the lane, smallest first: priority, then due time. Below 2⁵³, so Redis keeps it exactly.
    #[must_use]
    pub fn score(&self) -> u64 {
        let priority = u64::try_from(self.priority.clamp(0, MAX_PRIORITY)).unwrap_or_default();
        let due = u64::try_from(self.due.timestamp_millis()).unwrap_or_default();
        priority * PRIORITY_STEP + due.min(PRIORITY_STEP - 1)
    }

    /// The wire form. Equal envelopes have equal bytes, which makes pushing them again harmless.
    #[must_use]
    pub fn encode(&self) -> String {
        let wire = Wire {
            v: VERSION,
            k: self.kind.as_str().to_owned(),
            s: self.subject,
            g: self.generation,
            l: self.lease_until.timestamp_millis(),
            d: self.due.timestamp_millis(),
            p: self.priority,
            t: self.traceparent.clone().filter(|text| is_traceparent(text)),
        };
        let text = serde_json::to_string(&wire)
            .expect("a struct of numbers and strings always serializes");
        debug_assert!(
            text.len() <= MAX_BYTES,
            "an envelope of {} bytes",
            text.len()
        );
        text
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// [`EnvelopeError`] for anything else; the caller drops and counts it.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let Versioned { v } = serde_json::from_slice(bytes)?;
        if v != VERSION {
            return Err(EnvelopeError::Version(v));
        }
        let wire: Wire = serde_json::from_slice(bytes)?;
        Ok(Self {
            kind: wire.k.parse().map_err(|_| EnvelopeError::Kind)?,
            subject: wire.s,
            generation: wire.g,
            lease_until: from_ms(wire.l),
            due: from_ms(wire.d),
            priority: wire.p,
            traceparent: wire.t.filter(|text| is_traceparent(text)),
        })
    }
}

fn is_traceparent(text: &str) -> bool {
    text.len() == TRACEPARENT_BYTES
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest() -> Envelope {
        Envelope {
            kind: JobKind::Reconcile,
            subject: Uuid::max(),
            generation: i64::MIN,
            lease_until: Time::MIN_UTC,
            due: Time::MIN_UTC,
            priority: i16::MIN,
            traceparent: Some(format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16))),
        }
    }

    #[test]
    fn rule_4_3_the_widest_envelope_of_every_kind_stays_within_its_300_bytes() {
        for kind in JobKind::ALL {
            let text = Envelope { kind, ..widest() }.encode();
            assert!(text.len() <= MAX_BYTES, "{} bytes: {text}", text.len());
        }
    }

    #[test]
    fn golden_samples_are_read_and_written_back_identically() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/v1");
        let mut kinds = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let envelope = Envelope::decode(text.trim_end().as_bytes()).unwrap();
            assert_eq!(envelope.encode(), text.trim_end());
            kinds.push(envelope.kind);
        }
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds, JobKind::ALL);
    }

    #[test]
    fn a_field_of_the_next_version_is_tolerated() {
        let text = widest()
            .encode()
            .replace("{\"v\":1,", "{\"v\":1,\"new\":[1,{\"deep\":null}],");
        assert_eq!(
            Envelope::decode(text.as_bytes()).unwrap().kind,
            JobKind::Reconcile
        );
    }

    #[test]
    fn unknown_versions_kinds_and_garbage_are_refused_without_repeating_them() {
        let good = widest().encode();
        let version = Envelope::decode(good.replace("\"v\":1", "\"v\":2").as_bytes()).unwrap_err();
        assert!(matches!(version, EnvelopeError::Version(2)), "{version}");
        let kind = Envelope::decode(good.replace("reconcile", "secret").as_bytes()).unwrap_err();
        assert!(matches!(kind, EnvelopeError::Kind), "{kind}");
        assert!(!kind.to_string().contains("secret"));
        for garbage in [
            &b""[..],
            b"{}",
            b"\xff\x00",
            b"{\"v\":1}",
            b"[1]",
            b"{\"v\":1,\"k\":1}",
        ] {
            assert!(
                matches!(Envelope::decode(garbage), Err(EnvelopeError::Garbage(_))),
                "{garbage:?}"
            );
        }
    }

    #[test]
    fn a_broken_trace_context_never_costs_a_job() {
        for bad in ["", "00-zz", &"x".repeat(4_000)] {
            let text = Envelope {
                traceparent: Some(bad.to_owned()),
                ..widest()
            }
            .encode();
            assert_eq!(Envelope::decode(text.as_bytes()).unwrap().traceparent, None);
        }
    }

    #[test]
    fn rule_4_3_scores_put_priority_before_due_time_and_are_exact_in_an_f64() {
        let at = |priority, ms| {
            Envelope {
                priority,
                due: from_ms(ms),
                ..widest()
            }
            .score()
        };
        assert!(at(0, i64::MAX / 1_000) < at(1, 0));
        assert!(at(5, 1_764_000_000_000) < at(5, 1_764_000_000_001));
        assert_eq!(at(-3, -1), 0);
        assert!(at(i16::MAX, i64::MAX) < 1 << 53);
    }
}
