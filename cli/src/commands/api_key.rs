//! `mooring api-key`.

use anyhow::Context as _;
use clap::Subcommand;
use mooring_domain::{KeyId, Role, WorkspaceId};
use mooring_gateway::acts;
use mooring_runtime::Context;
use mooring_store::{Actor, Store};

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum ApiKey {
    /// Makes a key and prints it. It is shown this once.
    Add {
        /// Who will use it.
        #[arg(long)]
        name: String,
        /// A workspace that it opens, by name; repeat it for several.
        #[arg(long = "workspace", required = true)]
        workspaces: Vec<String>,
        /// What it may do there: viewer, operator or admin.
        #[arg(long)]
        role: Role,
    },
    /// Lists the keys of a workspace.
    List {
        /// The workspace, by name.
        #[arg(long)]
        workspace: String,
    },
    /// Takes a key back, in every workspace that it opens.
    Revoke {
        /// The workspace, by name.
        #[arg(long)]
        workspace: String,
        /// The key's id, as `mooring api-key list` shows it.
        key: KeyId,
    },
}

pub(crate) async fn run(command: ApiKey, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let now = context.clock.now();
    match command {
        ApiKey::Add {
            name,
            workspaces,
            role,
        } => {
            let mut opened = Vec::new();
            for workspace in &workspaces {
                opened.push(named(&store, workspace).await?);
            }
            let created = acts::create_key(&store, &Actor::Cli, &name, &opened, role, now).await?;
            println!("{}", created.text.expose());
        }
        ApiKey::List { workspace } => {
            for row in store.keys(named(&store, &workspace).await?).await? {
                let state = if row.revoked_at.is_some() {
                    "revoked"
                } else {
                    "valid"
                };
                println!("{}  {}  {}  {}", row.id, row.role, state, row.name);
            }
        }
        ApiKey::Revoke { workspace, key } => {
            let workspace = named(&store, &workspace).await?;
            acts::revoke_key(&store, &Actor::Cli, workspace, key, now).await?;
            println!("{key} opens nothing any more");
        }
    }
    Ok(())
}

async fn named(store: &Store, name: &str) -> anyhow::Result<WorkspaceId> {
    let found = store.workspace_named(name).await?;
    found.with_context(|| {
        format!("workspace: \"{name}\" does not exist; see `mooring workspace list`")
    })
}
