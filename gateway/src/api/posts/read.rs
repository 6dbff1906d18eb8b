//! `/posts`, for those who look: lists and single posts.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use chrono::DateTime;
use mooring_domain::{ConnectionId, PostId, Time, post::PostState};
use mooring_store::PostFilter;
use serde::Deserialize;

use super::{
    super::{
        Asked, ByViewer, Caller, Page, Problem,
        connections::{brand, wrong},
        page,
    },
    view::Post,
};
use crate::App;

/// Posts that are read at once while a page is filled.
const BATCH: u64 = 200;
/// Batches that are read for one page at most: a filter that fits hardly anything answers short pages.
const BATCHES: usize = 20;

/// Which posts are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only in this state: scheduled, publishing, published, `partially_published`, failed, cancelled, missed,
    /// unconfirmed or removed.
    state: Option<String>,
    /// Only on this connection.
    connection: Option<String>,
    /// Only on connections with this client label, by name or id.
    brand: Option<String>,
    /// Only due from then on (RFC 3339).
    due_from: Option<String>,
    /// Only due before then (RFC 3339).
    due_to: Option<String>,
}

/// Lists posts, the newest first.
#[utoipa::path(get, path = "/posts", params(Asked, Wanted), responses((status = OK, body = Page<Post>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Post>>, Problem> {
    let limit = usize::try_from(asked.limit()?).unwrap_or(usize::MAX);
    let mut filter = filter(&app, &caller, &wanted).await?;
    filter.before = asked.after()?;
    filter.limit = Some(BATCH.min(asked.limit()? + 1));
    let mut items = Vec::new();
    for _ in 0..BATCHES {
        let views = app.store.post_views(caller.workspace, &filter).await?;
        let is_last = (views.len() as u64) < filter.limit.unwrap_or(BATCH);
        for view in views {
            if items.len() == limit {
                let next = filter.before.map(page::after);
                return Ok(Json(Page { items, next }));
            }
            filter.before = Some(view.id.uuid());
            if filter.state.is_none_or(|state| view.state() == state) {
                items.push(Post::from(view));
            }
        }
        if is_last {
            return Ok(Json(Page { items, next: None }));
        }
    }
    let next = filter.before.map(page::after);
    Ok(Json(Page { items, next }))
}

/// Shows a post: every target with how far it has come, why, where people see it, and what was tried.
#[utoipa::path(get, path = "/posts/{post}", params(("post" = String, Path)), responses((status = OK, body = Post), (status = "default", body = Problem)))]
pub(crate) async fn show(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Path(post): Path<String>,
) -> Result<Json<Post>, Problem> {
    let id = post_id(&caller, &post)?;
    Ok(Json(detail(&app, &caller, id).await?))
}

/// One post with every attempt.
pub(super) async fn detail(app: &App, caller: &Caller, id: PostId) -> Result<Post, Problem> {
    let found = app.store.post_view(caller.workspace, id).await?;
    found.map(Post::from).ok_or_else(|| {
        tracing::warn!(event.name = "api.refused", key = %caller.key, workspace = %caller.workspace, "a post was asked for that is not in the key's workspace");
        Problem::not_found(id)
    })
}

/// Reads an id. One that cannot be read is one that does not exist; both are told to whoever watches the log.
pub(super) fn post_id(caller: &Caller, text: &str) -> Result<PostId, Problem> {
    text.parse().map_err(|_| {
        tracing::warn!(event.name = "api.refused", key = %caller.key, workspace = %caller.workspace, "something that is no post's id was tried");
        Problem::not_found(text)
    })
}

async fn filter(app: &App, caller: &Caller, wanted: &Wanted) -> Result<PostFilter, Problem> {
    let state = wanted.state.as_deref().map(|text| {
        let known = || PostState::ALL.map(PostState::as_str).join(", ");
        PostState::parse(text).ok_or_else(|| wrong("state", format!("is none of: {}", known())))
    });
    let connection = wanted.connection.as_deref().map(str::parse::<ConnectionId>);
    let brand = match wanted.brand.as_deref() {
        Some(text) => Some(brand(app, caller, text).await?),
        None => None,
    };
    Ok(PostFilter {
        state: state.transpose()?,
        connection: connection
            .transpose()
            .map_err(|error| wrong("connection", error))?,
        brand,
        due_from: instant("due_from", wanted.due_from.as_deref())?,
        due_to: instant("due_to", wanted.due_to.as_deref())?,
        ..PostFilter::default()
    })
}

fn instant(field: &'static str, text: Option<&str>) -> Result<Option<Time>, Problem> {
    let read = text.map(DateTime::parse_from_rfc3339).transpose();
    let read = read.map_err(|_| wrong(field, "is no time; write it as 2026-01-31T12:00:00Z"))?;
    Ok(read.map(|at| at.to_utc()))
}
