//! `mooring import`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use mooring_gateway::acts::{self, ImportRow, RowProblem};
use mooring_runtime::Context;
use mooring_store::Actor;

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

/// How many bad rows are listed.
const LISTED: usize = 50;

pub(crate) async fn run(command: Import, context: Context) -> anyhow::Result<()> {
    let Import::Connections { file, skip_bad } = command;
    let (rows, mut bad) = read(&file)?;
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let now = context.clock.now();
    let (good, refused) = acts::check_import(&store, rows, now).await?;
    bad.extend(refused);
    bad.sort_by_key(|problem| problem.line);
    for problem in bad.iter().take(LISTED) {
        eprintln!("line {}: {}: {}", problem.line, problem.field, problem.problem);
    }
    if bad.len() > LISTED {
        eprintln!("… and {} more", bad.len() - LISTED);
    }
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

type Read = (Vec<(usize, ImportRow)>, Vec<RowProblem>);

/// Reads a file; rows that cannot be read at all are problems too.
fn read(file: &Path) -> anyhow::Result<Read> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("file: cannot read {}", file.display()))?;
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "ndjson") => Ok(read_json(&text)),
        Some("csv") => read_csv(&text),
        _ => bail!("file: {} is neither .jsonl nor .csv; rename it to what it holds", file.display()),
    }
}

fn read_json(text: &str) -> Read {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(row) => rows.push((index + 1, row)),
            Err(error) => bad.push(unreadable(index + 1, harmless(&error.to_string()))),
        }
    }
    (rows, bad)
}

fn read_csv(text: &str) -> anyhow::Result<Read> {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().context("file: the first line must name the columns")?.clone();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
                match record.deserialize::<ImportRow>(Some(&headers)) {
                    Ok(row) => rows.push((line, row)),
                    Err(error) => bad.push(unreadable(line, harmless(&cause(&error)))),
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
                bad.push(unreadable(line, "is not a CSV record with as many fields as the first line; mend the commas and quotes".to_owned()));
            }
        }
    }
    Ok((rows, bad))
}

fn cause(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        other => format!("{other:?}"),
    }
}

fn unreadable(line: usize, problem: String) -> RowProblem {
    RowProblem {
        line,
        field: "row",
        problem,
    }
}

/// A parser's message may quote the value that it could not read, and values may be tokens: what stands in
/// quotes is kept only where it is the name of a field.
fn harmless(message: &str) -> String {
    let named = message.starts_with("unknown field") || message.starts_with("missing field");
    if named {
        return message.to_owned();
    }
    let end = message.find(['"', '`', '\'']).unwrap_or(message.len());
    format!("{}; see the list of fields in docs/how-to/import-connections.md", message[..end].trim_end())
}
