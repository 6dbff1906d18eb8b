//! Waiting for conditions, never for time.

use std::time::{Duration, Instant};

/// How long a condition may take before the test fails. Generous: it measures nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until `condition` holds; fails the test, naming `what`, when it does not within a minute.
pub async fn eventually<F>(what: &str, condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    within(PATIENCE, what, condition).await;
}

/// Waits until `condition` holds, at most `patience`; fails the test, naming `what`. Returns how long it took.
pub async fn within<F>(patience: Duration, what: &str, mut condition: impl FnMut() -> F) -> Duration
where
    F: Future<Output = bool>,
{
    let started = Instant::now();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        if condition().await {
            return started.elapsed();
        }
        assert!(
            started.elapsed() < patience,
            "not within {patience:?}: {what}"
        );
    }
}
