use proptest::prelude::*;

use super::*;
use crate::{
    connection::AccountState,
    time::{from_ms, hours, minutes},
};

fn now() -> Time {
    from_ms(1_780_000_000_000)
}

fn well() -> Facts {
    Facts {
        auth_state: AuthState::Connected,
        ends_at: Some(now() + days(60)),
        renews_itself: false,
        scopes_missing: Vec::new(),
        scopes_declined: Vec::new(),
        publishing: None,
        account: Some(AccountState::Accessible),
        checked_at: Some(now()),
        used_at: Some(now()),
        refresh_exhausted: false,
        refreshing_until: None,
        failed_looks: 0,
        failing: None,
        provider: None,
        flapping: false,
        paid_probe_every: None,
    }
}

fn of(connection: u8, change: impl FnOnce(&mut Facts)) -> TaskFacts {
    let mut facts = well();
    change(&mut facts);
    TaskFacts {
        connection: ConnectionId::mint(now(), [connection; 10]),
        grant: GrantId::mint(now(), [9; 10]),
        facts,
        connected_at: now() - days(30),
        broken_since: None,
    }
}

fn only(facts: TaskFacts) -> Option<Task> {
    tasks(&[facts], &Policy::default(), now()).pop()
}

#[test]
fn row_032_a_task_opens_exactly_fourteen_days_before_the_end_and_is_due_then() {
    for (left, open) in [
        (days(14) + minutes(1), false),
        (days(14), true),
        (days(1), true),
    ] {
        let task = only(of(1, |f| f.ends_at = Some(now() + left)));
        assert_eq!(task.is_some(), open, "{left}");
        let Some(task) = task else { continue };
        assert_eq!(task.why, TaskWhy::EndsSoon);
        assert_eq!(task.due, now() + left);
        assert_eq!(task.opened_at, task.due - days(14));
    }
}

#[test]
fn row_032_what_renews_itself_opens_no_task() {
    let renewing = |f: &mut Facts| {
        f.renews_itself = true;
        f.ends_at = Some(now() + hours(2));
    };
    assert_eq!(only(of(1, renewing)), None);
}

/// What breaks a grant, and what its task says then.
type Broken = (fn(&mut Facts), TaskWhy);

#[test]
fn row_032_what_is_broken_is_due_at_once_and_says_why() {
    let since = now() - hours(3);
    let broken = |change: fn(&mut Facts)| {
        let mut facts = of(1, change);
        facts.broken_since = Some(since);
        only(facts).expect("a task")
    };
    let cases: [Broken; 4] = [
        (|f| f.auth_state = AuthState::Revoked, TaskWhy::Revoked),
        (|f| f.auth_state = AuthState::Error, TaskWhy::Refused),
        (|f| f.refresh_exhausted = true, TaskWhy::RefreshExhausted),
        (
            |f| f.scopes_missing = vec!["publish".to_owned()],
            TaskWhy::PermissionMissing,
        ),
    ];
    for (change, why) in cases {
        let task = broken(change);
        assert_eq!((task.why, task.opened_at, task.due), (why, since, since));
    }
}

#[test]
fn row_032_one_consent_is_one_task_for_all_of_its_connections() {
    let soon = |f: &mut Facts| f.ends_at = Some(now() + days(2));
    let open = tasks(&[of(1, soon), of(2, soon)], &Policy::default(), now());
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].connections.len(), 2);
}

#[test]
fn row_032_the_task_of_an_ended_credential_is_the_one_that_opened_before() {
    let ended = |f: &mut Facts| {
        f.auth_state = AuthState::Expired;
        f.ends_at = Some(now() - hours(1));
    };
    let task = only(of(1, ended)).expect("a task");
    assert_eq!(task.why, TaskWhy::Ended);
    assert_eq!(task.opened_at, now() - hours(1) - days(14));
}

proptest! {
    #[test]
    fn row_032_prop_a_task_with_an_end_opens_before_it(
        state in prop::sample::select(vec![
            AuthState::Connected, AuthState::Expired, AuthState::Revoked, AuthState::Error,
        ]),
        end in -40_i64 * 24..40 * 24,
        connected in -100_i64 * 24..=0,
        since in prop::option::of(-100_i64 * 24..=0),
        (exhausted, missing, renews) in any::<(bool, bool, bool)>(),
    ) {
        let mut facts = of(1, |f| {
            f.auth_state = state;
            f.ends_at = Some(now() + hours(end));
            f.refresh_exhausted = exhausted;
            f.renews_itself = renews;
            f.scopes_missing = missing.then(|| "x".to_owned()).into_iter().collect();
        });
        facts.connected_at = now() + hours(connected);
        facts.broken_since = since.map(|hour| now() + hours(hour));
        if let Some(task) = only(facts) {
            prop_assert!(task.opened_at < now() + hours(end), "{task:?}");
            prop_assert!(task.opened_at <= now());
        }
    }
}
