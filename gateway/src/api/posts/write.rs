//! `/posts` and `/targets`, for those who write: schedule, change, cancel, publish again.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use mooring_domain::{
    PostId, TargetId,
    post::{Content, Format},
    time::seconds,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{
    super::{Body, ByOperator, Caller, Problem},
    read::{detail, post_id},
    told::{self, Due, OverrideTold},
    view::Post,
};
use crate::{
    App,
    acts::{self, EditPost, PublishAgainOrder, SchedulePost},
};

/// A post to schedule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    /// Where it goes: connections' ids.
    connections: Vec<String>,
    /// What it says. May be left out where it shows media.
    #[serde(default)]
    text: String,
    /// A link to show with it.
    link: Option<String>,
    /// A title, where the platform's posts have one.
    title: Option<String>,
    /// feed (as left out), reel, story or short.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    format: Format,
    /// Ids of what it shows, in this order.
    #[serde(default)]
    media: Vec<String>,
    /// What it says otherwise: by platform, or by a connection's id.
    #[serde(default)]
    overrides: BTreeMap<String, OverrideTold>,
    /// When it is due; now, where left out.
    due: Option<Due>,
    /// Goes before all others.
    #[serde(default)]
    critical: bool,
    /// How late it may begin, in seconds, 60 to 86400; after that it is missed.
    max_lateness_s: Option<u32>,
    /// It may say what another post says on the same connection within a day.
    #[serde(default)]
    allow_duplicate: bool,
}

/// What to change about a post. What is left out stays; an empty link or title takes it away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "left out, null and a number are three things"
)]
pub(crate) struct Change {
    text: Option<String>,
    link: Option<String>,
    title: Option<String>,
    /// feed, reel, story or short.
    #[schema(value_type = Option<String>)]
    format: Option<Format>,
    /// Ids of what it shows: all of it, in this order.
    media: Option<Vec<String>>,
    /// What it says otherwise: all of it.
    overrides: Option<BTreeMap<String, OverrideTold>>,
    /// When it is due.
    due: Option<Due>,
    critical: Option<bool>,
    /// How late it may begin, in seconds; null = as the policy says.
    #[serde(default, deserialize_with = "number_or_null")]
    #[schema(value_type = Option<u32>)]
    max_lateness_s: Option<Option<u32>>,
    /// It may say what another post says on the same connection within a day.
    #[serde(default)]
    allow_duplicate: bool,
}

/// How a target is published once more.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Again {
    /// When (RFC 3339); now, where left out.
    due: Option<DateTime<Utc>>,
    /// Also where it is out, or may be: it will be out twice.
    even_if_published: bool,
    /// It may say what another post says on the same connection within a day.
    allow_duplicate: bool,
}

/// Schedules a post on connections: on all of them, or on none.
#[utoipa::path(post, path = "/posts", request_body = New, responses((status = CREATED, body = Post), (status = "default", body = Problem)))]
pub(crate) async fn schedule(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Post>), Problem> {
    let now = app.context.clock.now();
    let due = new.due.as_ref().map(Due::read).transpose()?;
    let due = due.unwrap_or_else(|| now.into());
    let order = SchedulePost {
        connections: told::connections(&new.connections)?,
        content: Content {
            text: new.text,
            link: new.link,
            title: new.title,
            format: new.format,
            ..Content::default()
        },
        media: told::media(&new.media)?,
        overrides: told::overrides(new.overrides)?,
        due: due.at,
        zoned: due.zoned,
        critical: new.critical,
        max_lateness: new.max_lateness_s.map(|s| seconds(s.into())),
        allow_duplicate: new.allow_duplicate,
    };
    let (actor, workspace) = (caller.actor(), caller.workspace);
    let made = acts::schedule_post(&app.store, &actor, workspace, order, now).await?;
    let shown = detail(&app, &caller, made.post).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Changes a post that has not begun anywhere: its words, its time, its urgency.
#[utoipa::path(patch, path = "/posts/{post}", params(("post" = String, Path)), request_body = Change, responses((status = OK, body = Post), (status = "default", body = Problem)))]
pub(crate) async fn edit(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(post): Path<String>,
    Body(told): Body<Change>,
) -> Result<Json<Post>, Problem> {
    let id = post_id(&caller, &post)?;
    let media = told.media.as_deref().map(told::media).transpose()?;
    let edit = EditPost {
        text: told.text,
        link: told.link,
        title: told.title,
        format: told.format,
        media,
        overrides: told.overrides.map(told::overrides).transpose()?,
        due: told.due.as_ref().map(Due::read).transpose()?,
        critical: told.critical,
        max_lateness: told.max_lateness_s.map(|s| s.map(|s| seconds(s.into()))),
        allow_duplicate: told.allow_duplicate,
    };
    let now = app.context.clock.now();
    let (actor, workspace) = (caller.actor(), caller.workspace);
    acts::edit_post(&app.store, &actor, workspace, id, &edit, now).await?;
    Ok(Json(detail(&app, &caller, id).await?))
}

/// Cancels a post wherever it still waits. Where it has begun, it goes on.
#[utoipa::path(post, path = "/posts/{post}/cancel", params(("post" = String, Path)), responses((status = OK, body = Post), (status = "default", body = Problem)))]
pub(crate) async fn cancel(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(post): Path<String>,
) -> Result<Json<Post>, Problem> {
    let id = post_id(&caller, &post)?;
    let now = app.context.clock.now();
    acts::cancel_post(&app.store, &caller.actor(), caller.workspace, id, now).await?;
    Ok(Json(detail(&app, &caller, id).await?))
}

/// Cancels a post on one connection, before it begins there.
#[utoipa::path(post, path = "/targets/{target}/cancel", params(("target" = String, Path)), responses((status = OK, body = Post), (status = "default", body = Problem)))]
pub(crate) async fn cancel_target(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(target): Path<String>,
) -> Result<Json<Post>, Problem> {
    let id = target_id(&caller, &target)?;
    let now = app.context.clock.now();
    acts::cancel_target(&app.store, &caller.actor(), caller.workspace, id, now).await?;
    Ok(Json(of_target(&app, &caller, id).await?))
}

/// Publishes a post on one connection once more, as a new edition: where it was missed, failed, cancelled or removed; and
/// where it is out or may be, if that is wanted.
#[utoipa::path(post, path = "/targets/{target}/publish-again", params(("target" = String, Path)), request_body = Again, responses((status = OK, body = Post), (status = "default", body = Problem)))]
pub(crate) async fn publish_again(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(target): Path<String>,
    Body(again): Body<Again>,
) -> Result<Json<Post>, Problem> {
    let id = target_id(&caller, &target)?;
    let now = app.context.clock.now();
    let order = PublishAgainOrder {
        due: again.due,
        even_if_published: again.even_if_published,
        allow_duplicate: again.allow_duplicate,
    };
    let (actor, workspace) = (caller.actor(), caller.workspace);
    acts::publish_again(&app.store, &actor, workspace, id, order, now).await?;
    Ok(Json(of_target(&app, &caller, id).await?))
}

/// The post that a target belongs to.
async fn of_target(app: &App, caller: &Caller, target: TargetId) -> Result<Post, Problem> {
    let post: Option<PostId> = app.store.post_of(caller.workspace, target).await?;
    let post = post.ok_or_else(|| Problem::not_found(target))?;
    detail(app, caller, post).await
}

/// Reads an id. One that cannot be read is one that does not exist; both are told to whoever watches the log.
fn target_id(caller: &Caller, text: &str) -> Result<TargetId, Problem> {
    text.parse().map_err(|_| {
        tracing::warn!(event.name = "api.refused", key = %caller.key, workspace = %caller.workspace, "something that is no target's id was tried");
        Problem::not_found(text)
    })
}

/// Tells "left out" from "null".
#[expect(
    clippy::option_option,
    reason = "left out, null and a number are three things"
)]
fn number_or_null<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::<u32>::deserialize(value).map(Some)
}
