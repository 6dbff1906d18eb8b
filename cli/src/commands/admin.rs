//! `mooring admin`.

use clap::Subcommand;
use mooring_gateway::acts;
use mooring_runtime::Context;
use mooring_store::Actor;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Admin {
    /// Makes the first key to the API, an admin's, and prints it. It is shown this once; later ones are made with
    /// `mooring api-key add`.
    Bootstrap {
        /// The workspace that the key opens; created where it does not exist.
        #[arg(long, default_value = "main")]
        workspace: String,
    },
}

pub(crate) async fn run(command: Admin, context: Context) -> anyhow::Result<()> {
    let Admin::Bootstrap { workspace } = command;
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let now = context.clock.now();
    let created = acts::bootstrap(&store, &Actor::Cli, &workspace, now).await?;
    println!("{}", created.text.expose());
    Ok(())
}
