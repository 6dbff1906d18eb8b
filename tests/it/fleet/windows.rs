//! How long new tokens were in nobody's books: between the platform's answer and our commit. A worker that is killed
//! in that window loses what a platform issues once only, so every worker measures it.

use std::collections::BTreeMap;

use mooring_tests::{Process, Scrape};

/// The histogram that workers keep.
const METRIC: &str = "mooring_refresh_persist_seconds";

/// The windows of several workers.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// How many were at most so long, by the bucket's upper end in microseconds.
    buckets: BTreeMap<u64, u64>,
}

impl Windows {
    /// Adds what a worker has measured so far.
    pub(super) fn read(&mut self, worker: &Process) {
        for (end, count) in Scrape::of(worker).histogram(METRIC) {
            *self.buckets.entry(end).or_default() += count;
        }
    }

    /// How many were measured.
    pub(super) fn count(&self) -> u64 {
        self.buckets.values().copied().max().unwrap_or(0)
    }

    /// The bucket that holds this share of them: its upper end, in milliseconds.
    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let wanted = self.count() as f64 * share;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let found = self
            .buckets
            .iter()
            .find(|(_, count)| **count as f64 >= wanted);
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        found.map_or(0.0, |(end, _)| *end as f64 / 1_000.0)
    }
}
