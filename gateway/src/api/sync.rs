//! What became of posts: comparing them with the platforms, and what people did there themselves.

use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::{PostId, TargetId};
use mooring_store::SyncTarget;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, ByOperator, Problem};
use crate::{
    App,
    acts::{self, SyncOutcome},
};

/// A target, as the books have it now.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetNow {
    /// The target: the post on one connection.
    target: String,
    /// Its post.
    post: String,
    /// The connection.
    connection: String,
    /// What people call it.
    name: String,
    /// Its platform.
    platform: String,
    /// scheduled, begun, missed, cancelled, failed, unconfirmed, accepted or removed.
    stage: String,
    /// Why, where it ended badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// live, altered, removed or unverifiable; missing before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    permalink: Option<String>,
    /// When the platform took it. It stays when the post is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<DateTime<Utc>>,
    /// Of a sync: synced, looking, `never_published`, certain, unreachable or `not_let_in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<&'static str>,
}

/// A post that was compared.
#[derive(Serialize, ToSchema)]
pub(crate) struct Synced {
    /// The post.
    post: String,
    /// Its targets.
    targets: Vec<TargetNow>,
}

/// Where a post is that somebody published by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Native {
    /// Its address, as the browser shows it.
    url: String,
}

/// Compares a post with its platforms now: what was lost is found, what is gone is shown as removed, links are captured.
/// A platform that cannot be reached changes nothing.
#[utoipa::path(post, path = "/posts/{post}/sync", params(("post" = String, Path)), responses((status = OK, body = Synced), (status = "default", body = Problem)))]
pub(crate) async fn sync(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(post): Path<String>,
) -> Result<Json<Synced>, Problem> {
    let id: PostId = post.parse().map_err(|_| Problem::not_found(&post))?;
    let (actor, desk) = (caller.actor(), app.desk());
    let synced = acts::sync_post(&desk, &actor, caller.workspace, id).await?;
    let targets = synced
        .into_iter()
        .map(|(target, outcome)| TargetNow::of(target, Some(outcome)));
    Ok(Json(Synced {
        post: id.to_string(),
        targets: targets.collect(),
    }))
}

/// "I deleted this on the platform myself": the copy counts as removed, and its link is cleared. Safe to repeat.
#[utoipa::path(post, path = "/targets/{target}/removed", params(("target" = String, Path)), responses((status = OK, body = TargetNow), (status = "default", body = Problem)))]
pub(crate) async fn removed(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(target): Path<String>,
) -> Result<Json<TargetNow>, Problem> {
    let id = target_id(&target)?;
    let (actor, now) = (caller.actor(), app.context.clock.now());
    let after = acts::say_removed(&app.store, &actor, caller.workspace, id, now).await?;
    Ok(Json(TargetNow::of(after, None)))
}

/// Records a post that somebody published by hand in this target's place. The platform is asked whose it is, and reads it
/// back.
#[utoipa::path(post, path = "/targets/{target}/native", params(("target" = String, Path)), request_body = Native, responses((status = OK, body = TargetNow), (status = "default", body = Problem)))]
pub(crate) async fn native(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(target): Path<String>,
    Body(told): Body<Native>,
) -> Result<Json<TargetNow>, Problem> {
    let id = target_id(&target)?;
    let (actor, desk) = (caller.actor(), app.desk());
    let after = acts::record_native(&desk, &actor, caller.workspace, id, &told.url).await?;
    Ok(Json(TargetNow::of(after, None)))
}

fn target_id(text: &str) -> Result<TargetId, Problem> {
    text.parse().map_err(|_| Problem::not_found(text))
}

impl TargetNow {
    fn of(row: SyncTarget, sync: Option<SyncOutcome>) -> Self {
        Self {
            target: row.target.to_string(),
            post: row.post.to_string(),
            connection: row.connection.to_string(),
            name: row.name,
            platform: row.platform.as_str().to_owned(),
            stage: row.progress.stage.as_str().to_owned(),
            reason: row.reason,
            verdict: row.verdict,
            permalink: row.permalink,
            published_at: row.published_at,
            sync: sync.map(SyncOutcome::as_str),
        }
    }
}
