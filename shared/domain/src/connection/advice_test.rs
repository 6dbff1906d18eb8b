use super::*;
use crate::{
    connection::{AccountState, Assessment, Health, Publishing},
    grant::AuthState,
    time::{days, from_ms, hours, minutes},
};

fn now() -> Time {
    from_ms(1_780_000_000_000)
}

fn failing(for_: TimeDelta) -> Failing {
    Failing {
        since: now() - for_,
        last: now() - minutes(5).min(for_),
    }
}

fn told(reasons: Vec<Reason>, failing: Option<Failing>) -> Option<Advice> {
    let assessment = Assessment {
        health: Health::Warning,
        reasons,
    };
    let standing = Standing {
        removed: false,
        auth: AuthState::Connected,
        assessment: &assessment,
    };
    let end = Some(now() + days(3));
    advice(&standing, failing, end, &Policy::default(), now())
}

fn act(reasons: Vec<Reason>, failing: Option<Failing>) -> Option<Act> {
    told(reasons, failing).map(|advice| advice.act)
}

#[test]
fn row_012_half_an_hour_is_waited_and_after_a_day_help_is_asked_for() {
    let first = told(Vec::new(), Some(failing(minutes(0)))).expect("advice");
    assert_eq!(
        (first.act, first.until),
        (Act::Wait, Some(now() + minutes(30)))
    );
    let later = told(Vec::new(), Some(failing(hours(3)))).expect("advice");
    assert_eq!(
        (later.act, later.until),
        (Act::Wait, Some(now() + minutes(25)))
    );
    assert_eq!(
        act(Vec::new(), Some(failing(hours(24) - minutes(1)))),
        Some(Act::Wait)
    );
    assert_eq!(
        act(Vec::new(), Some(failing(hours(24)))),
        Some(Act::Support)
    );
    assert_eq!(act(Vec::new(), None), None, "all is well");
}

#[test]
fn row_012_what_only_a_person_can_mend_is_not_waited_for() {
    let state = AuthState::Revoked;
    let unavailable = AccountState::Unavailable;
    for (reason, wanted) in [
        (Reason::Auth { state }, Act::Reconnect),
        (Reason::RefreshExhausted, Act::Reconnect),
        (Reason::Account { state: unavailable }, Act::ClearUp),
        (
            Reason::NoPublishing {
                why: Publishing::NotOffered,
            },
            Act::ClearUp,
        ),
    ] {
        assert_eq!(act(vec![reason], Some(failing(hours(30)))), Some(wanted));
    }
    let taken_back = vec![Reason::Auth { state }, Reason::Flapping];
    assert_eq!(act(taken_back, None), Some(Act::ClearUp));
    let soon = told(vec![Reason::EndsSoon], None).expect("advice");
    assert_eq!(
        (soon.act, soon.until),
        (Act::Reconnect, Some(now() + days(3)))
    );
}
