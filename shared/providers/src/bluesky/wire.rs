//! Bluesky's JSON, as the lexicons `com.atproto.*` and `app.bsky.*` define it.

use std::fmt;

use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, Serialize};

/// The collection that posts live in.
pub(super) const POSTS: &str = "app.bsky.feed.post";

/// Body of createSession.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateSession<'a> {
    pub(super) identifier: &'a str,
    pub(super) password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auth_factor_token: Option<&'a str>,
}

/// Answer of createSession and refreshSession.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    #[serde(deserialize_with = "secret")]
    pub(super) access_jwt: Secret,
    #[serde(deserialize_with = "secret")]
    pub(super) refresh_jwt: Secret,
    pub(super) did: String,
    pub(super) handle: String,
    /// Older servers do not say it.
    #[serde(default)]
    pub(super) active: Option<bool>,
    #[serde(default)]
    pub(super) did_doc: Option<DidDoc>,
}

pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(serde::de::Error::custom("an empty token"));
    }
    Ok(Secret::from(text))
}

/// The part of a DID document that names the account's server.
#[derive(Debug, Deserialize)]
pub(super) struct DidDoc {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) service: Vec<Service>,
}

/// A service of a DID document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service {
    pub(super) id: String,
    /// A URL here, but the DID specification allows more.
    pub(super) service_endpoint: serde_json::Value,
}

/// Answer of getSession.
#[derive(Debug, Deserialize)]
pub(super) struct SessionInfo {
    pub(super) did: String,
    pub(super) handle: String,
    #[serde(default)]
    pub(super) active: Option<bool>,
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// Answer of getRepoStatus.
#[derive(Debug, Deserialize)]
pub(super) struct RepoStatus {
    pub(super) active: bool,
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// Body of putRecord.
#[derive(Debug, Serialize)]
pub(super) struct PutRecord<'a> {
    pub(super) repo: &'a str,
    pub(super) collection: &'a str,
    pub(super) rkey: &'a str,
    pub(super) record: Post<'a>,
}

/// Body of deleteRecord.
#[derive(Debug, Serialize)]
pub(super) struct DeleteRecord<'a> {
    pub(super) repo: &'a str,
    pub(super) collection: &'a str,
    pub(super) rkey: &'a str,
}

/// Answer of putRecord.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    pub(super) uri: String,
    /// Checked to be there: an answer without it comes from something that is no repository.
    #[serde(rename = "cid")]
    pub(super) _cid: String,
}

/// Answer of getRecord, and one of those of listRecords.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) uri: String,
    pub(super) value: RecordValue,
}

/// Answer of listRecords.
#[derive(Debug, Deserialize)]
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    #[serde(default)]
    pub(super) cursor: Option<String>,
}

/// The part of a post's record that we compare.
#[derive(Debug, Deserialize)]
pub(super) struct RecordValue {
    #[serde(default)]
    pub(super) text: Option<String>,
}

/// A post's record. The order of fields and the absence of absent ones are part of it: the same draft must give
/// the same bytes on every repetition.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Post<'a> {
    #[serde(rename = "$type")]
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
    pub(super) created_at: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) facets: Vec<Facet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) embed: Option<Embed<'a>>,
}

/// A card below the text.
#[derive(Debug, Serialize)]
#[serde(tag = "$type")]
pub(super) enum Embed<'a> {
    /// A card for a link.
    #[serde(rename = "app.bsky.embed.external")]
    External {
        /// The link.
        external: External<'a>,
    },
    /// Up to four images.
    #[serde(rename = "app.bsky.embed.images")]
    Images {
        /// In their order.
        images: Vec<Picture<'a>>,
    },
    /// One video.
    #[serde(rename = "app.bsky.embed.video", rename_all = "camelCase")]
    Video {
        /// Its file.
        video: Blob,
        /// What people who cannot see it are told.
        #[serde(skip_serializing_if = "Option::is_none")]
        alt: Option<&'a str>,
        /// Its shape.
        #[serde(skip_serializing_if = "Option::is_none")]
        aspect_ratio: Option<AspectRatio>,
    },
}

/// One image of a post. The text for people who cannot see it is required, and may be empty.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Picture<'a> {
    pub(super) alt: &'a str,
    pub(super) image: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aspect_ratio: Option<AspectRatio>,
}

/// A shape, by any two numbers of that ratio; ours are pixels.
#[derive(Debug, Serialize)]
pub(super) struct AspectRatio {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A file that was uploaded, as the server named it. It goes into the record as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob {
    #[serde(rename = "$type")]
    pub(super) kind: BlobKind,
    #[serde(rename = "ref")]
    pub(super) link: Link,
    pub(super) mime_type: String,
    pub(super) size: u64,
}

/// The one type that such a value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum BlobKind {
    #[serde(rename = "blob")]
    Blob,
}

/// A file's content id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    #[serde(rename = "$link")]
    pub(super) cid: String,
}

/// The content of a link's card. Title and description are required, and we do not fetch the page for them.
#[derive(Debug, Serialize)]
pub(super) struct External<'a> {
    pub(super) uri: &'a str,
    pub(super) title: String,
    pub(super) description: &'static str,
}

/// A marked part of a text.
#[derive(Debug, Serialize)]
pub(super) struct Facet {
    pub(super) index: ByteSlice,
    pub(super) features: [Feature; 1],
}

/// From and to, in bytes of UTF-8; the end is exclusive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ByteSlice {
    pub(super) byte_start: usize,
    pub(super) byte_end: usize,
}

/// What a marked part is.
#[derive(Debug, Serialize)]
#[serde(tag = "$type")]
pub(super) enum Feature {
    /// A link.
    #[serde(rename = "app.bsky.richtext.facet#link")]
    Link {
        /// Where to.
        uri: String,
    },
}

/// The body of every error: `{"error":"Name","message":"text"}`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) message: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("did", &self.did)
            .finish_non_exhaustive()
    }
}
