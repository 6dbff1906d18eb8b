//! Containers: how they are processed, and what publishing makes of them.

use super::access::Actor;
use super::{Account, Container, Draft, Flavor, Media, MediaFailure, Quota, Realm};
use crate::ledger::NewPost;
use crate::world::{ALPHANUMERIC, World};

/// An unpublished container expires after a day.
const CONTAINER_LIFE_MS: i64 = 24 * 3600 * 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;
const CONTAINER_NUMBERS: u64 = 17_900_000_000_000_000;
const MEDIA_NUMBERS: u64 = 18_000_000_000_000_000;
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Where a container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    InProgress,
    Finished,
    Error(MediaFailure),
    Expired,
    Published,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Finished => "FINISHED",
            Self::Error(_) => "ERROR",
            Self::Expired => "EXPIRED",
            Self::Published => "PUBLISHED",
        }
    }
}

impl Container {
    pub(crate) fn status(&self, now: i64) -> Status {
        if self.published.is_some() {
            return Status::Published;
        }
        let done = self.ready_at.is_some_and(|at| at <= now);
        match self.failure {
            Some(failure) if done => Status::Error(failure),
            _ if now - self.created_at >= CONTAINER_LIFE_MS => Status::Expired,
            _ if done => Status::Finished,
            _ => Status::InProgress,
        }
    }
}

impl Account {
    /// How much of a quota is used in the last 24 hours, or since `since`.
    pub(crate) fn used(&self, quota: Quota, now: i64) -> u64 {
        let times = self.used.get(&quota).map_or(&[][..], Vec::as_slice);
        let recent = times.iter().filter(|t| now - **t < DAY_MS);
        recent.count() as u64
    }

    /// Counts one more.
    pub(crate) fn count(&mut self, quota: Quota, now: i64) {
        let times = self.used.entry(quota).or_default();
        times.retain(|t| now - *t < DAY_MS);
        times.push(now);
    }
}

/// Makes a container. `awaits_upload` is the length of media that the caller will send.
pub(crate) fn contain(
    flavor: &Flavor,
    world: &mut World,
    actor: Actor,
    draft: Draft,
    awaits_upload: Option<u64>,
) -> String {
    let now = world.now;
    let realm = (flavor.realm_mut)(world);
    let id = realm.number(CONTAINER_NUMBERS);
    let ready_at = match awaits_upload {
        Some(_) => None,
        None => Some(now + processing_ms(realm, &draft)),
    };
    let account = realm.accounts.get_mut(&actor.account);
    let failure = account.and_then(|a| {
        a.count(Quota::Containers, now);
        a.failures.pop_front()
    });
    let stuck = failure == Some(MediaFailure::Stuck);
    let container = Container {
        account: actor.account,
        app: actor.app,
        draft,
        created_at: now,
        ready_at: ready_at.filter(|_| !stuck),
        failure: failure.filter(|_| !stuck),
        published: None,
        upload: awaits_upload.map(|length| (length, 0)),
    };
    realm.containers.insert(id.clone(), container);
    id
}

fn processing_ms(realm: &Realm, draft: &Draft) -> i64 {
    let of_children = draft.children.iter();
    let video = of_children
        .filter_map(|id| realm.containers.get(id))
        .any(|c| c.draft.is_video);
    if draft.is_video || video {
        realm.settings.video_ms
    } else {
        realm.settings.image_ms
    }
}

/// The refusal that an admin act ordered for the next container, when it comes at once.
pub(crate) fn refused_at_once(realm: &mut Realm, account: &str) -> Option<MediaFailure> {
    let failures = &mut realm.accounts.get_mut(account)?.failures;
    let next = failures.front().copied()?;
    let at_once = matches!(next, MediaFailure::Fetch | MediaFailure::FetchTimeout);
    at_once.then(|| failures.pop_front()).flatten()
}

/// Takes bytes of an upload. All of them there: processing begins.
pub(crate) fn receive(realm: &mut Realm, id: &str, received: u64, now: i64) {
    let video_ms = realm.settings.video_ms;
    let Some(container) = realm.containers.get_mut(id) else {
        return;
    };
    let length = container.upload.map_or(received, |(length, _)| length);
    container.upload = Some((length, received));
    if received >= length {
        container.ready_at = Some(now + video_ms);
    }
}

/// Makes the post of a finished container exist, and says its id.
pub(crate) fn publish(flavor: &Flavor, world: &mut World, container_id: &str) -> Option<String> {
    let now = world.now;
    let (account, draft) = {
        let container = (flavor.realm)(world).containers.get(container_id)?;
        (container.account.clone(), container.draft.clone())
    };
    let parts = draft.children.clone();
    let children = parts
        .iter()
        .filter_map(|part| child(flavor, world, part))
        .collect();
    let quota = if draft.reply_to.is_some() {
        Quota::Replies
    } else {
        Quota::Posts
    };
    let text = if draft.text.is_empty() {
        // Without words, what it shows tells one post from another.
        let kind = if draft.is_video { "video" } else { "image" };
        let shown = draft.url.as_ref().map(|url| format!("{kind} {url}"));
        shown.or(draft.link.clone()).unwrap_or_default()
    } else {
        draft.text.clone()
    };
    let id = insert(flavor, world, account.clone(), draft, children);
    let realm = (flavor.realm_mut)(world);
    if let Some(known) = realm.accounts.get_mut(&account) {
        known.media.push(id.clone());
        known.count(quota, now);
    }
    if let Some(container) = realm.containers.get_mut(container_id) {
        container.published = Some(id.clone());
    }
    let post = NewPost {
        platform: flavor.platform,
        account: &account,
        remote_id: &id,
        text: &text,
        client_reference: Some(container_id),
    };
    world.ledger.created(&post, now);
    Some(id)
}

/// The medium of a carousel's part; it is no post.
fn child(flavor: &Flavor, world: &mut World, container_id: &str) -> Option<String> {
    let container = (flavor.realm)(world).containers.get(container_id)?;
    let (account, draft) = (container.account.clone(), container.draft.clone());
    let id = insert(flavor, world, account, draft, Vec::new());
    let container = (flavor.realm_mut)(world).containers.get_mut(container_id)?;
    container.published = Some(id.clone());
    Some(id)
}

fn insert(
    flavor: &Flavor,
    world: &mut World,
    account: String,
    draft: Draft,
    children: Vec<String>,
) -> String {
    let shortcode = format!("D{}", world.word(BASE64URL, 10));
    let media = Media {
        account,
        draft,
        shortcode,
        created_at: world.now,
        deleted: false,
        children,
    };
    let realm = (flavor.realm_mut)(world);
    let id = realm.number(MEDIA_NUMBERS);
    realm.media.insert(id.clone(), media);
    id
}

/// Takes a post away. Says whether it existed.
pub(crate) fn remove(flavor: &Flavor, world: &mut World, id: &str) -> bool {
    let media = (flavor.realm_mut)(world).media.get_mut(id);
    let Some(media) = media.filter(|m| !m.deleted && !m.draft.is_child) else {
        return false;
    };
    media.deleted = true;
    world.ledger.deleted(id, world.now);
    true
}

/// Changes a post's text, as its owner does in the app.
pub(crate) fn edit(flavor: &Flavor, world: &mut World, id: &str, text: &str) -> bool {
    let media = (flavor.realm_mut)(world).media.get_mut(id);
    let Some(media) = media.filter(|m| !m.deleted && !m.draft.is_child) else {
        return false;
    };
    text.clone_into(&mut media.draft.text);
    world.ledger.edited(id, text);
    true
}

/// A name for an account that nobody chose.
pub(crate) fn username(world: &mut World) -> String {
    format!("user.{}", world.word(ALPHANUMERIC, 8).to_ascii_lowercase())
}
