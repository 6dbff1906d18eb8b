//! `mooring status`.

use clap::Args;
use mooring_domain::Lane;
use mooring_runtime::Context;
use mooring_store::Store;

use crate::parts::{self, Secrets};

#[derive(Args)]
pub(crate) struct Status {
    /// Shows one workspace's connections and targets (name or id).
    #[arg(long)]
    workspace: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(status: Status, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = match &status.workspace {
        Some(text) => Some(super::workspace(&store, text).await?),
        None => None,
    };
    let counts = store.counts(workspace).await?;
    if status.json {
        println!("{}", serde_json::to_string(&counts)?);
        return Ok(());
    }
    for (title, rows) in [
        ("connections", &counts.connections),
        ("targets", &counts.targets),
        ("verdicts", &counts.verdicts),
    ] {
        let parts: Vec<String> = rows.iter().map(|(label, n)| format!("{label} {n}")).collect();
        println!("{title:<12} {}", if parts.is_empty() { "none".to_owned() } else { parts.join(", ") });
    }
    println!("{:<12} {}", "unresolved", counts.dangling);
    lanes(&store, &context).await?;
    if let Some(workspace) = workspace {
        for row in store.connections(workspace, context.clock.now()).await? {
            let reasons = row.reasons.join(", ");
            println!("{}  {:<10} {:<10} {}  {reasons}", row.id, row.platform, row.health.as_str(), row.name);
        }
        for row in store.targets(workspace).await? {
            let verdict = row.verdict.as_deref().unwrap_or("-");
            let shown = row.permalink.or(row.reason).unwrap_or_default();
            println!("{}  {:<12} {verdict:<12} {shown}", row.id, row.stage.as_str());
        }
    }
    Ok(())
}

async fn lanes(store: &Store, context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    for lane in Lane::ALL {
        let backlog = store.backlog(lane, now).await?;
        let oldest = backlog.oldest_due.map_or(0, |due| (now - due).num_seconds().max(0));
        println!("lane {:<8} due {}, running {}, oldest {oldest} s", lane.as_str(), backlog.due, backlog.leased);
    }
    Ok(())
}
