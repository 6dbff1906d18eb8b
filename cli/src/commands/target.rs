//! `mooring target`, and `mooring post sync`: what became of posts.

use clap::Subcommand;
use mooring_domain::{PostId, TargetId};
use mooring_gateway::{
    acts::{self, Desk},
    site::Site,
};
use mooring_runtime::Context;
use mooring_store::{Actor, SyncTarget};

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Target {
    /// "I deleted this on the platform myself": the copy counts as removed, and its link is cleared.
    Removed {
        /// The target.
        target: TargetId,
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
    },
    /// Records a post that was published by hand in a target's place, by its address.
    Native {
        /// The target.
        target: TargetId,
        /// The post's address, as the browser shows it.
        url: String,
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
    },
}

pub(crate) async fn run(command: Target, context: Context) -> anyhow::Result<()> {
    match command {
        Target::Removed { target, workspace } => {
            let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
            let workspace = super::workspace(&store, &workspace).await?;
            let now = context.clock.now();
            let after = acts::say_removed(&store, &Actor::Cli, workspace, target, now).await?;
            println!("{}", line(&after));
        }
        Target::Native {
            target,
            url,
            workspace,
        } => {
            let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
            let registry = parts::registry(&context)?;
            let site = Site::default();
            let desk = Desk {
                store: &store,
                registry: &registry,
                site: &site,
                clock: context.clock.as_ref(),
            };
            let workspace = super::workspace(&store, &workspace).await?;
            let after = acts::record_native(&desk, &Actor::Cli, workspace, target, &url).await?;
            println!("{}", line(&after));
        }
    }
    Ok(())
}

/// Compares a post with its platforms, and prints a line for each target.
pub(crate) async fn sync(post: PostId, workspace: &str, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let registry = parts::registry(context)?;
    let site = Site::default();
    let desk = Desk {
        store: &store,
        registry: &registry,
        site: &site,
        clock: context.clock.as_ref(),
    };
    let workspace = super::workspace(&store, workspace).await?;
    for (target, outcome) in acts::sync_post(&desk, &Actor::Cli, workspace, post).await? {
        println!("{}  {}", line(&target), outcome.as_str());
    }
    Ok(())
}

fn line(row: &SyncTarget) -> String {
    let (stage, verdict) = (
        row.progress.stage.as_str(),
        row.verdict.as_deref().unwrap_or("-"),
    );
    let link = row.permalink.as_deref().unwrap_or("-");
    format!(
        "{}  {}  {}  {stage}  {verdict}  {link}",
        row.target,
        row.platform.as_str(),
        row.name
    )
}
