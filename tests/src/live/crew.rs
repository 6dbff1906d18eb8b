//! Who works: a scheduler, and workers that share nothing but the database.

use std::sync::Arc;

use mooring_domain::{JobKind, Lane};
use mooring_providers::Registry;
use mooring_queue::Queue;
use mooring_runtime::{Clock, Config, Context, MediaStore, SystemClock};
use mooring_vault::KeyRing;

use super::Live;
use crate::copies::Copies;

impl Live {
    /// Starts a scheduler and so many workers; each is all that a process would be. With several of them every refresh
    /// is handed to all at once.
    pub async fn hire(&mut self, count: usize) {
        let mut scheduler = None;
        for end in Copies::for_workers(count) {
            let queue: Arc<dyn Queue> = Arc::new(end);
            scheduler.get_or_insert_with(|| Arc::clone(&queue));
            let worker = fresh_context();
            let keys = KeyRing::parse(self.key.expose()).expect("a key ring");
            let store = self.database.store_with(keys, self.policy.clone()).await;
            let registry = Registry::new(&worker.http, &worker.clock, &self.urls);
            let lanes = [Lane::Check, Lane::Refresh, Lane::Publish, Lane::Verify]
                .map(|lane| (lane, 4))
                .to_vec();
            let work = mooring_workers::run(
                worker.clone(),
                store,
                queue,
                Arc::new(registry),
                MediaStore::in_memory(1 << 26),
                lanes,
            );
            worker.lifecycle.spawn("workers", work);
            self.workers.push(worker);
        }
        let queue = scheduler.expect("at least one worker");
        let (context, store) = (self.context.clone(), self.store.clone());
        let work = mooring_scheduler::run(context, store, queue);
        self.context.lifecycle.spawn("scheduler", work);
    }

    /// How many runs of a kind of job have ended so, by each worker's own count.
    #[must_use]
    pub fn finished(&self, kind: JobKind, outcome: &str) -> Vec<u64> {
        let (kind, outcome) = (format!("kind=\"{kind}\""), format!("outcome=\"{outcome}\""));
        let of = |worker: &Context| {
            let told = worker.metrics.render();
            let lines = told
                .lines()
                .filter(|line| line.starts_with("mooring_jobs_finished_total"));
            let ours = lines.filter(|line| line.contains(&kind) && line.contains(&outcome));
            ours.map(|line| line.rsplit(' ').next().expect("a number"))
                .map(|number| number.parse::<u64>().expect("a number"))
                .sum()
        };
        self.workers.iter().map(of).collect()
    }
}

/// What a process is given at its start.
pub(super) fn fresh_context() -> Context {
    let mut config = Config::default();
    config.http.allow_private_addresses = true;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Context::with_clock("live", config, clock).expect("a context")
}
