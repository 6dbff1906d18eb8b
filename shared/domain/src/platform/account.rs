//! What one account takes, beside what its platform does: limits are facts of the account, read at every check.

use super::{ContentRefused, Platform};
use crate::{
    connection::AccountFacts,
    post::{Content, Media, MediaKind},
};

impl Platform {
    /// Refuses a content that is beyond what is known of this very account, whatever its platform takes of others.
    ///
    /// The account's longest text stands in the place of the platform's: a subscription may raise it. Its longest video
    /// is another limit beside that of the kind of post.
    pub fn check_account(
        self,
        content: &Content,
        about: &AccountFacts,
    ) -> Result<(), ContentRefused> {
        if let Some(max) = about.text_max {
            self.check_length(&content.text, usize::try_from(max).unwrap_or(usize::MAX))?;
        }
        let Some(most) = about.video_max_s else {
            return Ok(());
        };
        let too_long = |media: &Media| {
            let of_video = media.kind == MediaKind::Video;
            let ms = media.duration_ms.filter(|_| of_video);
            ms.filter(|ms| *ms > u64::from(most) * 1_000)
        };
        let mut lengths = content.media.iter().map(too_long).enumerate();
        match lengths.find_map(|(index, ms)| Some((index, ms?))) {
            None => Ok(()),
            Some((index, ms)) => Err(ContentRefused::File {
                platform: self,
                index,
                problem: format!(
                    "a length of {} s is more than this account may post (at most {most} s); cut it",
                    ms.div_ceil(1_000)
                ),
            }),
        }
    }
}

#[cfg(test)]
#[path = "account_test.rs"]
mod tests;
