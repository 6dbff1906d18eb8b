//! `mooring status`.

use std::collections::BTreeMap;

use clap::Args;
use mooring_domain::{Lane, Time, WorkspaceId};
use mooring_runtime::Context;
use mooring_store::{ConnectionRow, Store, TargetRow};
use serde::Serialize;
use serde_json::{Value, json};

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
    let seen = Seen::take(&store, workspace, context.clock.now()).await?;
    if status.json {
        println!("{}", seen.json()?);
    } else {
        print!("{}", seen.text());
    }
    Ok(())
}

/// The state at one moment.
struct Seen {
    numbers: Numbers,
    rows: Option<(Vec<ConnectionRow>, Vec<TargetRow>)>,
}

/// How many of each, by label.
type Counted = BTreeMap<String, u64>;

#[derive(Serialize)]
struct Numbers {
    connections: Counted,
    targets: Counted,
    verdicts: Counted,
    /// Publish attempts whose outcome is not known yet.
    unresolved: u64,
    /// Of the whole fleet, also where one workspace is asked for: lanes are shared.
    lanes: BTreeMap<&'static str, Backlog>,
}

#[derive(Serialize)]
struct Backlog {
    due: u64,
    running: u64,
    oldest_due_seconds: i64,
}

impl Seen {
    async fn take(
        store: &Store,
        workspace: Option<WorkspaceId>,
        now: Time,
    ) -> anyhow::Result<Self> {
        let counts = store.counts(workspace).await?;
        let mut lanes = BTreeMap::new();
        for lane in Lane::ALL {
            let backlog = store.backlog(lane, now).await?;
            let oldest = backlog
                .oldest_due
                .map_or(0, |due| (now - due).num_seconds().max(0));
            let backlog = Backlog {
                due: backlog.due,
                running: backlog.leased,
                oldest_due_seconds: oldest,
            };
            lanes.insert(lane.as_str(), backlog);
        }
        let rows = match workspace {
            Some(workspace) => Some((
                store.connections(workspace, now).await?,
                store.targets(workspace).await?,
            )),
            None => None,
        };
        let numbers = Numbers {
            connections: counts.connections.into_iter().collect(),
            targets: counts.targets.into_iter().collect(),
            verdicts: counts.verdicts.into_iter().collect(),
            unresolved: counts.dangling,
            lanes,
        };
        Ok(Self { numbers, rows })
    }

    /// One object. With a workspace it has two members more: `connection_list` and `target_list`.
    fn json(&self) -> anyhow::Result<Value> {
        let mut value = serde_json::to_value(&self.numbers)?;
        if let Some((connections, targets)) = &self.rows {
            value["connection_list"] = connections.iter().map(connection_json).collect();
            value["target_list"] = targets.iter().map(target_json).collect();
        }
        Ok(value)
    }

    fn text(&self) -> String {
        let numbers = &self.numbers;
        let mut lines = Vec::new();
        for (title, rows) in [
            ("connections", &numbers.connections),
            ("targets", &numbers.targets),
            ("verdicts", &numbers.verdicts),
        ] {
            let parts: Vec<String> = rows
                .iter()
                .map(|(label, n)| format!("{label} {n}"))
                .collect();
            let parts = if parts.is_empty() {
                "none".to_owned()
            } else {
                parts.join(", ")
            };
            lines.push(format!("{title:<12} {parts}"));
        }
        lines.push(format!("{:<12} {}", "unresolved", numbers.unresolved));
        for (lane, backlog) in &numbers.lanes {
            let Backlog {
                due,
                running,
                oldest_due_seconds,
            } = backlog;
            lines.push(format!(
                "lane {lane:<8} due {due}, running {running}, oldest {oldest_due_seconds} s"
            ));
        }
        if let Some((connections, targets)) = &self.rows {
            lines.extend(connections.iter().map(connection_line));
            lines.extend(targets.iter().map(target_line));
        }
        lines.join("\n") + "\n"
    }
}

fn connection_line(row: &ConnectionRow) -> String {
    let reasons = row.reasons.join(", ");
    format!(
        "{}  {:<10} {:<10} {}  {reasons}",
        row.id,
        row.platform,
        health(row),
        row.name
    )
}

/// What is shown as its health: of one that a person disconnected, that.
fn health(row: &ConnectionRow) -> &'static str {
    match row.removed_at {
        Some(_) => "removed",
        None => row.health.as_str(),
    }
}

fn target_line(row: &TargetRow) -> String {
    let verdict = row.verdict.as_deref().unwrap_or("-");
    let shown = row
        .permalink
        .as_deref()
        .or(row.reason.as_deref())
        .unwrap_or_default();
    format!(
        "{}  {:<12} {verdict:<12} {shown}",
        row.id,
        row.stage.as_str()
    )
}

fn connection_json(row: &ConnectionRow) -> Value {
    json!({
        "id": row.id.to_string(),
        "platform": row.platform,
        "remote_id": row.remote_id,
        "name": row.name,
        "health": health(row),
        "reasons": row.reasons,
        "checked_at": row.checked_at,
        "access_expires_at": row.access_expires_at,
    })
}

fn target_json(row: &TargetRow) -> Value {
    json!({
        "id": row.id.to_string(),
        "post": row.post.to_string(),
        "connection": row.connection.to_string(),
        "stage": row.stage.as_str(),
        "reason": row.reason,
        "verdict": row.verdict,
        "permalink": row.permalink,
        "attempts": row.attempts,
    })
}
