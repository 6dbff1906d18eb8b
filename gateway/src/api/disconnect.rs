//! Disconnecting: what it would do, and doing exactly that.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
};
use chrono::{DateTime, Utc};
use mooring_domain::connection::life::Which;
use mooring_store::{Leaving, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, ByAdmin, ByOperator, Caller, Problem, connections::connection_id};
use crate::{
    App,
    acts::{self, ActError, Disconnected},
};

/// What a disconnect would do now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// How many connections go.
    pub(super) connections: usize,
    /// How many pending posts would be cancelled. Those that also go elsewhere still go there.
    pub(super) pending: usize,
    /// How many are on their way: what is sent cannot be called back.
    in_flight: usize,
    /// The first 50 of the pending ones, by time.
    posts: Vec<PendingPost>,
    /// Send this as `confirm` to do exactly this.
    pub(super) confirm: String,
}

/// A post that would not go out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingPost {
    /// The post.
    post: String,
    /// The target: the post on this connection.
    target: String,
    /// The connection.
    connection: String,
    /// When it is due.
    due: DateTime<Utc>,
    /// How its text begins.
    text: String,
}

/// What was confirmed.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Confirmed {
    /// `confirm` of the preview.
    confirm: Option<String>,
}

/// The kill switch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KillSwitch {
    /// `confirm` of the preview, which the answer to a call without it brings.
    confirm: Option<String>,
}

/// What a disconnect did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// How many connections went.
    connections: usize,
    /// How many pending posts were cancelled, with the reason `connection_removed`.
    cancelled: usize,
    /// How many were on their way and finish.
    in_flight: usize,
    /// What becomes of the credentials at the platform: `revoked`, `failed`, `kept` where another connection uses
    /// them, `under_way` where there are many. The events of the audit tell of each.
    credentials: &'static str,
}

/// Says what disconnecting would do: which posts would not go out. Changes nothing.
#[utoipa::path(get, path = "/connections/{connection}/disconnect", params(("connection" = String, Path)), responses((status = OK, body = Preview), (status = "default", body = Problem)))]
pub(crate) async fn preview(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
) -> Result<Json<Preview>, Problem> {
    let which = Which::One(connection_id(&caller, &connection)?);
    let leaving = acts::preview_disconnect(&app.store, caller.workspace, which).await?;
    Ok(Json(leaving.into()))
}

/// Disconnects an account: pending posts are cancelled, the tokens are deleted at once and given back at the platform,
/// the history stays. Without the `confirm` of a preview it only says what it would do (428).
#[utoipa::path(delete, path = "/connections/{connection}", params(("connection" = String, Path), Confirmed), responses((status = OK, body = Done), (status = 428, body = Problem), (status = "default", body = Problem)))]
pub(crate) async fn disconnect(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
    Query(confirmed): Query<Confirmed>,
) -> Result<Json<Done>, Problem> {
    let which = Which::One(connection_id(&caller, &connection)?);
    let confirm = confirmed.confirm.as_deref();
    let done = let_go(&app, &caller, which, confirm).await?;
    let mut answer = Done::of(&done);
    // A task of its own: a caller who hangs up must not keep the platform's token alive.
    let (app, actor) = (app.clone(), caller.actor());
    let lifecycle = app.context.lifecycle.clone();
    let revoking = lifecycle.spawn_short(async move {
        let clock = Arc::clone(&app.context.clock);
        let (store, registry) = (&app.store, &app.registry);
        acts::revoke(
            store,
            registry,
            &actor,
            caller.workspace,
            done.taken,
            &*clock,
        )
        .await
    });
    answer.credentials = match revoking.await {
        Ok(outcome) if outcome.failed > 0 => "failed",
        Ok(outcome) if outcome.revoked > 0 => "revoked",
        Ok(_) => "kept",
        Err(_) => "failed",
    };
    Ok(Json(answer))
}

/// The kill switch: disconnects every connection of the workspace in one act. From its commit on nothing is published
/// any more. Without `confirm` it only says what it would do (428).
#[utoipa::path(post, path = "/workspaces/disconnect-all", request_body = KillSwitch, responses((status = OK, body = Done), (status = 428, body = Problem), (status = "default", body = Problem)))]
pub(crate) async fn disconnect_all(
    ByAdmin(caller): ByAdmin,
    State(app): State<App>,
    Body(order): Body<KillSwitch>,
) -> Result<Json<Done>, Problem> {
    let done = let_go(&app, &caller, Which::All, order.confirm.as_deref()).await?;
    let answer = Done::of(&done);
    let (app, actor) = (app.clone(), caller.actor());
    let lifecycle = app.context.lifecycle.clone();
    // Nobody waits for hundreds of platforms: nothing of ours can use these tokens any more.
    drop(lifecycle.spawn_short(async move {
        let clock = Arc::clone(&app.context.clock);
        let (store, registry) = (&app.store, &app.registry);
        acts::revoke(
            store,
            registry,
            &actor,
            caller.workspace,
            done.taken,
            &*clock,
        )
        .await
    }));
    Ok(Json(answer))
}

async fn let_go(
    app: &App,
    caller: &Caller,
    which: Which,
    confirm: Option<&str>,
) -> Result<Disconnected, Problem> {
    let (actor, now) = (caller.actor(), app.context.clock.now());
    let done = acts::disconnect(&app.store, &actor, caller.workspace, which, confirm, now).await;
    match done {
        Err(ActError::Refused(Refusal::ConfirmationNeeded)) => {
            let leaving = acts::preview_disconnect(&app.store, caller.workspace, which).await?;
            Err(Problem::unconfirmed(leaving.into()))
        }
        settled => Ok(settled?),
    }
}

impl Done {
    fn of(done: &Disconnected) -> Self {
        let credentials = if done.taken.is_empty() {
            "kept"
        } else {
            "under_way"
        };
        Self {
            connections: done.was.connections,
            cancelled: done.was.pending,
            in_flight: done.was.in_flight,
            credentials,
        }
    }
}

impl From<Leaving> for Preview {
    fn from(leaving: Leaving) -> Self {
        let posts = leaving.first.into_iter().map(|one| PendingPost {
            post: one.post.to_string(),
            target: one.target.to_string(),
            connection: one.connection.to_string(),
            due: one.due,
            text: one.text,
        });
        Self {
            connections: leaving.connections,
            pending: leaving.pending,
            in_flight: leaving.in_flight,
            posts: posts.collect(),
            confirm: leaving.confirmation,
        }
    }
}
