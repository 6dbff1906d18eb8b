//! The API: `/api/v1`, with keys, problems in one form, and a description that is generated from the code.
//!
//! A handler says in its arguments who may call it ([`ByViewer`], [`ByOperator`], [`ByAdmin`]), calls one act or one
//! finder, and answers. Whatever goes wrong is a [`Problem`].

mod alerts;
mod audit;
mod body;
mod caller;
mod connect;
mod connections;
mod copy;
mod disconnect;
mod grants;
mod keys;
mod once;
mod page;
mod platforms;
mod posts;
mod problem;
mod proof;
mod reconnect;
mod reports;
mod sync;

use axum::{Json, Router, middleware::from_fn_with_state, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use body::Body;
pub(crate) use caller::{ByAdmin, ByOperator, ByViewer, Caller, OtherKey, address};
pub(crate) use page::{Asked, Page};
pub use posts::{post_as_json, read_overrides};
pub(crate) use problem::{Kind, Problem};

use crate::{App, acts::ActError};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mooring",
        description = "Keeps social-media connections healthy and proves that every scheduled post went live.",
    ),
    security(("key" = [])),
    modifiers(&Keys),
)]
struct Described;

/// How callers say who they are.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", bearer);
    }
}

/// Every route below `/api/v1`, and `/api/v1/openapi.json`.
pub(crate) fn routes(app: App) -> Router {
    let (router, document) = described(&app).split_for_parts();
    let document = Json(document);
    Router::new()
        .merge(router.with_state(app))
        .route(
            "/api/v1/openapi.json",
            get(|| async move { document.clone() }),
        )
        .fallback(problem::no_route)
}

/// The routes with their descriptions. A new group of routes is one line here.
fn described(app: &App) -> OpenApiRouter<App> {
    let routes = OpenApiRouter::new()
        .routes(routes!(keys::me))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::tasks))
        .routes(routes!(platforms::list))
        .routes(routes!(connect::begin))
        .routes(routes!(connect::show))
        .routes(routes!(connect::choose))
        .routes(routes!(reconnect::begin))
        .routes(routes!(reconnect::link))
        .routes(routes!(grants::list))
        .routes(routes!(grants::show))
        .routes(routes!(connections::list))
        .routes(routes!(
            connections::show,
            connections::edit,
            disconnect::disconnect
        ))
        .routes(routes!(disconnect::preview))
        .routes(routes!(disconnect::disconnect_all))
        .routes(routes!(copy::copy))
        .routes(routes!(connections::make_main))
        .routes(routes!(connections::check))
        .routes(routes!(connections::check_all))
        .routes(routes!(posts::recent))
        .routes(routes!(sync::sync))
        .routes(routes!(sync::removed))
        .routes(routes!(sync::native))
        .routes(routes!(posts::read::list, posts::write::schedule))
        .routes(routes!(posts::read::show, posts::write::edit))
        .routes(routes!(posts::write::cancel))
        .routes(routes!(posts::write::cancel_target))
        .routes(routes!(posts::write::publish_again))
        .routes(routes!(proof::of_target))
        .routes(routes!(proof::of_post))
        .routes(routes!(proof::of_day))
        .routes(routes!(proof::keys))
        .routes(routes!(reports::verified_rate))
        // Within the routes, so that only what exists is remembered.
        .layer(from_fn_with_state(app.clone(), once::once));
    OpenApiRouter::with_openapi(Described::openapi()).nest("/api/v1", routes)
}

/// Lets an act come to its end, also when the caller hangs up: what a platform has given out meanwhile is known to
/// nobody else.
pub(crate) async fn to_its_end<T: Send + 'static>(
    app: &App,
    act: impl Future<Output = Result<T, ActError>> + Send + 'static,
) -> Result<T, Problem> {
    let ended = app.context.lifecycle.spawn_short(act).await;
    let ended = ended.map_err(|_| Problem::new(Kind::Internal, "the act did not come to its end"));
    Ok(ended??)
}
