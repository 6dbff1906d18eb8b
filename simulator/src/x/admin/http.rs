//! The acts over HTTP, under `/admin/x`.

use axum::extract::{Path, State as AxumState};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{NewXApp, NewXUsers, XApp, XCallback, XMediaAct, XPostAct, XTokenAct, XUsage};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError};
use crate::x::{XAccountState, XAppStanding, XSettings};

/// The acts under `/admin/x`.
pub(in crate::x) fn routes() -> Router<Admin> {
    Router::new()
        .route("/apps", post(create_app))
        .route("/apps/{id}/standing", post(set_standing))
        .route("/apps/{id}/usage", get(usage))
        .route("/apps/{id}/callback", post(set_callback))
        .route("/apps/{id}/webhooks/{webhook}/check", post(check_webhook))
        .route("/users", post(create_users))
        .route("/users/{id}/state", post(set_state))
        .route("/users/{id}/protected", post(set_protected))
        .route("/users/{id}/tokens", post(act_on_tokens))
        .route("/users/{id}/scopes", post(set_scope))
        .route("/posts/{id}", post(act_on_post))
        .route("/media", post(set_media))
        .route("/settings", get(settings).put(set_settings))
}

type Control = AxumState<Admin>;

fn done(result: Result<(), AdminError>) -> Answered {
    result.map(|()| Json(json!({ "ok": true })))
}

async fn create_app(
    AxumState(admin): Control,
    Body(new): Body<NewXApp>,
) -> Result<Json<XApp>, AdminError> {
    admin.create_x_app(new).map(Json)
}

async fn create_users(AxumState(admin): Control, Body(new): Body<NewXUsers>) -> Answered {
    let users = admin.create_x_users(&new)?;
    Ok(Json(json!({ "users": users })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetStanding {
    standing: XAppStanding,
}

async fn set_standing(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(act): Body<SetStanding>,
) -> Answered {
    done(admin.set_x_app_standing(&id, act.standing))
}

async fn usage(
    AxumState(admin): Control,
    Path(id): Path<String>,
) -> Result<Json<XUsage>, AdminError> {
    admin.x_usage(&id).map(Json)
}

async fn set_callback(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(callback): Body<XCallback>,
) -> Answered {
    let webhook = admin.set_x_callback(&id, &callback)?;
    Ok(Json(json!({ "id": webhook })))
}

async fn check_webhook(
    AxumState(admin): Control,
    Path((app, webhook)): Path<(String, String)>,
) -> Answered {
    done(admin.check_x_webhook(&app, &webhook))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    state: XAccountState,
}

async fn set_state(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(act): Body<SetState>,
) -> Answered {
    done(admin.set_x_state(&id, act.state))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

async fn set_protected(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(act): Body<Switch>,
) -> Answered {
    done(admin.set_x_protected(&id, act.on))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActOnTokens {
    action: XTokenAct,
}

async fn act_on_tokens(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(act): Body<ActOnTokens>,
) -> Answered {
    done(admin.act_on_x_tokens(&id, act.action))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetScope {
    scope: String,
    granted: bool,
}

async fn set_scope(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(act): Body<SetScope>,
) -> Answered {
    done(admin.set_x_scope(&id, &act.scope, act.granted))
}

async fn act_on_post(
    AxumState(admin): Control,
    Path(id): Path<String>,
    Body(act): Body<XPostAct>,
) -> Answered {
    done(admin.act_on_x_post(&id, act))
}

async fn set_media(AxumState(admin): Control, Body(act): Body<XMediaAct>) -> Answered {
    admin.set_x_media(act);
    done(Ok(()))
}

async fn settings(AxumState(admin): Control) -> Json<XSettings> {
    Json(admin.x_settings())
}

async fn set_settings(
    AxumState(admin): Control,
    Body(settings): Body<XSettings>,
) -> Json<XSettings> {
    admin.set_x_settings(settings);
    Json(admin.x_settings())
}
