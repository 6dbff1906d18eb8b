//! Whether a post says what another one has said on the same connection a moment ago.

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::{Content, Stage, text_digest};
use crate::{
    id::{PostId, TargetId},
    time::{Time, hours},
};

/// How far two posts with the same content must lie apart.
pub const APART: TimeDelta = hours(24);

/// A fingerprint of everything that people see: the text with its white space folded, the link, the media by their
/// bytes, and the kind of post, for a story is another thing than the same picture in the feed. SHA-256 in hex.
#[must_use]
pub fn fingerprint(content: &Content) -> String {
    let mut digest = Sha256::new();
    // The text's own digest has a fixed length, and what follows cannot be taken for a part of it.
    digest.update(text_digest(&content.text));
    digest.update(content.format.as_str());
    for media in &content.media {
        digest.update([0]);
        digest.update(&media.sha256);
    }
    digest.update([0, 0]);
    digest.update(content.link.as_deref().unwrap_or_default());
    hex::encode(digest.finalize())
}

/// Another target on the same connection with the same fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// The target.
    pub target: TargetId,
    /// Its post.
    pub post: PostId,
    /// When it is due.
    pub due: Time,
    /// When its platform took it last.
    pub accepted_at: Option<Time>,
    /// How far it has come.
    pub stage: Stage,
}

impl Alike {
    /// When people see it, or will.
    #[must_use]
    pub fn seen_at(&self) -> Time {
        self.accepted_at.unwrap_or(self.due)
    }

    /// Whether a post due then would be its double: within a day of it, unless nobody sees it.
    #[must_use]
    pub fn is_doubled_at(&self, due: Time) -> bool {
        let seen = match self.stage {
            Stage::Scheduled | Stage::Begun | Stage::Unconfirmed | Stage::Accepted => true,
            Stage::Missed | Stage::Cancelled | Stage::Failed | Stage::Removed => false,
        };
        seen && (due - self.seen_at()).abs() < APART
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MediaId,
        post::{Format, Media, MediaKind},
        time::{from_ms, minutes},
    };

    fn media(sha256: &str) -> Media {
        Media {
            id: MediaId::mint(from_ms(0), [1; 10]),
            kind: MediaKind::Image,
            mime: "image/png".to_owned(),
            bytes: 1,
            sha256: sha256.to_owned(),
            width: 1,
            height: 1,
            duration_ms: None,
            alt: None,
        }
    }

    #[test]
    fn a_fingerprint_tells_what_people_see_and_nothing_else() {
        let base = Content {
            link: Some("https://example.org".to_owned()),
            media: vec![media("aa"), media("bb")],
            ..Content::text("Ahoy  there")
        };
        let same = Content {
            text: " Ahoy there\n".to_owned(),
            title: Some("for YouTube".to_owned()),
            ..base.clone()
        };
        assert_eq!(fingerprint(&base), fingerprint(&same));
        let others = [
            Content {
                text: "Ahoy".to_owned(),
                ..base.clone()
            },
            Content {
                link: None,
                ..base.clone()
            },
            Content {
                media: vec![media("bb"), media("aa")],
                ..base.clone()
            },
            Content {
                media: vec![media("aa")],
                ..base.clone()
            },
            Content {
                format: Format::Story,
                ..base.clone()
            },
        ];
        for other in others {
            assert_ne!(fingerprint(&base), fingerprint(&other), "{other:?}");
        }
    }

    #[test]
    fn guard_023_a_double_is_within_a_day_of_what_people_see() {
        let due = from_ms(1_800_000_000_000);
        let alike = |stage, accepted_at| Alike {
            target: TargetId::mint(due, [1; 10]),
            post: PostId::mint(due, [2; 10]),
            due,
            accepted_at,
            stage,
        };
        for stage in Stage::ALL {
            let seen = matches!(
                stage,
                Stage::Scheduled | Stage::Begun | Stage::Unconfirmed | Stage::Accepted
            );
            assert_eq!(alike(stage, None).is_doubled_at(due), seen, "{stage:?}");
        }
        let out = alike(Stage::Scheduled, None);
        assert!(out.is_doubled_at(due + APART - minutes(1)));
        assert!(out.is_doubled_at(due - APART + minutes(1)));
        assert!(!out.is_doubled_at(due + APART));
        // What went out late counts from when it did.
        let late = alike(Stage::Accepted, Some(due + minutes(50)));
        assert!(late.is_doubled_at(due + APART + minutes(40)));
        assert!(!late.is_doubled_at(due + APART + minutes(50)));
    }
}
