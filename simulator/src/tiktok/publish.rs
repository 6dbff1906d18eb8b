//! What becomes of a `publish_id`: processing, the post, its public availability; and what its
//! owner does to the post.

use serde_json::json;

use super::{access, errors, people, webhooks};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::ledger::{NewPost, Platform};
use crate::world::World;

/// Post ids are beyond 2^53.
const POST_NUMBERS: u64 = 7_440_000_000_000_000_000;

/// What is to be posted.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) title: String,
    pub(super) description: String,
    /// Empty for drafts.
    pub(super) privacy: String,
    /// 0: a video.
    pub(super) photos: usize,
}

impl Content {
    /// The text by which a post is known in the ledger.
    fn text(&self) -> &str {
        if self.description.is_empty() {
            &self.title
        } else {
            &self.description
        }
    }
}

/// Where the bytes come from.
pub(super) enum Source {
    File {
        size: u64,
        chunk: u64,
        count: u64,
        url_until: i64,
    },
    Url,
}

/// How far it is.
pub(super) enum Stage {
    Upload { received: u64 },
    Processing,
    Complete,
    Inbox,
    Failed(String),
}

/// One init and what follows.
pub(super) struct Publish {
    pub(super) app: String,
    pub(super) user: String,
    pub(super) content: Content,
    pub(super) source: Source,
    pub(super) draft: bool,
    pub(super) stage: Stage,
    pub(super) created_at: i64,
    /// The post that came of it.
    pub(super) post: Option<u64>,
}

/// A post on the platform.
pub(super) struct Post {
    pub(super) user: String,
    pub(super) publish_id: String,
    pub(super) content: Content,
    pub(super) created_at: i64,
    /// Set when moderation is through.
    pub(super) public: bool,
    pub(super) deleted: bool,
}

/// The bytes are there, or the platform fetches them: from here on it goes by itself.
pub(super) fn process(world: &mut World, id: &str) {
    let (now, state) = (world.now, &mut world.tiktok);
    let Some(publish) = state.publishes.get_mut(id) else {
        return;
    };
    publish.stage = Stage::Processing;
    if !publish.draft {
        if let Some(user) = state.users.get_mut(&publish.user) {
            user.recent.push_back(now);
        }
        if let Some(app) = state.apps.get_mut(&publish.app) {
            app.posters.insert(publish.user.clone(), now);
        }
    }
    state
        .due
        .insert((now + state.settings.processing_ms, id.to_owned()));
}

/// Lets happen what is due by now.
pub(super) fn tick(world: &mut World) {
    let due = |world: &World| {
        world
            .tiktok
            .due
            .first()
            .is_some_and(|(at, _)| *at <= world.now)
    };
    while due(world) {
        let Some((at, id)) = world.tiktok.due.pop_first() else {
            return;
        };
        let stage = world.tiktok.publishes.get(&id).map(|p| &p.stage);
        match stage {
            Some(Stage::Processing) => finish(world, &id, at),
            Some(Stage::Complete) => become_public(world, &id),
            Some(Stage::Upload { .. } | Stage::Inbox | Stage::Failed(_)) | None => {}
        }
    }
}

fn finish(world: &mut World, id: &str, at: i64) {
    let publish = &world.tiktok.publishes[id];
    let (app, user, draft) = (publish.app.clone(), publish.user.clone(), publish.draft);
    let content = publish.content.clone();
    let known = world.tiktok.users.get_mut(&user);
    let reason = match known {
        Some(u) if !u.grants.contains_key(&app) => Some("auth_removed".to_owned()),
        Some(u) => u.next_failure.take(),
        None => Some("internal".to_owned()),
    };
    if let Some(reason) = reason {
        fail(world, id, &reason);
        return;
    }
    if draft {
        set_stage(world, id, Stage::Inbox);
        told(world, id, "post.publish.inbox_delivered", &json!({}));
        return;
    }
    // The low bits of the platform's ids are not a counter.
    let number = POST_NUMBERS + world.tiktok.number() * 1_048_583;
    let remote_id = number.to_string();
    let entry = NewPost {
        platform: Platform::TikTok,
        account: &user,
        remote_id: &remote_id,
        text: content.text(),
        client_reference: Some(id),
    };
    world.ledger.created(&entry, at);
    let is_public = content.privacy == "PUBLIC_TO_EVERYONE";
    let post = Post {
        user,
        publish_id: id.to_owned(),
        content,
        created_at: at,
        public: false,
        deleted: false,
    };
    world.tiktok.posts.insert(number, post);
    if let Some(publish) = world.tiktok.publishes.get_mut(id) {
        publish.stage = Stage::Complete;
        publish.post = Some(number);
    }
    told(world, id, "post.publish.complete", &json!({}));
    if is_public {
        let ready = at + world.tiktok.settings.moderation_ms;
        world.tiktok.due.insert((ready, id.to_owned()));
    }
}

fn become_public(world: &mut World, id: &str) {
    let number = world.tiktok.publishes.get(id).and_then(|p| p.post);
    let post = number.and_then(|n| world.tiktok.posts.get_mut(&n));
    let Some(post) = post.filter(|p| !p.deleted && !p.public) else {
        return;
    };
    post.public = true;
    let post_id = number.unwrap_or_default().to_string();
    told(
        world,
        id,
        "post.publish.publicly_available",
        &json!({ "post_id": post_id }),
    );
}

fn fail(world: &mut World, id: &str, reason: &str) {
    set_stage(world, id, Stage::Failed(reason.to_owned()));
    told(
        world,
        id,
        "post.publish.failed",
        &json!({ "reason": reason }),
    );
}

fn set_stage(world: &mut World, id: &str, stage: Stage) {
    if let Some(publish) = world.tiktok.publishes.get_mut(id) {
        publish.stage = stage;
    }
}

/// Tells the app what became of a publish.
fn told(world: &mut World, id: &str, event: &str, extra: &serde_json::Value) {
    let Some(publish) = world.tiktok.publishes.get(id) else {
        return;
    };
    let (app, user) = (publish.app.clone(), publish.user.clone());
    let kind = if publish.draft {
        "INBOX_SHARE"
    } else {
        "DIRECT_PUBLISH"
    };
    let mut content = json!({ "publish_id": id, "publish_type": kind });
    for (name, value) in extra.as_object().into_iter().flatten() {
        content[name] = value.clone();
    }
    webhooks::send(world, &app, event, &user, &content);
}

/// `POST /v2/post/publish/status/fetch/`.
pub(super) fn status(world: &mut World, call: &Call) -> Answer {
    flat(own(world, call).map(|id| {
        let publish = &world.tiktok.publishes[&id];
        let mut data = match &publish.stage {
            Stage::Upload { received } => {
                json!({ "status": "PROCESSING_UPLOAD", "uploaded_bytes": received })
            }
            Stage::Processing => match publish.source {
                Source::File { size, .. } => {
                    json!({ "status": "PROCESSING_UPLOAD", "uploaded_bytes": size })
                }
                Source::Url => json!({ "status": "PROCESSING_DOWNLOAD", "downloaded_bytes": 0 }),
            },
            Stage::Complete => json!({ "status": "PUBLISH_COMPLETE" }),
            Stage::Inbox => json!({ "status": "SEND_TO_USER_INBOX" }),
            Stage::Failed(reason) => json!({ "status": "FAILED", "fail_reason": reason }),
        };
        let post = publish
            .post
            .and_then(|n| world.tiktok.posts.get(&n).map(|p| (n, p)));
        if let Some((number, _)) = post.filter(|(_, p)| p.public && !p.deleted) {
            // The platform's own spelling, and numbers.
            data["publicaly_available_post_id"] = json!([number]);
        }
        errors::ok(&data)
    }))
}

/// `POST /v2/post/publish/cancel/`, best effort.
pub(super) fn cancel(world: &mut World, call: &Call) -> Answer {
    flat(
        own(world, call).and_then(|id| match world.tiktok.publishes[&id].stage {
            Stage::Upload { .. } | Stage::Processing => {
                fail(world, &id, "publish_cancelled");
                Ok(errors::ok(&json!({})))
            }
            Stage::Complete | Stage::Inbox | Stage::Failed(_) => {
                let text = "The post cannot be cancelled any more";
                Err(errors::error(400, "publish_not_cancellable", text))
            }
        }),
    )
}

/// The publish that a call names, if it is the caller's.
fn own(world: &World, call: &Call) -> Result<String, Answer> {
    let token = access::caller(world, call, "video.publish")
        .or_else(|refusal| access::caller(world, call, "video.upload").map_err(|_| refusal))?;
    let id = call.param("publish_id").unwrap_or("");
    let invalid = || errors::error(400, "invalid_publish_id", "The publish_id does not exist");
    let publish = world.tiktok.publishes.get(id).ok_or_else(invalid)?;
    if publish.user != token.user || publish.app != token.app {
        let text = "The access_token is not authorized for this publish_id";
        let code = "token_not_authorized_for_specified_publish_id";
        return Err(errors::error(400, code, text));
    }
    Ok(id.to_owned())
}

/// Deletes a post as its owner would. Says whether there was one.
pub(super) fn remove(world: &mut World, id: &str) -> bool {
    let number = id.parse().ok();
    let post = number.and_then(|n: u64| world.tiktok.posts.get_mut(&n));
    let Some(post) = post.filter(|p| !p.deleted) else {
        return false;
    };
    post.deleted = true;
    let (publish, was_public) = (post.publish_id.clone(), post.public);
    world.ledger.deleted(id, world.now);
    if was_public {
        let event = "post.publish.no_longer_publicaly_available";
        told(world, &publish, event, &json!({ "post_id": id }));
    }
    true
}

/// Changes a post's text.
pub(super) fn edit(world: &mut World, id: &str, text: &str) -> bool {
    let number = id.parse().ok();
    let post = number.and_then(|n: u64| world.tiktok.posts.get_mut(&n));
    let Some(post) = post.filter(|p| !p.deleted) else {
        return false;
    };
    if post.content.description.is_empty() {
        text.clone_into(&mut post.content.title);
    } else {
        text.clone_into(&mut post.content.description);
    }
    world.ledger.edited(id, text);
    true
}

/// Whether everybody may see it.
pub(super) fn is_listed(world: &World, post: &Post) -> bool {
    let user = world.tiktok.users.get(&post.user);
    post.public && !post.deleted && user.is_some_and(people::is_visible)
}
