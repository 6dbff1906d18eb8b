//! `mooring post`.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mooring_domain::{
    ConnectionId, MediaId, PostId,
    post::{Content, Format},
};
use mooring_gateway::acts::{self, ActError, SchedulePost};
use mooring_runtime::Context;
use mooring_store::{Actor, Refusal};

use crate::parts::{self, Secrets};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Post {
    #[command(subcommand)]
    command: Option<PostCommand>,
    #[command(flatten)]
    new: Option<NewPost>,
}

#[derive(Subcommand)]
enum PostCommand {
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
pub(crate) struct NewPost {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
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
    /// When it is due (RFC 3339). Default: now.
    #[arg(long, value_parser = super::time, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Goes before all others.
    #[arg(long)]
    critical: bool,
}

pub(crate) async fn run(post: Post, context: Context) -> anyhow::Result<()> {
    match (post.command, post.new) {
        (Some(PostCommand::Sync { post, workspace }), _) => {
            super::target::sync(post, &workspace, &context).await
        }
        (None, Some(new)) => schedule(new, context).await,
        (None, None) => Err(anyhow!("say where the post goes: --workspace and --to")),
    }
}

async fn schedule(post: NewPost, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::workspace(&store, &post.workspace).await?;
    let now = context.clock.now();
    let order = SchedulePost {
        connections: post.to,
        content: Content {
            text: post.text,
            link: post.link,
            title: post.title,
            format: post.format,
            ..Content::default()
        },
        media: post.media,
        due: post.at.unwrap_or(now),
        critical: post.critical,
    };
    let scheduled = acts::schedule_post(&store, &Actor::Cli, workspace, order, now)
        .await
        .map_err(|error| explained(error, &post.workspace))?;
    println!("{}", scheduled.post);
    for target in scheduled.targets {
        println!("  {target}");
    }
    if context.config.redis.url.is_some()
        && let Err(error) = wake(&context).await
    {
        // The post stands. Whoever took this for a failure would schedule it twice.
        tracing::warn!(
            event.name = "post.not_announced",
            error = format!("{error:#}"),
            "the post is scheduled; schedulers were not told and find it by themselves"
        );
    }
    Ok(())
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
