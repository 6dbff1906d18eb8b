//! The gateway: the API, acts of people, media for platforms that fetch them, a read-only status, and the signal
//! that autoscaling reads.
//!
//! Connecting goes through browsers: their pages are in `browser`.
//!
//! Acts live in [`acts`], one file each; routes and the command line call the same functions.

pub mod acts;
mod api;
mod bearer;
mod browser;
mod hooks;
mod media;
mod scale;
pub mod site;
mod status;

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use mooring_providers::Registry;
use mooring_runtime::{Context, MediaStore, lifecycle::TaskResult};
use mooring_store::Store;
use tokio::net::TcpListener;

use crate::site::Site;

/// What every route works with.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) context: Context,
    pub(crate) store: Store,
    pub(crate) media: MediaStore,
    pub(crate) registry: Arc<Registry>,
    pub(crate) site: Arc<Site>,
}

impl App {
    /// What connecting works with.
    pub(crate) fn desk(&self) -> acts::Desk<'_> {
        acts::Desk {
            store: &self.store,
            registry: &self.registry,
            site: &self.site,
            clock: self.context.clock.as_ref(),
        }
    }
}

/// The bound gateway.
pub struct Gateway {
    listener: TcpListener,
    app: App,
}

impl Gateway {
    /// Binds `gateway.bind` and adds `/internal/scale` to the admin endpoints.
    pub async fn bind(
        context: Context,
        store: Store,
        media: MediaStore,
        registry: Arc<Registry>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(context.config.gateway.bind).await?;
        let bound = listener.local_addr().ok();
        let site = Arc::new(Site::of(&context.config.gateway, bound));
        let app = App {
            context,
            store,
            media,
            registry,
            site,
        };
        app.context.admin.merge(scale::routes(app.clone()));
        Ok(Self { listener, app })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the soft step of shutdown; open requests are finished.
    pub async fn serve(self) -> TaskResult {
        let address = self.address()?;
        tracing::info!(event.name = "gateway.listening", %address, "the gateway listens");
        let soft = self.app.context.lifecycle.soft().clone();
        let routes = Router::new()
            .merge(hooks::routes(self.app.clone()))
            .merge(media::routes(self.app.clone()))
            .merge(status::routes(self.app.clone()))
            .merge(browser::routes(self.app.clone()))
            .merge(api::routes(self.app));
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(self.listener, routes)
            .with_graceful_shutdown(async move { soft.cancelled().await })
            .await?;
        Ok(())
    }
}
