//! The same acts over HTTP, under `/admin`.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Admin, AdminError, BlueskyTokenAction, FacebookApp, NewBlueskyAccounts, NewFacebookApp,
    NewFacebookUsers, PageState,
};
use crate::bluesky::AccountState;
use crate::clock::{parse_caller_time, rfc3339};
use crate::facebook::tokens::{RevokeReason, TokenScope};
use crate::faults::{Fault, FaultReport, FaultRequest};
use crate::ledger::{LedgerFilter, Platform};
use crate::limits::Limits;
use crate::sites;

/// The admin part of the server.
pub(crate) fn routes(admin: Admin) -> Router {
    let own = Router::new()
        .route("/admin/facebook/apps", post(create_app))
        .route("/admin/facebook/users", post(create_users))
        .route("/admin/facebook/users/{id}/revoke", post(revoke_tokens))
        .route("/admin/facebook/users/{id}/scopes", post(set_scope))
        .route(
            "/admin/facebook/users/{id}/checkpoint",
            post(set_checkpoint),
        )
        .route("/admin/facebook/pages/{id}/state", post(set_page_state))
        .route("/admin/facebook/pages/{id}/role", post(set_role))
        .route("/admin/bluesky/accounts", post(create_accounts))
        .route(
            "/admin/bluesky/accounts/{did}/state",
            post(set_account_state),
        )
        .route("/admin/bluesky/accounts/{did}/tokens", post(act_on_tokens))
        .route(
            "/admin/bluesky/accounts/{did}/password",
            post(change_password),
        )
        .route("/admin/bluesky/accounts/{did}/scopes", post(set_may_write))
        .route("/admin/posts/delete", post(delete_post))
        .route("/admin/posts/edit", post(edit_post))
        .route("/admin/limits", get(limits).put(set_limits))
        .route(
            "/admin/faults",
            get(faults).post(add_fault).delete(clear_faults),
        )
        .route("/admin/faults/{id}", delete(remove_fault))
        .route("/admin/ledger", get(ledger))
        .route("/admin/ledger/summary", get(ledger_summary))
        .route("/admin/ledger/groups", get(ledger_groups))
        .route("/admin/calls", get(calls))
        .route("/admin/clock", get(clock).post(move_clock))
        .route("/admin/deliveries", get(deliveries))
        .route("/admin/accounts/{way}", post(account));
    let all = sites::SITES.iter().fold(own, |all, site| {
        all.nest(&format!("/admin/{}", site.name), (site.admin)())
    });
    all.with_state(admin)
}

pub(crate) type Answered = Result<Json<Value>, AdminError>;

/// JSON whose errors are answered in our own form.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T> FromRequest<S> for Body<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
{
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refusal(StatusCode::BAD_REQUEST, &rejection.body_text())),
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Taken { .. } => StatusCode::CONFLICT,
            Self::Fault(_) | Self::Clock(_) => StatusCode::BAD_REQUEST,
        };
        refusal(status, &self.to_string())
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// What every act without another result answers.
fn done(result: Result<(), AdminError>) -> Answered {
    result.map(|()| Json(json!({ "ok": true })))
}

async fn create_app(
    State(admin): State<Admin>,
    Body(new): Body<NewFacebookApp>,
) -> Result<Json<FacebookApp>, AdminError> {
    admin.create_facebook_app(new).map(Json)
}

async fn create_users(State(admin): State<Admin>, Body(new): Body<NewFacebookUsers>) -> Answered {
    let users = admin.create_facebook_users(&new)?;
    Ok(Json(json!({ "users": users })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    reason: RevokeReason,
    #[serde(default)]
    tokens: TokenScope,
}

async fn revoke_tokens(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<Revoke>,
) -> Answered {
    done(admin.revoke_facebook_tokens(&id, act.reason, act.tokens))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetScope {
    scope: String,
    granted: bool,
    page: Option<String>,
}

async fn set_scope(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetScope>,
) -> Answered {
    done(if act.granted {
        admin.restore_facebook_scope(&id, &act.scope)
    } else {
        admin.drop_facebook_scope(&id, &act.scope, act.page.as_deref())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

async fn set_checkpoint(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<Switch>,
) -> Answered {
    done(admin.set_facebook_checkpoint(&id, act.on))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetPageState {
    state: PageState,
}

async fn set_page_state(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetPageState>,
) -> Answered {
    done(admin.set_facebook_page_state(&id, act.state))
}

/// `may_publish` for everybody on the page, or `tasks` (null ends the role) of
/// one user.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum SetRole {
    All {
        may_publish: bool,
    },
    One {
        user: String,
        tasks: Option<Vec<String>>,
    },
}

async fn set_role(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Body(act): Body<SetRole>,
) -> Answered {
    done(match act {
        SetRole::All { may_publish } => admin.set_facebook_may_publish(&id, may_publish),
        SetRole::One { user, tasks } => admin.set_facebook_tasks(&id, &user, tasks),
    })
}

async fn create_accounts(
    State(admin): State<Admin>,
    Body(new): Body<NewBlueskyAccounts>,
) -> Answered {
    let accounts = admin.create_bluesky_accounts(&new)?;
    Ok(Json(json!({ "accounts": accounts })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAccountState {
    state: AccountState,
}

async fn set_account_state(
    State(admin): State<Admin>,
    Path(did): Path<String>,
    Body(act): Body<SetAccountState>,
) -> Answered {
    done(admin.set_bluesky_state(&did, act.state))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActOnTokens {
    action: BlueskyTokenAction,
}

async fn act_on_tokens(
    State(admin): State<Admin>,
    Path(did): Path<String>,
    Body(act): Body<ActOnTokens>,
) -> Answered {
    done(admin.act_on_bluesky_tokens(&did, act.action))
}

async fn change_password(State(admin): State<Admin>, Path(did): Path<String>) -> Answered {
    let password = admin.change_bluesky_password(&did)?;
    Ok(Json(json!({ "password": password })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetMayWrite {
    may_write: bool,
}

async fn set_may_write(
    State(admin): State<Admin>,
    Path(did): Path<String>,
    Body(act): Body<SetMayWrite>,
) -> Answered {
    done(admin.set_bluesky_may_write(&did, act.may_write))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostAct {
    platform: Platform,
    remote_id: String,
    text: Option<String>,
}

async fn delete_post(State(admin): State<Admin>, Body(act): Body<PostAct>) -> Answered {
    done(admin.delete_post(act.platform, &act.remote_id))
}

async fn edit_post(State(admin): State<Admin>, Body(act): Body<PostAct>) -> Answered {
    done(admin.edit_post(
        act.platform,
        &act.remote_id,
        act.text.as_deref().unwrap_or(""),
    ))
}

async fn limits(State(admin): State<Admin>) -> Json<Limits> {
    Json(admin.limits())
}

async fn set_limits(State(admin): State<Admin>, Body(limits): Body<Limits>) -> Json<Limits> {
    admin.set_limits(limits);
    Json(admin.limits())
}

async fn faults(State(admin): State<Admin>) -> Json<FaultReport> {
    Json(admin.faults())
}

async fn add_fault(State(admin): State<Admin>, Body(request): Body<FaultRequest>) -> Answered {
    let id = admin.add_fault(Fault::try_from(request)?)?;
    Ok(Json(json!({ "id": id })))
}

async fn clear_faults(State(admin): State<Admin>) -> Answered {
    admin.clear_faults();
    done(Ok(()))
}

async fn remove_fault(State(admin): State<Admin>, Path(id): Path<u64>) -> Answered {
    done(admin.remove_fault(id))
}

async fn ledger(State(admin): State<Admin>, Query(filter): Query<LedgerFilter>) -> Json<Value> {
    Json(json!({ "posts": admin.ledger(&filter) }))
}

async fn ledger_summary(State(admin): State<Admin>) -> Json<Value> {
    Json(json!(admin.ledger_summary()))
}

async fn ledger_groups(State(admin): State<Admin>) -> Json<Value> {
    Json(json!({ "groups": admin.ledger_groups() }))
}

async fn account(State(admin): State<Admin>, Path(way): Path<String>) -> Answered {
    Ok(Json(json!(admin.account(&way)?)))
}

async fn deliveries(State(admin): State<Admin>) -> Json<Value> {
    Json(json!({ "deliveries": admin.deliveries() }))
}

async fn calls(State(admin): State<Admin>) -> Json<Value> {
    Json(json!(admin.calls()))
}

async fn clock(State(admin): State<Admin>) -> Json<Value> {
    let now = admin.clock().now_ms();
    Json(json!({ "now": rfc3339(now), "now_ms": now }))
}

/// `advance_ms` moves on, `now` (RFC 3339 or unix seconds) sets.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum MoveClock {
    Advance { advance_ms: u64 },
    Set { now: String },
}

async fn move_clock(State(admin): State<Admin>, Body(act): Body<MoveClock>) -> Response {
    let moved = match act {
        MoveClock::Advance { advance_ms } => admin
            .clock()
            .advance(std::time::Duration::from_millis(advance_ms)),
        MoveClock::Set { now } => {
            let Some(ms) = parse_caller_time(&now) else {
                let text = "now is no time: write RFC 3339 or unix seconds";
                return refusal(StatusCode::BAD_REQUEST, text);
            };
            admin.clock().set(ms)
        }
    };
    match moved {
        Ok(()) => clock(State(admin)).await.into_response(),
        Err(error) => AdminError::from(error).into_response(),
    }
}
