//! The error numbers of publishing on Instagram and Threads. They come from Instagram's page of error codes and
//! from schedulers in production; Threads has no such page.

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// The media is not ready, not fetched or not there yet; later, or in another container, it may be.
    Again,
    /// Instagram failed by itself.
    Down,
    /// The account is restricted, or no longer a professional one.
    Unavailable,
    /// The token is none (any more).
    Revoked,
    /// A permission, or a feature, is missing.
    Scope,
    /// The day's posts are used up.
    Quota,
    /// The content is refused.
    Content,
}

/// The meaning of an error, when it is one of these; a subcode says more than a code.
pub(super) fn own(code: i64, subcode: Option<u32>, message: &str) -> Option<Own> {
    if let Some(found) = subcode.and_then(of_subcode) {
        return Some(found);
    }
    let by_code = match code {
        -2 | 24 | 9004 | 9007 => Some(Own::Again),
        -1 => Some(Own::Down),
        9 => Some(Own::Quota),
        25 => Some(Own::Unavailable),
        352 | 36_000..=36_004 => Some(Own::Content),
        452 => Some(Own::Revoked),
        _ => None,
    };
    if by_code.is_some() {
        return by_code;
    }
    let message = message.to_ascii_lowercase();
    let says = |word: &str| message.contains(word);
    if says("the user is not an instagram business") {
        return Some(Own::Unavailable);
    }
    if says("threads_api__feature_not_available") {
        return Some(Own::Scope);
    }
    if says("could not be fetched from this uri") {
        return Some(Own::Again);
    }
    (says("threads_api__link_limit_exceeded") || says("threads_api__geo_gating"))
        .then_some(Own::Content)
}

fn of_subcode(subcode: u32) -> Option<Own> {
    Some(match subcode {
        // Not downloaded in time; container expired; not found or not visible yet; not ready; not fetched; an unknown
        // upload error; video not downloaded; upload failed; "Media Not Found" of Threads, right after a container was
        // made.
        2_207_003 | 2_207_020 | 2_207_006 | 2_207_008 | 2_207_027 | 2_207_052 | 2_207_053
        | 2_207_077 | 2_207_082 | 4_279_009 => Own::Again,
        2_207_001 | 2_207_032 => Own::Down,
        2_207_042 => Own::Quota,
        2_207_050 | 2_207_051 | 4_279_013 => Own::Unavailable,
        // Image size, format, ratio; caption; video format; thumb offset; media type; number of parts; tags; trial
        // reels; links; legacy codes.
        2_207_004
        | 2_207_005
        | 2_207_009
        | 2_207_010
        | 2_207_023
        | 2_207_024
        | 2_207_026
        | 2_207_028
        | 2_207_035
        | 2_207_036
        | 2_207_037
        | 2_207_040
        | 2_207_057
        | 2_207_067
        | 2_207_081
        | 9_050..=9_052
        | 9_054..=9_064 => Own::Content,
        9_053 => Own::Scope,
        _ => return None,
    })
}
