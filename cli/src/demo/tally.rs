//! What has happened so far, by our books and by the platforms' ledger.

use std::collections::HashSet;

use mooring_domain::{JobKind, post::Stage};
use mooring_runtime::Context;
use mooring_simulator::{LedgerFilter, RunningSimulator};
use mooring_store::{Store, TargetRow};
use serde::Serialize;

use super::seed::Seeded;

/// One moment of the demo.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Tally {
    pub(crate) connections: usize,
    pub(crate) healthy: u64,
    pub(crate) checks: u64,
    pub(crate) refreshed: u64,
    pub(crate) targets: usize,
    pub(crate) published: u64,
    /// Read back, and there.
    pub(crate) verified: u64,
    /// Published where nobody may look: the platform's acceptance is the proof.
    pub(crate) unverifiable: u64,
    pub(crate) failed: u64,
    pub(crate) missed: u64,
    /// Due, and neither published nor loudly ended yet.
    pub(crate) unresolved: u64,
    /// Posts beyond the first of their kind, by the platforms' ledger.
    pub(crate) doubled: usize,
    /// Targets that our books call published and the platforms do not know.
    pub(crate) lost: usize,
    /// Faults that really struck.
    pub(crate) faults: u64,
}

impl Tally {
    pub(crate) async fn take(
        context: &Context,
        store: &Store,
        simulator: &RunningSimulator,
        seeded: &Seeded,
    ) -> anyhow::Result<Self> {
        let mut rows: Vec<TargetRow> = Vec::with_capacity(seeded.targets);
        for workspace in &seeded.workspaces {
            rows.extend(store.targets(*workspace).await?);
        }
        let counts = store.counts(None).await?;
        let of = |stage: Stage| rows.iter().filter(move |row| row.stage == stage);
        let judged = |verdict: &str| {
            let told = |row: &&TargetRow| row.verdict.as_deref() == Some(verdict);
            rows.iter().filter(told).count() as u64
        };
        let admin = simulator.admin();
        let ledger: HashSet<String> = admin
            .ledger(&LedgerFilter::default())
            .into_iter()
            .map(|entry| entry.remote_id)
            .collect();
        let accepted = store.accepted_remote_ids().await?;
        let healthy = counts
            .connections
            .iter()
            .find(|(health, _)| health == "healthy");
        Ok(Self {
            connections: seeded.connections,
            healthy: healthy.map_or(0, |(_, n)| *n),
            checks: finished(context, "check"),
            refreshed: succeeded(&store.runs(JobKind::Refresh).await?),
            targets: rows.len(),
            published: of(Stage::Accepted).count() as u64,
            verified: judged("live"),
            unverifiable: judged("unverifiable"),
            failed: of(Stage::Failed).chain(of(Stage::Unconfirmed)).count() as u64,
            missed: of(Stage::Missed).count() as u64,
            unresolved: rows.iter().filter(|row| !row.stage.is_settled()).count() as u64,
            doubled: admin.ledger_summary().doubled,
            lost: accepted.iter().filter(|id| !ledger.contains(*id)).count(),
            faults: admin.faults().hits.values().sum(),
        })
    }
}

fn succeeded(runs: &[(String, u64)]) -> u64 {
    runs.iter()
        .find(|(outcome, _)| outcome == "success")
        .map_or(0, |(_, n)| *n)
}

/// Jobs of a kind that ended with success, from the process's own metrics.
fn finished(context: &Context, kind: &str) -> u64 {
    let kind = format!("kind=\"{kind}\"");
    context
        .metrics
        .render()
        .lines()
        .filter(|line| line.starts_with("mooring_jobs_finished_total{"))
        .filter(|line| line.contains(&kind) && line.contains("outcome=\"success\""))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}
