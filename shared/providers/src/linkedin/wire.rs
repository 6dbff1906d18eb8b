//! LinkedIn's JSON as types, tolerant of everything that is not needed.

use mooring_domain::{
    Time,
    connection::{AccountFacts, AccountKind, AccountRole},
    time::from_ms,
};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// An error of the API, in its older and its newer form, or of the OAuth endpoints.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    /// `REVOKED_ACCESS_TOKEN`, `MISSING_FIELD`, …
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default, rename = "serviceErrorCode")]
    pub(super) service_code: Option<u32>,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default, rename = "errorDetails")]
    details: Option<Value>,
    /// OAuth's name of an error.
    #[serde(default)]
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) error_description: Option<String>,
}

impl ErrorBody {
    /// The code, from wherever it stands.
    pub(super) fn code(&self) -> Option<&str> {
        let inner = self
            .details
            .as_ref()
            .and_then(|details| details.pointer("/inputErrors/0/code"))
            .and_then(Value::as_str);
        self.code
            .as_deref()
            .filter(|code| !code.is_empty())
            .or(inner)
    }

    /// Whether there is anything that an error of LinkedIn has.
    pub(super) fn says_something(&self) -> bool {
        self.code().is_some()
            || self.service_code.is_some()
            || self.error.is_some()
            || self.message.is_some()
    }
}

/// Answer of `accessToken`.
#[derive(Debug, Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    /// Seconds.
    #[serde(default)]
    pub(super) expires_in: Option<i64>,
    #[serde(default, deserialize_with = "optional_secret")]
    pub(super) refresh_token: Option<Secret>,
    /// Seconds that are left: a refresh does not lengthen them.
    #[serde(default)]
    pub(super) refresh_token_expires_in: Option<i64>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

/// Answer of `introspectToken`: 200 for dead tokens, too.
#[derive(Debug, Deserialize)]
pub(super) struct Introspection {
    pub(super) active: bool,
    /// `active`, `expired` or `revoked`; absent for a token of another app.
    #[serde(default)]
    pub(super) status: Option<String>,
    /// Seconds since 1970.
    #[serde(default)]
    pub(super) expires_at: Option<i64>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

/// Permissions in a list that is separated by commas or by spaces: both are seen, and both are documented.
pub(super) fn scopes(text: Option<&str>) -> Option<Vec<String>> {
    let words = text?.split([',', ' ']).filter(|scope| !scope.is_empty());
    Some(words.map(str::to_owned).collect())
}

/// Answer of `/v2/userinfo`.
#[derive(Debug, Deserialize)]
pub(super) struct UserInfo {
    pub(super) sub: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    given_name: Option<String>,
    #[serde(default)]
    family_name: Option<String>,
    #[serde(default)]
    picture: Option<String>,
}

impl UserInfo {
    /// What is told about a member.
    pub(super) fn about(&self) -> AccountFacts {
        AccountFacts {
            avatar: self.picture.clone(),
            kind: Some(AccountKind::Personal),
            ..AccountFacts::default()
        }
    }

    /// What people call the person.
    pub(super) fn full_name(&self) -> Option<String> {
        let parts = [self.given_name.as_deref(), self.family_name.as_deref()];
        let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = self.name.clone().unwrap_or(joined);
        (!name.trim().is_empty()).then_some(name)
    }
}

/// A part of a list.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) elements: Vec<T>,
    #[serde(default)]
    paging: Option<Paging>,
}

impl<T> List<T> {
    /// Whether the list goes on after this part.
    pub(super) fn goes_on(&self) -> bool {
        let links = self.paging.iter().flat_map(|paging| &paging.links);
        links
            .filter_map(|link| link.rel.as_deref())
            .any(|rel| rel == "next")
    }
}

#[derive(Debug, Deserialize)]
struct Paging {
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    #[serde(default)]
    rel: Option<String>,
}

/// A row of access control. Its organization stands under one of two names.
#[derive(Debug, Deserialize)]
pub(super) struct Acl {
    #[serde(default)]
    organization: Option<String>,
    #[serde(default, rename = "organizationTarget")]
    target: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

impl Acl {
    /// `urn:li:organization:…`.
    pub(super) fn organization(&self) -> Option<&str> {
        self.organization.as_deref().or(self.target.as_deref())
    }

    /// Whether the role is in force.
    pub(super) fn is_approved(&self) -> bool {
        self.state.as_deref() == Some("APPROVED")
    }

    /// What the person is there. A member may hold several roles; whoever asks takes the strongest.
    pub(super) fn held(&self) -> AccountRole {
        match self.role.as_deref().filter(|_| self.is_approved()) {
            Some("ADMINISTRATOR") => AccountRole::Admin,
            Some(_) if self.may_publish() => AccountRole::Editor,
            Some("CURATOR") => AccountRole::Moderator,
            Some(_) => AccountRole::Viewer,
            None => AccountRole::None,
        }
    }

    /// Whether it is a role that may post. Two spellings of the second are in use.
    pub(super) fn may_publish(&self) -> bool {
        const ROLES: [&str; 4] = [
            "ADMINISTRATOR",
            "CONTENT_ADMIN",
            "CONTENT_ADMINISTRATOR",
            "DIRECT_SPONSORED_CONTENT_POSTER",
        ];
        let role = self.role.as_deref().unwrap_or_default();
        self.is_approved() && ROLES.contains(&role)
    }
}

/// An organization.
#[derive(Debug, Deserialize)]
pub(super) struct Organization {
    #[serde(default, rename = "localizedName")]
    pub(super) name: Option<String>,
}

/// Answer of a `BATCH_GET`.
#[derive(Debug, Deserialize)]
pub(super) struct Batch<T> {
    #[serde(default = "std::collections::HashMap::new")]
    pub(super) results: std::collections::HashMap<String, T>,
}

/// What an action answers.
#[derive(Debug, Deserialize)]
pub(super) struct Action<T> {
    pub(super) value: T,
}

/// Where an image or a document goes.
#[derive(Debug, Deserialize)]
pub(super) struct FileUpload {
    #[serde(rename = "uploadUrl")]
    pub(super) url: String,
    pub(super) image: String,
}

/// Where the parts of a video go.
#[derive(Debug, Deserialize)]
pub(super) struct VideoUpload {
    pub(super) video: String,
    #[serde(default, rename = "uploadToken")]
    pub(super) token: String,
    #[serde(rename = "uploadInstructions")]
    pub(super) parts: Vec<PartUpload>,
}

/// One part of a video.
#[derive(Debug, Deserialize)]
pub(super) struct PartUpload {
    #[serde(rename = "uploadUrl")]
    pub(super) url: String,
    #[serde(rename = "firstByte")]
    pub(super) first: u64,
    #[serde(rename = "lastByte")]
    pub(super) last: u64,
}

/// Where an uploaded image or video stands.
#[derive(Debug, Deserialize)]
pub(super) struct AssetStatus {
    pub(super) status: String,
}

/// A post.
#[derive(Debug, Deserialize)]
pub(super) struct Post {
    pub(super) id: String,
    /// Who wrote it.
    #[serde(default)]
    pub(super) author: Option<String>,
    /// Little text.
    #[serde(default)]
    pub(super) commentary: Option<String>,
    #[serde(default, rename = "lifecycleState")]
    pub(super) state: Option<String>,
    #[serde(default, rename = "createdAt", deserialize_with = "optional_ms")]
    pub(super) created_at: Option<Time>,
    #[serde(default)]
    content: Option<Value>,
}

impl Post {
    /// URNs of the images or the video that it shows, in order.
    pub(super) fn media(&self) -> Vec<&str> {
        let Some(content) = &self.content else {
            return Vec::new();
        };
        let several = content
            .pointer("/multiImage/images")
            .and_then(Value::as_array);
        let one = content.pointer("/media/id").and_then(Value::as_str);
        let several = several
            .into_iter()
            .flatten()
            .filter_map(|image| image["id"].as_str());
        one.into_iter().chain(several).collect()
    }

    /// The address of the article that it shows.
    pub(super) fn link(&self) -> Option<&str> {
        self.content.as_ref()?.pointer("/article/source")?.as_str()
    }
}

/// What a webhook tells.
#[derive(Debug, Deserialize)]
pub(super) struct Notifications {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) notifications: Vec<serde::de::IgnoredAny>,
}

fn optional_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let ms = Option::<i64>::deserialize(deserializer)?;
    Ok(ms.filter(|ms| *ms > 0).map(from_ms))
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        Err(D::Error::custom("an empty token"))
    } else {
        Ok(Secret::from(text))
    }
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(Secret::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_read_with_commas_and_with_spaces() {
        let wanted = Some(vec!["openid".to_owned(), "w_member_social".to_owned()]);
        for text in [
            "openid,w_member_social",
            "openid w_member_social",
            "openid, w_member_social",
        ] {
            assert_eq!(scopes(Some(text)), wanted, "{text}");
        }
        assert_eq!(scopes(None), None);
    }

    #[test]
    fn a_code_is_found_outside_and_inside_of_the_details() {
        let outside: ErrorBody =
            serde_json::from_str(r#"{"code":"NOT_FOUND","status":404}"#).expect("a body");
        assert_eq!(outside.code(), Some("NOT_FOUND"));
        let inside = r#"{"errorDetails":{"inputErrors":[{"code":"DUPLICATE_POST"}]},"status":422}"#;
        let inside: ErrorBody = serde_json::from_str(inside).expect("a body");
        assert_eq!(inside.code(), Some("DUPLICATE_POST"));
    }

    #[test]
    fn media_and_links_of_a_post_are_found_wherever_they_stand() {
        let post = |content: &str| -> Post {
            serde_json::from_str(&format!(r#"{{"id":"urn:li:share:1","content":{content}}}"#))
                .expect("a post")
        };
        assert_eq!(
            post(r#"{"media":{"id":"urn:li:video:1"}}"#).media(),
            ["urn:li:video:1"]
        );
        let several = r#"{"multiImage":{"images":[{"id":"a"},{"id":"b"}]}}"#;
        assert_eq!(post(several).media(), ["a", "b"]);
        let article = post(r#"{"article":{"source":"https://a.example"}}"#);
        assert_eq!(
            (article.media().len(), article.link()),
            (0, Some("https://a.example"))
        );
        assert_eq!(post("null").media().len(), 0);
    }
}
