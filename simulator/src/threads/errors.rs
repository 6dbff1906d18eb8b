//! Errors of Threads. There is no official table; these are seen by clients, or are those of Instagram.

use crate::call::Answer;
use crate::facebook::errors::bad_parameter;
use crate::instagram::realm::graph::refusal;
use crate::instagram::realm::{MediaFailure, MetaAccountState};

/// What a profile's state refuses, if anything.
pub(super) fn of_state(state: MetaAccountState) -> Option<Answer> {
    match state {
        MetaAccountState::Restricted => {
            let text = "Your account is restricted from posting. Log in to Threads to see why.";
            Some(refusal(
                10,
                4_279_013,
                "The user is restricted",
                "User is restricted",
                text,
            ))
        }
        MetaAccountState::SpamBlocked => {
            let text = "We restrict certain activity to protect our community. Tell us if you think we made a mistake.";
            Some(refusal(
                4,
                2_207_051,
                "Application request limit reached",
                "Action is blocked",
                text,
            ))
        }
        MetaAccountState::Active | MetaAccountState::Personal | MetaAccountState::Deleted => None,
    }
}

/// 24/4279009: no such post or container, or not yet.
pub(super) fn not_found() -> Answer {
    let text = "The media with the given ID cannot be found.";
    refusal(
        24,
        4_279_009,
        "The requested resource does not exist",
        "Media Not Found",
        text,
    )
}

/// 100: the text is too long.
pub(super) fn text_too_long() -> Answer {
    bad_parameter("Param text must be at most 500 characters long.")
}

/// More than five links.
pub(super) fn too_many_links() -> Answer {
    let text = "The number of links in a post is limited to 5.";
    refusal(
        100,
        4_279_051,
        "THREADS_API__LINK_LIMIT_EXCEEDED",
        "Too many links",
        text,
    )
}

/// Nothing usable is at this address.
pub(super) fn cannot_fetch(url: &str) -> Answer {
    let text = format!("The media could not be fetched from this URI: {url}.");
    refusal(
        9004,
        2_207_052,
        "Only photo or video can be accepted as media type.",
        "Media download has failed",
        &text,
    )
}

/// Fetching takes too long.
pub(super) fn fetch_timeout() -> Answer {
    let text = "It takes too long to download the media.";
    refusal(
        -2,
        2_207_003,
        "Timeout while downloading the media",
        "Timeout",
        text,
    )
}

/// 100: a carousel needs two to twenty parts.
pub(super) fn children_count() -> Answer {
    bad_parameter("Param children must have at least 2 and at most 20 items.")
}

/// The container is not ready.
pub(super) fn not_ready() -> Answer {
    let text = "The media is not ready to be published. Please wait a moment.";
    refusal(
        9007,
        2_207_027,
        "Media ID is not available",
        "Media is not ready",
        text,
    )
}

/// The day's posts, replies or deletions are used up. The code is Instagram's; Threads' own is not documented.
pub(super) fn quota() -> Answer {
    let text =
        "You reached the maximum number of posts that is allowed to be published by the API.";
    refusal(
        9,
        2_207_042,
        "Application request limit reached",
        "Media posting limit reached",
        text,
    )
}

/// What `error_message` of a failed container says.
pub(super) fn message(failure: MediaFailure) -> &'static str {
    match failure {
        MediaFailure::Processing => "FAILED_PROCESSING_VIDEO",
        MediaFailure::Fetch | MediaFailure::FetchTimeout => "FAILED_DOWNLOADING_VIDEO",
        MediaFailure::Internal | MediaFailure::Stuck => "UNKNOWN",
    }
}
