//! Appending to chains and sealing days: what a run of the job `ledger` decides.

use std::collections::{HashMap, HashSet};

use super::{
    Body, Day, Digest, Draft, Entry, RestoreSeen, Root, Statement, TargetSeen, VERSION,
    drafts::{drafts, restored},
    merkle,
    root::{day_of, end_of},
};
use crate::{
    decision::{Change, Decision, Next, Outcome},
    id::WorkspaceId,
    retry::Jitter,
    time::{Time, from_ms, minutes},
};

/// How often the ledger looks for news where there were none.
const LOOK: chrono::TimeDelta = minutes(1);

/// The end of a chain. Whatever is written compares the whole of it: nobody goes on from an end that is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it was appended.
    pub chained_at: Time,
    /// The number of the last entry under a signed root; 0 = none.
    pub sealed: u64,
    /// The day of the last root, and the hash of its statement.
    pub last_root: Option<(Day, Digest)>,
    /// When the first entry was appended that has no root yet.
    pub open_since: Option<Time>,
}

/// What a run works on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LedgerWork {
    /// The news that were read; they are forgotten with what this decides.
    pub pending: Vec<i64>,
    /// Whether there are more.
    pub more: bool,
    /// The chains that the news belong to.
    pub chains: Vec<ChainWork>,
    /// Days that are over and have no root.
    pub ripe: Vec<RipeDay>,
}

/// A chain with news.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainWork {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Its end; `None` = it is empty.
    pub head: Option<Head>,
    /// The facts that are in it already, of those that the news are about.
    pub known: HashSet<String>,
    /// The hash of the newest entry about each thing.
    pub newest: HashMap<String, Digest>,
    /// What the news are about.
    pub targets: Vec<TargetSeen>,
    /// Restores of the database.
    pub restores: Vec<RestoreSeen>,
}

/// A day that is over and has no root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RipeDay {
    /// Whose chain.
    pub workspace: WorkspaceId,
    /// The chain's end.
    pub head: Head,
    /// The hashes of the day's entries, in their order.
    pub leaves: Vec<Digest>,
    /// When the first entry after them was appended, where there is one.
    pub open_after: Option<Time>,
    /// How often the database had been restored.
    pub restores: u64,
}

/// Who signs.
pub struct Signer<'a> {
    /// The key's id.
    pub key: &'a str,
    /// The public key.
    pub public: [u8; 32],
    /// Signs with Ed25519, which rolls no dice.
    pub sign: &'a dyn Fn(&[u8]) -> [u8; 64],
}

/// What is written of a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum LedgerStep {
    /// A chain grows. Refused where its end is not `after` any more.
    Appended {
        /// Whose chain.
        workspace: WorkspaceId,
        /// Its end before.
        after: Option<Head>,
        /// Its end from now on.
        head: Head,
        /// What is appended.
        entries: Vec<Entry>,
    },
    /// A day has its root. Refused where the chain's end is not `before` any more.
    Sealed {
        /// Its end before.
        before: Head,
        /// Its end from now on.
        head: Head,
        /// The root.
        root: Box<Root>,
        /// The public key of whoever signed.
        public_key: [u8; 32],
    },
    /// These news are in the chains now.
    Looked {
        /// Their numbers.
        pending: Vec<i64>,
    },
}

/// What a run decides. Days that are over come first, so that a chain never grows over one.
#[must_use]
pub fn chain(
    work: &LedgerWork,
    signer: Option<&Signer<'_>>,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let at_once = |outcome| Decision::new(Next::At(now), outcome);
    if let Some(signer) = signer
        && !work.ripe.is_empty()
    {
        let sealed = work.ripe.iter().filter_map(|day| seal(day, signer, now));
        return with(at_once(Outcome::Success), sealed);
    }
    if work.pending.is_empty() {
        let later = now + jitter.spread(LOOK, 20);
        return Decision::new(Next::At(later), Outcome::Nothing);
    }
    let mut decision = at_once(Outcome::Success);
    if !work.more {
        decision.next = Next::At(now + jitter.spread(LOOK, 20));
    }
    let appended = work.chains.iter().filter_map(|one| append(one, now));
    let looked = LedgerStep::Looked {
        pending: work.pending.clone(),
    };
    with(decision, appended.chain([looked]))
}

fn with(decision: Decision, steps: impl Iterator<Item = LedgerStep>) -> Decision {
    steps.fold(decision, |decision, step| {
        decision.change(Change::Ledger(Box::new(step)))
    })
}

/// Appends what the chain lacks.
fn append(work: &ChainWork, now: Time) -> Option<LedgerStep> {
    let restores = work
        .restores
        .iter()
        .map(|one| restored(work.workspace, one));
    let wanted = restores.chain(work.targets.iter().flat_map(drafts));
    let lacking = wanted.filter(|draft| !work.known.contains(&draft.source));
    let (mut head, mut newest) = (work.head.clone(), work.newest.clone());
    let (mut entries, mut told) = (Vec::new(), HashSet::new());
    for draft in lacking {
        if !told.insert(draft.source.clone()) {
            continue;
        }
        let entry = place(work.workspace, draft, head.as_ref(), &newest, now);
        let hash = entry.hash();
        newest.insert(entry.about.clone(), hash);
        head = Some(grown(head, &entry, hash));
        entries.push(entry);
    }
    (!entries.is_empty()).then_some(())?;
    Some(LedgerStep::Appended {
        workspace: work.workspace,
        after: work.head.clone(),
        head: head?,
        entries,
    })
}

fn place(
    workspace: WorkspaceId,
    draft: Draft,
    head: Option<&Head>,
    newest: &HashMap<String, Digest>,
    now: Time,
) -> Entry {
    Entry {
        v: VERSION,
        workspace,
        number: head.map_or(1, |head| head.number + 1),
        before: newest.get(&draft.about).copied(),
        about: draft.about,
        source: draft.source,
        at: draft.at.map(|at| at.timestamp_millis()),
        chained_at: head
            .map_or(now, |head| earliest(head, now))
            .timestamp_millis(),
        previous: head.map(|head| head.hash),
        body: draft.body,
    }
}

/// The time of an append: never before the last one, and never on a day that has its root.
fn earliest(head: &Head, now: Time) -> Time {
    let sealed = head.last_root.map_or(now, |(day, _)| end_of(day));
    now.max(head.chained_at).max(sealed)
}

fn grown(head: Option<Head>, entry: &Entry, hash: Digest) -> Head {
    let chained_at = from_ms(entry.chained_at);
    Head {
        number: entry.number,
        hash,
        chained_at,
        sealed: head.as_ref().map_or(0, |head| head.sealed),
        last_root: head.as_ref().and_then(|head| head.last_root),
        open_since: head.and_then(|head| head.open_since).or(Some(chained_at)),
    }
}

/// Signs the root of a day that is over.
fn seal(work: &RipeDay, signer: &Signer<'_>, now: Time) -> Option<LedgerStep> {
    let before = &work.head;
    let day = day_of(before.open_since?);
    let size = u64::try_from(work.leaves.len()).ok()?;
    if now < end_of(day) || size == 0 {
        return None;
    }
    let statement = Statement {
        v: VERSION,
        workspace: work.workspace,
        day,
        first: before.sealed + 1,
        last: before.sealed + size,
        root: merkle::root(&work.leaves),
        previous: before.last_root.map(|(_, hash)| hash),
        restores: work.restores,
        key: signer.key.to_owned(),
        signed_at: now.timestamp_millis(),
    };
    let head = Head {
        sealed: statement.last,
        last_root: Some((day, statement.hash())),
        open_since: work.open_after,
        ..before.clone()
    };
    let signature = (signer.sign)(&statement.message());
    Some(LedgerStep::Sealed {
        before: before.clone(),
        head,
        public_key: signer.public,
        root: Box::new(Root {
            statement,
            signature: hex::encode(signature),
        }),
    })
}

impl LedgerStep {
    /// What is appended, with its kinds: for counting.
    #[must_use]
    pub fn appended(&self) -> &[Entry] {
        match self {
            Self::Appended { entries, .. } => entries,
            Self::Sealed { .. } | Self::Looked { .. } => &[],
        }
    }
}

impl Entry {
    /// Whether it says that somebody looked, and what they saw.
    #[must_use]
    pub fn verdict(&self) -> Option<&str> {
        match &self.body {
            Body::ReadBack(look) => Some(&look.verdict),
            _ => None,
        }
    }
}
