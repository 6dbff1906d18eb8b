//! `/connections`: lists, details, what people say about them, and looking at them now.

mod card;
mod pages;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use mooring_domain::{ConnectionId, Role, time::seconds};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Asked, Body, ByOperator, ByViewer, Caller, Kind, Page, Problem};
use crate::{App, acts};

pub(crate) use card::{Card, Detail};
pub(super) use pages::{brand, wrong};

/// Posts that a detail shows.
const POSTS_SHOWN: u64 = 10;

/// Which connections are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only of this health: healthy, warning, critical, unknown, refreshing; `removed` shows disconnected ones.
    health: Option<String>,
    /// Only of this platform.
    platform: Option<String>,
    /// Only with this client label, by name or id.
    brand: Option<String>,
    /// Only with this label.
    label: Option<String>,
    /// Only main ones, or only others.
    main: Option<bool>,
    /// `id` (as left out) or `attention`: what needs somebody comes first.
    sort: Option<String>,
}

/// What to write about a connection. What is left out stays; null empties.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "left out, null and a text are three things"
)]
pub(crate) struct Edit {
    /// Who answers for it.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<String>>,
    /// How to get at it. Admins only, to read and to write.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    admin_note: Option<Option<String>>,
    /// What to do, and whom to call, when it fails.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    escalation: Option<Option<String>>,
    /// Whether the user behind it is no person.
    service_account: Option<bool>,
    /// Words to find it by, all of them.
    labels: Option<Vec<String>>,
    /// The client label, by name; created where it does not exist.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    brand: Option<Option<String>>,
    /// The least time between two posts, in seconds; 0 = none, null = as the policy says.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<u32>)]
    spacing_s: Option<Option<u32>>,
}

/// A look at every connection has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refreshing {
    /// How many are being looked at.
    connections: u64,
    /// How many need a reconnect, by what is known now.
    need_reconnect: u64,
}

/// Lists connections, judged now.
#[utoipa::path(get, path = "/connections", params(Asked, Wanted), responses((status = OK, body = Page<Card>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Card>>, Problem> {
    let limit = usize::try_from(asked.limit()?).unwrap_or(usize::MAX);
    let filter = pages::filter(&app, &caller, &wanted).await?;
    let page = match wanted.sort.as_deref() {
        None | Some("id") => {
            pages::by_id(&app, &caller, filter, &wanted, asked.after()?, limit).await?
        }
        Some("attention") => {
            let after = asked.cursor.as_deref();
            pages::by_attention(&app, &caller, filter, &wanted, after, limit).await?
        }
        Some(_) => return Err(wrong("sort", "must be id or attention")),
    };
    Ok(Json(page))
}

/// Shows a connection with everything that is known about it. Permissions and the note are for admins.
#[utoipa::path(get, path = "/connections/{connection}", params(("connection" = String, Path)), responses((status = OK, body = Detail), (status = "default", body = Problem)))]
pub(crate) async fn show(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Path(connection): Path<String>,
) -> Result<Json<Detail>, Problem> {
    let id = connection_id(&caller, &connection)?;
    Ok(Json(detail(&app, &caller, id).await?))
}

/// Writes what people say about a connection: whose it is, what to do when it fails, how it is found.
#[utoipa::path(patch, path = "/connections/{connection}", params(("connection" = String, Path)), request_body = Edit, responses((status = OK, body = Detail), (status = "default", body = Problem)))]
pub(crate) async fn edit(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
    Body(told): Body<Edit>,
) -> Result<Json<Detail>, Problem> {
    let id = connection_id(&caller, &connection)?;
    if told.admin_note.is_some() && caller.role < Role::Admin {
        let detail = "admin_note: is for admins; use a key with the role admin";
        return Err(Problem::new(Kind::RoleTooLow, detail).field("admin_note"));
    }
    let edit = acts::ConnectionEdit {
        owner: told.owner,
        admin_note: told.admin_note,
        escalation: told.escalation,
        service_account: told.service_account,
        labels: told.labels,
        brand: told.brand,
        spacing: told.spacing_s.map(|s| s.map(|s| seconds(s.into()))),
    };
    let now = app.context.clock.now();
    let (actor, workspace) = (caller.actor(), caller.workspace);
    acts::edit_connection(&app.store, &actor, workspace, id, edit, now).await?;
    Ok(Json(detail(&app, &caller, id).await?))
}

/// Makes a connection the main one of its platform. The one before steps back in the same moment.
#[utoipa::path(post, path = "/connections/{connection}/main", params(("connection" = String, Path)), responses((status = OK, body = Detail), (status = "default", body = Problem)))]
pub(crate) async fn make_main(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
) -> Result<Json<Detail>, Problem> {
    let id = connection_id(&caller, &connection)?;
    let now = app.context.clock.now();
    acts::set_main(&app.store, &caller.actor(), caller.workspace, id, now).await?;
    Ok(Json(detail(&app, &caller, id).await?))
}

/// Has a connection looked at now, after a password, a team or an owner changed. The answer does not wait for it.
#[utoipa::path(post, path = "/connections/{connection}/check", params(("connection" = String, Path)), responses((status = ACCEPTED), (status = "default", body = Problem)))]
pub(crate) async fn check(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = connection_id(&caller, &connection)?;
    let now = app.context.clock.now();
    acts::check_connection(&app.store, &caller.actor(), caller.workspace, id, now).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Has every connection of the workspace looked at now, and says how many need a reconnect by what is known so far.
#[utoipa::path(post, path = "/connections/check", responses((status = ACCEPTED, body = Refreshing), (status = "default", body = Problem)))]
pub(crate) async fn check_all(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Refreshing>), Problem> {
    let now = app.context.clock.now();
    let begun = acts::check_connections(&app.store, &caller.actor(), caller.workspace, now).await?;
    let body = Refreshing {
        connections: begun.connections,
        need_reconnect: begun.need_reconnect,
    };
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Reads an id. One that cannot be read is one that does not exist; both are told to whoever watches the log.
pub(super) fn connection_id(caller: &Caller, text: &str) -> Result<ConnectionId, Problem> {
    text.parse().map_err(|_| {
        tracing::warn!(event.name = "api.refused", key = %caller.key, workspace = %caller.workspace, "something that is no connection's id was tried");
        Problem::not_found(text)
    })
}

async fn detail(app: &App, caller: &Caller, id: ConnectionId) -> Result<Detail, Problem> {
    let now = app.context.clock.now();
    let view = acts::connection_view(&app.store, caller.workspace, id, now).await?;
    let posts = app
        .store
        .published_through(caller.workspace, id, POSTS_SHOWN)
        .await?;
    let card = Card::of(&view, app.store.policy(), now);
    Ok(Detail::of(card, view, posts, caller.role))
}

/// Tells "left out" from "null".
#[expect(
    clippy::option_option,
    reason = "left out, null and a text are three things"
)]
fn told<'de, D, T>(value: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(value).map(Some)
}
