//! What a post says otherwise on one platform, or on one connection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Content, Format, Media};
use crate::{id::ConnectionId, platform::Platform};

/// What replaces the post's own content. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The link; an empty one takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The title; an empty one takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The kind of post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Images and videos: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Vec<Media>>,
}

impl Override {
    fn over(&self, mut content: Content) -> Content {
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        if let Some(text) = &self.text {
            content.text.clone_from(text);
        }
        if let Some(link) = &self.link {
            content.link = told(link);
        }
        if let Some(title) = &self.title {
            content.title = told(title);
        }
        if let Some(format) = self.format {
            content.format = format;
        }
        if let Some(media) = &self.media {
            content.media.clone_from(media);
        }
        content
    }
}

/// Everything that a post says otherwise somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// On platforms.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub platforms: BTreeMap<Platform, Override>,
    /// On connections; they go over their platform's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<ConnectionId, Override>,
}

impl Overrides {
    /// Whether the post says the same everywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.platforms.is_empty() && self.connections.is_empty()
    }

    /// What is said on a connection.
    #[must_use]
    pub fn resolve(
        &self,
        content: &Content,
        platform: Platform,
        connection: ConnectionId,
    ) -> Content {
        let mut resolved = content.clone();
        if let Some(one) = self.platforms.get(&platform) {
            resolved = one.over(resolved);
        }
        if let Some(one) = self.connections.get(&connection) {
            resolved = one.over(resolved);
        }
        resolved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::from_ms;

    fn connection(n: u8) -> ConnectionId {
        ConnectionId::mint(from_ms(0), [n; 10])
    }

    #[test]
    fn a_connection_goes_over_its_platform_and_its_platform_over_the_post() {
        let base = Content {
            text: "base".to_owned(),
            link: Some("https://example.org/a".to_owned()),
            title: Some("Title".to_owned()),
            ..Content::default()
        };
        let mut overrides = Overrides::default();
        let of_x = Override {
            text: Some("on X".to_owned()),
            link: Some(String::new()),
            ..Override::default()
        };
        overrides.platforms.insert(Platform::X, of_x);
        let of_one = Override {
            format: Some(Format::Reel),
            title: Some(String::new()),
            ..Override::default()
        };
        overrides.connections.insert(connection(1), of_one);
        let there = overrides.resolve(&base, Platform::X, connection(2));
        assert_eq!((there.text.as_str(), there.link.as_deref()), ("on X", None));
        assert_eq!(there.title, base.title);
        let both = overrides.resolve(&base, Platform::X, connection(1));
        assert_eq!(both.text, "on X");
        assert_eq!((both.format, both.title), (Format::Reel, None));
        assert_eq!(
            overrides.resolve(&base, Platform::Bluesky, connection(2)),
            base
        );
        let stored = serde_json::to_value(&overrides).expect("JSON");
        assert!(stored["platforms"]["x"].is_object(), "{stored}");
        assert_eq!(
            serde_json::from_value::<Overrides>(stored).ok(),
            Some(overrides)
        );
    }
}
