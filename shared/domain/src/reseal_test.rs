use super::*;
use crate::time::from_ms;

fn now() -> Time {
    from_ms(1_800_000_000_000)
}

fn reseal(walk: Walk) -> Reseal {
    Reseal {
        number: 2,
        key: "k2".to_owned(),
        walk,
        resealed: 7,
        unreadable: 1,
    }
}

fn before(walk: Walk, left: u64) -> ResealStep {
    before_reseal(Some(&reseal(walk)), left, true, now(), Jitter::of(1))
}

fn settled(step: ResealStep) -> Decision {
    match step {
        ResealStep::Settled(decision) => decision,
        ResealStep::Batch => panic!("a batch"),
    }
}

fn at(decision: &Decision) -> Time {
    match decision.next {
        Next::At(at) => at,
        other => panic!("{other:?}"),
    }
}

fn seen(last: Option<u128>, exhausted: bool, next: Option<&str>) -> BatchSeen {
    BatchSeen {
        place: "apps.client_secret".to_owned(),
        next_place: next.map(str::to_owned),
        last: last.map(Uuid::from_u128),
        exhausted,
        unreadable: None,
    }
}

fn walk_of(decision: &Decision) -> Walk {
    match &decision.changes[..] {
        [Change::Resealed { walk, .. }] => walk.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_walk_goes_batch_by_batch_and_place_by_place() {
    let walking = reseal(start());
    assert_eq!(before(start(), 0), ResealStep::Batch);
    let on = after_reseal(
        &walking,
        &seen(Some(9), false, Some("grants.binding")),
        now(),
    );
    let expected = Walk::At {
        place: Some("apps.client_secret".to_owned()),
        after: Some(Uuid::from_u128(9)),
    };
    assert_eq!((walk_of(&on), at(&on)), (expected, now()));
    let next = after_reseal(
        &walking,
        &seen(Some(9), true, Some("grants.binding")),
        now(),
    );
    let expected = Walk::At {
        place: Some("grants.binding".to_owned()),
        after: None,
    };
    assert_eq!(walk_of(&next), expected);
    let through = after_reseal(&walking, &seen(None, true, None), now());
    assert_eq!(walk_of(&through), Walk::Through);
}

#[test]
fn what_does_not_open_is_counted_and_told() {
    let mut batch = seen(Some(9), true, None);
    batch.unreadable = Some((3, Uuid::from_u128(5)));
    let told = after_reseal(&reseal(start()), &batch, now());
    assert!(matches!(
        told.changes[..],
        [Change::Resealed { unreadable: 4, .. }]
    ));
    let event = Event::SealedUnreadable {
        place: "apps.client_secret".to_owned(),
        rows: 3,
        row: Uuid::from_u128(5),
    };
    assert_eq!(told.events, [event]);
}

#[test]
fn a_walk_is_done_when_nothing_is_left_but_what_nobody_can_open() {
    let done = settled(before(Walk::Through, 1));
    assert_eq!(walk_of(&done), Walk::Done);
    assert!(matches!(
        &done.events[..],
        [Event::VaultResealed {
            resealed: 7,
            unreadable: 1,
            ..
        }]
    ));
    assert!(at(&done) > now() + hours(19));
    let rest = settled(before(Walk::Done, 1));
    assert!(rest.changes.is_empty() && rest.events.is_empty());
}

#[test]
fn what_was_sealed_with_an_older_key_meanwhile_makes_it_walk_again() {
    for walk in [Walk::Through, Walk::Done] {
        let again = settled(before(walk, 2));
        assert_eq!(walk_of(&again), start());
        assert!(matches!(
            again.changes[..],
            [Change::Resealed { unreadable: 0, .. }]
        ));
        assert!(again.events.is_empty() && at(&again) < now() + minutes(2));
    }
}

#[test]
fn without_a_rotation_or_without_the_key_nothing_happens() {
    let jitter = Jitter::of(1);
    let none = settled(before_reseal(None, 9, true, now(), jitter));
    let keyless = settled(before_reseal(
        Some(&reseal(start())),
        9,
        false,
        now(),
        jitter,
    ));
    assert!(none.changes.is_empty() && keyless.changes.is_empty());
    assert!(at(&keyless) < now() + minutes(1));
}

#[test]
fn a_job_without_its_secret_waits_and_judges_nothing() {
    let waits = |why| without_secret(why, "grants.binding", Uuid::nil(), now(), Jitter::of(1));
    let unknown = waits(Unopened::KeyUnknown);
    assert!(
        matches!(unknown.next, Next::Park(Some(at), ParkReason::BackingOff) if at < now() + minutes(2))
    );
    assert!(unknown.events.is_empty() && unknown.changes.is_empty());
    let damaged = waits(Unopened::Damaged);
    // A reconnect's poke ends this wait.
    assert!(matches!(damaged.next, Next::Park(Some(_), reason) if reason.ends_by_a_wish()));
    assert!(damaged.changes.is_empty());
    assert!(matches!(
        damaged.events[..],
        [Event::SealedUnreadable { rows: 1, .. }]
    ));
}
