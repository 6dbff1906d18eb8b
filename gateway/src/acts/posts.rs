//! Why acts on published posts are refused.

use mooring_domain::{PostId, TargetId};

/// Why an act on a post does not happen; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostRefused {
    /// Nothing of it was ever sent.
    #[error("{0} was never published anywhere: there is nothing to sync")]
    NothingToSync(PostId),
    /// The platforms do not answer.
    #[error("{0} cannot be reached just now: nothing was changed, try again in a moment")]
    Unreachable(String),
    /// The platform does not let us look.
    #[error(
        "{platform} does not let us look ({class}): reconnect the account if it needs that, and try again"
    )]
    NotLetIn {
        /// Which.
        platform: String,
        /// The failure class.
        class: &'static str,
    },
    /// The address leads to somebody else's post, or to none.
    #[error(
        "this address leads to no post of the account that {0} goes to: copy it from the post itself"
    )]
    NotThisAccount(TargetId),
}
