//! The Graph API's JSON about photos, videos and stories.

use serde::{Deserialize, Deserializer, de::Error as _};

/// Answer of a photo's upload.
#[derive(Debug, Deserialize)]
pub(super) struct Uploaded {
    #[serde(deserialize_with = "id")]
    pub(super) id: String,
}

/// Answer of `upload_phase=start`. Reels and stories have no session; the address that they are given is known
/// beforehand, and ours is used: a token goes to no address that an answer names.
#[derive(Debug, Deserialize)]
pub(super) struct Started {
    #[serde(deserialize_with = "id")]
    pub(super) video_id: String,
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) upload_session_id: Option<String>,
    #[serde(default, deserialize_with = "optional_number")]
    pub(super) start_offset: Option<u64>,
    #[serde(default, deserialize_with = "optional_number")]
    pub(super) end_offset: Option<u64>,
}

/// Which bytes a chunked upload wants next. Both are the same when it has all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Wanted {
    #[serde(deserialize_with = "number")]
    pub(super) start_offset: u64,
    #[serde(deserialize_with = "number")]
    pub(super) end_offset: u64,
}

/// The body of a refused chunk: its `error_data` says which one is wanted instead.
#[derive(Debug, Deserialize)]
pub(super) struct ChunkRefused {
    pub(super) error: ChunkError,
}

/// The part of that error that says so.
#[derive(Debug, Deserialize)]
pub(super) struct ChunkError {
    #[serde(default)]
    pub(super) error_subcode: Option<u32>,
    pub(super) error_data: Wanted,
}

/// Answer of the step that publishes a story or a reel.
#[derive(Debug, Deserialize)]
pub(super) struct Finished {
    pub(super) success: bool,
    /// Of stories; a number in the documents, a text in the field.
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) post_id: Option<String>,
}

/// A video. `status` is an object for videos, reels and stories alike.
#[derive(Debug, Deserialize)]
pub(super) struct Video {
    #[serde(deserialize_with = "id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: Option<Status>,
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) post_id: Option<String>,
    #[serde(default)]
    pub(super) published: Option<bool>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) permalink_url: Option<String>,
}

/// How far a video is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Status {
    /// One word for all phases.
    #[serde(default, rename = "video_status")]
    pub(super) summary: Option<String>,
    #[serde(default)]
    pub(super) uploading_phase: Phase,
    #[serde(default)]
    pub(super) processing_phase: Phase,
    #[serde(default)]
    pub(super) publishing_phase: Phase,
}

/// One of its phases.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Phase {
    #[serde(default)]
    status: Option<String>,
    /// The platform's spelling.
    #[serde(default)]
    pub(super) bytes_transfered: Option<u64>,
    /// What it will be, not what it is: it stands there before the video is published.
    #[serde(default)]
    publish_status: Option<String>,
    #[serde(default)]
    errors: Vec<PhaseError>,
    #[serde(default)]
    error: Option<PhaseError>,
}

/// Why a phase failed.
#[derive(Debug, Deserialize)]
pub(super) struct PhaseError {
    #[serde(default)]
    code: Option<i64>,
}

impl Phase {
    /// Documented as `complete` in examples and as `completed` in tables.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.status.as_deref(), Some("complete" | "completed"))
    }

    pub(super) fn has_failed(&self) -> bool {
        let failed = self.status.as_deref() == Some("error");
        failed || self.error.is_some() || !self.errors.is_empty()
    }

    /// Whether it says anything about itself.
    pub(super) fn is_known(&self) -> bool {
        self.status.is_some()
    }

    pub(super) fn has_not_begun(&self) -> bool {
        self.status.as_deref() == Some("not_started")
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.status.as_deref() == Some("in_progress")
    }

    /// Whether the video was told to be public.
    pub(super) fn shall_be_public(&self) -> bool {
        self.publish_status.as_deref() == Some("published")
    }

    /// Code of the first error, where one is told.
    pub(super) fn error_code(&self) -> Option<i64> {
        let mut all = self.errors.iter().chain(&self.error);
        all.find_map(|error| error.code)
    }
}

/// A story in a page's list.
#[derive(Debug, Deserialize)]
pub(super) struct Story {
    #[serde(deserialize_with = "id")]
    pub(super) post_id: String,
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) media_id: Option<String>,
    /// `PUBLISHED` or `ARCHIVED`.
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) url: Option<String>,
}

/// What hangs on a post: photos and videos, in an album one level deeper.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Attachments {
    #[serde(default)]
    data: Vec<Attached>,
}

#[derive(Debug, Deserialize)]
struct Attached {
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    subattachments: Attachments,
}

#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default, deserialize_with = "optional_id")]
    id: Option<String>,
}

impl Attachments {
    /// Ids of everything that hangs on it.
    pub(super) fn targets(&self) -> Vec<&str> {
        let mut all = Vec::new();
        for one in &self.data {
            all.extend(one.target.as_ref().and_then(|target| target.id.as_deref()));
            all.extend(one.subattachments.targets());
        }
        all
    }
}

/// What the host for uploads says instead of a Graph error.
#[derive(Debug, Deserialize)]
pub(super) struct UploadRefused {
    pub(super) debug_info: DebugInfo,
}

/// Its reason.
#[derive(Debug, Deserialize)]
pub(super) struct DebugInfo {
    #[serde(default)]
    pub(super) retriable: bool,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

/// Ids are texts in most answers and numbers in some.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(String),
    Number(u64),
}

impl TextOrNumber {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = TextOrNumber::deserialize(deserializer)?.text();
    if text.is_empty() {
        return Err(D::Error::custom("an empty id"));
    }
    Ok(text)
}

fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id = Option::<TextOrNumber>::deserialize(deserializer)?;
    Ok(id.map(TextOrNumber::text).filter(|id| !id.is_empty()))
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = TextOrNumber::deserialize(deserializer)?.text();
    text.parse().map_err(|_| D::Error::custom("no number"))
}

fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<TextOrNumber>::deserialize(deserializer)?;
    Ok(value.and_then(|value| value.text().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_texts_and_as_numbers() {
        for body in [
            r#"{"success":true,"post_id":1234}"#,
            r#"{"success":true,"post_id":"1234"}"#,
        ] {
            let finished: Finished = serde_json::from_str(body).expect(body);
            assert_eq!(finished.post_id.as_deref(), Some("1234"));
        }
        let finished: Finished = serde_json::from_str(r#"{"success":true}"#).expect("a reel's");
        assert_eq!(finished.post_id, None);
    }

    #[test]
    fn an_album_hides_its_photos_one_level_deeper() {
        let album = r#"{"data":[{"type":"album","target":{"id":"9"},"subattachments":{"data":[
            {"target":{"id":"1"}},{"target":{"id":2}},{"type":"photo"}]}}]}"#;
        let attachments: Attachments = serde_json::from_str(album).expect("attachments");
        assert_eq!(attachments.targets(), ["9", "1", "2"]);
    }

    #[test]
    fn an_error_is_told_in_either_of_two_forms() {
        let phase = |body: &str| serde_json::from_str::<Phase>(body).expect(body);
        let list = phase(r#"{"status":"error","errors":[{"code":1363025,"message":"x"}]}"#);
        assert_eq!(
            (list.has_failed(), list.error_code()),
            (true, Some(1_363_025))
        );
        let one = phase(r#"{"status":"not_started","error":{"message":"too low"}}"#);
        assert_eq!((one.has_failed(), one.error_code()), (true, None));
        assert!(phase(r#"{"status":"completed"}"#).is_complete());
    }
}
