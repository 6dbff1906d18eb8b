//! Faults on demand: which call meets which misfortune. The rules are only
//! decided here; `pipeline.rs` is the one place that carries them out.
//!
//! Decisions are deterministic: the n-th call of one account to one endpoint
//! meets the same fate in every run with the same seed and rules, however the
//! calls of different accounts interleave.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::Operation;
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
        Self { platform, operation, account: None, kind, probability: 1.0, count: None }
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

    fn check(&self) -> Result<(), FaultError> {
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
    #[error("no operation or endpoint is called {0:?} on that platform: use *, an operation or an endpoint name")]
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
            KindName::ErrorAlthoughCreated => {
                FaultKind::ErrorAlthoughCreated { code: r.code, body: r.body }
            }
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

/// A rule that is in force, with its hits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActiveFault {
    /// For taking it away again.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it struck.
    pub hits: u64,
}

/// All rules and what they did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultReport {
    /// Rules in force, in the order in which they are tried.
    pub faults: Vec<ActiveFault>,
    /// Hits per kind since the start, of removed rules too.
    pub hits: BTreeMap<&'static str, u64>,
}

/// What shall happen to one call.
#[derive(Default)]
pub(crate) struct Plan {
    /// The answer waits so long.
    pub(crate) answer_delay_ms: u64,
    /// Effect and answer wait so long.
    pub(crate) effect_delay_ms: u64,
    /// The first other rule that struck.
    pub(crate) fault: Option<(u64, FaultKind)>,
}

/// The facts of a call that rules look at.
pub(crate) struct Target<'a> {
    pub(crate) platform: Platform,
    pub(crate) operation: Operation,
    pub(crate) endpoint: &'static str,
    pub(crate) account: &'a str,
    pub(crate) owner: &'a str,
}

struct Rule {
    active: ActiveFault,
    /// Calls seen so far, per account and endpoint: the n of the n-th call.
    seen: HashMap<(String, &'static str), u64>,
}

pub(crate) struct Faults {
    seed: u64,
    next_id: u64,
    rules: Vec<Rule>,
    hits: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next_id: 1, rules: Vec::new(), hits: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, fault: Fault) -> Result<u64, FaultError> {
        fault.check()?;
        let id = self.next_id;
        self.next_id += 1;
        self.rules.push(Rule { active: ActiveFault { id, fault, hits: 0 }, seen: HashMap::new() });
        Ok(id)
    }

    /// Takes one rule away, or all. Says whether there was one.
    pub(crate) fn remove(&mut self, id: Option<u64>) -> bool {
        let before = self.rules.len();
        self.rules.retain(|r| id.is_some_and(|id| id != r.active.id));
        self.rules.len() < before
    }

    pub(crate) fn report(&self) -> FaultReport {
        FaultReport {
            faults: self.rules.iter().map(|r| r.active.clone()).collect(),
            hits: self.hits.clone(),
        }
    }

    /// Decides about one call: delays add up, the first other rule wins.
    pub(crate) fn plan(&mut self, target: &Target<'_>) -> Plan {
        let mut plan = Plan::default();
        for rule in &mut self.rules {
            let waits = match rule.active.fault.kind {
                FaultKind::LatencyMs { .. } | FaultKind::LateEffectMs { .. } => true,
                _ if plan.fault.is_some() => continue,
                _ => false,
            };
            if !rule.strikes(self.seed, target) {
                continue;
            }
            rule.active.hits += 1;
            *self.hits.entry(rule.active.fault.kind.as_str()).or_default() += 1;
            match &rule.active.fault.kind {
                FaultKind::LatencyMs { ms } if waits => plan.answer_delay_ms += ms,
                FaultKind::LateEffectMs { ms } if waits => plan.effect_delay_ms += ms,
                kind => plan.fault = Some((rule.active.id, kind.clone())),
            }
        }
        plan
    }

    /// The rule struck, but there was nothing to spoil.
    pub(crate) fn refund(&mut self, id: u64) {
        if let Some(rule) = self.rules.iter_mut().find(|r| r.active.id == id) {
            rule.active.hits -= 1;
            if let Some(hits) = self.hits.get_mut(rule.active.fault.kind.as_str()) {
                *hits -= 1;
            }
        }
    }
}

impl Rule {
    fn strikes(&mut self, seed: u64, target: &Target<'_>) -> bool {
        let fault = &self.active.fault;
        let exhausted = fault.count.is_some_and(|count| self.active.hits >= count);
        if exhausted || !fits(fault, target) {
            return false;
        }
        if fault.probability >= 1.0 {
            return true;
        }
        let key = (target.account.to_owned(), target.endpoint);
        let n = self.seen.entry(key).or_default();
        *n += 1;
        let mut hash = mix(seed ^ mix(self.active.id));
        for byte in target.account.bytes().chain(target.endpoint.bytes()) {
            hash = mix(hash ^ u64::from(byte));
        }
        chance(mix(hash ^ *n)) < fault.probability
    }
}

fn fits(fault: &Fault, target: &Target<'_>) -> bool {
    let wanted = fault.operation.as_str();
    let operation =
        wanted == "*" || wanted == target.operation.as_str() || wanted == target.endpoint;
    let account = fault.account.as_deref();
    fault.platform == target.platform
        && operation
        && account.is_none_or(|a| a == target.account || a == target.owner)
}

/// The splitmix64 finaliser: spreads every input bit over the whole word.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number from 0 (inclusive) to 1 (exclusive), from the upper 32 bits.
fn chance(x: u64) -> f64 {
    let upper = u32::try_from(x >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(seed: u64, accounts: &[&str]) -> Vec<(String, bool)> {
        let mut faults = Faults::new(seed);
        let rule = Fault::new(Platform::Facebook, "publish", FaultKind::LostAnswer).probability(0.3);
        faults.add(rule).unwrap();
        let decide = |account: &&str| {
            let target = Target {
                platform: Platform::Facebook,
                operation: Operation::Publish,
                endpoint: "page_feed_post",
                account,
                owner: "",
            };
            ((*account).to_owned(), faults.plan(&target).fault.is_some())
        };
        accounts.iter().map(decide).collect()
    }

    #[test]
    fn an_accounts_fate_depends_on_the_seed_and_not_on_the_others() {
        let alone: Vec<bool> = strikes(7, &["a"; 200]).into_iter().map(|(_, s)| s).collect();
        let mixed = strikes(7, &["b", "a"].repeat(200));
        let among: Vec<bool> = mixed.into_iter().filter(|(a, _)| a == "a").map(|(_, s)| s).collect();
        assert_eq!(alone, among);
        let other: Vec<bool> = strikes(8, &["a"; 200]).into_iter().map(|(_, s)| s).collect();
        assert_ne!(alone, other);
        let hits = alone.iter().filter(|s| **s).count();
        assert!((40..80).contains(&hits), "about 30 % of 200, not {hits}");
    }

    #[test]
    fn a_rule_that_nothing_can_match_is_refused() {
        let mut faults = Faults::new(1);
        let misspelt = Fault::new(Platform::Bluesky, "publsh", FaultKind::Garbage);
        assert!(matches!(faults.add(misspelt), Err(FaultError::Operation(_))));
        let endpoint = Fault::new(Platform::Bluesky, "putRecord", FaultKind::Garbage);
        assert!(faults.add(endpoint.clone()).is_ok());
        assert!(matches!(faults.add(endpoint.probability(1.5)), Err(FaultError::Probability(_))));
    }
}
