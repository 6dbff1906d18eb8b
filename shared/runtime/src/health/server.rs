//! The HTTP side of the admin endpoints.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::net::TcpListener;
use tower::ServiceExt;
use uuid::Uuid;

use super::{Readiness, Report};
use crate::metrics::{CONTENT_TYPE, Metrics};

/// Routes that other crates put on the admin server, also after it has started. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct AdminRoutes(Arc<RwLock<Router>>);

impl AdminRoutes {
    /// Adds routes, such as `/internal/scale`. Panics when a path is there already, as [`Router::merge`] does.
    pub fn merge(&self, routes: Router) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *all = std::mem::take(&mut *all).merge(routes);
    }

    async fn answer(&self, request: Request) -> Response {
        let routes = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match routes.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// What `/version` says.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Identity {
    /// The role of the process.
    pub role: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// The id of the process.
    pub process: Uuid,
}

/// The admin server, bound and not yet serving.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

#[derive(Clone)]
struct Admin {
    identity: Identity,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    routes: AdminRoutes,
}

impl AdminServer {
    /// Binds the address. Port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        bind: SocketAddr,
        identity: Identity,
        readiness: Readiness,
        metrics: Arc<Metrics>,
        routes: AdminRoutes,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(bind).await?;
        let address = listener.local_addr()?;
        let all = router(Admin {
            identity,
            readiness,
            metrics,
            routes,
        });
        Ok(Self {
            listener,
            address,
            router: all,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped, so that the probes answer during the drain as well.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(self) -> std::io::Result<()> {
        axum::serve(self.listener, self.router).await
    }
}

fn router(admin: Admin) -> Router {
    Router::new()
        .route(
            "/livez",
            get(|State(a): State<Admin>, RawQuery(q): RawQuery| async move {
                probe(&a.readiness.alive(), q)
            }),
        )
        .route(
            "/readyz",
            get(|State(a): State<Admin>, RawQuery(q): RawQuery| async move {
                probe(&a.readiness.ready(), q)
            }),
        )
        .route(
            "/startupz",
            get(|State(a): State<Admin>, RawQuery(q): RawQuery| async move {
                probe(&a.readiness.startup(), q)
            }),
        )
        .route(
            "/metrics",
            get(|State(a): State<Admin>| async move {
                ([(header::CONTENT_TYPE, CONTENT_TYPE)], a.metrics.render())
            }),
        )
        .route(
            "/version",
            get(|State(a): State<Admin>| async move { Json(a.identity) }),
        )
        .fallback(|State(a): State<Admin>, request: Request| async move {
            a.routes.answer(request).await
        })
        .with_state(admin)
}

fn probe(report: &Report, query: Option<String>) -> Response {
    let status = if report.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let verbose = query.is_some_and(|q| {
        q.split('&')
            .any(|part| part == "verbose" || part.starts_with("verbose="))
    });
    if verbose {
        return (status, Json(report)).into_response();
    }
    (status, if report.ok { "ok\n" } else { "not ok\n" }).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn admin() -> (Admin, Router) {
        let identity = Identity {
            role: "worker",
            version: "0.1.0",
            process: Uuid::nil(),
        };
        let admin = Admin {
            identity,
            readiness: Readiness::default(),
            metrics: Arc::new(Metrics::new("worker")),
            routes: AdminRoutes::default(),
        };
        (admin.clone(), router(admin))
    }

    async fn get_text(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_probes_answer_by_the_state() {
        let (admin, router) = admin();
        assert_eq!(
            get_text(&router, "/livez").await,
            (StatusCode::OK, "ok\n".to_owned())
        );
        assert_eq!(
            get_text(&router, "/readyz").await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            get_text(&router, "/startupz").await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        let redis = admin.readiness.check("redis");
        admin.readiness.started();
        redis.good();
        assert_eq!(get_text(&router, "/readyz").await.0, StatusCode::OK);
        admin.readiness.drain();
        let (status, text) = get_text(&router, "/readyz?verbose").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["ok"], false);
        assert!(
            text.contains("\"name\":\"draining\",\"ok\":false"),
            "{text}"
        );
        assert_eq!(get_text(&router, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_and_version_are_there() {
        let (_, router) = admin();
        assert!(get_text(&router, "/metrics").await.1.ends_with("# EOF\n"));
        assert!(
            get_text(&router, "/version")
                .await
                .1
                .contains("\"role\":\"worker\"")
        );
    }

    #[tokio::test]
    async fn routes_can_be_added_while_serving() {
        let (admin, router) = admin();
        assert_eq!(
            get_text(&router, "/internal/scale").await.0,
            StatusCode::NOT_FOUND
        );
        admin
            .routes
            .merge(Router::new().route("/internal/scale", get(|| async { "7" })));
        admin
            .routes
            .merge(Router::new().route("/internal/queues", get(|| async { "8" })));
        assert_eq!(
            get_text(&router, "/internal/scale").await,
            (StatusCode::OK, "7".to_owned())
        );
        assert_eq!(get_text(&router, "/internal/queues").await.1, "8");
    }
}
