//! `mooring workspace`.

use anyhow::Context as _;
use clap::Subcommand;
use mooring_domain::{Plan, Platform, connection::life::Which};
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
    /// Says what a workspace may connect. What is connected stays.
    Plan {
        /// Its name.
        name: String,
        /// The platforms that may be connected, separated by commas, or `all`.
        #[arg(long, value_delimiter = ',', required = true)]
        platforms: Vec<String>,
        /// Accounts per network: a number, or `unlimited`.
        #[arg(long)]
        per_platform: String,
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
        Workspace::Add { .. } | Workspace::Plan { .. } | Workspace::List => Secrets::Unneeded,
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
        Workspace::Plan {
            name,
            platforms,
            per_platform,
        } => {
            let workspace = super::workspace(&store, &name).await?;
            let plan = plan(&platforms, &per_platform)?;
            acts::set_plan(&store, &Actor::Cli, workspace, plan, context.clock.now()).await?;
            println!("{name} has its plan");
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

fn plan(platforms: &[String], per_platform: &str) -> anyhow::Result<Plan> {
    let platforms = match platforms {
        [all] if all == "all" => None,
        named => {
            let read = named.iter().map(|name| name.parse::<Platform>());
            Some(read.collect::<Result<_, _>>().context("platforms")?)
        }
    };
    let per_platform = match per_platform {
        "unlimited" => None,
        number => {
            let read = number.parse();
            Some(read.context("per-platform: must be a number, or `unlimited`")?)
        }
    };
    Ok(Plan {
        platforms,
        per_platform,
    })
}
