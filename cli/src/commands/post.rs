//! `mooring post`.

use chrono::{DateTime, Utc};
use clap::Args;
use mooring_domain::{ConnectionId, post::Content};
use mooring_gateway::acts::{self, SchedulePost};
use mooring_runtime::Context;
use mooring_store::Actor;

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
    #[arg(long)]
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
        },
        due: post.at.unwrap_or(now),
        critical: post.critical,
    };
    let scheduled = acts::schedule_post(&store, &Actor::Cli, workspace, order, now).await?;
    if context.config.redis.url.is_some() {
        // Only a hint; without it the schedulers find the post within a second.
        parts::queue(&context.config).await?.wake().await?;
    }
    println!("{}", scheduled.post);
    for target in scheduled.targets {
        println!("  {target}");
    }
    Ok(())
}
