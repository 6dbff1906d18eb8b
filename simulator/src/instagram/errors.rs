//! Errors of Instagram's publishing endpoints, by its page of error codes.

use super::realm::graph::refusal;
use super::realm::{MediaFailure, MetaAccountState};
use crate::call::Answer;

/// -1/2207001: something went wrong there. It may come although a post was created.
pub(super) fn server_error() -> Answer {
    let text = "Instagram server error. Try again.";
    refusal(
        -1,
        2_207_001,
        "An unexpected error has occurred. Please retry your request later.",
        "Server error",
        text,
    )
}

/// What an account's state refuses, if anything.
pub(super) fn of_state(state: MetaAccountState) -> Option<Answer> {
    match state {
        MetaAccountState::Restricted => {
            let text = "The Instagram account is restricted. Log in to the Instagram app and complete the required \
                actions.";
            Some(refusal(
                25,
                2_207_050,
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

/// A container that is refused at once.
pub(super) fn of_fetch(failure: MediaFailure, url: &str) -> Answer {
    match failure {
        MediaFailure::FetchTimeout => {
            let text = "It takes too long to download the media.";
            refusal(
                -2,
                2_207_003,
                "Timeout while downloading the media",
                "Timeout",
                text,
            )
        }
        MediaFailure::Fetch
        | MediaFailure::Processing
        | MediaFailure::Internal
        | MediaFailure::Stuck => cannot_fetch(url),
    }
}

/// 9004/2207052: nothing usable is at this address.
pub(super) fn cannot_fetch(url: &str) -> Answer {
    let text = format!(
        "The media could not be fetched from this URI: {url}. Please check the limitations of the endpoint."
    );
    let title = "Media download has failed. The media URI doesn't meet our requirements.";
    refusal(
        9004,
        2_207_052,
        "Only photo or video can be accepted as media type.",
        title,
        &text,
    )
}

/// The subcode that the status of a failed container names.
pub(super) fn status_subcode(failure: MediaFailure) -> u32 {
    match failure {
        MediaFailure::Processing => 2_207_026,
        MediaFailure::Fetch => 2_207_052,
        MediaFailure::FetchTimeout => 2_207_003,
        MediaFailure::Internal | MediaFailure::Stuck => 2_207_053,
    }
}

/// 36001/2207005: an image of another kind than JPEG.
pub(super) fn image_format(url: &str) -> Answer {
    let text = format!("The image format is not supported: {url}. Supported formats: JPEG.");
    refusal(
        36_001,
        2_207_005,
        "The image format is not supported",
        "Image format",
        &text,
    )
}

/// 36004/2207010: the caption is too long, or has too many tags.
pub(super) fn caption(text: &str) -> Answer {
    refusal(
        36_004,
        2_207_010,
        "The caption was too long",
        "Caption is too long",
        text,
    )
}

/// 100/2207023: no such media type.
pub(super) fn media_type(given: &str) -> Answer {
    let text = format!("The media type {given} is unknown.");
    refusal(
        100,
        2_207_023,
        "(#100) Unknown media type",
        "Unknown media type",
        &text,
    )
}

/// 100/2207067: the old type of single videos.
pub(super) fn video_is_reels() -> Answer {
    let text = "The VIDEO value for media_type is no longer supported. Use the REELS media type to publish a video \
        to your Instagram feed.";
    refusal(
        100,
        2_207_067,
        "(#100) Invalid parameter",
        "Media type is not supported",
        text,
    )
}

/// 100/2207028: a carousel needs two to ten parts.
pub(super) fn children_count() -> Answer {
    let text =
        "The post has too few or too many attachments. Carousels have 2 to 10 photos and videos.";
    refusal(
        100,
        2_207_028,
        "(#100) Invalid carousel",
        "Can't publish carousel",
        text,
    )
}

/// 24/2207006: the media is not there, or not for this caller.
pub(super) fn media_not_found() -> Answer {
    let text = "The media with ID could not be found. Possible permission error.";
    refusal(
        24,
        2_207_006,
        "The requested resource does not exist",
        "Media not found",
        text,
    )
}

/// 24/2207008: no such container.
pub(super) fn creation_id_unknown() -> Answer {
    let text = "The media builder with this creation id does not exist or has expired.";
    refusal(
        24,
        2_207_008,
        "The requested resource does not exist",
        "Media builder not found",
        text,
    )
}

/// -2/2207020: the container is too old.
pub(super) fn container_expired() -> Answer {
    let text = "The media you are trying to access has expired. Create it again.";
    refusal(
        -2,
        2_207_020,
        "The requested resource has expired",
        "Media expired",
        text,
    )
}

/// 9007/2207027: the container is not ready.
pub(super) fn not_ready() -> Answer {
    let text = "The media is not ready for publishing, please wait for a moment";
    refusal(
        9007,
        2_207_027,
        "Media ID is not available",
        "Media is not ready",
        text,
    )
}

/// 9/2207042: the day's posts, or its containers, are used up.
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
