//! Refusing before publishing what the platform would refuse after.

use chrono::TimeDelta;
use unicode_segmentation::UnicodeSegmentation;

use super::{FormatRow, ImageLimits, Platform, TextUnit, VideoLimits, weight::weight};
use crate::{
    connection::AccountFacts,
    post::{Content, Format, Media, MediaKind},
};

/// Why a content cannot go to a platform. The message names the field, the platform's limit, and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentRefused {
    /// The text is too long.
    #[error("text: {length} characters are too many for {platform} (at most {max}); shorten it")]
    TextTooLong {
        /// Where it should have gone.
        platform: Platform,
        /// Its length in the platform's unit.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// There is nothing to say.
    #[error("text: {platform} takes no empty post; give it a text or media")]
    Empty {
        /// Where it should have gone.
        platform: Platform,
    },
    /// The title does not fit.
    #[error("title: {problem} for {platform}")]
    Title {
        /// Where it should have gone.
        platform: Platform,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The platform has no such link.
    #[error("link: {platform} shows no link beside the text; put the address into the text")]
    Link {
        /// Where it should have gone.
        platform: Platform,
    },
    /// The platform shows a link or media.
    #[error(
        "link: {platform} shows media or a link's preview, never both; put the address into the text, or leave the media out"
    )]
    LinkBesideMedia {
        /// Where it should have gone.
        platform: Platform,
    },
    /// The platform has no such kind of post.
    #[error("format: {platform} has no {format}; it has {known}")]
    Format {
        /// Where it should have gone.
        platform: Platform,
        /// What was asked for.
        format: Format,
        /// What there is.
        known: String,
    },
    /// The number or mixture of media does not fit.
    #[error("media: {problem} ({platform}, {format})")]
    Count {
        /// Where it should have gone.
        platform: Platform,
        /// The kind of post.
        format: Format,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The platform fetches media, and cannot reach ours.
    #[error(
        "media: {platform} fetches media from a public address, and none is configured; set media.public_url to where the internet reaches the gateway, or leave the media out"
    )]
    NoPublicAddress {
        /// Where it should have gone.
        platform: Platform,
    },
    /// One file does not fit.
    #[error("media[{index}]: {problem} for {platform}")]
    File {
        /// Where it should have gone.
        platform: Platform,
        /// Which one, from 0.
        index: usize,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl ContentRefused {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::TextTooLong { .. } | Self::Empty { .. } => "text",
            Self::Title { .. } => "title",
            Self::Link { .. } | Self::LinkBesideMedia { .. } => "link",
            Self::Format { .. } => "format",
            Self::Count { .. } | Self::NoPublicAddress { .. } | Self::File { .. } => "media",
        }
    }

    /// What is wrong with it and what to do, without the field's name.
    #[must_use]
    pub fn problem(&self) -> String {
        let text = self.to_string();
        let own = format!("{}: ", self.field());
        text.strip_prefix(&own).unwrap_or(&text).to_owned()
    }
}

impl Platform {
    /// Refuses a content that the platform would refuse of an account of which nothing is known.
    pub fn check_content(self, content: &Content) -> Result<(), ContentRefused> {
        self.check_content_of(content, &AccountFacts::default())
    }

    /// Refuses a content that the platform would refuse of this account: by the account's own limits where they are
    /// known, by the platform's where not.
    pub fn check_content_of(
        self,
        content: &Content,
        about: &AccountFacts,
    ) -> Result<(), ContentRefused> {
        if about.text_max.is_none() {
            self.check_text(&content.text)?;
        }
        self.check_caption(content)?;
        self.check_title(content)?;
        self.check_link(content)?;
        self.check_media(self.format_row(content.format)?, content)?;
        self.check_account(content, about)
    }

    /// Refuses media that the platform would have to fetch from us, where nobody can: `public` says whether the
    /// internet reaches our media.
    pub fn check_reach(self, content: &Content, public: bool) -> Result<(), ContentRefused> {
        if public || content.media.is_empty() || !self.capabilities().pulls_media {
            return Ok(());
        }
        Err(ContentRefused::NoPublicAddress { platform: self })
    }

    /// Refuses a text that the platform would refuse.
    pub fn check_text(self, text: &str) -> Result<(), ContentRefused> {
        self.check_length(text, self.capabilities().text_max)
    }

    pub(super) fn check_length(self, text: &str, max: usize) -> Result<(), ContentRefused> {
        let row = self.capabilities();
        let length = length(text, row.text_unit);
        let bytes_max = row.text_max_bytes.unwrap_or(usize::MAX);
        if length <= max && text.len() <= bytes_max {
            return Ok(());
        }
        Err(ContentRefused::TextTooLong {
            platform: self,
            length,
            max,
        })
    }

    /// Refuses a text that is too long beside media.
    fn check_caption(self, content: &Content) -> Result<(), ContentRefused> {
        let row = self.capabilities();
        let Some(max) = row.caption_max.filter(|_| !content.media.is_empty()) else {
            return Ok(());
        };
        let length = length(&content.text, row.text_unit);
        if length <= max {
            return Ok(());
        }
        Err(ContentRefused::TextTooLong {
            platform: self,
            length,
            max,
        })
    }

    fn check_title(self, content: &Content) -> Result<(), ContentRefused> {
        let max = self.capabilities().title_max;
        let problem = match content.title.as_deref().map(|title| title.chars().count()) {
            None | Some(0) => return Ok(()),
            Some(_) if max == 0 => "there are no titles; leave it out".to_owned(),
            Some(length) if length > max => {
                format!("{length} characters are too many (at most {max}); shorten it")
            }
            Some(_) => return Ok(()),
        };
        Err(ContentRefused::Title {
            platform: self,
            problem,
        })
    }

    fn check_link(self, content: &Content) -> Result<(), ContentRefused> {
        let row = self.capabilities();
        if content.link.is_none() {
            return Ok(());
        }
        if !row.takes_links {
            return Err(ContentRefused::Link { platform: self });
        }
        if !content.media.is_empty() && !row.link_with_media {
            return Err(ContentRefused::LinkBesideMedia { platform: self });
        }
        Ok(())
    }

    /// How long what is published as this kind of post stands; `None` = until somebody takes it away.
    #[must_use]
    pub fn lives(self, format: Format) -> Option<TimeDelta> {
        let rows = self.capabilities().formats;
        let row = rows.iter().find(|row| row.format == format);
        row.and_then(|row| row.lives)
    }

    fn format_row(self, format: Format) -> Result<&'static FormatRow, ContentRefused> {
        let rows = self.capabilities().formats;
        rows.iter()
            .find(|row| row.format == format)
            .ok_or_else(|| ContentRefused::Format {
                platform: self,
                format,
                known: rows
                    .iter()
                    .map(|row| row.format.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    fn check_media(self, row: &FormatRow, content: &Content) -> Result<(), ContentRefused> {
        let refuse = |problem: String| ContentRefused::Count {
            platform: self,
            format: row.format,
            problem,
        };
        if content.media.is_empty() {
            if !row.text_only {
                return Err(refuse("a post needs media here; add a file".to_owned()));
            }
            if content.text.trim().is_empty() && content.link.is_none() {
                return Err(ContentRefused::Empty { platform: self });
            }
            return Ok(());
        }
        if let Some(problem) = count_problem(row, &content.media) {
            return Err(refuse(problem));
        }
        for (index, media) in content.media.iter().enumerate() {
            if let Some(problem) = file_problem(row, media) {
                return Err(ContentRefused::File {
                    platform: self,
                    index,
                    problem,
                });
            }
        }
        Ok(())
    }
}

fn count_problem(row: &FormatRow, media: &[Media]) -> Option<String> {
    let count = |kind| {
        let found = media.iter().filter(|one| one.kind == kind).count();
        u8::try_from(found).unwrap_or(u8::MAX)
    };
    let (images, videos) = (count(MediaKind::Image), count(MediaKind::Video));
    if images > 0 && videos > 0 && !row.mixed {
        return Some("images and videos do not go into one post; send two posts".to_owned());
    }
    let total = images.saturating_add(videos);
    if total > row.media_max {
        let max = row.media_max;
        return Some(format!(
            "{total} files are too many (at most {max}); leave some out"
        ));
    }
    let wrong = |what: &str, count: u8, max: u8| match max {
        0 => format!("{what} do not go here; leave them out"),
        _ => format!("{count} {what} are too many (at most {max}); leave some out"),
    };
    if images > row.images.max {
        return Some(wrong("images", images, row.images.max));
    }
    if videos > row.videos.max {
        return Some(wrong("videos", videos, row.videos.max));
    }
    if images < row.images.min || videos < row.videos.min {
        return Some(format!(
            "at least {} images and {} videos are needed; add some",
            row.images.min, row.videos.min
        ));
    }
    None
}

fn file_problem(row: &FormatRow, media: &Media) -> Option<String> {
    match media.kind {
        MediaKind::Image => row.image.and_then(|limits| image_problem(&limits, media)),
        MediaKind::Video => row.video.and_then(|limits| video_problem(&limits, media)),
    }
}

fn image_problem(limits: &ImageLimits, media: &Media) -> Option<String> {
    let width = limits.width;
    if !width.holds(media.width) {
        return Some(format!(
            "a width of {} pixels is outside {} to {}; resize it",
            media.width, width.min, width.max
        ));
    }
    common_problem(limits.types, limits.max_bytes, limits.ratio, media)
}

fn video_problem(limits: &VideoLimits, media: &Media) -> Option<String> {
    if let Some(ms) = media.duration_ms
        && !limits.duration_ms.holds(ms)
    {
        return Some(format!(
            "a length of {} s is outside {} to {} s; cut it",
            ms / 1000,
            limits.duration_ms.min / 1000,
            limits.duration_ms.max / 1000
        ));
    }
    common_problem(limits.types, limits.max_bytes, limits.ratio, media)
}

fn common_problem(
    types: &[&str],
    max_bytes: u64,
    ratio: super::Span<u32>,
    media: &Media,
) -> Option<String> {
    if !types.contains(&media.mime.as_str()) {
        let known = types.join(", ");
        return Some(format!(
            "{} is not taken (only {known}); convert it",
            media.mime
        ));
    }
    if media.bytes > max_bytes {
        return Some(format!(
            "{} bytes are too many (at most {max_bytes}); make it smaller",
            media.bytes
        ));
    }
    let shape = media.ratio_thousandths();
    (!ratio.holds(shape)).then(|| {
        format!(
            "a shape of {shape}/1000 (width to height) is outside {}/1000 to {}/1000; crop it",
            ratio.min, ratio.max
        )
    })
}

/// The length of a text in a platform's unit.
fn length(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Graphemes => text.graphemes(true).count(),
        TextUnit::Characters => text.chars().count(),
        TextUnit::Utf16 => text.encode_utf16().count(),
        TextUnit::Bytes => text.len(),
        TextUnit::GraphemesWithUrls(each) => {
            pieces(text, |_| each, |word| word.graphemes(true).count())
        }
        TextUnit::Weighted => weight(text),
    }
}

/// Sums a text up, addresses (words that begin with a scheme) and the rest apart.
fn pieces(text: &str, address: impl Fn(&str) -> usize, rest: impl Fn(&str) -> usize) -> usize {
    let is_address = |word: &str| word.starts_with("https://") || word.starts_with("http://");
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end();
            if is_address(word) {
                address(word) + rest(&piece[word.len()..])
            } else {
                rest(piece)
            }
        })
        .sum()
}

#[cfg(test)]
#[path = "content_test.rs"]
mod tests;
