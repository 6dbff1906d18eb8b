//! `mooring post edit`, `cancel` and `again`.

use anyhow::bail;
use clap::Args;
use mooring_domain::{MediaId, PostId, TargetId, post::Format};
use mooring_gateway::acts::{self, EditPost, PublishAgainOrder};
use mooring_runtime::Context;
use mooring_store::Actor;

use super::{At, announce, format, overrides, span};
use crate::parts::{self, Secrets};

#[derive(Args)]
pub(super) struct Edit {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// The post.
    post: PostId,
    /// What it says.
    #[arg(long)]
    text: Option<String>,
    /// A link to show with it; an empty one takes it away.
    #[arg(long)]
    link: Option<String>,
    /// A title; an empty one takes it away.
    #[arg(long)]
    title: Option<String>,
    /// The kind of post: feed, reel, story or short.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// What it shows, in this order: all of it.
    #[arg(long, value_delimiter = ',')]
    media: Option<Vec<MediaId>>,
    /// What it says otherwise, all of it: a file with JSON, as the API takes it under `overrides`.
    #[arg(long, value_name = "FILE")]
    overrides: Option<std::path::PathBuf>,
    #[command(flatten)]
    at: At,
    /// Whether it goes before all others.
    #[arg(long)]
    critical: Option<bool>,
    /// How late it may begin, in seconds.
    #[arg(long, value_name = "SECONDS")]
    max_lateness: Option<u32>,
    /// It may say what another post says on the same connection within a day.
    #[arg(long)]
    allow_duplicate: bool,
}

#[derive(Args)]
pub(super) struct Cancel {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// The post, or a target of it.
    id: String,
}

#[derive(Args)]
pub(super) struct Again {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// The target.
    target: TargetId,
    #[command(flatten)]
    at: At,
    /// Also where it is out, or may be: it will be out twice.
    #[arg(long)]
    even_if_published: bool,
    /// It may say what another post says on the same connection within a day.
    #[arg(long)]
    allow_duplicate: bool,
}

pub(super) async fn edit(edit: Edit, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::super::workspace(&store, &edit.workspace).await?;
    let told = EditPost {
        text: edit.text,
        link: edit.link,
        title: edit.title,
        format: edit.format,
        media: edit.media,
        overrides: edit.overrides.as_deref().map(overrides).transpose()?,
        due: edit.at.due()?,
        critical: edit.critical,
        max_lateness: edit.max_lateness.map(|s| Some(span(s))),
        allow_duplicate: edit.allow_duplicate,
    };
    let now = context.clock.now();
    acts::edit_post(&store, &Actor::Cli, workspace, edit.post, &told, now).await?;
    println!("{} is changed", edit.post);
    announce(context).await;
    Ok(())
}

pub(super) async fn cancel(cancel: Cancel, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::super::workspace(&store, &cancel.workspace).await?;
    let now = context.clock.now();
    if let Ok(post) = cancel.id.parse::<PostId>() {
        acts::cancel_post(&store, &Actor::Cli, workspace, post, now).await?;
    } else if let Ok(target) = cancel.id.parse::<TargetId>() {
        acts::cancel_target(&store, &Actor::Cli, workspace, target, now).await?;
    } else {
        bail!("\"{}\" is neither a post's id nor a target's", cancel.id);
    }
    println!("{} is cancelled", cancel.id);
    Ok(())
}

pub(super) async fn again(again: Again, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::super::workspace(&store, &again.workspace).await?;
    let order = PublishAgainOrder {
        due: again.at.due()?.map(|due| due.at),
        even_if_published: again.even_if_published,
        allow_duplicate: again.allow_duplicate,
    };
    let now = context.clock.now();
    acts::publish_again(&store, &Actor::Cli, workspace, again.target, order, now).await?;
    println!("{} is published again", again.target);
    announce(context).await;
    Ok(())
}
