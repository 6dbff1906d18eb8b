//! G13: whatever the order, the repetitions and the lies in between, the books end the same.

use proptest::prelude::*;

use super::*;
use crate::time::from_ms;

/// A delivery at our door: signed by the platform, or by somebody else.
#[derive(Debug, Clone)]
struct Delivery {
    genuine: bool,
    news: TargetNews,
}

fn stage() -> impl Strategy<Value = Stage> {
    (0_usize..Stage::ALL.len()).prop_map(|at| Stage::ALL[at])
}

fn moment() -> impl Strategy<Value = Time> {
    // Few moments, so that many of them are the same.
    (0_i64..6).prop_map(|n| from_ms(1_764_000_000_000 + n * 1_000))
}

fn address() -> impl Strategy<Value = Option<String>> {
    prop::option::of((0_u8..3).prop_map(|n| format!("https://platform.example/{n}")))
}

fn sight() -> impl Strategy<Value = Sight> {
    prop_oneof![
        Just(Sight::Unverifiable),
        Just(Sight::Live),
        Just(Sight::Altered),
        Just(Sight::Removed),
    ]
}

/// What publish jobs, webhooks, read-backs, syncs and people can say about one edition or the other.
fn news() -> impl Strategy<Value = Vec<TargetNews>> {
    let edition = || 1_i32..3;
    let reason = prop::option::of((0_u8..3).prop_map(|n| format!("reason_{n}")));
    prop_oneof![
        3 => (edition(), stage(), reason).prop_map(|(edition, stage, reason)| vec![TargetNews::Moved {
            to: Progress { edition, stage },
            reason,
        }]),
        2 => (edition(), moment(), address())
            .prop_map(|(edition, at, address)| vec![TargetNews::Accepted { edition, at, address }]),
        3 => (edition(), moment(), sight(), address())
            .prop_map(|(edition, at, what, address)| vec![TargetNews::Seen { edition, at, what, address }]),
    ]
}

/// Up to six stories, their pieces mixed with forgeries.
fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let one = (news(), prop::bool::weighted(0.8)).prop_map(|(news, genuine)| {
        let deliver = |news| Delivery { genuine, news };
        news.into_iter().map(deliver).collect::<Vec<_>>()
    });
    prop::collection::vec(one, 1..7).prop_map(|all| all.into_iter().flatten().collect())
}

/// What was signed is merged, and nothing else.
fn told<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Known {
    let genuine = deliveries.into_iter().filter(|one| one.genuine);
    genuine.fold(Known::start(), |known, one| known.merge(one.news.clone()))
}

/// A shuffle with repetitions: every delivery comes at least once.
fn shuffled(deliveries: &[Delivery], seed: u64) -> Vec<Delivery> {
    let mut all: Vec<Delivery> = deliveries.to_vec();
    let mut state = seed | 1;
    let mut dice = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap_or(0)
    };
    for _ in 0..dice(deliveries.len() + 1) {
        let again = deliveries[dice(deliveries.len())].clone();
        all.push(again);
    }
    for place in (1..all.len()).rev() {
        all.swap(place, dice(place + 1));
    }
    all
}

/// 20,000 in every run; more by proptest's own `PROPTEST_CASES` (the goal names 100,000).
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.max(20_000),
        failure_persistence: None,
        ..usual
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn g13_prop_any_order_repetition_and_forgery_of_news_ends_the_same(
        deliveries in deliveries(),
        seed: u64,
    ) {
        let straight = told(&deliveries);
        let mixed = told(&shuffled(&deliveries, seed));
        prop_assert_eq!(&mixed, &straight);
        prop_assert_eq!(mixed.link(), straight.link());
        let none_forged: Vec<Delivery> = deliveries.iter().filter(|one| one.genuine).cloned().collect();
        prop_assert_eq!(told(&none_forged), straight);
    }
}

fn at(second: i64) -> Time {
    from_ms(1_764_000_000_000 + second * 1_000)
}

fn published() -> Known {
    Known::start().merge(TargetNews::Accepted {
        edition: 1,
        at: at(0),
        address: Some("https://platform.example/1".to_owned()),
    })
}

fn seen(second: i64, what: Sight) -> TargetNews {
    TargetNews::Seen {
        edition: 1,
        at: at(second),
        what,
        address: None,
    }
}

#[test]
fn row_105_late_news_undoes_nothing() {
    let removed = published().merge(seen(9, Sight::Removed));
    let late = [
        seen(5, Sight::Live),
        TargetNews::Moved {
            to: Progress {
                edition: 1,
                stage: Stage::Failed,
            },
            reason: Some("late".to_owned()),
        },
        TargetNews::Moved {
            to: Progress {
                edition: 1,
                stage: Stage::Begun,
            },
            reason: None,
        },
    ];
    for news in late {
        assert_eq!(removed.clone().merge(news), removed);
    }
    assert_eq!(removed.link(), None);
}

#[test]
fn a_dead_link_is_cleared_and_comes_back_with_the_post() {
    let removed = published().merge(seen(1, Sight::Removed));
    assert_eq!(removed.link(), None);
    let back = removed.merge(seen(2, Sight::Live));
    assert_eq!(back.link(), Some("https://platform.example/1"));
}

#[test]
fn row_116_a_later_edition_replaces_what_was_removed_and_hears_nothing_of_the_old_one() {
    let removed = published().merge(seen(1, Sight::Removed));
    let again = removed.merge(TargetNews::Accepted {
        edition: 2,
        at: at(5),
        address: Some("https://platform.example/2".to_owned()),
    });
    assert_eq!(again.observed, None);
    assert_eq!(again.link(), Some("https://platform.example/2"));
    assert_eq!(again.clone().merge(seen(9, Sight::Removed)), again);
}
