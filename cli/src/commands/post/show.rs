//! `mooring post list` and `mooring post show`.

use anyhow::bail;
use clap::Args;
use mooring_domain::{ConnectionId, PostId, post::PostState};
use mooring_gateway::acts;
use mooring_runtime::Context;
use mooring_store::{PostFilter, PostView};

use crate::parts::{self, Secrets};

/// Posts that a list reads at once.
const BATCH: u64 = 200;

#[derive(Args)]
pub(super) struct List {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// Only in this state: scheduled, publishing, published, `partially_published`, failed, cancelled, missed,
    /// unconfirmed or removed.
    #[arg(long, value_parser = state)]
    state: Option<PostState>,
    /// Only on this connection.
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Show {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// The post.
    post: PostId,
}

pub(super) async fn list(list: List, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::super::workspace(&store, &list.workspace).await?;
    let mut filter = PostFilter {
        state: list.state,
        connection: list.connection,
        limit: Some(BATCH),
        ..PostFilter::default()
    };
    let mut found: Vec<PostView> = Vec::new();
    loop {
        let views = store.post_views(workspace, &filter).await?;
        let is_last = (views.len() as u64) < BATCH;
        filter.before = views.last().map(|view| view.id.uuid());
        found.extend(views.into_iter().filter(|view| {
            let mut state = list.state.iter();
            state.all(|state| view.state() == *state)
        }));
        if is_last || found.len() >= list.limit {
            break;
        }
    }
    found.truncate(list.limit);
    if list.json {
        let posts: Vec<_> = found.into_iter().map(acts::post_as_json).collect();
        println!("{}", serde_json::to_string_pretty(&posts)?);
        return Ok(());
    }
    for view in found {
        let text: String = view.content.text.chars().take(60).collect();
        let due = super::shown(view.due);
        println!("{}  {due}  {:<19} {text}", view.id, view.state().as_str());
    }
    Ok(())
}

pub(super) async fn show(show: Show, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::super::workspace(&store, &show.workspace).await?;
    let Some(view) = store.post_view(workspace, show.post).await? else {
        bail!("{} does not exist in this workspace", show.post);
    };
    let post = acts::post_as_json(view);
    println!("{}", serde_json::to_string_pretty(&post)?);
    Ok(())
}

fn state(text: &str) -> Result<PostState, String> {
    PostState::parse(text).ok_or_else(|| {
        let known = PostState::ALL.map(PostState::as_str).join(", ");
        format!("is none of: {known}")
    })
}
