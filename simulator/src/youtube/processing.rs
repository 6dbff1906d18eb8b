//! What becomes of a video after its upload: it is processed, it is seen, it is gone. By the clock.

use serde::{Deserialize, Serialize};

use super::{Privacy, Video, websub};
use crate::ledger::{NewPost, Platform};
use crate::world::World;

/// How long a video is processed unless an act says otherwise.
pub(crate) const USUAL_MS: i64 = 20_000;

/// What processing ends in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The video is live.
    #[default]
    Processed,
    /// `uploadStatus` `failed` with this `failureReason` (`codec`, `conversion`, …).
    Failed(String),
    /// `uploadStatus` `rejected` with this `rejectionReason` (`copyright`, `duplicate`, …).
    Rejected(String),
}

/// Where a video stands.
#[derive(Clone)]
pub(crate) enum Stage {
    /// `uploadStatus` `uploaded` until the time (milliseconds since the epoch) comes.
    Processing {
        began_at: i64,
        due_at: i64,
        end: Outcome,
    },
    /// It ended so.
    Done(Outcome),
}

/// The first stage of a new video.
pub(super) fn begin(world: &World, channel: &str, digest: &str) -> Stage {
    let owner = world.youtube.channels.get(channel);
    let usual = owner.map(|c| c.outcome.clone()).unwrap_or_default();
    let videos = owner.map_or(&[][..], |c| c.videos.as_slice());
    let mut known = videos.iter().filter_map(|id| world.youtube.videos.get(id));
    let is_copy = world.youtube.duplicate_guard
        && known.any(|v| !v.deleted && v.digest == digest && !v.is_refused());
    Stage::Processing {
        began_at: world.now,
        due_at: world.now + world.youtube.processing_ms,
        end: if is_copy {
            Outcome::Rejected("duplicate".to_owned())
        } else {
            usual
        },
    }
}

impl Video {
    /// Failed or rejected: nobody sees it.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(
            self.stage,
            Stage::Done(Outcome::Failed(_) | Outcome::Rejected(_))
        )
    }

    /// Its text for the ledger: the description, else the title.
    pub(crate) fn text(&self) -> &str {
        let (title, description) = (&self.draft.title, &self.draft.description);
        if description.is_empty() {
            title
        } else {
            description
        }
    }
}

/// Remembers when something happens to a video by itself.
pub(super) fn wait(world: &mut World, id: &str) {
    let Some(video) = world.youtube.videos.get(id) else {
        return;
    };
    let processed = match &video.stage {
        Stage::Processing { due_at, .. } => Some(*due_at),
        Stage::Done(_) => None,
    };
    let due = processed.into_iter().chain(video.draft.publish_at);
    let due: Vec<_> = due.map(|at| (at, id.to_owned())).collect();
    world.youtube.waiting.extend(due);
}

/// Lets happen what is due by now.
pub(super) fn tick(world: &mut World) {
    while let Some(due) = world.youtube.waiting.first()
        && due.0 <= world.now
    {
        let due = world.youtube.waiting.pop_first();
        if let Some((_, id)) = due {
            bring_up(world, &id);
        }
    }
}

/// Brings one video to where it is by now.
fn bring_up(world: &mut World, id: &str) {
    let now = world.now;
    let Some(video) = world.youtube.videos.get_mut(id).filter(|v| !v.deleted) else {
        return;
    };
    if let Stage::Processing { due_at, end, .. } = &video.stage
        && *due_at <= now
    {
        video.stage = Stage::Done(end.clone());
    }
    if video.draft.publish_at.is_some_and(|at| at <= now) && video.privacy == Privacy::Private {
        video.draft.publish_at = None;
        video.privacy = Privacy::Public;
        video.published_at = now;
    }
    note_seen(world, id);
}

/// Writes a video that others can see for the first time (processed, not private) into the ledger, and tells the
/// hub.
pub(super) fn note_seen(world: &mut World, id: &str) {
    let Some(video) = world.youtube.videos.get_mut(id) else {
        return;
    };
    let processed = matches!(video.stage, Stage::Done(Outcome::Processed));
    if video.privacy == Privacy::Private || !processed || video.was_seen || video.deleted {
        return;
    }
    video.was_seen = true;
    let is_public = video.privacy == Privacy::Public;
    let post = NewPost {
        platform: Platform::YouTube,
        account: &video.channel,
        remote_id: id,
        text: video.text(),
        client_reference: None,
    };
    world.ledger.created(&post, world.now);
    if is_public {
        websub::tell(world, id);
    }
}
