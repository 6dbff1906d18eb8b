//! Being seen: the lock by which others know that this process lives, and the check that it is still held.
//!
//! A process that cannot be seen must not send: another one may take it for ended and send in its place.

use std::sync::{Arc, atomic::Ordering};

use mooring_domain::time::seconds;
use mooring_runtime::{lifecycle::TaskResult, wait_until};
use mooring_store::{Presence, StoreError};

use crate::Ctx;

/// How often the lock is looked at, in seconds: well within the shortest lease.
const LOOK: i64 = 5;

/// The presence of this process.
pub(crate) struct Vitals(Arc<tokio::sync::Mutex<Option<Presence>>>);

/// Takes the lock and begins to watch it.
pub(crate) async fn start(ctx: &Arc<Ctx>) -> Result<Vitals, StoreError> {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
    let role = ctx.runtime.role;
    let presence = ctx
        .store
        .enter(ctx.process(), role, &host, ctx.now())
        .await?;
    let vitals = Vitals(Arc::new(tokio::sync::Mutex::new(Some(presence))));
    let watched = Arc::clone(&vitals.0);
    ctx.runtime
        .lifecycle
        .spawn("vitals", watch(Arc::clone(ctx), watched));
    Ok(vitals)
}

impl Vitals {
    /// Says that this process sends nothing any more.
    pub(crate) async fn leave(self, ctx: &Ctx) -> Result<(), StoreError> {
        match self.0.lock().await.take() {
            Some(presence) => ctx.store.leave(presence, ctx.now()).await,
            None => Ok(()),
        }
    }
}

async fn watch(ctx: Arc<Ctx>, presence: Arc<tokio::sync::Mutex<Option<Presence>>>) -> TaskResult {
    loop {
        let next = ctx.now() + seconds(LOOK);
        tokio::select! {
            () = ctx.runtime.lifecycle.soft().cancelled() => return Ok(()),
            () = wait_until(ctx.runtime.clock.as_ref(), next) => {}
        }
        let held = match presence.lock().await.as_ref() {
            Some(presence) => presence.holds().await,
            None => return Ok(()),
        };
        let before = ctx.present.swap(held, Ordering::AcqRel);
        if before && !held {
            // The lock went with its session, and cannot be taken again under the same name without a moment in
            // which it was free. A fresh process takes over.
            ctx.runtime
                .lifecycle
                .fail("the session that shows this process to others broke: starting anew");
            return Ok(());
        }
    }
}
