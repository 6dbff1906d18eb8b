//! Commands that do one thing and end.

pub(crate) mod app;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod post;
pub(crate) mod status;
pub(crate) mod workspace;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use mooring_domain::WorkspaceId;
use mooring_runtime::{Config, Context, boot, boot::Role};
use mooring_store::Store;

/// Boots a command: its log goes to standard error, its admin endpoints to a free port.
pub(crate) fn run<F, M>(role: Role, mut config: Config, main: F) -> ExitCode
where
    F: FnOnce(Context) -> M,
    M: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    config.admin.bind.set_port(0);
    "warn".clone_into(&mut config.telemetry.log);
    boot(role, config, |context| {
        let command = main(context);
        async move { command.await.map_err(Into::into) }
    })
}

/// A workspace by its name or id.
pub(crate) async fn workspace(store: &Store, text: &str) -> anyhow::Result<WorkspaceId> {
    if let Ok(id) = text.parse::<WorkspaceId>() {
        let known = store.workspaces().await.context("cannot list workspaces")?;
        if known.iter().any(|row| row.id == id) {
            return Ok(id);
        }
    } else if let Some(id) = store.workspace_named(text).await? {
        return Ok(id);
    }
    bail!("workspace: \"{text}\" does not exist; create it with: mooring workspace add NAME")
}
