//! The acts on LinkedIn over HTTP, under `/admin/linkedin`.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{
    LinkedInApp, LinkedInRevokeReason, LinkedInSettings, LinkedInTokenScope, MemberState,
    NewLinkedInApp, NewLinkedInMembers,
};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError};

/// Its routes, below `/admin/linkedin`.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/apps", post(create_app))
        .route("/apps/{id}/secret", post(rotate_secret))
        .route("/apps/{id}/products", post(set_product))
        .route("/apps/{id}/webhook", post(register_webhook))
        .route("/members", post(create_members))
        .route("/members/{id}/revoke", post(revoke))
        .route("/members/{id}/scopes", post(set_scope))
        .route("/members/{id}/state", post(set_state))
        .route("/organizations/{id}/state", post(set_organization))
        .route("/organizations/{id}/role", post(set_role))
        .route("/posts/action", post(act_on_post))
        .route("/settings", get(settings).put(set_settings))
}

fn done(result: Result<(), AdminError>) -> Answered {
    result.map(|()| Json(json!({ "ok": true })))
}

async fn create_app(
    State(admin): State<Admin>,
    Body(new): Body<NewLinkedInApp>,
) -> Result<Json<LinkedInApp>, AdminError> {
    admin.create_linkedin_app(new).map(Json)
}

async fn rotate_secret(State(admin): State<Admin>, Path(id): Path<String>) -> Answered {
    let secret = admin.rotate_linkedin_secret(&id)?;
    Ok(Json(json!({ "secret": secret })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetScope {
    scope: String,
    granted: bool,
}

async fn set_product(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetScope>,
) -> Answered {
    done(admin.set_linkedin_product(&id, &act.scope, act.granted))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    url: String,
}

async fn register_webhook(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<Webhook>,
) -> Answered {
    done(admin.register_linkedin_webhook(&id, &act.url))
}

async fn create_members(
    State(admin): State<Admin>,
    Body(new): Body<NewLinkedInMembers>,
) -> Answered {
    let members = admin.create_linkedin_members(&new)?;
    Ok(Json(json!({ "members": members })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    reason: LinkedInRevokeReason,
    #[serde(default)]
    tokens: LinkedInTokenScope,
}

async fn revoke(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<Revoke>,
) -> Answered {
    done(admin.revoke_linkedin_tokens(&id, act.reason, act.tokens))
}

async fn set_scope(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetScope>,
) -> Answered {
    done(admin.set_linkedin_scope(&id, &act.scope, act.granted))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    state: MemberState,
}

async fn set_state(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetState>,
) -> Answered {
    done(admin.set_linkedin_member_state(&id, act.state))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetOrganization {
    available: bool,
}

async fn set_organization(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetOrganization>,
) -> Answered {
    done(admin.set_linkedin_organization(&id, act.available))
}

/// `role: null` ends it; `state` is `APPROVED` unless it is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetRole {
    member: String,
    role: Option<String>,
    state: Option<String>,
}

async fn set_role(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetRole>,
) -> Answered {
    let state = act.state.as_deref().unwrap_or("APPROVED");
    let role = act.role.as_deref().map(|role| (role, state));
    done(admin.set_linkedin_role(&id, &act.member, role))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    urn: String,
    action: String,
}

async fn act_on_post(State(admin): State<Admin>, Body(act): Body<Action>) -> Answered {
    let told = admin.act_on_linkedin_post(&act.urn, &act.action);
    Ok(Json(json!({ "told": told })))
}

async fn settings(State(admin): State<Admin>) -> Json<LinkedInSettings> {
    Json(admin.linkedin_settings())
}

async fn set_settings(
    State(admin): State<Admin>,
    Body(settings): Body<LinkedInSettings>,
) -> Json<LinkedInSettings> {
    admin.set_linkedin_settings(settings);
    Json(admin.linkedin_settings())
}
