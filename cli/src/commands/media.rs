//! `mooring media`: images and videos for posts.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Subcommand;
use mooring_gateway::acts::{self, MediaFrom, NewMedia};
use mooring_runtime::{Context, media};
use mooring_store::Actor;
use url::Url;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Media {
    /// Stores an image (JPEG, PNG, GIF, WebP) or a video (MP4, MOV) and prints its id, for `mooring post --media`.
    Add {
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
        /// A file, or an http or https address to fetch it from. Private addresses are refused.
        #[arg(value_name = "FILE|URL")]
        source: String,
        /// What people who cannot see it are told.
        #[arg(long)]
        alt: Option<String>,
    },
}

pub(crate) async fn run(command: Media, context: Context) -> anyhow::Result<()> {
    let Media::Add {
        workspace,
        source,
        alt,
    } = command;
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let workspace = super::workspace(&store, &workspace).await?;
    let files = parts::media(&context.config)?;
    let new = NewMedia {
        from: from(&context, &source).await?,
        alt,
    };
    let now = context.clock.now();
    let added = acts::add_media(&store, &files, &Actor::Cli, workspace, new, now).await?;
    println!("{}", added.id);
    Ok(())
}

/// An address where it begins as one, else a file.
async fn from(context: &Context, source: &str) -> anyhow::Result<MediaFrom> {
    if source.starts_with("https://") || source.starts_with("http://") {
        let url: Url = source.parse().context("url: cannot be read")?;
        return Ok(MediaFrom::Url {
            url,
            http: context.http.clone(),
            timeout: Duration::from_secs(context.config.media.fetch_timeout_s),
        });
    }
    let path = PathBuf::from(source);
    let bytes = media::read_file(&path).await;
    let bytes = bytes.with_context(|| format!("file: cannot read {}", path.display()))?;
    Ok(MediaFrom::Bytes(bytes))
}
