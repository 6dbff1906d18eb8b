use super::*;
use crate::{id::Id, time::from_ms};

fn id<K>(n: i64) -> Id<K> {
    Id::mint(from_ms(1_764_000_000_000 + n), [9; 10])
}

fn now() -> Time {
    from_ms(1_764_000_000_000)
}

fn work(what: NewsKind) -> NewsWork {
    NewsWork {
        id: id(1),
        what,
        at: None,
        merged: false,
        told: vec![Told {
            connection: id(2),
            platform: Platform::Facebook,
            grant: id(3),
            way: Platform::Facebook,
            personal: true,
        }],
        named: vec![NamedAttempt {
            attempt: id(4),
            target: id(5),
            platform: Platform::Facebook,
            accepted: false,
        }],
        dangling: Vec::new(),
    }
}

fn kinds(decision: &Decision) -> Vec<JobKind> {
    let kind = |poke: &Poke| match poke {
        Poke::Job { kind, .. } => Some(*kind),
        _ => None,
    };
    decision.pokes.iter().filter_map(kind).collect()
}

fn order(remote_id: Option<&str>) -> NewsKind {
    NewsKind::OrderPublished {
        handle: "h".to_owned(),
        remote_id: remote_id.map(str::to_owned),
    }
}

#[test]
fn an_order_that_became_a_post_is_evidence_and_everything_else_a_wish_to_look() {
    let policy = Policy::default();
    let accepted = after_news(&work(order(Some("7"))), &policy, now());
    assert!(matches!(
        &accepted.evidence[..],
        [Evidence::Accepted { accepted, .. }] if accepted.remote_id == "7"
    ));
    let failed = NewsKind::OrderFailed {
        handle: "h".to_owned(),
        failure: Failure::DuplicateContent,
    };
    for (what, jobs) in [
        (order(None), vec![JobKind::Publish]),
        (failed, vec![JobKind::Publish]),
        (
            NewsKind::PostRemoved {
                remote_id: "7".to_owned(),
            },
            vec![JobKind::Verify],
        ),
        (
            NewsKind::AccessRevoked,
            vec![JobKind::Check, JobKind::Survey],
        ),
    ] {
        let decision = after_news(&work(what), &policy, now());
        assert!(decision.evidence.is_empty());
        assert!(
            decision.changes.iter().all(|change| matches!(
                change,
                Change::NewsMerged { .. } | Change::ProbeWanted { .. }
            )),
            "nothing is believed blindly"
        );
        assert_eq!(kinds(&decision), jobs);
    }
}

#[test]
fn row_104_news_that_was_merged_does_nothing_more() {
    let mut again = work(order(Some("7")));
    again.merged = true;
    let decision = after_news(&again, &Policy::default(), now());
    assert_eq!(decision, Decision::new(Next::Done, Outcome::Nothing));
}

#[test]
fn a_lively_page_does_not_use_up_the_looks_for_a_lost_post() {
    let mut appeared = work(NewsKind::PostAppeared {
        remote_id: "7".to_owned(),
    });
    appeared.named.clear();
    appeared.at = Some(now());
    let dangling = |looks, begun_at| DanglingAttempt {
        target: id(8),
        platform: Platform::Facebook,
        begun_at,
        looks,
    };
    let policy = Policy::default();
    for (one, woken) in [
        (dangling(0, now()), 1),
        (dangling(LOOKS_BY_NEWS, now()), 0),
        // Begun long after that post was there.
        (dangling(0, now() + minutes(30)), 0),
    ] {
        appeared.dangling = vec![one];
        let decision = after_news(&appeared, &policy, now());
        assert_eq!(decision.pokes.len(), woken, "{one:?}");
    }
    // A post of ours tells nothing about another one.
    appeared.named = work(order(None)).named;
    appeared.dangling = vec![dangling(0, now())];
    let decision = after_news(&appeared, &policy, now());
    assert!(decision.pokes.is_empty());
}

#[test]
fn a_deletion_is_about_the_person_and_not_about_pages_of_that_name() {
    let mut wish = work(NewsKind::DataDeletion {
        confirmation: "c".to_owned(),
    });
    wish.told.push(Told {
        connection: id(6),
        personal: false,
        ..wish.told[0]
    });
    assert_eq!(erased(&wish), [id(2)]);
}
