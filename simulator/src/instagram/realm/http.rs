//! The acts on Instagram and Threads over HTTP.

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::admin::{MetaAdmin, NewMetaAccounts, NewMetaApp};
use super::{MediaFailure, MetaAccountState, MetaCallbacks, MetaSettings};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError};
use crate::facebook::tokens::RevokeReason;

type Pick = fn(&Admin) -> MetaAdmin;

fn done(result: Result<(), AdminError>) -> Answered {
    result.map(|()| Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    reason: RevokeReason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetScope {
    scope: String,
    granted: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    state: MetaAccountState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    failure: MediaFailure,
    #[serde(default = "once")]
    count: usize,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    field: String,
    value: Value,
}

/// The same acts over HTTP.
pub(crate) fn routes(pick: Pick) -> Router<Admin> {
    accounts(pick)
        .route(
            "/apps",
            post(
                async move |State(admin): State<Admin>, Body(new): Body<NewMetaApp>| {
                    pick(&admin).create_app(new).map(Json)
                },
            ),
        )
        .route(
            "/apps/{id}/callbacks",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<MetaCallbacks>| {
                    done(pick(&admin).set_callbacks(&id, act))
                },
            ),
        )
        .route(
            "/settings",
            post(
                async move |State(admin): State<Admin>, Body(act): Body<MetaSettings>| {
                    pick(&admin).set_settings(act);
                    Json(pick(&admin).settings())
                },
            ),
        )
}

fn accounts(pick: Pick) -> Router<Admin> {
    Router::new()
        .route(
            "/accounts",
            post(
                async move |State(admin): State<Admin>,
                            Body(new): Body<NewMetaAccounts>|
                            -> Answered {
                    let accounts = pick(&admin).create_accounts(&new)?;
                    Ok(Json(json!({ "accounts": accounts })))
                },
            ),
        )
        .route(
            "/accounts/{id}/revoke",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<Revoke>| {
                    done(pick(&admin).revoke_tokens(&id, act.reason))
                },
            ),
        )
        .route(
            "/accounts/{id}/scopes",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<SetScope>| {
                    done(pick(&admin).set_scope(&id, &act.scope, act.granted))
                },
            ),
        )
        .route(
            "/accounts/{id}/checkpoint",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<Switch>| {
                    done(pick(&admin).set_checkpoint(&id, act.on))
                },
            ),
        )
        .route(
            "/accounts/{id}/state",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<SetState>| {
                    done(pick(&admin).set_state(&id, act.state))
                },
            ),
        )
        .merge(media(pick))
}

/// What goes wrong with media, and what the platform tells of by itself.
fn media(pick: Pick) -> Router<Admin> {
    Router::new()
        .route(
            "/accounts/{id}/media_failures",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<Fail>| {
                    done(pick(&admin).fail_media(&id, act.failure, act.count))
                },
            ),
        )
        .route(
            "/accounts/{id}/events",
            post(
                async move |State(admin): State<Admin>,
                            Path(id): Path<String>,
                            Body(act): Body<Event>| {
                    done(pick(&admin).send_event(&id, &act.field, &act.value))
                },
            ),
        )
        .route(
            "/accounts/{id}/deletion_request",
            post(
                async move |State(admin): State<Admin>, Path(id): Path<String>| {
                    done(pick(&admin).request_deletion(&id))
                },
            ),
        )
}
