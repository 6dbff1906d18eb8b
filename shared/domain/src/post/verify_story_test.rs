//! What ends by itself: a story's last look, and what its absence says after it.

use super::*;

/// A story, which begins to stand between the begin and the acceptance.
fn story() -> VerifyWork {
    but(|w| w.format = Format::Story)
}

/// From when on the story may be over.
fn end() -> Time {
    story().begun_at + hours(24)
}

#[test]
fn a_story_is_looked_at_until_shortly_before_its_end_and_not_after() {
    let mut now = t0();
    for at in [t0() + minutes(1), t0() + minutes(15), end() - hours(1)] {
        let decision = verify(&story(), Ok(live(None)), now);
        assert_eq!(decision.next, Next::At(at));
        now = at;
    }
    assert_eq!(verify(&story(), Ok(live(None)), now).next, Next::Done);
    let soon = Policy {
        verify_after: vec![hours(25), days(7)],
        ..Policy::default()
    };
    let none_left = next_look(&story(), &soon, end() - hours(1));
    assert_eq!(none_left, None, "no look is planned after the end");
}

#[test]
fn a_story_that_is_over_needs_no_call_and_keeps_its_verdict() {
    let just_before = end() - TimeDelta::milliseconds(1);
    let policy = Policy::default();
    assert_eq!(before_verify(&story(), &policy, just_before), None);
    assert_eq!(
        before_verify(&work(), &policy, t0() + days(9)),
        None,
        "no story"
    );
    for known in ["live", "altered", "removed", "unverifiable"] {
        let judged = VerifyWork {
            verdict: Some(known.to_owned()),
            ..story()
        };
        let decision = before_verify(&judged, &policy, end()).expect("it is over");
        assert_eq!(decision.next, Next::Done);
        assert!(
            decision.changes.is_empty() && decision.events.is_empty(),
            "{known}"
        );
    }
    let unjudged = before_verify(&story(), &policy, end()).expect("it is over");
    let told = (verdict(&unjudged), stage(&unjudged), unjudged.next);
    assert_eq!(told, (Some("unverifiable"), None, Next::Done));
}

#[test]
fn a_story_that_ended_while_it_was_looked_at_is_not_removed() {
    let judged = VerifyWork {
        verdict: Some("live".to_owned()),
        ..checked(end())
    };
    let judged = VerifyWork {
        format: Format::Story,
        ..judged
    };
    let saw = [
        Ok(Seen::Gone),
        Ok(Seen::Unverifiable),
        Err(Failure::ProviderDown),
    ];
    for seen in saw {
        let decision = verify(&judged, seen, end());
        assert_eq!((verdict(&decision), stage(&decision)), (None, None));
        assert_eq!(decision.next, Next::Done);
    }
    let late = verify(&judged, Ok(live(None)), end());
    assert_eq!((verdict(&late), late.next), (Some("live"), Next::Done));
}

#[test]
fn a_story_that_is_gone_before_its_end_was_removed() {
    let now = end() - hours(1);
    let gone = VerifyWork {
        format: Format::Story,
        ..checked(now)
    };
    let decision = verify(&gone, Ok(Seen::Gone), now);
    assert_eq!(
        (verdict(&decision), stage(&decision)),
        (Some("removed"), Some(Stage::Removed))
    );
}
