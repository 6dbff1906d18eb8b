//! When a post is done: verified, and the proof captured.

use crate::post::Stage;

/// The newest look at a target that is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// live, altered, removed or unverifiable.
    pub verdict: String,
}

/// Whether a target is done: it is published, it was looked at, the verdict says where it stands, and that very verdict
/// is in the ledger. What was altered at the platform, or cannot be looked at there, is done too, and its verdict says
/// so; what was removed is not.
#[must_use]
pub fn is_done(stage: Stage, verdict: Option<&str>, captured: Option<&Captured>) -> bool {
    let stands = matches!(verdict, Some("live" | "altered" | "unverifiable"));
    stage == Stage::Accepted && stands && captured.map(|one| one.verdict.as_str()) == verdict
}

/// Whether a post is done: every target that is still wanted is, and there is one. `targets`: how far each has come, and
/// whether it [is done](is_done).
#[must_use]
pub fn is_post_done(targets: impl IntoIterator<Item = (Stage, bool)>) -> bool {
    let mut wanted = targets
        .into_iter()
        .filter(|(stage, _)| *stage != Stage::Cancelled)
        .peekable();
    wanted.peek().is_some() && wanted.all(|(_, done)| done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(verdict: &str) -> Captured {
        Captured {
            verdict: verdict.to_owned(),
        }
    }

    #[test]
    fn row_122_a_target_is_done_only_when_verified_and_its_proof_is_captured() {
        let live = captured("live");
        assert!(is_done(Stage::Accepted, Some("live"), Some(&live)));
        assert!(
            !is_done(Stage::Accepted, Some("live"), None),
            "no proof is captured"
        );
        assert!(!is_done(Stage::Accepted, None, None), "nobody has looked");
        assert!(!is_done(Stage::Accepted, None, Some(&live)));
        assert!(
            !is_done(Stage::Accepted, Some("altered"), Some(&live)),
            "the newest verdict is not captured yet"
        );
        for verdict in ["altered", "unverifiable"] {
            let same = captured(verdict);
            assert!(
                is_done(Stage::Accepted, Some(verdict), Some(&same)),
                "{verdict}"
            );
        }
        let removed = captured("removed");
        for stage in Stage::ALL {
            assert!(!is_done(stage, Some("removed"), Some(&removed)));
            assert_eq!(
                is_done(stage, Some("live"), Some(&live)),
                stage == Stage::Accepted,
                "{stage:?}"
            );
        }
    }

    #[test]
    fn row_122_a_post_is_done_when_every_target_that_is_wanted_is() {
        assert!(!is_post_done([]));
        assert!(is_post_done([(Stage::Accepted, true)]));
        assert!(is_post_done([
            (Stage::Accepted, true),
            (Stage::Cancelled, false)
        ]));
        assert!(!is_post_done([
            (Stage::Accepted, true),
            (Stage::Accepted, false)
        ]));
        assert!(!is_post_done([
            (Stage::Accepted, true),
            (Stage::Failed, false)
        ]));
        assert!(
            !is_post_done([(Stage::Cancelled, false)]),
            "nothing went out"
        );
    }
}
