//! `mooring audit`.

use anyhow::Context as _;
use clap::Args;
use mooring_domain::Event;
use mooring_runtime::Context;
use serde_json::json;

use crate::parts::{self, Secrets};

/// Shows who did what, when, from where; the newest first.
#[derive(Args)]
pub(crate) struct Audit {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// Only about this: an id, bare or with its prefix.
    #[arg(long)]
    subject: Option<String>,
    /// Only of this name.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(Event::AUDITED))]
    event: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(audit: Audit, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::workspace(&store, &audit.workspace).await?;
    let names: Vec<&str> = match &audit.event {
        Some(name) => vec![name],
        None => Event::AUDITED.to_vec(),
    };
    let subject = audit.subject.as_deref().map(|text| {
        let bare = text.rsplit('_').next().unwrap_or(text);
        let id = bare.parse();
        id.with_context(|| format!("subject: \"{text}\" is no id; copy one from a list"))
    });
    let rows = store
        .events_before(
            workspace,
            Some(&names),
            subject.transpose()?,
            None,
            audit.limit,
        )
        .await?;
    for row in rows {
        if audit.json {
            let line = json!({
                "at": row.at,
                "event": row.name,
                "subject": row.subject,
                "actor": row.actor,
                "origin": row.origin,
                "data": row.data,
            });
            println!("{line}");
        } else {
            let from = row.origin.as_deref().unwrap_or("-");
            println!(
                "{}  {:<24} {}  {}  {from}",
                row.at.to_rfc3339(),
                row.name,
                row.subject,
                row.actor
            );
        }
    }
    Ok(())
}
