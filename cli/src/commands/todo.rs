//! `mooring tasks` and `mooring alerts`: what asks a person to act.

use clap::Args;
use mooring_gateway::{
    acts::{self, Concerned},
    site::Site,
};
use mooring_runtime::Context;

use crate::parts::{self, Secrets};

#[derive(Args)]
pub(crate) struct Todo {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Open tasks, the first due first.
pub(crate) async fn tasks(todo: Todo, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::workspace(&store, &todo.workspace).await?;
    let site = Site::of(&context.config.gateway, None);
    let open = acts::open_tasks(&store, &site, workspace, context.clock.now()).await?;
    let limit = usize::try_from(todo.limit).unwrap_or(usize::MAX);
    for task in open.into_iter().take(limit) {
        if todo.json {
            println!("{}", serde_json::to_string(&task)?);
            continue;
        }
        println!(
            "{}  {}  {:<18} {}  {}",
            task.due.to_rfc3339(),
            task.kind,
            task.why,
            task.brands.join(", "),
            names(&task.connections)
        );
    }
    Ok(())
}

/// What happened and asks a person to act, newest first.
pub(crate) async fn alerts(todo: Todo, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::workspace(&store, &todo.workspace).await?;
    let site = Site::of(&context.config.gateway, None);
    let now = context.clock.now();
    let (told, _) = acts::alerts(&store, &site, workspace, None, todo.limit, now).await?;
    for alert in told {
        if todo.json {
            println!("{}", serde_json::to_string(&alert)?);
            continue;
        }
        let open = alert.connections.iter().any(|one| !one.settled);
        println!(
            "{}  {:<18} {:<8} {}",
            alert.at.to_rfc3339(),
            alert.event,
            if open { "open" } else { "settled" },
            names(&alert.connections)
        );
    }
    Ok(())
}

fn names(connections: &[Concerned]) -> String {
    let each = connections
        .iter()
        .map(|one| format!("{} ({}, {})", one.name, one.platform, one.id));
    each.collect::<Vec<_>>().join("; ")
}
