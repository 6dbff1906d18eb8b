//! Reading the rows of an import file: JSON lines or CSV.
//!
//! A row that cannot be read is a problem with a line and a field, never the end of the reading. No problem
//! repeats a value: any of them may be a token, also one that stands in the wrong place.

use std::{collections::HashSet, path::Path};

use anyhow::{Context as _, bail};
use chrono::DateTime;
use mooring_gateway::acts::{ImportRow, RowProblem};
use serde_json::{Map, Value};

/// The rows that can be read, with their lines, and the problems of the others.
pub(super) type Read = (Vec<(usize, ImportRow)>, Vec<RowProblem>);

/// The fields of an [`ImportRow`]: those that every row has, first.
const FIELDS: [&str; 15] = [
    "workspace",
    "platform",
    "remote_id",
    "name",
    "access_token",
    "brand",
    "user_id",
    "page_token",
    "refresh_token",
    "issued_at",
    "access_expires_at",
    "refresh_expires_at",
    "scopes",
    "host",
    "binding",
];
const REQUIRED: usize = 5;
const TIMES: [&str; 3] = ["issued_at", "access_expires_at", "refresh_expires_at"];

/// Where all of this is explained.
const HELP: &str = "docs/how-to/import-connections.md lists the fields";

/// The longest unknown name that is repeated. Tokens are longer.
const NAME_MAX: usize = 24;

/// Reads a file by its extension.
pub(super) fn read(file: &Path) -> anyhow::Result<Read> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).with_context(|| format!("file: cannot read {shown}"))?;
    // Spreadsheets like to begin their files with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "ndjson") => Ok(read_json(text)),
        Some("csv") => read_csv(text),
        _ => bail!("file: {shown} is neither .jsonl nor .csv; rename it to what it holds"),
    }
}

fn read_json(text: &str) -> Read {
    let mut read = Read::default();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match serde_json::from_str::<ImportRow>(line) {
            Ok(row) => read.0.push((index + 1, without_blanks(row))),
            Err(error) => read.1.push(json_problem(index + 1, line, &error)),
        }
    }
    read
}

fn json_problem(line: usize, text: &str, error: &serde_json::Error) -> RowProblem {
    let (field, problem) = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) if error.to_string().starts_with("duplicate field") => {
            ("row", "has a field twice; keep one of them".to_owned())
        }
        Ok(Value::Object(fields)) => diagnose(&fields),
        Ok(_) => (
            "row",
            format!("is not a JSON object; write {{\"workspace\": …}}; {HELP}"),
        ),
        Err(broken) => {
            let place = broken.column();
            (
                "row",
                format!("is not JSON (column {place}); write one object per line; {HELP}"),
            )
        }
    };
    RowProblem {
        line,
        field,
        problem,
    }
}

fn read_csv(text: &str) -> anyhow::Result<Read> {
    let mut read = Read::default();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .context("file: the first line cannot be read")?
        .clone();
    check_headers(&headers)?;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let problem =
                    "has more or fewer fields than the first line; mend the commas and quotes";
                read.1.push(RowProblem {
                    line: line_of(error.position()),
                    field: "row",
                    problem: problem.to_owned(),
                });
                continue;
            }
        };
        let line = line_of(record.position());
        if let Ok(row) = record.deserialize::<ImportRow>(Some(&headers)) {
            read.0.push((line, without_blanks(row)));
        } else {
            let (field, problem) = diagnose(&fields_of(&headers, &record));
            read.1.push(RowProblem {
                line,
                field,
                problem,
            });
        }
    }
    Ok(read)
}

/// A file without a line of names would otherwise have its first connection, token and all, taken for names.
fn check_headers(headers: &csv::StringRecord) -> anyhow::Result<()> {
    let missing: Vec<&str> = FIELDS[..REQUIRED]
        .iter()
        .copied()
        .filter(|name| !headers.iter().any(|h| h == *name))
        .collect();
    if !missing.is_empty() {
        bail!(
            "file: the first line must name the columns, and {} is not among them; {HELP}",
            missing.join(", ")
        );
    }
    let mut seen = HashSet::new();
    for name in headers {
        if !FIELDS.contains(&name) {
            bail!("file: {} is no column; {HELP}", harmless(name));
        }
        if !seen.insert(name) {
            bail!("file: the column {name} stands twice; keep one of them");
        }
    }
    Ok(())
}

fn fields_of(headers: &csv::StringRecord, record: &csv::StringRecord) -> Map<String, Value> {
    let cells = headers
        .iter()
        .zip(record)
        .filter(|(_, cell)| !cell.is_empty());
    cells
        .map(|(name, cell)| (name.to_owned(), Value::from(cell)))
        .collect()
}

fn line_of(position: Option<&csv::Position>) -> usize {
    position.map_or(0, |at| usize::try_from(at.line()).unwrap_or(usize::MAX))
}

/// Says which field of an unreadable row is at fault.
fn diagnose(fields: &Map<String, Value>) -> (&'static str, String) {
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return ("row", format!("{} is no field; {HELP}", harmless(name)));
    }
    for name in FIELDS {
        let required = FIELDS[..REQUIRED].contains(&name);
        match fields.get(name) {
            None | Some(Value::Null) if required => {
                return (name, "is missing; every connection needs one".to_owned());
            }
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                if TIMES.contains(&name) && DateTime::parse_from_rfc3339(text).is_err() {
                    return (
                        name,
                        "is no time; write it as 2026-01-31T12:00:00Z".to_owned(),
                    );
                }
            }
            Some(_) => return (name, "is no text; write it in quotes".to_owned()),
        }
    }
    ("row", format!("cannot be read; {HELP}"))
}

/// A name, unless it may be something else that came into its place.
fn harmless(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == ' ';
    if name.len() <= NAME_MAX && name.chars().all(plain) {
        format!("\"{name}\"")
    } else {
        "one of the names".to_owned()
    }
}

/// In a table an empty cell means "none"; so it does in JSON.
fn without_blanks(row: ImportRow) -> ImportRow {
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    ImportRow {
        brand: some(row.brand),
        user_id: some(row.user_id),
        page_token: some(row.page_token),
        refresh_token: some(row.refresh_token),
        scopes: some(row.scopes),
        host: some(row.host),
        ..row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_a_row() {
        let Err(error) = serde_json::from_str::<ImportRow>(r#"{"no such field": 1}"#) else {
            panic!("a row has no such field");
        };
        let told = error.to_string();
        let mut known: Vec<&str> = told.split('`').skip(1).step_by(2).skip(1).collect();
        let mut ours = FIELDS.to_vec();
        known.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, known);
        for required in &FIELDS[..REQUIRED] {
            let all = FIELDS[..REQUIRED].iter().filter(|name| *name != required);
            let row: Map<String, Value> =
                all.map(|name| ((*name).to_owned(), "x".into())).collect();
            assert!(
                serde_json::from_value::<ImportRow>(row.into()).is_err(),
                "{required} is required"
            );
        }
    }
}
