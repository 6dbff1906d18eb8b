//! What an error body says, in whichever of X's shapes it comes: a problem (`type`, `title`, `detail`), the older
//! numbered list, an error of the token endpoint, or problems inside of a success.

use serde::Deserialize;

/// Every member that a decision looks at. What is absent or of another type is as good as not said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    pub(super) title: String,
    #[serde(deserialize_with = "text")]
    pub(super) detail: String,
    /// Of a used-up cap: `Daily` or `Monthly`.
    #[serde(deserialize_with = "text")]
    pub(super) period: String,
    /// Of the token endpoint.
    #[serde(deserialize_with = "text")]
    pub(super) error: String,
    #[serde(deserialize_with = "text")]
    pub(super) error_description: String,
    #[serde(deserialize_with = "entries")]
    pub(super) errors: Vec<Entry>,
}

/// One entry of `errors`: a number with a message, a parameter with a message, or a problem of its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) code: Option<i64>,
    #[serde(deserialize_with = "text")]
    pub(super) message: String,
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    pub(super) detail: String,
    #[serde(deserialize_with = "text")]
    pub(super) resource_type: String,
    #[serde(deserialize_with = "text")]
    pub(super) resource_id: String,
    parameters: serde_json::Map<String, serde_json::Value>,
}

impl ErrorBody {
    /// The body of an answer; an empty one when it is no JSON object.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The name of the problem: the last segment of its type, whichever host the type stands under. `about:blank`
    /// where a problem has no type.
    pub(super) fn name(&self) -> Option<&str> {
        if self.kind.is_empty() && !self.title.is_empty() {
            return Some(BLANK);
        }
        name_of(&self.kind)
    }

    /// The first number of the older list.
    pub(super) fn code(&self) -> Option<i64> {
        self.errors.iter().find_map(|entry| entry.code)
    }

    /// The first parameter that is complained about, when it looks like one.
    pub(super) fn parameter(&self) -> Option<&str> {
        let names = self.errors.iter().flat_map(|entry| entry.parameters.keys());
        names.map(String::as_str).find(|name| is_plain(name))
    }

    /// Everything that is said in words, for the few meanings that only words carry.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let said = self
            .errors
            .iter()
            .flat_map(|entry| [entry.message.as_str(), entry.detail.as_str()]);
        [self.detail.as_str(), self.error_description.as_str()]
            .into_iter()
            .chain(said)
    }
}

impl Entry {
    /// The name of the problem, like [`ErrorBody::name`].
    pub(super) fn name(&self) -> Option<&str> {
        name_of(&self.kind)
    }
}

/// A problem without a type of its own.
pub(super) const BLANK: &str = "about:blank";

fn name_of(kind: &str) -> Option<&str> {
    if kind == BLANK {
        return Some(BLANK);
    }
    let name = kind.rsplit('/').next()?;
    is_plain(name).then_some(name)
}

/// Names come from outside and go into logs: only what looks like a name is repeated.
fn is_plain(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(fits)
}

/// A text, or nothing where something else stands.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(match value {
        serde_json::Value::String(text) => text,
        _ => String::new(),
    })
}

/// Entries that can be read; none where no list stands.
fn entries<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Entry>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let serde_json::Value::Array(list) = value else {
        return Ok(Vec::new());
    };
    let read = list
        .into_iter()
        .filter_map(|one| serde_json::from_value(one).ok());
    Ok(read.collect())
}
