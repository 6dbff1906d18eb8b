//! The columns of the table of platforms.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::super::{
    failure::RateScope,
    post::{Format, MediaKind},
};

/// One row of the table.
#[expect(clippy::struct_excessive_bools, reason = "a table of yes and no")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capabilities {
    /// The name in the database, in files and in metrics.
    pub name: &'static str,
    /// What people call it.
    pub display_name: &'static str,
    /// What people call the network behind it; several ways in may share one.
    pub network: &'static str,

    /// Lifetime of a fresh access token; `None` = it does not end by itself.
    pub access_lifetime: Option<TimeDelta>,
    /// Lifetime of a fresh refresh token, where there is one.
    pub refresh_lifetime: Option<TimeDelta>,
    /// Whether a refresh leaves the refresh token's end where it was (LinkedIn: 365 days from the consent).
    pub refresh_end_is_fixed: bool,
    /// What a lost refresh answer costs.
    pub refresh: RefreshRule,
    /// Whether a refresh needs a refresh token; without one such a grant ends with its access token. Elsewhere the
    /// access token renews itself.
    pub refresh_by_token: bool,
    /// Whether some access tokens do not end although most do (Facebook: those of system users).
    pub has_endless_tokens: bool,
    /// How old an access token must be before it can be refreshed (Instagram: a day).
    pub refresh_min_age: TimeDelta,
    /// What giving a credential back ends.
    pub revokes: RevokeReach,
    /// Whether our app is named by the address of a document that the gateway serves (`/client-metadata.json`).
    pub client_document: bool,
    /// Whether the platform tells about a token without using it.
    pub introspects: bool,
    /// Whether the platform lists what a grant reaches (a Telegram bot cannot list its chats).
    pub lists_destinations: bool,
    /// Permissions without which a connection cannot publish and be verified, in the platform's own names.
    pub required_scopes: &'static [&'static str],
    /// Permissions that one right depends on, and that a person may decline.
    pub optional_scopes: &'static [(&'static str, Right)],
    /// Permissions of ways to connect that the platform has given up: who holds one of them and lacks a required one
    /// was connected in such a way.
    pub former_scopes: &'static [&'static str],
    /// How seldom a probe that costs money runs, apart from the one before a post; `None` = probes are free.
    pub paid_probe_every: Option<TimeDelta>,

    /// How a lost publish is recognised, and whether repeating it is one effect.
    pub publish_key: PublishKey,
    /// How a post whose publish had no trustworthy answer is looked for.
    pub lookup: Lookup,
    /// Which posts need steps before the one that publishes.
    pub prepares: Prepares,
    /// The calls of a publish, in order, and which of them may be repeated.
    pub steps: &'static [Step],
    /// How long after the last possible execution of a publish a look-up is sure to show it.
    pub settle: TimeDelta,
    /// How long a publish call may take.
    pub publish_timeout: TimeDelta,
    /// How long the platform may work on a post that it took, before nobody believes in it any more.
    pub processing_max: TimeDelta,

    /// Longest text.
    pub text_max: usize,
    /// In which unit.
    pub text_unit: TextUnit,
    /// Longest text in bytes of UTF-8, where the platform has such a limit too.
    pub text_max_bytes: Option<usize>,
    /// Longest text of a post with media, in the same unit, where that is shorter (Telegram's captions).
    pub caption_max: Option<usize>,
    /// Longest title, where posts have one; 0 = they have none.
    pub title_max: usize,
    /// Whether a post may carry a link beside its text.
    pub takes_links: bool,
    /// Whether it may carry one beside media too; where not, it shows its media or the link's preview.
    pub link_with_media: bool,
    /// What kinds of posts there are, and what media each takes. The first is the usual one.
    pub formats: &'static [FormatRow],
    /// Whether the platform fetches media from an address of ours instead of taking bytes.
    pub pulls_media: bool,

    /// Whether a post of ours can be read back, so that a verdict other than "unverifiable" exists.
    pub reads_back: bool,
    /// Whether a post can be deleted through the API.
    pub deletes: bool,
    /// Whose budgets its rate limits count.
    pub rate_scopes: &'static [RateScope],
    /// What it tells us on its own, in its own names.
    pub webhooks: &'static [&'static str],
}

/// What a lost refresh answer costs, and therefore whether it may be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRule {
    /// There is no unattended refresh; people reconnect.
    None,
    /// Asking again is harmless.
    Repeatable,
    /// The spent token answers with the same successor for this long.
    Grace(TimeDelta),
    /// A second use of the token ends the whole session.
    SingleUse,
}

/// What giving a credential back ends at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeReach {
    /// This one credential.
    Token,
    /// The user's consent to our app, and with it every other credential that they gave us. Also where nobody documents
    /// it: what ends too much cannot be taken back.
    Consent,
}

/// What a permission is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Publishing.
    Publish,
    /// Publishing posts with images or videos, where that is a permission of its own.
    Media,
    /// Reading posts back and looking for lost ones.
    Verify,
    /// Deleting posts.
    Delete,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 4] = [Self::Publish, Self::Media, Self::Verify, Self::Delete];
}

/// How a publish can be recognised after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishKey {
    /// The platform takes a record key of ours: repeating the call with it is one effect, for ever.
    Ours,
    /// The platform takes a key of ours with the call, and for this long answers a repetition with the first
    /// effect. The post does not show the key.
    Idempotent(TimeDelta),
    /// Nothing of ours travels with the post; it is looked for by content and time.
    Nothing,
}

/// How a lost post is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// By our own key.
    Key,
    /// By what the steps before gave: a container, an upload session, a publish id.
    Handle,
    /// Among the recent posts, by text and time.
    Recent,
    /// Not at all: without an answer it ends unconfirmed.
    Nothing,
}

/// Which posts need steps before the one that publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepares {
    /// None.
    Never,
    /// Those with media.
    Media,
    /// All of them.
    Always,
}

/// One call of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its name, as the platform calls it.
    pub name: &'static str,
    /// Whether it may be repeated without a second effect that anybody sees.
    pub repeatable: bool,
}

/// How a platform counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnit {
    /// What a reader sees as one character.
    Graphemes,
    /// Unicode scalar values.
    Characters,
    /// UTF-16 code units.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
    /// Graphemes, where every address counts as so many (Mastodon: 23).
    GraphemesWithUrls(usize),
    /// X's weights: an address is 23, most scripts 1 a character, the rest and emoji 2.
    Weighted,
}

/// What a kind of post takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FormatRow {
    /// The kind.
    pub format: Format,
    /// How many images.
    pub images: Span<u8>,
    /// How many videos.
    pub videos: Span<u8>,
    /// Most media of both kinds together.
    pub media_max: u8,
    /// Whether images and videos may stand in one post.
    pub mixed: bool,
    /// What an image may be; `None` where there are none.
    pub image: Option<ImageLimits>,
    /// What a video may be; `None` where there are none.
    pub video: Option<VideoLimits>,
    /// Whether a post without media exists.
    pub text_only: bool,
    /// How long such a post stands before the platform itself takes it away; `None` = until somebody does.
    pub lives: Option<TimeDelta>,
}

impl FormatRow {
    /// What such a post must at least show: nothing where words alone are one, else an image, and where it takes none,
    /// a video.
    #[must_use]
    pub fn must_show(&self) -> Option<MediaKind> {
        match self.image {
            _ if self.text_only => None,
            Some(_) if self.videos.min == 0 => Some(MediaKind::Image),
            Some(_) | None => Some(MediaKind::Video),
        }
    }
}

/// From, to, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<T> {
    /// Least.
    pub min: T,
    /// Most.
    pub max: T,
}

impl<T: PartialOrd + Copy> Span<T> {
    /// Whether a value is within.
    pub fn holds(self, value: T) -> bool {
        value >= self.min && value <= self.max
    }
}

/// What an image may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageLimits {
    /// Media types.
    pub types: &'static [&'static str],
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Width in pixels.
    pub width: Span<u32>,
    /// Width / height, in thousandths.
    pub ratio: Span<u32>,
}

/// What a video may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoLimits {
    /// Media types.
    pub types: &'static [&'static str],
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Length in milliseconds.
    pub duration_ms: Span<u64>,
    /// Width / height, in thousandths.
    pub ratio: Span<u32>,
}

/// Any width.
pub(super) const ANY_WIDTH: Span<u32> = Span {
    min: 1,
    max: u32::MAX,
};
/// Any shape.
pub(super) const ANY_RATIO: Span<u32> = Span {
    min: 0,
    max: u32::MAX,
};
