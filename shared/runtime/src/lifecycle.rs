//! Starting tasks, and ending all of them in two steps.
//!
//! **Soft** means: take no new work, finish what was begun, give back the rest. **Hard** comes when the drain time
//! is over, or at a second signal: leave now, the leases will tell others. A component that ends by itself, with an
//! error or by a panic begins the soft step and makes the process exit with failure, because half a process that
//! looks alive is worse than a restart.

use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What a component returns. `anyhow::Error` and every `thiserror` enum turn into the error with `?`.
pub type TaskResult = Result<(), Box<dyn Error + Send + Sync>>;

/// How long tasks have after the hard step before they are left behind.
const AFTER_HARD: Duration = Duration::from_secs(2);

/// The tasks of a process and the two tokens that end them. Clones are the same lifecycle.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    failure: Arc<Mutex<Option<String>>>,
}

impl Lifecycle {
    /// A lifecycle with no tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The first step: cancelled when no new work may be taken.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// The second step: cancelled when what is still running has to be left.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// True from the first step on.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Begins the first step.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Begins the first step and makes the process exit with failure. The first reason is kept.
    pub fn fail(&self, reason: impl Into<String>) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason.into());
        self.soft.cancel();
    }

    /// Why the process fails, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Starts a component: a task that runs until the first step. Ending earlier is a failure of the process.
    pub fn spawn(
        &self,
        name: &'static str,
        component: impl Future<Output = TaskResult> + Send + 'static,
    ) {
        let running = self.spawn_short(component);
        let lifecycle = self.clone();
        self.tasks.spawn(async move {
            let reason = match running.await {
                Ok(Ok(())) if lifecycle.stopping() => return,
                Ok(Ok(())) => format!("{name} ended by itself"),
                Ok(Err(error)) => format!("{name} failed: {}", chain(error.as_ref())),
                Err(join) if join.is_panic() => format!("{name} panicked"),
                Err(_) => format!("{name} was aborted"),
            };
            tracing::error!(
                event.name = "component.ended",
                component = name,
                reason,
                "a component ended"
            );
            lifecycle.fail(reason);
        });
    }

    /// Starts a task that may end whenever it is done. Shutdown waits for it; a panic reaches the handle only.
    pub fn spawn_short<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn(task)
    }

    /// Starts the main task of a process: its end, unlike a component's, is a reason to stop in good order.
    pub(crate) fn spawn_main(&self, main: impl Future<Output = TaskResult> + Send + 'static) {
        let running = self.spawn_short(main);
        let lifecycle = self.clone();
        self.tasks.spawn(async move {
            match running.await {
                Ok(Ok(())) => lifecycle.stop(),
                Ok(Err(error)) => lifecycle.fail(chain(error.as_ref())),
                Err(_) => lifecycle.fail("the main task panicked"),
            }
        });
    }

    /// Waits for a signal or the first step, then drains for at most `drain`, then takes the hard step.
    ///
    /// Returns true when every task ended. `on_stop` runs when the first step begins, to flip readiness.
    pub async fn run(&self, drain: Duration, mut signals: Signals, on_stop: impl FnOnce()) -> bool {
        tokio::select! {
            name = signals.next() => {
                tracing::info!(event.name = "process.stopping", signal = name, "stopping: finishing what was begun");
            }
            () = self.soft.cancelled() => {
                tracing::info!(event.name = "process.stopping", "stopping: finishing what was begun");
            }
        }
        self.soft.cancel();
        on_stop();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return true,
            () = tokio::time::sleep(drain) => {
                tracing::warn!(event.name = "process.drain_over", tasks = self.tasks.len(), "drain time is over, leaving work");
            }
            name = signals.next() => {
                tracing::warn!(event.name = "process.drain_over", signal = name, tasks = self.tasks.len(), "second signal, leaving work");
            }
        }
        self.hard.cancel();
        tokio::time::timeout(AFTER_HARD, self.tasks.wait())
            .await
            .is_ok()
    }
}

/// Starts a task that shutdown does not wait for; it ends when the returned guard is dropped.
pub(crate) fn background<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> DropGuard {
    let end = CancellationToken::new();
    let ended = end.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "background tasks outlive the drain and end with their guard"
    )]
    tokio::spawn(async move { ended.run_until_cancelled(task).await.is_some() });
    end.drop_guard()
}

/// An error and its sources in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text.push_str(": ");
            text.push_str(&next_text);
        }
        source = next.source();
    }
    text
}

/// The signals that ask a process to stop.
pub struct Signals(Source);

enum Source {
    Unix {
        term: tokio::signal::unix::Signal,
        interrupt: tokio::signal::unix::Signal,
    },
    Channel(tokio::sync::mpsc::UnboundedReceiver<&'static str>),
}

impl Signals {
    /// SIGTERM and SIGINT of this process. Call it inside the tokio runtime.
    ///
    /// # Errors
    /// When the operating system refuses a handler.
    pub fn of_process() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let term = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self(Source::Unix { term, interrupt }))
    }

    /// Signals sent by hand through the returned sender: for embedding and tests.
    #[must_use]
    pub fn by_hand() -> (tokio::sync::mpsc::UnboundedSender<&'static str>, Self) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (sender, Self(Source::Channel(receiver)))
    }

    /// The next signal's name. Never returns when no signal can come any more.
    async fn next(&mut self) -> &'static str {
        match &mut self.0 {
            Source::Unix { term, interrupt } => tokio::select! {
                Some(()) = term.recv() => "SIGTERM",
                Some(()) = interrupt.recv() => "SIGINT",
                else => std::future::pending().await,
            },
            Source::Channel(receiver) => match receiver.recv().await {
                Some(name) => name,
                None => std::future::pending().await,
            },
        }
    }
}

#[cfg(test)]
mod tests;
