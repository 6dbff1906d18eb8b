//! `mooring import`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use mooring_gateway::acts::{self, RowProblem};
use mooring_runtime::Context;
use mooring_store::Actor;

use super::import_file;
use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Import {
    /// Connections, one per line (.jsonl) or record (.csv). Nothing is imported when a row is bad.
    Connections {
        /// The file.
        file: PathBuf,
        /// Imports the good rows and lists the bad ones.
        #[arg(long)]
        skip_bad: bool,
    },
}

/// How many bad rows are listed where nothing was imported; whoever skips them is told all.
const LISTED: usize = 50;

pub(crate) async fn run(command: Import, context: Context) -> anyhow::Result<()> {
    let Import::Connections { file, skip_bad } = command;
    let (rows, mut bad) = import_file::read(&file)?;
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let now = context.clock.now();
    let (good, refused) = acts::check_import(&store, rows, now).await?;
    bad.extend(refused);
    bad.sort_by_key(|problem| problem.line);
    list(&bad, if skip_bad { usize::MAX } else { LISTED });
    if !bad.is_empty() && !skip_bad {
        bail!(
            "{} of {} rows are bad; nothing was imported (mend them, or add --skip-bad)",
            bad.len(),
            bad.len() + good.len()
        );
    }
    let imported = acts::import_connections(&store, &Actor::Cli, good, now).await?;
    println!(
        "{} connections imported with {} new grants, {} rows skipped",
        imported.connections,
        imported.grants,
        bad.len()
    );
    Ok(())
}

/// One line per bad row, on standard error.
fn list(bad: &[RowProblem], most: usize) {
    for problem in bad.iter().take(most) {
        eprintln!(
            "line {}: {}: {}",
            problem.line, problem.field, problem.problem
        );
    }
    if bad.len() > most {
        eprintln!("… and {} more", bad.len() - most);
    }
}
