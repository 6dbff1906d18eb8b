//! What platforms send us on their own: webhooks, handshakes, and the callbacks that Meta demands.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use mooring_domain::Time;
use mooring_vault::Secret;
use sha2::Sha256;
use url::Url;

pub use mooring_domain::news::{News, NewsKind};

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

/// A word for handshakes that needs no keeping: made from the app's secret, and telling nothing of it.
pub(crate) fn word_of(app: &AppCredentials) -> Secret {
    let key = app.client_secret.expose().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(b"mooring verify_token v1");
    Secret::from(hex::encode(mac.finalize().into_bytes()))
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
