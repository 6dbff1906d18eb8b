//! What an entry of the ledger says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Digest, canonical, merkle};
use crate::{
    failure::Failure,
    id::{AttemptId, ConnectionId, PostId, ProofId, TargetId, WorkspaceId},
    platform::Platform,
};

/// The version of entries, roots and files that this code writes and reads.
pub const VERSION: u32 = 1;

/// An entry. Its text is canonical JSON, and its hash is that of a leaf over this text: the same hash chains it and
/// stands in the day's tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`VERSION`].
    pub v: u32,
    /// Whose chain.
    pub workspace: WorkspaceId,
    /// Its place in the chain, from 1.
    pub number: u64,
    /// What it is about: a target, or the workspace.
    pub about: String,
    /// The fact behind it; unique in its chain.
    pub source: String,
    /// When the fact happened, where that is known, in epoch milliseconds.
    pub at: Option<i64>,
    /// When it was appended, in epoch milliseconds; never falls along the chain.
    pub chained_at: i64,
    /// The hash of the entry before it; `None` for the first.
    pub previous: Option<Digest>,
    /// The hash of the entry before it that is about the same thing; `None` for the first of these.
    pub before: Option<Digest>,
    /// The fact.
    #[serde(flatten)]
    pub body: Body,
}

impl Entry {
    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> String {
        canonical::of(self)
    }

    /// The hash of the text.
    #[must_use]
    pub fn hash(&self) -> Digest {
        merkle::leaf(self.text().as_bytes())
    }
}

/// The facts that are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Body {
    /// What somebody wanted to go out, and where.
    Intent(Intent),
    /// An attempt has begun: this was about to be sent.
    Request(Request),
    /// The attempt's call has ended without an acceptance.
    Answer(Answer),
    /// The platform took the post.
    Acceptance(Acceptance),
    /// How an attempt was settled.
    Settlement(Settled),
    /// What looking for the post has brought.
    ReadBack(ReadBack),
    /// How a target ended other than by being accepted.
    Outcome(Outcome),
    /// The database was restored from a backup: what other copies of this chain say from here on was forgotten.
    Restored(Restored),
}

impl Body {
    /// The name in the database and in files.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Intent(_) => "intent",
            Self::Request(_) => "request",
            Self::Answer(_) => "answer",
            Self::Acceptance(_) => "acceptance",
            Self::Settlement(_) => "settlement",
            Self::ReadBack(_) => "read_back",
            Self::Outcome(_) => "outcome",
            Self::Restored(_) => "restored",
        }
    }
}

/// See [`Body::Intent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The post.
    pub post: PostId,
    /// Through which connection.
    pub connection: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// The account's id there.
    pub account: String,
    /// Which deliberate publishing of the target.
    pub edition: i32,
    /// Which revision of the content.
    pub revision: i32,
    /// When it is due, in epoch milliseconds.
    pub due: i64,
    /// SHA-256 of the content's canonical JSON.
    pub content_sha256: Digest,
    /// SHA-256 of each image and video, in their order.
    pub media_sha256: Vec<String>,
}

/// See [`Body::Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The attempt.
    pub attempt: AttemptId,
    /// Which edition it tried.
    pub edition: i32,
    /// Which attempt of the edition, from 1.
    pub number: i32,
    /// Which revision of the content.
    pub revision: i32,
    /// Our key at the platform, where it takes one.
    pub reference: Option<String>,
    /// Fingerprint of the text: SHA-256 over it with its white space folded.
    pub text_sha256: String,
    /// SHA-256 of the content's canonical JSON, where this revision was still stored when this was chained.
    pub content_sha256: Option<Digest>,
    /// It stands for whatever was sent in a time that a restored database has forgotten.
    pub forgotten: bool,
}

/// See [`Body::Answer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The attempt.
    pub attempt: AttemptId,
    /// A failure's class, or `processing`.
    pub class: String,
    /// The failure, where there was one. What the platform wrote is not kept: it may repeat a token.
    pub failure: Option<Failure>,
    /// The platform's id for an order that it works on.
    pub handle: Option<String>,
}

/// See [`Body::Acceptance`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The attempt.
    pub attempt: AttemptId,
    /// The post's id at the platform.
    pub remote_id: String,
    /// Where people see it, where the platform said so.
    pub permalink: Option<String>,
}

/// See [`Body::Settlement`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The attempt.
    pub attempt: AttemptId,
    /// found, absent or unsure.
    pub settlement: crate::post::Settlement,
}

/// See [`Body::ReadBack`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// The look.
    pub proof: ProofId,
    /// The attempt whose post was looked for.
    pub attempt: AttemptId,
    /// live, altered, removed or unverifiable.
    pub verdict: String,
    /// The post's id at the platform.
    pub remote_id: String,
    /// Where people see it.
    pub permalink: Option<String>,
    /// Fingerprint of the text that was seen, where it could be read.
    pub text_sha256: Option<String>,
}

/// See [`Body::Outcome`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which edition.
    pub edition: i32,
    /// missed, cancelled, failed, unconfirmed or removed.
    pub stage: crate::post::Stage,
    /// Why, as a stable code.
    pub reason: Option<String>,
}

/// See [`Body::Restored`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was taken, in epoch milliseconds.
    pub taken_at: i64,
    /// When the restore was marked, in epoch milliseconds.
    pub marked_at: i64,
}

/// The digest of a post's content, as it is stored.
#[must_use]
pub fn content_digest(content: &Value) -> Digest {
    Digest::of(&[canonical::text(content).as_bytes()])
}

/// What an entry of a target is about.
#[must_use]
pub(super) fn about(target: TargetId) -> String {
    target.to_string()
}
