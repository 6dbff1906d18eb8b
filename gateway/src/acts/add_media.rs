//! Adding an image or a video: its bytes into the media store, what they are into the books.

use std::time::Duration;

use mooring_domain::{
    MediaId, Time, WorkspaceId, acts,
    post::{Media, MediaKind},
};
use mooring_runtime::{
    Http, MediaStore, http::DownloadError, lifecycle::chain, media::ByteStream, media::MediaError,
};
use mooring_store::{Actor, Secrets, Store};
use url::Url;

use super::ActError;

/// The longest alternative text, in characters. Platforms take less; this keeps a book out of the database.
const ALT_MAX: usize = 2_000;

/// An image or a video to add.
pub struct NewMedia {
    /// Where its bytes come from.
    pub from: MediaFrom,
    /// What people who cannot see it are told.
    pub alt: Option<String>,
}

/// Where bytes come from.
pub enum MediaFrom {
    /// Whoever adds it sends them.
    Bytes(ByteStream),
    /// An address on the internet. Private ones are refused.
    Url {
        /// The address.
        url: Url,
        /// The client that fetches it.
        http: Http,
        /// Time for the whole of it.
        timeout: Duration,
    },
}

/// Stores an image or a video and returns what is known about it. What it is, its content decides.
pub async fn add_media(
    store: &Store,
    files: &MediaStore,
    actor: &Actor,
    workspace: WorkspaceId,
    new: NewMedia,
    now: Time,
) -> Result<Media, ActError> {
    let alt = alt_text(new.alt)?;
    let (field, content) = match new.from {
        MediaFrom::Bytes(content) => ("file", content),
        MediaFrom::Url { url, http, timeout } => ("url", fetch(files, &http, url, timeout).await?),
    };
    let stored = files.put(workspace.uuid(), content).await;
    let stored = stored.map_err(|error| refused(field, error))?;
    let facts = stored.facts;
    let media = Media {
        id: store.mint(now),
        kind: if facts.file_type.is_video() {
            MediaKind::Video
        } else {
            MediaKind::Image
        },
        mime: facts.file_type.mime().to_owned(),
        bytes: stored.bytes,
        sha256: stored.sha256,
        width: facts.width,
        height: facts.height,
        duration_ms: facts.duration_ms,
        alt,
    };
    let decision = acts::add_media(media.clone());
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(media)
}

/// What is known about media, in the order in which a post names them.
pub(super) async fn attached(
    store: &Store,
    workspace: WorkspaceId,
    ids: &[MediaId],
) -> Result<Vec<Media>, ActError> {
    let known = store.media(workspace, ids).await?;
    let mut media = Vec::with_capacity(ids.len());
    for id in ids {
        let problem = match known.get(id) {
            _ if media.iter().any(|one: &Media| one.id == *id) => "is named twice; name it once",
            None => "does not exist in this workspace; add it with: mooring media add",
            Some(one) => {
                media.push(one.clone());
                continue;
            }
        };
        return Err(ActError::invalid("media", format!("{id} {problem}")));
    }
    Ok(media)
}

async fn fetch(
    files: &MediaStore,
    http: &Http,
    url: Url,
    timeout: Duration,
) -> Result<ByteStream, ActError> {
    let refused_url = |error: &DownloadError| ActError::invalid("url", chain(error));
    let download = http.download(url, timeout).await;
    let download = download.map_err(|error| refused_url(&error))?;
    let max_bytes = files.max_bytes();
    if download.length.is_some_and(|length| length > max_bytes) {
        return Err(refused("url", MediaError::TooLarge { max_bytes }));
    }
    Ok(download.into_stream())
}

/// What the sender can mend is their field's problem; the rest is ours.
fn refused(field: &'static str, error: MediaError) -> ActError {
    match error {
        MediaError::NotMedia(_) | MediaError::TooLarge { .. } | MediaError::Source(_) => {
            ActError::invalid(field, chain(&error))
        }
        error => ActError::Media(error),
    }
}

fn alt_text(alt: Option<String>) -> Result<Option<String>, ActError> {
    let alt = alt.map(|alt| alt.trim().to_owned());
    let alt = alt.filter(|alt| !alt.is_empty());
    let length = alt.as_ref().map_or(0, |alt| alt.chars().count());
    if length > ALT_MAX {
        let problem = format!("{length} characters are too many (at most {ALT_MAX}); shorten it");
        return Err(ActError::invalid("alt", problem));
    }
    Ok(alt)
}
