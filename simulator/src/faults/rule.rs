//! What a fault rule says, and how it is written in the admin API.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::Platform;
use crate::routes;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers this status; nothing happens. Without a body, the platform's
    /// usual error body for that status.
    Status {
        /// HTTP status.
        code: u16,
        /// JSON body.
        body: Option<Value>,
    },
    /// Answers as the platform does above its limit; nothing happens.
    RateLimited {
        /// Seconds until the limit is said to end.
        reset_s: u64,
    },
    /// The effect happens at once, the answer comes late.
    LatencyMs {
        /// Real milliseconds.
        ms: u64,
    },
    /// Effect and answer both come late; the effect happens even when the
    /// caller has gone away by then.
    LateEffectMs {
        /// Real milliseconds.
        ms: u64,
    },
    /// The effect happens, then the connection is dropped without an answer.
    LostAnswer,
    /// The connection is dropped, nothing happens.
    DroppedRequest,
    /// The effect happens, but the answer is an error. A call that fails by
    /// itself keeps its own answer and uses nothing of the rule's count.
    ErrorAlthoughCreated {
        /// HTTP status instead of the platform's usual one.
        code: Option<u16>,
        /// JSON body instead of the platform's usual one.
        body: Option<Value>,
    },
    /// The effect happens, but the answer is 200 with a body that is no JSON.
    Garbage,
}

impl FaultKind {
    /// The name in rules and counters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::RateLimited { .. } => "rate_limited",
            Self::LatencyMs { .. } => "latency_ms",
            Self::LateEffectMs { .. } => "late_effect_ms",
            Self::LostAnswer => "lost_answer",
            Self::DroppedRequest => "dropped_request",
            Self::ErrorAlthoughCreated { .. } => "error_although_created",
            Self::Garbage => "garbage",
        }
    }
}

/// A rule: these calls meet this misfortune.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// Where.
    pub platform: Platform,
    /// An operation (`publish`, `refresh`, `check`, …), an endpoint's name
    /// (`putRecord`, `debug_token`, …) or `*`.
    pub operation: String,
    /// Only calls of this page, user or DID.
    pub account: Option<String>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Chance for each call, from 0 to 1.
    pub probability: f64,
    /// So many times at most.
    pub count: Option<u64>,
}

impl Fault {
    /// A rule for every such call of every account, without end.
    #[must_use]
    pub fn new(platform: Platform, operation: &str, kind: FaultKind) -> Self {
        let operation = operation.to_owned();
        Self {
            platform,
            operation,
            account: None,
            kind,
            probability: 1.0,
            count: None,
        }
    }

    /// Only calls of this page, user or DID.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// With this chance for each call, from 0 to 1.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Refuses rules that can never strike.
    pub(super) fn check(&self) -> Result<(), FaultError> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(FaultError::Probability(self.probability));
        }
        let named = self.operation == "*" || routes::is_name(self.platform, &self.operation);
        if !named {
            return Err(FaultError::Operation(self.operation.clone()));
        }
        let code = match self.kind {
            FaultKind::Status { code, .. } => Some(code),
            FaultKind::ErrorAlthoughCreated { code, .. } => code,
            _ => None,
        };
        match code {
            Some(code) if !(200..=599).contains(&code) => Err(FaultError::Code(code)),
            _ => Ok(()),
        }
    }
}

/// Why a rule is refused.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// Not between 0 and 1.
    #[error("probability {0} is not between 0 and 1: give a chance for each call")]
    Probability(f64),
    /// No such operation or endpoint on that platform.
    #[error(
        "no operation or endpoint is called {0:?} on that platform: use *, an operation or an endpoint name"
    )]
    Operation(String),
    /// Not an HTTP status.
    #[error("{0} is no HTTP status: use 200 to 599")]
    Code(u16),
    /// The kind needs a field that is not there.
    #[error("a fault of kind {kind} needs the field {field}: add it")]
    Missing {
        /// The kind.
        kind: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// A rule as the admin API takes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRequest {
    platform: Platform,
    operation: String,
    account: Option<String>,
    kind: KindName,
    code: Option<u16>,
    body: Option<Value>,
    reset_s: Option<u64>,
    ms: Option<u64>,
    probability: Option<f64>,
    count: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Status,
    RateLimited,
    LatencyMs,
    LateEffectMs,
    LostAnswer,
    DroppedRequest,
    ErrorAlthoughCreated,
    Garbage,
}

impl TryFrom<FaultRequest> for Fault {
    type Error = FaultError;

    fn try_from(r: FaultRequest) -> Result<Self, FaultError> {
        let need = |kind, field| move || FaultError::Missing { kind, field };
        let kind = match r.kind {
            KindName::Status => FaultKind::Status {
                code: r.code.ok_or_else(need("status", "code"))?,
                body: r.body,
            },
            KindName::RateLimited => FaultKind::RateLimited {
                reset_s: r.reset_s.ok_or_else(need("rate_limited", "reset_s"))?,
            },
            KindName::LatencyMs => FaultKind::LatencyMs {
                ms: r.ms.ok_or_else(need("latency_ms", "ms"))?,
            },
            KindName::LateEffectMs => FaultKind::LateEffectMs {
                ms: r.ms.ok_or_else(need("late_effect_ms", "ms"))?,
            },
            KindName::LostAnswer => FaultKind::LostAnswer,
            KindName::DroppedRequest => FaultKind::DroppedRequest,
            KindName::ErrorAlthoughCreated => FaultKind::ErrorAlthoughCreated {
                code: r.code,
                body: r.body,
            },
            KindName::Garbage => FaultKind::Garbage,
        };
        Ok(Self {
            platform: r.platform,
            operation: r.operation,
            account: r.account,
            kind,
            probability: r.probability.unwrap_or(1.0),
            count: r.count,
        })
    }
}
