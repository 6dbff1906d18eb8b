//! `mooring restored`.

use chrono::{DateTime, Utc};
use clap::Args;
use mooring_gateway::acts;
use mooring_runtime::Context;
use mooring_store::Actor;

use crate::parts::{self, Secrets};

#[derive(Args)]
pub(crate) struct Restored {
    /// When the backup was begun (RFC 3339). If in doubt, an earlier time.
    #[arg(long, value_parser = super::time, value_name = "TIME")]
    backup_taken_at: DateTime<Utc>,
}

pub(crate) async fn run(command: Restored, context: Context) -> anyhow::Result<()> {
    // Whoever works on an embedded database has its lock; at a server the act itself looks for workers.
    let lock = parts::lock_embedded(&context.config)?;
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let now = context.clock.now();
    let marked = acts::mark_restored(&store, &Actor::Cli, command.backup_taken_at, now).await?;
    drop(lock);
    let row = marked.restore;
    if marked.repeated {
        println!(
            "marked already, at {} by {}; nothing was changed",
            row.marked_at.to_rfc3339(),
            row.actor
        );
    }
    println!(
        "{} target(s) may have been published since {}: each is looked for at its platform before anything is sent",
        row.targets,
        row.taken_at.to_rfc3339()
    );
    println!(
        "{} credential(s) may have been renewed since: one whose token is spent is named by the event rotation_lost",
        row.grants
    );
    Ok(())
}
