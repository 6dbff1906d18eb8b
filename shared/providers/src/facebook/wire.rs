//! The Graph API's JSON, as far as we read it.

use chrono::{DateTime, NaiveDateTime};
use mooring_domain::{Time, connection::AccountRole};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::wire_media::Attachments;

/// A list with its way to the next part.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) paging: Option<Paging>,
}

impl<T> List<T> {
    /// What comes after this part of a list.
    pub(super) fn next(&self) -> NextPart<'_> {
        let Some(paging) = &self.paging else {
            return NextPart::None;
        };
        // `next` is a whole URL with the token in it, so its presence is all that we take from it.
        match (
            &paging.next,
            paging
                .cursors
                .as_ref()
                .and_then(|cursors| cursors.after.as_deref()),
        ) {
            (None, _) => NextPart::None,
            (Some(_), Some(after)) => NextPart::After(after),
            (Some(_), None) => NextPart::Unreachable,
        }
    }
}

/// Whether a list goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextPart<'a> {
    /// It ends here.
    None,
    /// It goes on after this cursor.
    After(&'a str),
    /// It goes on, and does not say where in a form that we follow.
    Unreachable,
}

/// The `paging` object.
#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    #[serde(default)]
    next: Option<serde::de::IgnoredAny>,
}

/// The cursors of a part of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

/// Answer of `oauth/access_token`.
#[derive(Debug, Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    /// Seconds; absent for tokens that do not end.
    #[serde(default)]
    pub(super) expires_in: Option<i64>,
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

/// Answer of `debug_token`: 200 even for a dead token.
#[derive(Debug, Deserialize)]
pub(super) struct DebugAnswer {
    pub(super) data: DebugToken,
}

/// What the platform says about a token.
#[derive(Debug, Deserialize)]
pub(super) struct DebugToken {
    pub(super) is_valid: bool,
    #[serde(default)]
    pub(super) error: Option<DebugError>,
    /// Unix seconds; 0 = the token does not end.
    #[serde(default)]
    pub(super) expires_at: Option<i64>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) granular_scopes: Vec<GranularScope>,
    #[serde(default)]
    pub(super) user_id: Option<String>,
}

impl DebugToken {
    /// Whether the permission was given for other pages but not for this one.
    pub(super) fn excludes(&self, scope: &str, page: &str) -> bool {
        let entry = self
            .granular_scopes
            .iter()
            .find(|granular| granular.scope == scope);
        // An entry without targets means all of them.
        let targets = entry.and_then(|granular| granular.target_ids.as_ref());
        targets.is_some_and(|targets| !targets.iter().any(|target| target == page))
    }
}

/// Why a token is dead. Its key is `subcode` here, not `error_subcode`.
#[derive(Debug, Deserialize)]
pub(super) struct DebugError {
    pub(super) code: u32,
    #[serde(default)]
    pub(super) subcode: Option<u32>,
    #[serde(default)]
    pub(super) message: String,
}

/// A permission and the pages that it was given for.
#[derive(Debug, Deserialize)]
pub(super) struct GranularScope {
    pub(super) scope: String,
    #[serde(default)]
    pub(super) target_ids: Option<Vec<String>>,
}

/// An entry of `/me/permissions`.
#[derive(Debug, Deserialize)]
pub(super) struct Permission {
    pub(super) permission: String,
    pub(super) status: String,
}

/// A page in `/me/accounts`.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "optional_secret")]
    pub(super) access_token: Option<Secret>,
    #[serde(default)]
    pub(super) tasks: Vec<String>,
}

impl Account {
    /// Whether the person may publish there. New Pages name their tasks with a prefix.
    pub(super) fn may_publish(&self) -> bool {
        const TASKS: [&str; 3] = [
            "CREATE_CONTENT",
            "PROFILE_PLUS_CREATE_CONTENT",
            "PROFILE_PLUS_FULL_CONTROL",
        ];
        self.tasks.iter().any(|task| TASKS.contains(&task.as_str()))
    }

    /// What the person is there, by what they may do.
    pub(super) fn role(&self) -> AccountRole {
        role_of(&self.tasks)
    }
}

/// What a person is on a page, by their tasks. Facebook names no roles in its API any more: whoever may manage is what
/// people call an administrator, whoever may publish an editor, whoever may only answer and hide a moderator.
pub(crate) fn role_of(tasks: &[String]) -> AccountRole {
    let may = |wanted: &[&str]| {
        tasks.iter().any(|task| {
            let task = task.strip_prefix("PROFILE_PLUS_").unwrap_or(task);
            wanted.contains(&task)
        })
    };
    if may(&["MANAGE", "FULL_CONTROL"]) {
        AccountRole::Admin
    } else if may(&["CREATE_CONTENT"]) {
        AccountRole::Editor
    } else if may(&["MODERATE", "MESSAGING"]) {
        AccountRole::Moderator
    } else if tasks.is_empty() {
        AccountRole::None
    } else {
        AccountRole::Viewer
    }
}

/// A page, read with its own token.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) is_published: Option<bool>,
}

/// A post, as publish, find and read-back answer it.
#[derive(Debug, Deserialize)]
pub(super) struct Post {
    pub(super) id: String,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default, deserialize_with = "graph_time")]
    pub(super) created_time: Option<Time>,
    #[serde(default)]
    pub(super) permalink_url: Option<String>,
    #[serde(default)]
    pub(super) is_published: Option<bool>,
    #[serde(default)]
    pub(super) attachments: Attachments,
}

/// `2026-11-23T15:00:00+0000`, RFC 3339, or unix seconds; whichever it is, to the second.
pub(crate) fn graph_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Time>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Unix(i64),
    }
    match Option::<Form>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Form::Unix(seconds)) => Ok(crate::wire::unix(seconds)),
        Some(Form::Text(text)) => parse_time(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom("no time")),
    }
}

fn parse_time(text: &str) -> Option<Time> {
    let with_zone = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z")
        .or_else(|_| DateTime::parse_from_rfc3339(text));
    let utc = || {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
            .ok()
            .map(|naive| naive.and_utc())
    };
    with_zone.ok().map(|time| time.to_utc()).or_else(utc)
}

/// Answer of a deletion.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Success {
    pub(super) success: bool,
}

/// The body of every error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: GraphError,
}

/// An error. Its subcode is often missing, so its text has to help.
#[derive(Debug, Deserialize)]
pub(crate) struct GraphError {
    pub(crate) code: u32,
    #[serde(default)]
    pub(crate) error_subcode: Option<u32>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) is_transient: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_graph_uses() {
        let forms = [
            "\"2026-11-23T15:00:00+0000\"",
            "\"2026-11-23T16:00:00+01:00\"",
            "\"2026-11-23T15:00:00Z\"",
            "\"2026-11-23T15:00:00\"",
            "1795446000",
        ];
        for form in forms {
            let post: Post =
                serde_json::from_str(&format!("{{\"id\":\"1\",\"created_time\":{form}}}"))
                    .expect(form);
            assert_eq!(
                post.created_time.map(|at| at.timestamp()),
                Some(1_795_446_000),
                "{form}"
            );
        }
        assert!(
            serde_json::from_str::<Post>("{\"id\":\"1\",\"created_time\":\"yesterday\"}").is_err()
        );
    }

    #[test]
    fn a_list_goes_on_only_where_it_says_so_and_says_where() {
        let next = |paging: &str| {
            let list: List<Post> =
                serde_json::from_str(&format!("{{\"data\":[],\"paging\":{paging}}}"))
                    .expect("a list");
            match list.next() {
                NextPart::None => "none".to_owned(),
                NextPart::After(after) => after.to_owned(),
                NextPart::Unreachable => "unreachable".to_owned(),
            }
        };
        assert_eq!(next("null"), "none");
        assert_eq!(
            next("{\"cursors\":{\"before\":\"a\",\"after\":\"b\"}}"),
            "none"
        );
        assert_eq!(
            next("{\"cursors\":{\"after\":\"b\"},\"next\":\"https://g/?access_token=x\"}"),
            "b"
        );
        assert_eq!(next("{\"next\":\"https://g/?until=1\"}"), "unreachable");
    }
}
