//! `/connections`: lists, details, what people say about them, and looking at them now.

mod card;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use mooring_domain::{BrandId, ConnectionId, Platform, Role, Time};
use mooring_store::{ConnectionFilter, ConnectionView};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Body, ByOperator, ByViewer, Caller, Kind, Page, Problem, page};
use crate::{App, acts};

pub(crate) use card::{Card, Detail};

/// Connections that are read at once while a page is filled.
const BATCH: u64 = 500;
/// Batches that are read for one page at most: a filter that fits hardly anything answers short pages.
const BATCHES: usize = 20;
/// Posts that a detail shows.
const POSTS_SHOWN: u64 = 10;

/// Which connections are asked for.
#[derive(Debug, Deserialize, IntoParams)]
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
    let filter = filter(&app, &caller, &wanted).await?;
    let page = match wanted.sort.as_deref() {
        None | Some("id") => by_id(&app, &caller, filter, &wanted, asked.after()?, limit).await?,
        Some("attention") => {
            let after = asked.cursor.as_deref();
            by_attention(&app, &caller, filter, &wanted, after, limit).await?
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
    Ok(Detail::of(view, posts, caller.role))
}

async fn filter(app: &App, caller: &Caller, wanted: &Wanted) -> Result<ConnectionFilter, Problem> {
    let platform = wanted.platform.as_deref().map(str::parse::<Platform>);
    let platform = platform
        .transpose()
        .map_err(|error| wrong("platform", format!("is none of: {}", error.1)))?;
    let brand = match wanted.brand.as_deref() {
        None => None,
        Some(text) => Some(brand(app, caller, text).await?),
    };
    const KNOWN: [&str; 6] = [
        "healthy",
        "warning",
        "critical",
        "unknown",
        "refreshing",
        "removed",
    ];
    let health = wanted.health.as_deref();
    if health.is_some_and(|health| !KNOWN.contains(&health)) {
        return Err(wrong("health", format!("is none of: {}", KNOWN.join(", "))));
    }
    Ok(ConnectionFilter {
        platform,
        brand,
        main: wanted.main,
        removed: Some(health == Some("removed")),
        ..ConnectionFilter::default()
    })
}

async fn brand(app: &App, caller: &Caller, text: &str) -> Result<BrandId, Problem> {
    let brands = app.store.brands(caller.workspace).await?;
    let by_name = brands.get(text).copied();
    let known = by_name.or_else(|| {
        let id = text.parse::<BrandId>().ok()?;
        brands.values().find(|known| **known == id).copied()
    });
    known.ok_or_else(|| wrong("brand", "is unknown in this workspace"))
}

fn wrong(field: &'static str, problem: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Invalid, format!("{field}: {problem}")).field(field)
}

fn fits(view: &ConnectionView, wanted: &Wanted) -> bool {
    let health = wanted.health.as_deref();
    let label = wanted.label.as_ref();
    health.is_none_or(|health| view.standing().health() == health)
        && label.is_none_or(|label| view.labels.contains(label))
}

async fn by_id(
    app: &App,
    caller: &Caller,
    mut filter: ConnectionFilter,
    wanted: &Wanted,
    after: Option<uuid::Uuid>,
    limit: usize,
) -> Result<Page<Card>, Problem> {
    let now = app.context.clock.now();
    filter.after = after;
    filter.limit = Some(BATCH);
    let mut items = Vec::new();
    for _ in 0..BATCHES {
        let views = app
            .store
            .connection_views(caller.workspace, &filter, now)
            .await?;
        let is_last = (views.len() as u64) < BATCH;
        for view in views {
            filter.after = Some(view.id.uuid());
            if fits(&view, wanted) {
                items.push(Card::of(&view));
            }
            if items.len() > limit {
                break;
            }
        }
        if items.len() > limit {
            items.truncate(limit);
            let next = items.last().map(|card| page::after(card.uuid));
            return Ok(Page { items, next });
        }
        if is_last {
            return Ok(Page { items, next: None });
        }
    }
    let next = filter.after.map(page::after);
    Ok(Page { items, next })
}

/// The whole workspace in order of urgency. Where something heals or breaks between two pages, it moves, and may be
/// seen twice or on the next look.
async fn by_attention(
    app: &App,
    caller: &Caller,
    filter: ConnectionFilter,
    wanted: &Wanted,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Card>, Problem> {
    let now: Time = app.context.clock.now();
    let after = after.map(page::ranked_place).transpose()?;
    let views = app
        .store
        .connection_views(caller.workspace, &filter, now)
        .await?;
    let mut ranked: Vec<_> = views
        .iter()
        .filter(|view| fits(view, wanted))
        .map(|view| ((view.standing().attention(), view.id.uuid()), view))
        .filter(|(place, _)| after.is_none_or(|after| *place > after))
        .collect();
    ranked.sort_by_key(|(place, _)| *place);
    let more = ranked.len() > limit;
    ranked.truncate(limit);
    let next = ranked.last().filter(|_| more);
    let next = next.map(|((rank, id), _)| page::ranked(*rank, *id));
    let items = ranked.iter().map(|(_, view)| Card::of(view)).collect();
    Ok(Page { items, next })
}

/// Tells "left out" from "null".
fn told<'de, D, T>(value: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(value).map(Some)
}
