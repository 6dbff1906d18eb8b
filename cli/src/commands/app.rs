//! `mooring app`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use mooring_domain::{AppId, Platform};
use mooring_gateway::{
    acts::{self, NewApp},
    site::Site,
};
use mooring_providers::AppCredentials;
use mooring_runtime::Context;
use mooring_store::Actor;
use mooring_vault::Secret;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum App {
    /// Registers our app at a platform and prints its id.
    Add {
        /// facebook or bluesky.
        #[arg(long)]
        platform: Platform,
        /// The platform's id for our app.
        #[arg(long)]
        client_id: String,
        /// A file with the app's secret.
        #[arg(long, value_name = "FILE")]
        client_secret_file: PathBuf,
        /// Only for this workspace (name or id). Default: for all.
        #[arg(long)]
        workspace: Option<String>,
        /// The platform's address, where it is not the public one.
        #[arg(long)]
        base_url: Option<String>,
    },
    /// Shows the addresses to enter at the platform for webhooks, and the word for its handshake; keeps the secret that it
    /// signs with, where that is another one than the app's.
    Webhook {
        /// The app, as `mooring app add` printed it.
        app: AppId,
        /// A file with the secret that the platform signs webhooks with (X: the consumer secret).
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
}

pub(crate) async fn run(command: App, context: Context) -> anyhow::Result<()> {
    let (platform, client_id, client_secret_file, workspace, base_url) = match command {
        App::Add {
            platform,
            client_id,
            client_secret_file,
            workspace,
            base_url,
        } => (platform, client_id, client_secret_file, workspace, base_url),
        App::Webhook { app, secret_file } => return webhook(app, secret_file, &context).await,
    };
    let secret = std::fs::read_to_string(&client_secret_file).with_context(|| {
        format!(
            "client_secret_file: cannot read {}",
            client_secret_file.display()
        )
    })?;
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let workspace = match workspace {
        Some(text) => Some(super::workspace(&store, &text).await?),
        None => None,
    };
    let new = NewApp {
        workspace,
        platform,
        client_id,
        client_secret: Secret::from(secret.trim()),
        base_url,
    };
    let app = acts::register_app(&store, &Actor::Cli, new, context.clock.now()).await?;
    println!("{app}");
    Ok(())
}

async fn webhook(app: AppId, secret: Option<PathBuf>, context: &Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    if let Some(file) = secret {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("secret_file: cannot read {}", file.display()))?;
        let (secret, now) = (Secret::from(text.trim()), context.clock.now());
        acts::set_webhook_secret(&store, &Actor::Cli, app, secret, now).await?;
    }
    let known = store.hook_app(app).await?;
    let known = known.with_context(|| format!("{app} does not exist"))?;
    let gateway = &context.config.gateway;
    let site = Site::of(gateway, Some(gateway.bind));
    let (platform, id) = (known.platform.as_str(), app.to_string());
    let address = site
        .hook(platform, &id)
        .context("gateway.public_url: say where platforms reach the gateway")?;
    println!("webhook      {address}");
    println!("deauthorize  {address}/deauthorize");
    println!("deletion     {address}/deletion");
    let credentials = AppCredentials {
        client_id: known.app.client_id,
        client_secret: known.app.client_secret,
    };
    let registry = parts::registry(context)?;
    let made = registry.of(known.platform).webhook_word(&credentials);
    if let (None, Some(word)) = (known.webhook_secret, made) {
        // Shown to whoever runs this, for entering it at the platform; it opens nothing but the handshake.
        println!("verify token {}", word.expose());
    }
    Ok(())
}
