use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    decision::{Change, Decision, Next},
    failure::Failure,
    id::{AttemptId, ConnectionId, PostId, ProofId, TargetId, WorkspaceId},
    platform::Platform,
    post::{Settlement, Stage},
    retry::Jitter,
    time::{Time, days, from_ms, hours, minutes, seconds},
};

pub(super) fn start() -> Time {
    from_ms(1_764_144_000_000) // 2025-11-26T08:00:00Z
}

pub(super) fn workspace() -> WorkspaceId {
    WorkspaceId::mint(start(), [1; 10])
}

/// A target that was accepted at its second attempt and looked at three times.
pub(super) fn target(seed: u8) -> TargetSeen {
    let attempt = |number: u8| AttemptId::mint(start(), [seed, number, 0, 0, 0, 0, 0, 0, 0, 3]);
    let of = |number: u8, failure| AttemptSeen {
        attempt: attempt(number),
        edition: 1,
        number: i32::from(number),
        revision: 1,
        reference: Some(format!("3k{seed}")),
        text_sha256: "ab".repeat(32),
        begun_at: start() + minutes(30) + seconds(i64::from(number)),
        call_ended_at: Some(start() + minutes(31)),
        failure,
        handle: None,
        accepted: None,
        settlement: Some(Settlement::Absent),
        forgotten: false,
    };
    let mut second = of(2, None);
    second.call_ended_at = None;
    second.accepted = Some((
        start() + minutes(33),
        format!("remote{seed}"),
        Some(format!("https://example.com/{seed}?a=1&b=\u{e9}")),
    ));
    second.settlement = Some(Settlement::Found);
    let looks = (1..4).map(|n: u8| LookSeen {
        proof: ProofId::mint(start(), [seed, n, 0, 0, 0, 0, 0, 0, 0, 4]),
        attempt: attempt(2),
        verdict: "live".to_owned(),
        remote_id: format!("remote{seed}"),
        permalink: Some(format!("https://example.com/{seed}")),
        text_sha256: Some("ab".repeat(32)),
        seen_at: start() + minutes(33 + i64::from(n)),
    });
    TargetSeen {
        target: TargetId::mint(start(), [seed, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        post: PostId::mint(start(), [7, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        connection: ConnectionId::mint(start(), [seed; 10]),
        platform: Platform::Bluesky,
        account: format!("did:plc:{seed}"),
        edition: 1,
        stage: Stage::Accepted,
        reason: None,
        due: start() + minutes(30),
        scheduled_at: start(),
        revision: 1,
        content: json!({"text": "all moored \u{2693} \"well\"\n", "link": "https://example.com"}),
        media_sha256: vec!["cd".repeat(32)],
        attempts: vec![of(1, Some(Failure::ProviderDown)), second],
        looks: looks.collect(),
    }
}

/// A number as a place in a list.
fn place(number: u64) -> usize {
    usize::try_from(number).expect("a small number")
}

/// A ledger in memory, which keeps what decisions say as the store does.
#[derive(Default)]
pub(super) struct Books {
    pub(super) entries: Vec<Entry>,
    pub(super) roots: Vec<Root>,
    pub(super) head: Option<Head>,
    pub(super) restores: Vec<RestoreSeen>,
}

/// Signs with what is no signature: the bytes' digest twice.
pub(super) fn sign(message: &[u8]) -> [u8; 64] {
    let digest = Digest::of(&[b"key of the tests", message]);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&digest.0);
    signature[32..].copy_from_slice(&digest.0);
    signature
}

pub(super) fn check(key: &str, message: &[u8], signature: &str) -> Checked {
    match key {
        "t1" if hex::encode(sign(message)) == signature => Checked::Good,
        "t1" => Checked::Bad,
        _ => Checked::UnknownKey,
    }
}

impl Books {
    pub(super) fn work(&self, targets: Vec<TargetSeen>, now: Time) -> LedgerWork {
        let known: HashSet<_> = self.entries.iter().map(|one| one.source.clone()).collect();
        let newest: HashMap<_, _> = self
            .entries
            .iter()
            .map(|one| (one.about.clone(), one.hash()))
            .collect();
        let mut ripe = Vec::new();
        if let Some(head) = &self.head
            && let Some(open) = head.open_since
            && open.date_naive() < now.date_naive()
        {
            let of_day = |one: &&Entry| {
                one.number > head.sealed
                    && from_ms(one.chained_at).date_naive() == open.date_naive()
            };
            let leaves: Vec<_> = self
                .entries
                .iter()
                .filter(of_day)
                .map(Entry::hash)
                .collect();
            let after = place(head.sealed) + leaves.len();
            ripe.push(RipeDay {
                workspace: workspace(),
                head: head.clone(),
                leaves,
                open_after: self.entries.get(after).map(|one| from_ms(one.chained_at)),
                restores: self.restores.len() as u64,
            });
        }
        LedgerWork {
            pending: (1..).take(targets.len()).collect(),
            more: false,
            chains: vec![ChainWork {
                workspace: workspace(),
                head: self.head.clone(),
                known,
                newest,
                targets,
                restores: self.restores.clone(),
            }],
            ripe,
        }
    }

    pub(super) fn keep(&mut self, decision: &Decision) {
        for change in &decision.changes {
            let Change::Ledger(step) = change else {
                panic!("the ledger changes nothing else: {change:?}");
            };
            match step.as_ref() {
                LedgerStep::Appended {
                    after,
                    head,
                    entries,
                    ..
                } => {
                    assert_eq!(*after, self.head, "it goes on from the end");
                    self.entries.extend(entries.iter().cloned());
                    self.head = Some(head.clone());
                }
                LedgerStep::Sealed {
                    before, head, root, ..
                } => {
                    assert_eq!(Some(before), self.head.as_ref());
                    self.roots.push(Root::clone(root));
                    self.head = Some(head.clone());
                }
                LedgerStep::Looked { .. } => {}
            }
        }
    }

    /// Runs until nothing more is to be done.
    pub(super) fn run(&mut self, targets: &[TargetSeen], now: Time) {
        let signer = Signer {
            key: "t1",
            public: [1; 32],
            sign: &sign,
        };
        for _ in 0..50 {
            let work = self.work(targets.to_vec(), now);
            let sealing = !work.ripe.is_empty();
            let decision = chain(&work, Some(&signer), now, Jitter::of(1));
            self.keep(&decision);
            if !sealing {
                return;
            }
        }
        panic!("it seals for ever");
    }

    /// Everything about a subject, as a file.
    pub(super) fn export(&self, about: &[&TargetSeen], subject: String) -> Export {
        let wanted = |one: &&Entry| {
            about
                .iter()
                .any(|seen| seen.target.to_string() == one.about)
                || matches!(one.body, Body::Restored(_))
        };
        let entries: Vec<_> = self.entries.iter().filter(wanted).cloned().collect();
        let kept: Vec<_> = entries.into_iter().map(|one| self.kept(one)).collect();
        let days: HashSet<_> = kept
            .iter()
            .filter_map(|one| Some(one.inclusion.as_ref()?.day))
            .collect();
        let roots = self
            .roots
            .iter()
            .filter(|root| days.contains(&root.statement.day));
        let contents = about.iter().map(|seen| Content {
            target: seen.target,
            revision: seen.revision,
            content: seen.content.clone(),
        });
        Export {
            workspace: workspace(),
            subject,
            contents: contents.collect(),
            entries: kept,
            roots: roots.cloned().collect(),
        }
    }

    fn kept(&self, entry: Entry) -> Kept {
        let root = self
            .roots
            .iter()
            .find(|root| (root.statement.first..=root.statement.last).contains(&entry.number));
        let inclusion = root.map(|root| {
            let (first, last) = (place(root.statement.first), place(root.statement.last));
            let leaves: Vec<_> = self.entries[first - 1..last]
                .iter()
                .map(Entry::hash)
                .collect();
            Inclusion {
                day: root.statement.day,
                path: merkle::Tree::over(leaves).path(place(entry.number) - first),
            }
        });
        Kept {
            hash: entry.hash(),
            entry,
            inclusion,
        }
    }

    /// Whether the chain is one.
    fn assert_whole(&self) {
        for pair in self.entries.windows(2) {
            assert_eq!(pair[1].number, pair[0].number + 1);
            assert_eq!(pair[1].previous, Some(pair[0].hash()));
            assert!(pair[1].chained_at >= pair[0].chained_at);
        }
        let sources: HashSet<_> = self.entries.iter().map(|one| &one.source).collect();
        assert_eq!(sources.len(), self.entries.len(), "each fact is there once");
    }
}

#[test]
fn a_story_is_chained_in_its_order_and_only_once() {
    let mut books = Books::default();
    let seen = target(1);
    books.run(std::slice::from_ref(&seen), start() + hours(1));
    let kinds: Vec<_> = books.entries.iter().map(|one| one.body.kind()).collect();
    let wanted = [
        "intent",
        "request",
        "answer",
        "settlement",
        "request",
        "acceptance",
        "settlement",
        "read_back",
        "read_back",
        "read_back",
    ];
    assert_eq!(kinds, wanted);
    books.assert_whole();
    let before = books.entries.clone();
    books.run(&[seen.clone(), seen], start() + hours(2));
    assert_eq!(books.entries, before, "what is known is not said again");
}

/// A sample that later versions and other programs must come to as well.
#[test]
fn the_first_entry_is_the_golden_one() {
    let mut books = Books::default();
    books.run(&[target(1)], start() + hours(1));
    let golden = include_str!("golden_entry.json");
    assert_eq!(books.entries[0].text(), golden.trim_end());
    assert_eq!(
        books.entries[0].hash().to_string(),
        include_str!("golden_hash.txt").trim_end()
    );
}

#[test]
fn a_day_is_sealed_once_it_is_over_and_the_next_one_names_it() {
    let mut books = Books::default();
    books.run(&[target(1)], start());
    assert_eq!(books.roots, []);
    books.run(&[target(2)], start() + days(1));
    books.run(&[], start() + days(2));
    let [first, second] = books.roots.as_slice() else {
        panic!("two days: {:?}", books.roots);
    };
    assert_eq!((first.statement.first, first.statement.last), (1, 10));
    assert_eq!((second.statement.first, second.statement.last), (11, 20));
    assert_eq!(first.statement.previous, None);
    assert_eq!(second.statement.previous, Some(first.statement.hash()));
    let leaves: Vec<_> = books.entries[..10].iter().map(Entry::hash).collect();
    assert_eq!(first.statement.root, merkle::root(&leaves));
    books.run(&[], start() + days(9));
    assert_eq!(books.roots.len(), 2, "a day without entries has no root");
}

#[test]
fn nothing_is_appended_to_a_day_that_has_its_root() {
    let mut books = Books::default();
    books.run(&[target(1)], start());
    books.run(&[], start() + days(1));
    // A clock that is behind.
    books.run(&[target(2)], start() + hours(3));
    let late = from_ms(books.entries[10].chained_at);
    assert_eq!(late.date_naive(), (start() + days(1)).date_naive());
    books.run(&[], start() + days(2));
    assert_eq!(books.roots[1].statement.first, 11);
    books.assert_whole();
}

#[test]
fn without_a_key_entries_are_chained_and_no_day_is_sealed() {
    let mut books = Books::default();
    books.run(&[target(1)], start());
    let work = books.work(vec![target(2)], start() + days(2));
    let decision = chain(&work, None, start() + days(2), Jitter::of(1));
    books.keep(&decision);
    assert_eq!((books.entries.len(), books.roots.len()), (20, 0));
    books.run(&[], start() + days(3));
    let days: Vec<_> = books
        .roots
        .iter()
        .map(|root| root.statement.size())
        .collect();
    assert_eq!(
        days,
        [10, 10],
        "a key that comes later seals every day of its own"
    );
}

#[test]
fn after_a_restore_the_chain_says_so_before_anything_else() {
    let mut books = Books::default();
    books.run(&[target(1)], start());
    books.restores.push(RestoreSeen {
        id: uuid::Uuid::from_u128(5),
        taken_at: start(),
        marked_at: start() + hours(1),
    });
    books.run(&[target(2)], start() + hours(2));
    assert_eq!(books.entries[10].body.kind(), "restored");
    books.run(&[target(3)], start() + hours(3));
    let told = books
        .entries
        .iter()
        .filter(|one| one.body.kind() == "restored");
    assert_eq!(told.count(), 1);
    books.run(&[], start() + days(1));
    assert_eq!(books.roots[0].statement.restores, 1);
}

#[test]
fn more_news_are_looked_at_at_once() {
    let mut work = Books::default().work(vec![target(1)], start());
    work.more = true;
    assert_eq!(
        chain(&work, None, start(), Jitter::of(1)).next,
        Next::At(start())
    );
    let idle = chain(&LedgerWork::default(), None, start(), Jitter::of(1));
    assert!(idle.changes.is_empty());
    let Next::At(at) = idle.next else {
        panic!("it lives on")
    };
    assert!(
        at > start() + seconds(30) && at < start() + minutes(2),
        "{at}"
    );
}

proptest! {
    /// However the news come, in whatever portions, again and again: one chain, each fact once.
    #[test]
    fn prop_any_order_of_news_makes_one_chain(turns in prop::collection::vec((1_u8..5, 0_usize..=3, 0_i64..3_000), 1..30)) {
        let mut books = Books::default();
        let mut now = start();
        for (seed, looks, minutes_later) in turns {
            now += minutes(minutes_later);
            let mut seen = target(seed);
            seen.looks.truncate(looks);
            books.run(&[seen], now);
        }
        books.assert_whole();
        books.run(&[], now + days(1));
        let sealed: u64 = books.roots.iter().map(|root| root.statement.size()).sum();
        prop_assert_eq!(sealed, books.entries.len() as u64);
        for pair in books.roots.windows(2) {
            prop_assert_eq!(pair[1].statement.previous, Some(pair[0].statement.hash()));
            prop_assert_eq!(pair[1].statement.first, pair[0].statement.last + 1);
        }
    }
}
