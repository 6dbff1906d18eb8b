//! `videos.insert`, first half: the metadata is checked, and an upload session begins. Nothing
//! exists yet.

use serde_json::{Map, Value};

use super::access::{self, Method, UPLOAD};
use super::limits::{self, Cost};
use super::upload::Session;
use super::{Privacy, errors, flat, parts, videos};
use crate::call::{Answer, Call};
use crate::clock::parse_caller_time;
use crate::world::{ALPHANUMERIC, World};

/// What an upload says about its video.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) category_id: String,
    pub(crate) language: Option<String>,
    pub(crate) privacy: Privacy,
    /// When a private video becomes public, in milliseconds since the epoch.
    pub(crate) publish_at: Option<i64>,
    pub(crate) made_for_kids: Option<bool>,
    pub(crate) synthetic: Option<bool>,
    pub(crate) license: String,
    pub(crate) embeddable: bool,
    pub(crate) stats_viewable: bool,
}

impl Draft {
    /// A public video with these words.
    pub(crate) fn plain(title: &str, description: &str) -> Self {
        Self {
            title: title.to_owned(),
            description: description.to_owned(),
            tags: Vec::new(),
            category_id: "22".to_owned(),
            language: None,
            privacy: Privacy::Public,
            publish_at: None,
            made_for_kids: None,
            synthetic: None,
            license: "youtube".to_owned(),
            embeddable: true,
            stats_viewable: true,
        }
    }
}

const METHOD: Method = Method {
    name: "youtube.api.v3.V3DataVideoService.Insert",
    scopes: UPLOAD,
    cost: Cost::Upload,
    needs_channel: true,
};
/// The longest title, in characters.
const TITLE_LIMIT: usize = 100;
/// The longest description, in bytes of UTF-8.
const DESCRIPTION_LIMIT: usize = 5000;
/// All tags together, as they are counted.
const TAGS_LIMIT: usize = 500;
/// The largest file: 256 GB.
const SIZE_LIMIT: u64 = 274_877_906_944;
/// Categories that a video may be in, in the United States.
const CATEGORIES: [&str; 15] = [
    "1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29",
];
/// What can be set in `snippet` and `status`; other names that the schema knows are passed over.
const SNIPPET: [&str; 14] = [
    "title",
    "description",
    "tags",
    "categoryId",
    "defaultLanguage",
    "defaultAudioLanguage",
    "channelId",
    "channelTitle",
    "publishedAt",
    "thumbnails",
    "localized",
    "liveBroadcastContent",
    "kind",
    "etag",
];
const STATUS: [&str; 11] = [
    "privacyStatus",
    "publishAt",
    "selfDeclaredMadeForKids",
    "containsSyntheticMedia",
    "embeddable",
    "license",
    "publicStatsViewable",
    "uploadStatus",
    "failureReason",
    "rejectionReason",
    "madeForKids",
];

/// `POST /upload/youtube/v3/videos?uploadType=resumable`: answers with the address of a session.
pub(crate) fn start(world: &mut World, call: &Call) -> Answer {
    flat(begin(world, call))
}

fn begin(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::admit(world, call, &METHOD)?;
    let parts = parts(call, videos::PARTS)?;
    if call.param("uploadType") != Some("resumable") {
        return Err(errors::bad_upload(
            "Only uploadType=resumable is simulated.",
        ));
    }
    let kind = call.header("x-upload-content-type");
    if !kind.is_empty() && !kind.starts_with("video/") && kind != "application/octet-stream" {
        return Err(errors::bad_media(kind));
    }
    let total = match call.header("x-upload-content-length") {
        "" => None,
        text => {
            let parsed = text.parse::<u64>().ok();
            let fits = parsed.filter(|n| *n <= SIZE_LIMIT);
            Some(fits.ok_or_else(|| errors::bad_upload("Invalid upload size."))?)
        }
    };
    let body = call.json.as_ref().and_then(Value::as_object);
    let draft = draft(body.unwrap_or(&Map::new()))?;
    if let Some(channel) = &caller.channel {
        limits::count_upload(world, channel)?;
    }
    let id = format!("ABgVH8{}", world.word(ALPHANUMERIC, 90));
    // Whichever path was called, the session answers under that path.
    let location = format!(
        "http://{}/youtube/{}?uploadType=resumable&upload_id={id}",
        call.host, call.path
    );
    let parts = parts.into_iter().map(str::to_owned).collect();
    let session = Session::new(caller, draft, parts, total, world.now);
    world.youtube.sessions.insert(id.clone(), session);
    Ok(Answer::text(200, "text/plain; charset=utf-8", "")
        .with("location", location)
        .with("x-guploader-uploadid", id))
}

/// Reads and checks the metadata.
fn draft(body: &Map<String, Value>) -> Result<Draft, Answer> {
    let snippet = section(body, "snippet", &SNIPPET)?;
    let status = section(body, "status", &STATUS)?;
    let text = |name: &str| snippet.get(name).and_then(Value::as_str).unwrap_or("");
    let draft = Draft {
        title: text("title").to_owned(),
        description: text("description").to_owned(),
        tags: tags(&snippet)?,
        category_id: non_empty(text("categoryId"), "22"),
        language: Some(text("defaultLanguage").to_owned()).filter(|l| !l.is_empty()),
        privacy: privacy(&status)?,
        publish_at: publish_at(&status)?,
        made_for_kids: flag(&status, "selfDeclaredMadeForKids")?,
        synthetic: flag(&status, "containsSyntheticMedia")?,
        license: license(&status)?,
        embeddable: flag(&status, "embeddable")?.unwrap_or(true),
        stats_viewable: flag(&status, "publicStatsViewable")?.unwrap_or(true),
    };
    check(&draft)?;
    Ok(draft)
}

fn check(draft: &Draft) -> Result<(), Answer> {
    let bad = |reason, field, text| Err(errors::bad_metadata(reason, field, text));
    let has_brackets = |text: &str| text.contains(['<', '>']);
    let title = &draft.title;
    if title.trim().is_empty() || title.chars().count() > TITLE_LIMIT || has_brackets(title) {
        let text = "The request metadata specifies an invalid or empty video title.";
        return bad("invalidTitle", "body.snippet.title", text);
    }
    if draft.description.len() > DESCRIPTION_LIMIT || has_brackets(&draft.description) {
        let text = "The request metadata specifies an invalid video description.";
        return bad("invalidDescription", "body.snippet.description", text);
    }
    if counted(&draft.tags) > TAGS_LIMIT || draft.tags.iter().any(|t| has_brackets(t)) {
        let text = "The request metadata specifies invalid video keywords.";
        return bad("invalidTags", "body.snippet.tags", text);
    }
    if !CATEGORIES.contains(&draft.category_id.as_str()) {
        let text = "The <code>snippet.categoryId</code> property specifies an invalid category ID.";
        return bad("invalidCategoryId", "body.snippet.categoryId", text);
    }
    if draft.publish_at.is_some() && draft.privacy != Privacy::Private {
        let text = "The request metadata specifies an invalid scheduled publishing time.";
        return bad("invalidPublishAt", "body.status.publishAt", text);
    }
    Ok(())
}

/// Characters of all tags: a comma stands between two, and quotes around one with a space.
fn counted(tags: &[String]) -> usize {
    let one = |t: &String| t.chars().count() + if t.contains(' ') { 2 } else { 0 };
    tags.iter().map(one).sum::<usize>() + tags.len().saturating_sub(1)
}

/// An object of the body; a name that the schema does not know is refused.
fn section(
    body: &Map<String, Value>,
    name: &str,
    known: &[&str],
) -> Result<Map<String, Value>, Answer> {
    const OUTER: [&str; 8] = [
        "snippet",
        "status",
        "recordingDetails",
        "localizations",
        "kind",
        "etag",
        "id",
        "paidProductPlacementDetails",
    ];
    if let Some(unknown) = body.keys().find(|k| !OUTER.contains(&k.as_str())) {
        return Err(unknown_name(unknown, "resource"));
    }
    let section = match body.get(name) {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(section)) => section,
        Some(_) => {
            return Err(errors::bad_json(&format!(
                "Invalid value at 'resource.{name}'"
            )));
        }
    };
    match section.keys().find(|k| !known.contains(&k.as_str())) {
        Some(unknown) => Err(unknown_name(unknown, &format!("resource.{name}"))),
        None => Ok(section.clone()),
    }
}

fn unknown_name(name: &str, place: &str) -> Answer {
    errors::bad_json(&format!(
        "Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
    ))
}

fn non_empty(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise } else { text }.to_owned()
}

fn tags(snippet: &Map<String, Value>) -> Result<Vec<String>, Answer> {
    let bad = || errors::bad_json("Invalid value at 'resource.snippet.tags'");
    let Some(tags) = snippet.get("tags").filter(|t| !t.is_null()) else {
        return Ok(Vec::new());
    };
    let items = tags.as_array().ok_or_else(bad)?.iter();
    items
        .map(|t| t.as_str().map(str::to_owned).ok_or_else(bad))
        .collect()
}

fn privacy(status: &Map<String, Value>) -> Result<Privacy, Answer> {
    match status
        .get("privacyStatus")
        .map(|p| p.as_str().unwrap_or(""))
    {
        None | Some("public") => Ok(Privacy::Public),
        Some("unlisted") => Ok(Privacy::Unlisted),
        Some("private") => Ok(Privacy::Private),
        Some(other) => Err(errors::bad_json(&format!(
            "Invalid value at 'resource.status.privacy_status' \
             (type.googleapis.com/youtube.api.v3.VideoStatus.PrivacyStatus), \"{other}\""
        ))),
    }
}

fn license(status: &Map<String, Value>) -> Result<String, Answer> {
    match status
        .get("license")
        .map_or("youtube", |l| l.as_str().unwrap_or(""))
    {
        license @ ("youtube" | "creativeCommon") => Ok(license.to_owned()),
        other => Err(errors::bad_json(&format!(
            "Invalid value at 'resource.status.license', \"{other}\""
        ))),
    }
}

fn publish_at(status: &Map<String, Value>) -> Result<Option<i64>, Answer> {
    let Some(value) = status.get("publishAt").filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let time = value
        .as_str()
        .filter(|t| t.contains('T'))
        .and_then(parse_caller_time);
    let bad = || {
        let text = "The request metadata specifies an invalid scheduled publishing time.";
        errors::bad_metadata("invalidPublishAt", "body.status.publishAt", text)
    };
    time.map(Some).ok_or_else(bad)
}

fn flag(status: &Map<String, Value>, name: &str) -> Result<Option<bool>, Answer> {
    match status.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(errors::bad_json(&format!(
            "Invalid value at 'resource.status.{name}'"
        ))),
    }
}
