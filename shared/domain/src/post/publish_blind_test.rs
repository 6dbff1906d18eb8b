//! Publishing where nobody can look (docs/adr/0014).

use super::{super::Finding, tests::*, *};

/// The ways in where no post can be looked for.
fn blind() -> impl Iterator<Item = Platform> {
    let all = Platform::ALL.into_iter();
    all.filter(|platform| platform.capabilities().lookup == Lookup::Nothing)
}

fn settled(decision: &Decision) -> bool {
    let is = |change: &Change| matches!(change, Change::AttemptSettled { .. });
    decision.changes.iter().any(is)
}

fn answered(platform: Platform, failure: &Failure) -> Decision {
    send(&but(|w| w.platform = platform), Err(failure.clone()))
}

#[test]
fn a_refusal_in_the_platforms_own_words_is_believed_where_nobody_can_look_and_only_there() {
    assert!(blind().count() >= 2);
    for failure in every_failure() {
        let lost = [
            "indeterminate",
            "provider_down",
            "contract",
            "duplicate_content",
            "media_processing",
        ];
        let believed = !lost.contains(&failure.class());
        for platform in Platform::ALL {
            let looks = platform.capabilities().lookup != Lookup::Nothing;
            let wanted = failure == Failure::NotSent || (believed && !looks);
            assert_eq!(
                settled(&answered(platform, &failure)),
                wanted,
                "{platform}: {failure}"
            );
        }
    }
}

#[test]
fn a_limit_is_waited_out_and_a_final_refusal_fails_with_its_class() {
    let until = t0() + minutes(20);
    for platform in blind() {
        let decision = answered(platform, &limited(Some(until)));
        let Next::Park(Some(at), ParkReason::RateLimited) = decision.next else {
            panic!("{platform}: {:?}", decision.next);
        };
        assert!(
            at >= until && decision.events.is_empty(),
            "{platform}: {decision:?}"
        );
        let code = "too_long".to_owned();
        let decision = answered(platform, &Failure::ContentRejected { code });
        assert_eq!(told(&decision), Some(("target_failed", true)), "{platform}");
        let decision = answered(platform, &Failure::AccountUnavailable);
        assert!(
            pokes(&decision, crate::job::JobKind::Check),
            "{platform}: the account is looked at"
        );
    }
}

#[test]
fn what_nobody_can_look_for_is_told_as_soon_as_nothing_can_bring_it_about_any_more() {
    use crate::post::resolve::absent_from;
    for platform in blind() {
        let work = but(|w| w.platform = platform);
        let beside_a_twin = but(|w| {
            w.platform = platform;
            w.twins = vec![twin(false)];
        });
        for (work, attempt) in [
            (&work, attempt()),
            (&work, answered_with(Failure::Indeterminate)),
            (&beside_a_twin, attempt()),
        ] {
            let from = absent_from(platform, &attempt, &Policy::default());
            let look = |now| resolve(work, &attempt, Ok(Finding::Unsure), false, now);
            let early = look(from - seconds(1));
            assert_eq!((settlement(&early), stage(&early)), (None, None));
            assert_eq!(wakes(&early).0, Some(from), "one look is enough");
            let end = look(from);
            assert_eq!(stage(&end), Some(Stage::Unconfirmed), "{platform}");
            assert_eq!(told(&end), Some(("target_unconfirmed", true)));
            assert!(from < t0() + minutes(5), "{platform}: within minutes");
        }
    }
}
