//! `mooring post`.

mod change;
mod show;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use mooring_domain::{
    ConnectionId, MediaId, PostId,
    post::{Content, Format, plan::Due},
    time::seconds,
    zoned::{Fold, Gap},
};
use mooring_gateway::acts::{self, ActError, NewOverrides, SchedulePost, When};
use mooring_runtime::Context;
use mooring_store::{Actor, Refusal};

use crate::parts::{self, Secrets};

/// Without a word behind it, it schedules a post.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Post {
    #[command(subcommand)]
    command: Option<PostCommand>,
    #[command(flatten)]
    new: New,
}

#[derive(Subcommand)]
enum PostCommand {
    /// Lists posts, the newest first.
    List(show::List),
    /// Shows one post with its targets and attempts as JSON.
    Show(show::Show),
    /// Changes a post that has not begun anywhere.
    Edit(change::Edit),
    /// Cancels a post wherever it still waits, or one target of it.
    Cancel(change::Cancel),
    /// Publishes a target that has ended once more, as a new edition.
    Again(change::Again),
    /// Compares a post with its platforms now: finds what was lost, shows what is gone, captures links.
    Sync {
        /// The post.
        post: PostId,
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
    },
}

#[derive(Args)]
struct New {
    /// The workspace (name or id).
    #[arg(long, required = true)]
    workspace: Option<String>,
    /// Where it goes: connection ids, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
    to: Vec<ConnectionId>,
    /// What it says. May be left out where it shows media.
    #[arg(long, default_value = "", hide_default_value = true)]
    text: String,
    /// A link to show with it.
    #[arg(long)]
    link: Option<String>,
    /// What it shows, in this order: ids from `mooring media add`, separated by commas.
    #[arg(long, value_delimiter = ',')]
    media: Vec<MediaId>,
    /// The kind of post: feed, reel, story or short.
    #[arg(long, value_parser = format, default_value = "feed")]
    format: Format,
    /// A title, where the platform's posts have one.
    #[arg(long)]
    title: Option<String>,
    /// What it says otherwise: a file with JSON, as the API takes it under `overrides`.
    #[arg(long, value_name = "FILE")]
    overrides: Option<std::path::PathBuf>,
    #[command(flatten)]
    at: At,
    /// Goes before all others.
    #[arg(long)]
    critical: bool,
    /// How late it may begin, in seconds; after that it is missed. Default: as configured.
    #[arg(long, value_name = "SECONDS")]
    max_lateness: Option<u32>,
    /// It may say what another post says on the same connection within a day.
    #[arg(long)]
    allow_duplicate: bool,
}

/// When.
#[derive(Args)]
struct At {
    /// When it is due: RFC 3339, or with --zone what the clocks there show (2027-01-31T09:30). Default: now.
    #[arg(long = "at", value_name = "TIME")]
    time: Option<String>,
    /// The IANA zone of that time: Europe/Berlin.
    #[arg(long, requires = "time")]
    zone: Option<String>,
    /// Which side is meant, where the clocks are set forward over it: earlier or later.
    #[arg(long, requires = "zone", value_parser = gap)]
    gap: Option<Gap>,
    /// Which one is meant, where the clocks show it twice: first or second.
    #[arg(long, requires = "zone", value_parser = fold, default_value = "first")]
    fold: Fold,
}

impl At {
    fn due(&self) -> anyhow::Result<Option<Due>> {
        let Some(text) = &self.time else {
            return Ok(None);
        };
        let instant = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
        let when = match (&self.zone, instant) {
            (zone, Ok(at)) => When::At {
                at,
                zone: zone.clone(),
            },
            (Some(zone), Err(_)) => When::Wall {
                wall: text.clone(),
                zone: zone.clone(),
                gap: self.gap,
                fold: self.fold,
            },
            (None, Err(_)) => {
                return Err(anyhow!(
                    "--at: is no time; write it as 2026-01-31T12:00:00Z, or as 2026-01-31T12:00 with --zone"
                ));
            }
        };
        Ok(Some(when.due()?))
    }
}

pub(crate) async fn run(post: Post, context: Context) -> anyhow::Result<()> {
    match post.command {
        None => schedule(post.new, context).await,
        Some(PostCommand::List(list)) => show::list(list, &context).await,
        Some(PostCommand::Show(show)) => show::show(show, &context).await,
        Some(PostCommand::Edit(edit)) => change::edit(edit, &context).await,
        Some(PostCommand::Cancel(cancel)) => change::cancel(cancel, &context).await,
        Some(PostCommand::Again(again)) => change::again(again, &context).await,
        Some(PostCommand::Sync { post, workspace }) => {
            super::target::sync(post, &workspace, &context).await
        }
    }
}

async fn schedule(new: New, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let named = new.workspace.unwrap_or_default();
    let workspace = super::workspace(&store, &named).await?;
    let now = context.clock.now();
    let due = new.at.due()?.unwrap_or_else(|| now.into());
    let order = SchedulePost {
        connections: new.to,
        content: Content {
            text: new.text,
            link: new.link,
            title: new.title,
            format: new.format,
            ..Content::default()
        },
        media: new.media,
        overrides: new
            .overrides
            .as_deref()
            .map(overrides)
            .transpose()?
            .unwrap_or_default(),
        due: due.at,
        zoned: due.zoned,
        critical: new.critical,
        max_lateness: new.max_lateness.map(span),
        allow_duplicate: new.allow_duplicate,
    };
    let scheduled = acts::schedule_post(&store, &Actor::Cli, workspace, order, now)
        .await
        .map_err(|error| explained(error, &named))?;
    println!("{}", scheduled.post);
    for target in scheduled.targets {
        println!("  {target}");
    }
    announce(&context).await;
    Ok(())
}

/// Tells the schedulers. What was written stands: whoever took a failure here for one of the act would repeat it.
async fn announce(context: &Context) {
    if context.config.redis.url.is_some()
        && let Err(error) = wake(context).await
    {
        tracing::warn!(
            event.name = "post.not_announced",
            error = format!("{error:#}"),
            "the post is scheduled; schedulers were not told and find it by themselves"
        );
    }
}

/// Reads overrides from a file, in the API's form.
fn overrides(file: &Path) -> anyhow::Result<NewOverrides> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("--overrides: {shown} cannot be read"))?;
    acts::read_overrides(&text).with_context(|| format!("--overrides: {shown}"))
}

fn span(s: u32) -> TimeDelta {
    seconds(s.into())
}

/// When something happened, or will, to the second.
fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A hint to the schedulers, which look by themselves too.
async fn wake(context: &Context) -> anyhow::Result<()> {
    Ok(parts::queue(&context.config).await?.wake().await?)
}

fn explained(error: ActError, workspace: &str) -> anyhow::Error {
    match error {
        ActError::Refused(Refusal::NotFound { what }) => anyhow!(
            "to: {what} does not exist in this workspace; list them with: mooring status --workspace \"{workspace}\""
        ),
        other => other.into(),
    }
}

/// Reads the name of a kind of post.
fn format(text: &str) -> Result<Format, String> {
    let known = [Format::Feed, Format::Reel, Format::Story, Format::Short];
    let found = known.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| "is no kind of post; choose feed, reel, story or short".to_owned())
}

fn gap(text: &str) -> Result<Gap, String> {
    match text {
        "earlier" => Ok(Gap::Earlier),
        "later" => Ok(Gap::Later),
        _ => Err("is neither earlier nor later".to_owned()),
    }
}

fn fold(text: &str) -> Result<Fold, String> {
    match text {
        "first" => Ok(Fold::First),
        "second" => Ok(Fold::Second),
        _ => Err("is neither first nor second".to_owned()),
    }
}
