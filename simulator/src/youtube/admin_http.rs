//! The acts over HTTP.

use axum::Router;
use axum::extract::{Path, State as Handle};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{
    AppState, ChannelState, NewYoutubeApp, NewYoutubeUsers, Outcome, Privacy, UserState,
    YoutubeTokenAction,
};
use crate::admin::Admin;
use crate::admin::http::{Answered, Body};

/// One act on one thing, by what its body says.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Tokens(YoutubeTokenAction),
    Scope {
        scope: String,
        granted: bool,
    },
    Password {},
    User(UserState),
    Channel(ChannelState),
    ChannelStatus {
        linked: bool,
        long_uploads: String,
    },
    UploadLimit(u64),
    Outcome(Outcome),
    Privacy(Privacy),
    App(AppState),
    Quota {
        units_per_day: Option<u64>,
        uploads_per_day: Option<u64>,
    },
    ProcessingMs(i64),
    DuplicateGuard(bool),
    ExpireSessions {},
    Publish {
        title: String,
        description: String,
    },
    Subscribe {
        callback: String,
        secret: String,
        verify_token: String,
    },
}

/// The same over HTTP, under `/admin/youtube`.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/apps", post(create_app))
        .route("/users", post(create_users))
        .route("/acts", post(act_on_all))
        .route("/acts/{id}", post(act_on_one))
}

async fn create_app(Handle(admin): Handle<Admin>, Body(new): Body<NewYoutubeApp>) -> Answered {
    Ok(axum::Json(json!(admin.create_youtube_app(new)?)))
}

async fn create_users(Handle(admin): Handle<Admin>, Body(new): Body<NewYoutubeUsers>) -> Answered {
    Ok(axum::Json(
        json!({ "users": admin.create_youtube_users(&new)? }),
    ))
}

async fn act_on_all(admin: Handle<Admin>, body: Body<Act>) -> Answered {
    act_on_one(admin, Path(String::new()), body).await
}

async fn act_on_one(
    Handle(admin): Handle<Admin>,
    Path(id): Path<String>,
    Body(act): Body<Act>,
) -> Answered {
    match act {
        Act::Tokens(action) => admin.act_on_youtube_tokens(&id, action)?,
        Act::Scope { scope, granted } => admin.set_youtube_scope(&id, &scope, granted)?,
        Act::Password {} => {
            let ended = admin.change_youtube_password(&id)?;
            return Ok(axum::Json(json!({ "ended": ended })));
        }
        Act::User(state) => admin.set_youtube_user_state(&id, state)?,
        Act::Channel(state) => admin.set_youtube_channel_state(&id, state)?,
        Act::ChannelStatus {
            linked,
            long_uploads,
        } => {
            admin.set_youtube_channel_status(&id, linked, &long_uploads)?;
        }
        Act::UploadLimit(per_day) => admin.set_youtube_upload_limit(&id, per_day)?,
        Act::Outcome(outcome) => admin.set_youtube_outcome(&id, outcome)?,
        Act::Privacy(privacy) => admin.set_youtube_privacy(&id, privacy)?,
        Act::App(state) => admin.set_youtube_app_state(&id, state)?,
        Act::Quota {
            units_per_day,
            uploads_per_day,
        } => {
            admin.set_youtube_quota(&id, units_per_day, uploads_per_day)?;
        }
        Act::ProcessingMs(ms) => admin.set_youtube_processing(ms),
        Act::DuplicateGuard(on) => admin.set_youtube_duplicate_guard(on),
        Act::ExpireSessions {} => admin.expire_youtube_sessions(),
        Act::Publish { title, description } => {
            let id = admin.publish_youtube_video(&id, &title, &description)?;
            return Ok(axum::Json(json!({ "id": id })));
        }
        Act::Subscribe {
            callback,
            secret,
            verify_token,
        } => admin.subscribe_youtube(&id, &callback, &secret, &verify_token)?,
    }
    Ok(axum::Json(json!({ "ok": true })))
}
