//! Commands that do one thing and end.

pub(crate) mod admin;
pub(crate) mod api_key;
pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod doctor;
pub(crate) mod import;
mod import_file;
pub(crate) mod keys;
pub(crate) mod media;
pub(crate) mod migrate;
pub(crate) mod post;
pub(crate) mod proof;
pub(crate) mod restored;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod todo;
pub(crate) mod workspace;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::error::ErrorKind;
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

/// Says what is wrong with the words after `mooring`; ends the process where they only asked for help.
///
/// A value that cannot be read is one line, as every other bad input; a word that is not known brings its usage.
pub(crate) fn misused(error: &clap::Error) -> ExitCode {
    if error.kind() != ErrorKind::ValueValidation {
        error.exit();
    }
    let text = error.to_string();
    eprintln!("{}", text.lines().next().unwrap_or_default());
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Reads RFC 3339.
pub(crate) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|time| time.to_utc())
        .map_err(|_| "is no time; write it as 2026-01-31T12:00:00Z".to_owned())
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
