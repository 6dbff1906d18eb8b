//! `mooring app`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use mooring_domain::Platform;
use mooring_gateway::acts::{self, NewApp};
use mooring_runtime::Context;
use mooring_store::Actor;
use mooring_vault::Secret;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum App {
    /// Registers our app at a platform and prints its id.
    Add {
        /// facebook or bluesky.
        #[arg(long)]
        platform: Platform,
        /// The platform's id for our app.
        #[arg(long)]
        client_id: String,
        /// A file with the app's secret.
        #[arg(long, value_name = "FILE")]
        client_secret_file: PathBuf,
        /// Only for this workspace (name or id). Default: for all.
        #[arg(long)]
        workspace: Option<String>,
        /// The platform's address, where it is not the public one.
        #[arg(long)]
        base_url: Option<String>,
    },
}

pub(crate) async fn run(command: App, context: Context) -> anyhow::Result<()> {
    let App::Add {
        platform,
        client_id,
        client_secret_file,
        workspace,
        base_url,
    } = command;
    let secret = std::fs::read_to_string(&client_secret_file).with_context(|| {
        format!(
            "client_secret_file: cannot read {}",
            client_secret_file.display()
        )
    })?;
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let workspace = match workspace {
        Some(text) => Some(super::workspace(&store, &text).await?),
        None => None,
    };
    let new = NewApp {
        workspace,
        platform,
        client_id,
        client_secret: Secret::from(secret.trim()),
        base_url,
    };
    let app = acts::register_app(&store, &Actor::Cli, new, context.clock.now()).await?;
    println!("{app}");
    Ok(())
}
