//! Mastodon's JSON, tolerant of everything that is not needed.

use chrono::{DateTime, Utc};
use mooring_domain::connection::{AccountFacts, AccountKind};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use url::Url;

/// An answer of `POST /api/v1/apps`.
#[derive(Debug, Deserialize)]
pub(super) struct RegisteredApp {
    pub(super) client_id: String,
    #[serde(deserialize_with = "secret")]
    pub(super) client_secret: Secret,
}

/// What is kept between consent and code: the server, our app there, and the verifier. Sealed by the caller.
#[derive(Deserialize, Serialize)]
pub(super) struct Kept {
    pub(super) host: Url,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) verifier: String,
}

/// An answer of the token endpoint. Mastodon's tokens have no end; those of other servers may.
#[derive(Debug, Deserialize)]
pub(super) struct Granted {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    #[serde(default)]
    pub(super) scope: String,
    /// Seconds.
    #[serde(default)]
    pub(super) expires_in: Option<i64>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(D::Error::custom("an empty token"));
    }
    Ok(Secret::from(text))
}

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) acct: String,
    #[serde(default)]
    pub(super) suspended: Option<bool>,
    #[serde(default)]
    pub(super) limited: Option<bool>,
    /// Set on an account that has moved elsewhere: it cannot post any more.
    #[serde(default)]
    pub(super) moved: Option<Moved>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    avatar: Option<String>,
    #[serde(default)]
    bot: Option<bool>,
}

/// The account that another one has moved to.
#[derive(Debug, Deserialize)]
pub(super) struct Moved {
    #[serde(default)]
    acct: Option<String>,
}

impl Account {
    /// What is told about the account.
    pub(super) fn about(&self) -> AccountFacts {
        AccountFacts {
            display_name: self.display_name.clone().filter(|name| !name.is_empty()),
            avatar: self.avatar.clone(),
            kind: self.bot.filter(|bot| *bot).map(|_| AccountKind::Bot),
            moved_to: self.moved.as_ref().and_then(|moved| moved.acct.clone()),
            ..AccountFacts::default()
        }
    }
}

/// A post.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) id: String,
    pub(super) created_at: DateTime<Utc>,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) uri: Option<String>,
    pub(super) account: Author,
}

impl Status {
    /// Where people see it.
    pub(super) fn permalink(&self) -> Option<String> {
        self.url.clone().or_else(|| self.uri.clone())
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Author {
    pub(super) id: String,
}

/// A post's text as it was written.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) text: String,
}

/// An uploaded file.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) id: String,
}

/// What the steps before the one that publishes have brought.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Files {
    /// Ids of the files that were uploaded, in the post's order.
    pub(super) uploaded: Vec<String>,
    /// How many of them, from the first, are known to be processed.
    pub(super) processed: usize,
}
