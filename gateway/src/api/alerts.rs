//! `/alerts` and `/tasks`: what asks a person to act, and the way to reconnect.

use axum::{
    Json,
    extract::{Query, State},
};

use super::{Asked, ByViewer, Page, Problem, page};
use crate::{
    App,
    acts::{self, AlertView, TaskView},
};

/// Lists what happened and asks a person to act, newest first, each with the connections that it is about, what to do
/// about them, and where a reconnect begins. A page may hold fewer than were asked for.
#[utoipa::path(get, path = "/alerts", params(Asked), responses((status = OK, body = Page<AlertView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<AlertView>>, Problem> {
    let (limit, before) = (asked.limit()?, asked.before()?);
    let now = app.context.clock.now();
    let (items, next) =
        acts::alerts(&app.store, &app.site, caller.workspace, before, limit, now).await?;
    let next = next.map(page::before);
    Ok(Json(Page { items, next }))
}

/// Lists what people have to do before something stops, the first due first. Judged now: a task closes by itself when
/// its reason is gone.
#[utoipa::path(get, path = "/tasks", params(Asked), responses((status = OK, body = Page<TaskView>), (status = "default", body = Problem)))]
pub(crate) async fn tasks(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<TaskView>>, Problem> {
    let limit = usize::try_from(asked.limit()?).unwrap_or(usize::MAX);
    let after = asked.before()?;
    let now = app.context.clock.now();
    let mut items = acts::open_tasks(&app.store, &app.site, caller.workspace, now).await?;
    items.retain(|task| after.is_none_or(|place| task.place() > place));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|task| page::before(task.place()));
    Ok(Json(Page { items, next }))
}
