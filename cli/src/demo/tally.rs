//! What has happened so far, by our books and by the platforms' ledger.

use std::collections::{BTreeMap, HashMap, HashSet};

use mooring_domain::{JobKind, Platform, post::Stage};
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
    /// The same by platform, where it can be told apart.
    pub(crate) platforms: BTreeMap<Platform, OfPlatform>,
}

/// What has happened on one platform.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct OfPlatform {
    pub(crate) connections: u64,
    pub(crate) checks: u64,
    pub(crate) targets: u64,
    pub(crate) published: u64,
    pub(crate) verified: u64,
    pub(crate) unverifiable: u64,
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
        let platforms = by_platform(context, &rows, seeded);
        let sum = |count: fn(&OfPlatform) -> u64| platforms.values().map(count).sum();
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
            connections: seeded.connections.len(),
            healthy: healthy.map_or(0, |(_, n)| *n),
            checks: sum(|of| of.checks),
            refreshed: succeeded(&store.runs(JobKind::Refresh).await?),
            targets: rows.len(),
            published: sum(|of| of.published),
            verified: sum(|of| of.verified),
            unverifiable: sum(|of| of.unverifiable),
            failed: of(Stage::Failed).chain(of(Stage::Unconfirmed)).count() as u64,
            missed: of(Stage::Missed).count() as u64,
            unresolved: rows.iter().filter(|row| !row.stage.is_settled()).count() as u64,
            doubled: admin.ledger_summary().doubled,
            lost: accepted.iter().filter(|id| !ledger.contains(*id)).count(),
            faults: admin.faults().hits.values().sum(),
            platforms,
        })
    }
}

fn succeeded(runs: &[(String, u64)]) -> u64 {
    runs.iter()
        .find(|(outcome, _)| outcome == "success")
        .map_or(0, |(_, n)| *n)
}

fn by_platform(
    context: &Context,
    rows: &[TargetRow],
    seeded: &Seeded,
) -> BTreeMap<Platform, OfPlatform> {
    let checks = checks(context);
    let none = |platform: Platform| OfPlatform {
        checks: checks.get(platform.as_str()).copied().unwrap_or(0),
        ..OfPlatform::default()
    };
    let mut all: BTreeMap<_, _> = Platform::ALL.map(|one| (one, none(one))).into();
    for platform in seeded.connections.values() {
        all.entry(*platform).or_default().connections += 1;
    }
    for row in rows {
        let Some(platform) = seeded.connections.get(&row.connection) else {
            continue;
        };
        let of = all.entry(*platform).or_default();
        let verdict = |name: &str| u64::from(row.verdict.as_deref() == Some(name));
        of.targets += 1;
        of.published += u64::from(row.stage == Stage::Accepted);
        of.verified += verdict("live");
        of.unverifiable += verdict("unverifiable");
    }
    all
}

/// Checks that ended with success, by the platform's name, from the process's own metrics.
fn checks(context: &Context) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for line in context.metrics.render().lines() {
        let Some(labels) = line.strip_prefix("mooring_jobs_finished_total{kind=\"check\",") else {
            continue;
        };
        let platform = labels
            .strip_prefix("platform=\"")
            .and_then(|rest| rest.split('"').next());
        let count = line
            .rsplit(' ')
            .next()
            .and_then(|number| number.parse::<u64>().ok());
        if let (Some(platform), Some(count)) = (platform, count)
            && labels.contains("outcome=\"success\"")
        {
            *counts.entry(platform.to_owned()).or_default() += count;
        }
    }
    counts
}
