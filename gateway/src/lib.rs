//! The gateway: acts of people, media for platforms that fetch them, a read-only status, and the signal that
//! autoscaling reads.
//!
//! Acts live in [`acts`], one file each; routes and the command line call the same functions. What is not
//! built yet has no route: connecting, webhooks and the API of acts come with the parts that need them.

pub mod acts;
mod media;
mod scale;
mod status;

use std::net::SocketAddr;

use axum::Router;
use mooring_runtime::{Context, MediaStore, lifecycle::TaskResult};
use mooring_store::Store;
use tokio::net::TcpListener;

/// What every route works with.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) context: Context,
    pub(crate) store: Store,
    pub(crate) media: MediaStore,
}

/// The bound gateway.
pub struct Gateway {
    listener: TcpListener,
    app: App,
}

impl Gateway {
    /// Binds `gateway.bind` and adds `/internal/scale` to the admin endpoints.
    pub async fn bind(context: Context, store: Store, media: MediaStore) -> std::io::Result<Self> {
        let listener = TcpListener::bind(context.config.gateway.bind).await?;
        let app = App {
            context,
            store,
            media,
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
            .merge(media::routes(self.app.clone()))
            .merge(status::routes(self.app));
        axum::serve(self.listener, routes)
            .with_graceful_shutdown(async move { soft.cancelled().await })
            .await?;
        Ok(())
    }
}
