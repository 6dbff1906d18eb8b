//! Faults on demand: which call meets which misfortune. The rules are only
//! decided here; `pipeline.rs` is the one place that carries them out.
//!
//! Decisions are deterministic: the n-th call of one account to one endpoint
//! meets the same fate in every run with the same seed and rules, however the
//! calls of different accounts interleave.

mod rule;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::calls::Operation;
use crate::ledger::Platform;

pub(crate) use rule::FaultRequest;
pub use rule::{Fault, FaultError, FaultKind};

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
        Self {
            seed,
            next_id: 1,
            rules: Vec::new(),
            hits: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, fault: Fault) -> Result<u64, FaultError> {
        fault.check()?;
        let id = self.next_id;
        self.next_id += 1;
        self.rules.push(Rule {
            active: ActiveFault { id, fault, hits: 0 },
            seen: HashMap::new(),
        });
        Ok(id)
    }

    /// Takes one rule away, or all. Says whether there was one.
    pub(crate) fn remove(&mut self, id: Option<u64>) -> bool {
        let before = self.rules.len();
        self.rules
            .retain(|r| id.is_some_and(|id| id != r.active.id));
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
            *self
                .hits
                .entry(rule.active.fault.kind.as_str())
                .or_default() += 1;
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
        let rule =
            Fault::new(Platform::Facebook, "publish", FaultKind::LostAnswer).probability(0.3);
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
        let alone: Vec<bool> = strikes(7, &["a"; 200])
            .into_iter()
            .map(|(_, s)| s)
            .collect();
        let mixed = strikes(7, &["b", "a"].repeat(200));
        let among: Vec<bool> = mixed
            .into_iter()
            .filter(|(a, _)| a == "a")
            .map(|(_, s)| s)
            .collect();
        assert_eq!(alone, among);
        let other: Vec<bool> = strikes(8, &["a"; 200])
            .into_iter()
            .map(|(_, s)| s)
            .collect();
        assert_ne!(alone, other);
        let hits = alone.iter().filter(|s| **s).count();
        assert!((40..80).contains(&hits), "about 30 % of 200, not {hits}");
    }

    #[test]
    fn a_rule_that_nothing_can_match_is_refused() {
        let mut faults = Faults::new(1);
        let misspelt = Fault::new(Platform::Bluesky, "publsh", FaultKind::Garbage);
        assert!(matches!(
            faults.add(misspelt),
            Err(FaultError::Operation(_))
        ));
        let endpoint = Fault::new(Platform::Bluesky, "putRecord", FaultKind::Garbage);
        assert!(faults.add(endpoint.clone()).is_ok());
        assert!(matches!(
            faults.add(endpoint.probability(1.5)),
            Err(FaultError::Probability(_))
        ));
    }
}
