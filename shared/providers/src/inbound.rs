//! What platforms send us on their own: webhooks, handshakes, and the callbacks that Meta demands.

use http::HeaderMap;
use mooring_domain::{Failure, Time};
use mooring_vault::Secret;
use url::Url;

use crate::provider::AppCredentials;

/// Which address of ours was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundKind {
    /// News, and the handshake before them.
    Notification,
    /// A person took our app away (Meta).
    Deauthorize,
    /// A person wants what we know about them deleted (Meta).
    DataDeletion,
}

/// A call from outside, raw: signatures are over bytes.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// Which address.
    pub kind: InboundKind,
    /// `GET` for handshakes.
    pub method: &'a http::Method,
    /// The query's pairs, decoded.
    pub query: &'a [(String, String)],
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body as it came.
    pub body: &'a [u8],
    /// Our app, whose secret signs.
    pub app: &'a AppCredentials,
    /// The word that we told the platform for the handshake, where it takes one.
    pub verify_token: Option<&'a Secret>,
    /// Where a person can see how far a deletion is; for [`InboundKind::DataDeletion`].
    pub status_url: Option<&'a Url>,
    /// The present, for time windows.
    pub now: Time,
}

/// A verified call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What to answer.
    pub reply: Reply,
    /// What it tells, each with a key that is the same whenever it is told again.
    pub news: Vec<News>,
}

/// An answer to the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

impl Reply {
    /// 200 without a word.
    #[must_use]
    pub fn ok() -> Self {
        Self::text(String::new())
    }

    /// 200 with a text (a challenge that is echoed).
    #[must_use]
    pub const fn text(body: String) -> Self {
        Self {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body,
        }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(body: &serde_json::Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            body: body.to_string(),
        }
    }
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// About whom: a destination's or a provider user's id at the platform.
    pub account: String,
    /// What.
    pub what: NewsKind,
    /// When it happened, where the platform says so.
    pub at: Option<Time>,
    /// The same for the same news told twice.
    pub key: String,
}

/// What a platform can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewsKind {
    /// A post appeared, by us or by somebody else.
    PostAppeared {
        /// Its id.
        remote_id: String,
    },
    /// A post was changed.
    PostChanged {
        /// Its id.
        remote_id: String,
    },
    /// A post is gone.
    PostRemoved {
        /// Its id.
        remote_id: String,
    },
    /// An order that the platform worked on has become a post.
    OrderPublished {
        /// The order.
        handle: String,
        /// The post's id, where the news has it.
        remote_id: Option<String>,
    },
    /// An order has ended without a post.
    OrderFailed {
        /// The order.
        handle: String,
        /// Why.
        failure: Failure,
    },
    /// The credential was taken back.
    AccessRevoked,
    /// Permissions changed; a check tells which.
    PermissionsChanged,
    /// Something about the account changed; a check tells what.
    AccountChanged,
    /// A person wants their data deleted.
    DataDeletion {
        /// The code that we gave them.
        confirmation: String,
    },
}

/// Why a call from outside is refused. Nothing of it is believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefused {
    /// The platform sends nothing.
    #[error("this platform sends no webhooks")]
    NoneExpected,
    /// There is no signature.
    #[error("the signature is missing: set the app's secret at the platform")]
    Unsigned,
    /// The signature is not by our app's secret.
    #[error("the signature does not fit: somebody else sent this, or the app's secret has changed")]
    Forged,
    /// It is too old.
    #[error("the signature is too old: somebody may be repeating it")]
    Stale,
    /// It cannot be read.
    #[error("the body is no {0}")]
    Unreadable(&'static str),
}
