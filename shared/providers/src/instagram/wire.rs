//! The JSON of Instagram and Threads, as far as we read it.

use mooring_domain::{
    Time,
    connection::{AccountFacts, AccountKind, Publishing},
};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::facebook::graph_time;

/// An id: a text here, a number beyond 2^53 there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Number(u64),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) if text.is_empty() => Err(D::Error::custom("an empty id")),
            Form::Text(text) => Ok(Self(text)),
            Form::Number(number) => Ok(Self(number.to_string())),
        }
    }
}

/// An answer that is an id.
#[derive(Debug, Deserialize)]
pub(crate) struct Made {
    pub(crate) id: Id,
}

/// A container.
#[derive(Debug, Deserialize)]
pub(crate) struct Container {
    /// Instagram's word for its state.
    #[serde(default)]
    status_code: Option<String>,
    /// Threads' word for it; on Instagram a sentence, with the number of an error in it.
    #[serde(default)]
    status: Option<String>,
    /// Threads' reason.
    #[serde(default)]
    error_message: Option<String>,
}

/// Where a container stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    InProgress,
    Finished,
    /// With the platform's code.
    Failed(String),
    Expired,
    Published,
}

impl Container {
    pub(crate) fn state(&self) -> Option<Status> {
        let word = self.status_code.as_deref().or(self.status.as_deref())?;
        Some(match word {
            "IN_PROGRESS" => Status::InProgress,
            "FINISHED" => Status::Finished,
            "EXPIRED" => Status::Expired,
            "PUBLISHED" => Status::Published,
            "ERROR" => Status::Failed(self.reason()),
            _ => return None,
        })
    }

    /// The number in Instagram's sentence, or Threads' word.
    fn reason(&self) -> String {
        if let Some(word) = &self.error_message {
            return word
                .chars()
                .filter(|c| c.is_ascii_uppercase() || *c == '_')
                .collect();
        }
        let sentence = self.status.as_deref().unwrap_or_default();
        let mut numbers = sentence.split(|c: char| !c.is_ascii_digit());
        let code = numbers.rfind(|number| number.len() == 7);
        code.unwrap_or("UNKNOWN").to_owned()
    }
}

/// A list of posts.
#[derive(Debug, Deserialize)]
pub(crate) struct Posts {
    pub(crate) data: Vec<Post>,
    #[serde(default)]
    paging: Option<Paging>,
}

impl Posts {
    /// Whether there are more.
    pub(crate) fn goes_on(&self) -> bool {
        self.paging.as_ref().is_some_and(|one| one.next.is_some())
    }
}

#[derive(Debug, Deserialize)]
struct Paging {
    /// A whole address with the token in it: its presence is all that is taken.
    #[serde(default)]
    next: Option<serde::de::IgnoredAny>,
}

/// A post.
#[derive(Debug, Deserialize)]
pub(crate) struct Post {
    pub(crate) id: String,
    /// Instagram's caption, Threads' text; absent when there is none.
    #[serde(default, alias = "text")]
    pub(crate) caption: Option<String>,
    #[serde(default)]
    pub(crate) permalink: Option<String>,
    #[serde(default, deserialize_with = "graph_time")]
    pub(crate) timestamp: Option<Time>,
    #[serde(default)]
    media_product_type: Option<String>,
}

impl Post {
    /// Stories show no text.
    pub(crate) fn is_story(&self) -> bool {
        self.media_product_type.as_deref() == Some("STORY")
    }
}

/// Who a token is about.
#[derive(Debug, Deserialize)]
pub(crate) struct Me {
    /// With Instagram Login the app's own id of the account, else the account's.
    pub(crate) id: Id,
    /// The account's id, with Instagram Login.
    #[serde(default)]
    pub(crate) user_id: Option<Id>,
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, alias = "threads_profile_picture_url")]
    profile_picture_url: Option<String>,
    /// `BUSINESS` or `MEDIA_CREATOR`, with Instagram Login.
    #[serde(default)]
    account_type: Option<String>,
    /// On Threads.
    #[serde(default)]
    is_verified: Option<bool>,
}

impl Me {
    /// What is told about the account. A kind that we do not know says nothing.
    pub(crate) fn about(&self) -> AccountFacts {
        let kind = match self.account_type.as_deref().map(str::to_ascii_uppercase) {
            Some(word) if word == "BUSINESS" => Some(AccountKind::Business),
            Some(word) if word == "MEDIA_CREATOR" || word == "CREATOR" => {
                Some(AccountKind::Creator)
            }
            Some(word) if word == "PERSONAL" => Some(AccountKind::Personal),
            _ => None,
        };
        AccountFacts {
            display_name: self.name.clone(),
            avatar: self.profile_picture_url.clone(),
            // Professional accounts alone are published to.
            publishing: kind.map(|kind| match kind {
                AccountKind::Personal => Publishing::AccountKind,
                _ => Publishing::Allowed,
            }),
            kind,
            verified: self.is_verified,
            ..AccountFacts::default()
        }
    }

    /// The id that stands in paths.
    pub(crate) fn account(&self) -> &str {
        &self.user_id.as_ref().unwrap_or(&self.id).0
    }
}

/// Answer of a deletion.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Success {
    pub(crate) success: bool,
}

/// Answer to a code: flat, or the only entry of a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ShortTokens {
    Listed { data: Vec<ShortToken> },
    Flat(ShortToken),
}

impl ShortTokens {
    pub(crate) fn into_token(self) -> Option<ShortToken> {
        match self {
            Self::Listed { data } => data.into_iter().next(),
            Self::Flat(token) => Some(token),
        }
    }
}

/// A token that lives for an hour.
#[derive(Debug, Deserialize)]
pub(crate) struct ShortToken {
    #[serde(deserialize_with = "secret")]
    pub(crate) access_token: Secret,
    #[serde(default)]
    pub(crate) user_id: Option<Id>,
    #[serde(default)]
    pub(crate) permissions: Option<Permissions>,
}

/// A token that lives for 60 days.
#[derive(Debug, Deserialize)]
pub(crate) struct LongToken {
    #[serde(deserialize_with = "secret")]
    pub(crate) access_token: Secret,
    /// Seconds.
    #[serde(default)]
    pub(crate) expires_in: Option<i64>,
    #[serde(default)]
    pub(crate) permissions: Option<Permissions>,
}

/// Names of permissions: a list, or a text with commas.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Permissions {
    Listed(Vec<String>),
    Joined(String),
}

impl Permissions {
    pub(crate) fn into_names(self) -> Vec<String> {
        match self {
            Self::Listed(names) => names,
            Self::Joined(text) => text
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        }
    }
}

/// Answer of `debug_token`: 200 even for a dead token.
#[derive(Debug, Deserialize)]
pub(crate) struct DebugAnswer {
    pub(crate) data: DebugToken,
}

/// What the platform says about a token.
#[derive(Debug, Deserialize)]
pub(crate) struct DebugToken {
    pub(crate) is_valid: bool,
    #[serde(default)]
    pub(crate) error: Option<DebugError>,
    /// Unix seconds; 0 = it does not end.
    #[serde(default)]
    pub(crate) expires_at: Option<i64>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    #[serde(default)]
    granular_scopes: Vec<GranularScope>,
    #[serde(default)]
    pub(crate) user_id: Option<Id>,
}

impl DebugToken {
    /// Whether the permission was given for other accounts and not for this one.
    pub(crate) fn excludes(&self, scope: &str, account: &str) -> bool {
        let entry = self.granular_scopes.iter().find(|one| one.scope == scope);
        // An entry without targets means all of them.
        let targets = entry.and_then(|one| one.target_ids.as_ref());
        targets.is_some_and(|targets| !targets.iter().any(|target| target.0 == account))
    }
}

#[derive(Debug, Deserialize)]
struct GranularScope {
    scope: String,
    #[serde(default)]
    target_ids: Option<Vec<Id>>,
}

/// Why a token is dead.
#[derive(Debug, Deserialize)]
pub(crate) struct DebugError {
    pub(crate) code: i64,
    #[serde(default)]
    pub(crate) subcode: Option<u32>,
    #[serde(default)]
    pub(crate) message: String,
}

/// A text that is a secret.
pub(crate) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(D::Error::custom("an empty token"));
    }
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_answers_to_a_code_are_read() {
        let flat =
            r#"{"access_token":"IGAAx","user_id":17841405793187218,"permissions":["a","b"]}"#;
        let listed = r#"{"data":[{"access_token":"IGAAx","user_id":"17841405793187218","permissions":"a,b"}]}"#;
        for body in [flat, listed] {
            let answer: ShortTokens = serde_json::from_str(body).expect(body);
            let token = answer.into_token().expect(body);
            assert_eq!(token.user_id, Some(Id("17841405793187218".to_owned())));
            let names = token.permissions.expect(body).into_names();
            assert_eq!(names, ["a", "b"], "{body}");
        }
        assert!(serde_json::from_str::<ShortTokens>(r#"{"access_token":""}"#).is_err());
    }

    #[test]
    fn containers_tell_their_state_in_both_dialects() {
        let state = |body: &str| {
            let container: Container = serde_json::from_str(body).expect(body);
            container.state()
        };
        let failed = |code: &str| Some(Status::Failed(code.to_owned()));
        let sentence = r#"{"status_code":"ERROR","status":"Error: Media upload has failed with error code 2207026"}"#;
        assert_eq!(state(sentence), failed("2207026"));
        assert_eq!(
            state(r#"{"status":"ERROR","error_message":"INVALID_DURATION"}"#),
            failed("INVALID_DURATION")
        );
        assert_eq!(state(r#"{"status":"ERROR"}"#), failed("UNKNOWN"));
        assert_eq!(state(r#"{"status":"FINISHED"}"#), Some(Status::Finished));
        assert_eq!(
            state(r#"{"status_code":"IN_PROGRESS","status":"In Progress: …"}"#),
            Some(Status::InProgress)
        );
        assert_eq!(state(r#"{"status":"SOMETHING"}"#), None);
    }
}
