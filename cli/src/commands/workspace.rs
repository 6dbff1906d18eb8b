//! `mooring workspace`.

use clap::Subcommand;
use mooring_domain::connection::life::Which;
use mooring_gateway::acts;
use mooring_runtime::Context;
use mooring_store::Actor;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Workspace {
    /// Creates a workspace and prints its id.
    Add {
        /// Its name.
        name: String,
    },
    /// Lists workspaces.
    List,
    /// The kill switch: disconnects every connection of a workspace in one act. Without --confirm it says what it would
    /// do, and how to confirm that.
    DisconnectAll {
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
        /// What the preview says.
        #[arg(long)]
        confirm: Option<String>,
    },
}

pub(crate) async fn run(command: Workspace, context: Context) -> anyhow::Result<()> {
    let secrets = match command {
        Workspace::DisconnectAll { .. } => Secrets::Needed,
        Workspace::Add { .. } | Workspace::List => Secrets::Unneeded,
    };
    let store = parts::migrated_store(&context.config, secrets).await?;
    match command {
        Workspace::Add { name } => {
            let now = context.clock.now();
            println!(
                "{}",
                acts::create_workspace(&store, &Actor::Cli, &name, now).await?
            );
        }
        Workspace::List => {
            for row in store.workspaces().await? {
                println!("{}  {}", row.id, row.name);
            }
        }
        Workspace::DisconnectAll { workspace, confirm } => {
            let id = super::workspace(&store, &workspace).await?;
            super::connection::disconnect(&store, &context, id, Which::All, confirm).await?;
        }
    }
    Ok(())
}
