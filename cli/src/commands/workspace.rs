//! `mooring workspace`.

use clap::Subcommand;
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
}

pub(crate) async fn run(command: Workspace, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
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
    }
    Ok(())
}
