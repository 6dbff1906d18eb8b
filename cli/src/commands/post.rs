//! `mooring post`.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use clap::Args;
use mooring_domain::{ConnectionId, post::Content};
use mooring_gateway::acts::{self, ActError, SchedulePost};
use mooring_runtime::Context;
use mooring_store::{Actor, Refusal};

use crate::parts::{self, Secrets};

#[derive(Args)]
pub(crate) struct Post {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// Where it goes: connection ids, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
    to: Vec<ConnectionId>,
    /// What it says.
    #[arg(long)]
    text: String,
    /// A link to show with it.
    #[arg(long)]
    link: Option<String>,
    /// When it is due (RFC 3339). Default: now.
    #[arg(long, value_parser = super::time, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Goes before all others.
    #[arg(long)]
    critical: bool,
}

pub(crate) async fn run(post: Post, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::workspace(&store, &post.workspace).await?;
    let now = context.clock.now();
    let order = SchedulePost {
        connections: post.to,
        content: Content {
            text: post.text,
            link: post.link,
            ..Content::default()
        },
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
