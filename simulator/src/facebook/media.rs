//! Videos and stories: what was uploaded, and what becomes of it by the clock.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Post, publish, stories};
use crate::world::World;

const VIDEO_NUMBERS: u64 = 122_300_000_000_000_000;
/// An upload that is not ended within a day has to be begun again. How long the platform waits is
/// not documented.
const UPLOAD_LIFE_MS: i64 = 24 * 3600 * 1000;

/// How the simulated platform treats media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaRules {
    /// How long a video is processed, in milliseconds of the platform's clock.
    pub processing_ms: i64,
    /// The largest photo, in bytes (documented: 10 MB; 4 MB in older pages and error texts).
    pub photo_max_bytes: usize,
    /// How much of a video one transfer of a chunked upload may carry, in bytes.
    pub chunk_bytes: u64,
    /// Reels of a page per 24 hours (documented: 30).
    pub reels_per_day: usize,
}

impl Default for MediaRules {
    /// Eight seconds of processing, and the documented limits.
    fn default() -> Self {
        Self {
            processing_ms: 8_000,
            photo_max_bytes: 10 * 1024 * 1024,
            chunk_bytes: 1024 * 1024,
            reels_per_day: 30,
        }
    }
}

/// Everything that was uploaded, apart from photos.
#[derive(Default)]
pub(crate) struct Library {
    pub(crate) rules: MediaRules,
    pub(crate) videos: HashMap<String, Video>,
    pub(crate) stories: HashMap<String, stories::Story>,
    /// Sessions of chunked uploads, and their videos.
    pub(crate) sessions: HashMap<String, String>,
    /// Sessions of the Resumable Upload API.
    pub(crate) uploads: HashMap<String, File>,
    /// Files that were uploaded with the Resumable Upload API, by handle.
    pub(crate) handles: HashMap<String, File>,
    /// What goes wrong when the next videos are processed.
    pub(crate) failures: VecDeque<String>,
    /// Beginnings of addresses that the platform cannot fetch.
    pub(crate) unreachable: BTreeSet<String>,
    /// Pages that keep their stories beyond 24 hours.
    pub(crate) archives: HashSet<String>,
    /// Finished videos that wait for their processing.
    pending: Vec<String>,
}

/// What a video is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An ordinary video post.
    Feed,
    Reel,
    Story,
}

/// A video, from the beginning of its upload.
pub(crate) struct Video {
    pub(crate) page: String,
    pub(crate) app: String,
    pub(crate) kind: Kind,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) file: File,
    pub(crate) created_at: i64,
    /// When its processing ends; known when the upload is complete.
    pub(crate) ready_at: Option<i64>,
    /// What its processing will have found.
    pub(crate) problem: Option<String>,
    /// When it was told to be published, or that it shall not be.
    pub(crate) finished_at: Option<i64>,
    pub(crate) wanted: bool,
    /// The id that its story will have.
    pub(crate) promised: Option<String>,
    /// The post or story that it came to be, and when.
    pub(crate) post: Option<(String, i64)>,
    pub(crate) deleted: bool,
}

/// A file that arrives in parts, or lies at an address.
#[derive(Default)]
pub(crate) struct File {
    pub(crate) size: Option<u64>,
    pub(crate) received: u64,
    pub(crate) url: Option<String>,
    hash: Sha256,
}

impl File {
    /// A file at an address; it is not really fetched.
    pub(crate) fn at(url: &str) -> Self {
        let url = Some(url.to_owned());
        Self {
            url,
            ..Self::default()
        }
    }

    /// A whole file.
    pub(crate) fn whole(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        file.append(bytes);
        file
    }

    /// An empty file that shall grow to so many bytes.
    pub(crate) fn of_size(size: u64) -> Self {
        let size = Some(size);
        Self {
            size,
            ..Self::default()
        }
    }

    /// The next bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.received += bytes.len() as u64;
    }

    /// What tells this file from others: its address, or its digest.
    pub(crate) fn origin(&self) -> String {
        let digest = || format!("sha256:{}", hex::encode(self.hash.clone().finalize()));
        self.url.clone().unwrap_or_else(digest)
    }
}

/// How far a video is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Uploading,
    Expired,
    Processing,
    Failed,
    Ready,
}

impl Video {
    pub(crate) fn stage(&self, now: i64) -> Stage {
        match self.ready_at {
            None if now - self.created_at > UPLOAD_LIFE_MS => Stage::Expired,
            None => Stage::Uploading,
            Some(ready) if now < ready => Stage::Processing,
            Some(_) if self.problem.is_some() => Stage::Failed,
            Some(_) => Stage::Ready,
        }
    }
}

impl Library {
    /// The whole file is there: processing begins.
    pub(crate) fn uploaded(&mut self, video: &str, now: i64) {
        let problem = self.failures.pop_front();
        if let Some(video) = self.videos.get_mut(video) {
            video.ready_at = Some(now + self.rules.processing_ms);
            video.problem = problem;
        }
    }

    /// The video will be the story of this id.
    pub(crate) fn promise(&mut self, video: &str, story: String) {
        if let Some(video) = self.videos.get_mut(video) {
            video.promised = Some(story);
        }
    }

    /// Whether the platform can fetch from this address.
    pub(crate) fn reaches(&self, url: &str) -> bool {
        !self.unreachable.iter().any(|start| url.starts_with(start))
    }
}

/// Ids of videos are numbers of one range.
pub(crate) fn is_video_id(id: &str) -> bool {
    let number = id.parse::<u64>().unwrap_or(0);
    (VIDEO_NUMBERS..VIDEO_NUMBERS + 100_000_000_000_000).contains(&number)
}

/// A new video whose file is still to come, or lies at an address.
pub(crate) fn begin(
    world: &mut World,
    page: String,
    app: String,
    kind: Kind,
    file: File,
) -> String {
    let id = world.facebook.number(VIDEO_NUMBERS);
    let video = Video {
        page,
        app,
        kind,
        title: None,
        description: None,
        file,
        created_at: world.now,
        ready_at: None,
        problem: None,
        finished_at: None,
        wanted: false,
        promised: None,
        post: None,
        deleted: false,
    };
    world.facebook.media.videos.insert(id.clone(), video);
    id
}

/// What the caller wants with an uploaded video.
pub(crate) struct Finish {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    /// Whether it shall be public.
    pub(crate) published: bool,
}

/// Tells a video what it shall become. It comes to exist when it is processed.
pub(crate) fn finish(world: &mut World, id: &str, wish: Finish) {
    let now = world.now;
    if let Some(video) = world.facebook.media.videos.get_mut(id) {
        video.finished_at = Some(now);
        video.title = wish.title;
        video.description = wish.description;
        video.wanted = wish.published;
    }
    world.facebook.media.pending.push(id.to_owned());
    tick(world);
}

/// Lets videos come to exist whose processing has ended.
pub(crate) fn tick(world: &mut World) {
    if world.facebook.media.pending.is_empty() {
        return;
    }
    let now = world.now;
    let library = &mut world.facebook.media;
    let (videos, pending) = (&library.videos, &mut library.pending);
    let is_due = |id: &String| {
        let stage = videos.get(id).map(|v| v.stage(now));
        !matches!(stage, Some(Stage::Uploading | Stage::Processing))
    };
    let due: Vec<String> = pending.extract_if(.., |id| is_due(id)).collect();
    for id in due {
        settle(world, &id);
    }
}

/// Publishes a processed video, if it is wanted and nothing was wrong with it.
fn settle(world: &mut World, id: &str) {
    let Some(video) = world.facebook.media.videos.get(id) else {
        return;
    };
    let page_is_gone = world
        .facebook
        .pages
        .get(&video.page)
        .is_none_or(|p| p.deleted);
    let is_good = video.stage(world.now) == Stage::Ready && video.wanted && !video.deleted;
    if page_is_gone || !is_good {
        return;
    }
    let at = video.ready_at.max(video.finished_at).unwrap_or(world.now);
    let post = match video.kind {
        Kind::Story => {
            let story = stories::Story::of_video(id, video, at);
            let promised = video.promised.clone();
            let post = promised.unwrap_or_else(|| stories::reserve(world));
            stories::publish(world, &post, story);
            post
        }
        Kind::Feed | Kind::Reel => {
            let post = Post {
                page: video.page.clone(),
                app: video.app.clone(),
                message: video.description.clone(),
                link: None,
                photos: Vec::new(),
                video: Some(id.to_owned()),
                is_reel: video.kind == Kind::Reel,
                created_at: at,
                updated_at: at,
                published: true,
                deleted: false,
            };
            publish::bring_forth(world, post)
        }
    };
    if let Some(video) = world.facebook.media.videos.get_mut(id) {
        video.post = Some((post, at));
    }
}
