//! X's JSON: what we read of it, and what we send.

use mooring_domain::{Platform, connection::AccountFacts};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, Serialize};

/// An answer about one thing. Its `errors` are read by `problem.rs`.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct One<T> {
    #[serde(default = "Option::default")]
    pub(super) data: Option<T>,
}

/// A part of a list of posts.
#[derive(Debug, Deserialize)]
pub(super) struct Part {
    pub(super) data: Option<Vec<Post>>,
    pub(super) meta: Option<Meta>,
}

/// What a list says about itself.
#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    pub(super) next_token: Option<String>,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
pub(super) struct Tokens {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    #[serde(default, deserialize_with = "optional_secret")]
    pub(super) refresh_token: Option<Secret>,
    /// Seconds.
    pub(super) expires_in: Option<i64>,
    pub(super) scope: Option<String>,
}

impl Tokens {
    /// The granted scopes, where the answer says them.
    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        let scope = self.scope.as_deref()?;
        Some(scope.split_whitespace().map(str::to_owned).collect())
    }
}

/// An empty token is none: storing it would end the connection.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(serde::de::Error::custom("an empty token"));
    }
    Ok(Secret::from(text))
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(Secret::from))
}

/// `{"revoked":true}`.
#[derive(Debug, Deserialize)]
pub(super) struct Revoked {
    pub(super) revoked: bool,
}

/// A user.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) protected: Option<bool>,
    name: Option<String>,
    profile_image_url: Option<String>,
    /// `None` (the word), `Basic`, `Premium` or `PremiumPlus`.
    subscription_type: Option<String>,
    /// `none`, `blue`, `business` or `government`.
    verified_type: Option<String>,
}

impl User {
    /// What is told about the account. Whoever subscribes may write long posts
    /// (<https://help.x.com/en/using-x/x-premium>: up to 25,000 characters).
    pub(super) fn about(&self) -> AccountFacts {
        const LONG_POST: u32 = 25_000;
        let short_post = u32::try_from(Platform::X.capabilities().text_max).unwrap_or(u32::MAX);
        let subscribes = self.subscription_type.as_deref().map(|tier| tier != "None");
        AccountFacts {
            display_name: self.name.clone(),
            avatar: self.profile_image_url.clone(),
            tier: self.subscription_type.clone(),
            text_max: subscribes.map(|yes| if yes { LONG_POST } else { short_post }),
            verified: self.verified_type.as_deref().map(|word| word != "none"),
            ..AccountFacts::default()
        }
    }
}

/// A post that was made.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub(super) id: String,
}

/// What a deletion says.
#[derive(Debug, Deserialize)]
pub(super) struct Deleted {
    pub(super) deleted: bool,
}

/// A post as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Post {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) entities: Option<Entities>,
    /// The whole of a long post, of which `text` is the beginning only.
    #[serde(rename = "note_post")]
    pub(super) note: Option<Note>,
    /// The older name of the same.
    pub(super) note_tweet: Option<Note>,
    pub(super) attachments: Option<Attachments>,
    pub(super) edit_history_post_ids: Vec<String>,
    /// The older name of the same.
    pub(super) edit_history_tweet_ids: Vec<String>,
}

impl Post {
    /// The whole of a long post.
    pub(super) fn note(&self) -> Option<&Note> {
        self.note.as_ref().or(self.note_tweet.as_ref())
    }

    /// The id of its newest version, where the history names one.
    pub(super) fn newest_version(&self) -> Option<&str> {
        let newest = self
            .edit_history_post_ids
            .last()
            .or(self.edit_history_tweet_ids.last());
        newest.map(String::as_str)
    }

    /// Whether this id is one of its versions'.
    pub(super) fn has_version(&self, id: &str) -> bool {
        let versions = self.edit_history_post_ids.iter();
        let mut versions = versions.chain(&self.edit_history_tweet_ids);
        self.id == id || versions.any(|version| version == id)
    }

    /// The keys of its media.
    pub(super) fn media_keys(&self) -> &[String] {
        self.attachments
            .as_ref()
            .map_or(&[], |attachments| &attachments.media_keys)
    }
}

/// A long post's whole text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) entities: Option<Entities>,
}

/// What was recognised in a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entities {
    pub(super) urls: Vec<Link>,
}

/// A link in a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    /// The short one, as it stands in the text.
    pub(super) url: String,
    /// Where it leads.
    pub(super) expanded_url: String,
    /// Of a link that stands for the post's own media.
    pub(super) media_key: Option<String>,
}

/// What hangs on a post.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attachments {
    pub(super) media_keys: Vec<String>,
}

/// What every step of an upload answers.
#[derive(Debug, Deserialize)]
pub(super) struct Uploaded {
    pub(super) id: String,
    pub(super) media_key: Option<String>,
    pub(super) processing_info: Option<Processing>,
}

/// How far the platform is with a video.
#[derive(Debug, Deserialize)]
pub(super) struct Processing {
    #[serde(default)]
    pub(super) state: String,
    /// Seconds.
    pub(super) check_after_secs: Option<u32>,
    /// Not in the OpenAPI document; seen when processing fails.
    pub(super) error: Option<ProcessingError>,
}

/// Why it failed.
#[derive(Debug, Deserialize)]
pub(super) struct ProcessingError {
    #[serde(default)]
    pub(super) name: String,
}

/// A post to be made.
#[derive(Debug, Serialize)]
pub(super) struct NewPost<'a> {
    pub(super) text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media: Option<NewMedia>,
}

/// Its media.
#[derive(Debug, Serialize)]
pub(super) struct NewMedia {
    pub(super) media_ids: Vec<String>,
}

/// The beginning of an upload in pieces.
#[derive(Debug, Serialize)]
pub(super) struct NewUpload<'a> {
    pub(super) media_type: &'a str,
    pub(super) media_category: &'a str,
    pub(super) total_bytes: u64,
}
