//! Ends that no token of a platform can have are not believed.

use chrono::TimeDelta;

use super::Renewed;
use crate::{
    platform::Platform,
    time::{Time, days},
};

/// The end of a token that was issued at `issued`, if it can be true; else, as the error, the usual one.
///
/// Tokens that live for 31 years were stored by others, and never renewed again. A platform that lengthens its tokens'
/// lives is believed up to a tenth, and asked again a little early beyond that.
pub(crate) fn believable(
    lifetime: Option<TimeDelta>,
    issued: Time,
    told: Option<Time>,
) -> Result<Option<Time>, Time> {
    let (Some(lifetime), Some(end)) = (lifetime, told) else {
        return Ok(told);
    };
    let longest = lifetime + lifetime / 10 + days(1);
    if end - issued <= longest {
        return Ok(told);
    }
    Err(issued + lifetime)
}

/// What a refresh brought, with ends that can be true, and what was wrong with those that cannot. The tokens are good
/// whatever is said about them: throwing them away would lose the session.
pub(super) fn bounded(
    platform: Platform,
    renewed: Renewed,
    now: Time,
) -> (Renewed, Option<&'static str>) {
    let row = platform.capabilities();
    let mut renewed = renewed;
    let mut wrong = None;
    match believable(row.access_lifetime, now, renewed.access_expires_at) {
        Ok(end) => renewed.access_expires_at = end,
        Err(usual) => {
            renewed.access_expires_at = Some(usual);
            wrong = Some("access_token_outlives_the_platforms_maximum");
        }
    }
    match believable(row.refresh_lifetime, now, renewed.refresh_expires_at) {
        Ok(end) => renewed.refresh_expires_at = end,
        Err(usual) => {
            renewed.refresh_expires_at = Some(usual);
            wrong = Some("refresh_token_outlives_the_platforms_maximum");
        }
    }
    (renewed, wrong)
}

#[cfg(test)]
#[path = "bounds_test.rs"]
mod tests;
