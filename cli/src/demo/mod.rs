//! `mooring demo`: a whole fleet in one process, on simulated platforms that fail on demand.
//!
//! The same code paths as in production, on SQLite and the in-process queue. What was really published is read
//! from the platforms' own ledger, so doubles and losses are counted from outside.

mod others;
mod posts;
mod screen;
mod seed;
mod tally;
mod trouble;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use mooring_domain::Policy;
use mooring_gateway::Gateway;
use mooring_providers::{BaseUrls, Registry};
use mooring_queue::MemoryQueue;
use mooring_runtime::{
    Config, Context, MediaStore, boot, boot::Role, lifecycle::TaskResult, media::LinkKeys,
};
use mooring_simulator::{Options as SimulatorOptions, RunningSimulator, Simulator};
use mooring_store::{Options as StoreOptions, Store};
use mooring_vault::KeyRing;

use crate::{policy, roles};

/// How the demo runs.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Ends by itself after this long, for example 60s or 2m. Default: runs until Ctrl-C.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    exit_after: Option<Duration>,
    /// The last line is one JSON object with what happened.
    #[arg(long)]
    json: bool,
    /// Whether the platforms misbehave: lost answers, 5xx, 429, errors although created, garbage.
    #[arg(long, default_value = "on")]
    faults: Switch,
    /// Decides the platforms' ids and misfortunes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Runs the demo. The exit status is 1 when anything was doubled or lost.
pub(crate) fn run(options: Options, mut config: Config) -> ExitCode {
    config.admin.bind.set_port(0);
    config.gateway.bind.set_port(0);
    config.http.allow_private_addresses = true;
    "error".clone_into(&mut config.telemetry.log);
    // What the first signal leaves in flight is told as unresolved; nobody wants to wait for it at a demo.
    config.worker.drain_s = 5;
    boot(Role::command("demo"), config, |context| {
        play(context, options)
    })
}

async fn play(context: Context, options: Options) -> TaskResult {
    let folder = Folder::make(&context)?;
    let simulator = Simulator::start(SimulatorOptions {
        seed: options.seed,
        ..SimulatorOptions::default()
    })
    .await
    .context("cannot start the simulated platforms")?;
    let store = open(&context, &folder).await?;
    let files = MediaStore::in_memory(context.config.media.max_bytes);
    let seeded = seed::seed(&context, &store, &simulator, &files).await?;
    if options.faults == Switch::On {
        trouble::stir(&simulator)?;
    }
    let registry = registry(&context, &simulator)?;
    let (gateway, media) = public_media(&context, &store, files, &registry).await?;
    let queue = Arc::new(MemoryQueue::new());
    roles::serve_all(&context, store.clone(), queue, registry, media, gateway).await?;
    let stage = screen::Screen::new();
    let deadline = options
        .exit_after
        .map(|after| tokio::time::Instant::now() + after);
    let soft = context.lifecycle.soft().clone();
    loop {
        let tally = tally::Tally::take(&context, &store, &simulator, &seeded).await?;
        stage.show(&tally);
        let wait = screen::REFRESH;
        let over = deadline.is_some_and(|end| tokio::time::Instant::now() + wait >= end);
        tokio::select! {
            () = soft.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
        if over {
            break;
        }
    }
    let tally = tally::Tally::take(&context, &store, &simulator, &seeded).await?;
    stage.end(&tally);
    if options.json {
        println!("{}", serde_json::to_string(&tally)?);
    }
    drop(folder);
    if tally.doubled > 0 || tally.lost > 0 {
        return Err(anyhow::anyhow!("{} doubled, {} lost", tally.doubled, tally.lost).into());
    }
    Ok(())
}

async fn open(context: &Context, folder: &Folder) -> anyhow::Result<Store> {
    let options = StoreOptions {
        url: format!(
            "sqlite://{}?mode=rwc",
            folder.0.join("mooring.db").display()
        ),
        max_connections: 1,
    };
    let policy = Policy {
        public_media: true,
        ..policy::policy(&context.config)
    };
    let store = Store::open(options, KeyRing::generate(), policy).await?;
    mooring_migrations::up(store.connection()).await?;
    Ok(store)
}

/// The gateway, and the files at addresses that it serves: some platforms fetch what a post shows.
async fn public_media(
    context: &Context,
    store: &Store,
    files: MediaStore,
    registry: &Arc<Registry>,
) -> anyhow::Result<(Gateway, MediaStore)> {
    let text = mooring_vault::new_key_text("demo")?;
    let keys = LinkKeys::parse(text.expose()).context("a fresh key is too short")?;
    let files = files.with_links(None, keys.clone());
    let gateway = Gateway::bind(
        context.clone(),
        store.clone(),
        files.clone(),
        Arc::clone(registry),
    )
    .await?;
    let url = format!("http://{}", gateway.address()?).parse()?;
    Ok((gateway, files.with_links(Some(url), keys)))
}

fn registry(context: &Context, simulator: &RunningSimulator) -> anyhow::Result<Arc<Registry>> {
    let urls = BaseUrls::simulated(&simulator.base_url().parse()?);
    Ok(Arc::new(Registry::new(
        &context.http,
        &context.clock,
        &urls,
    )))
}

/// A folder of this run's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn make(context: &Context) -> anyhow::Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("mooring-demo-{}", context.process.simple()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(event.name = "demo.folder_left", folder = %self.0.display(), error = %error, "the demo's folder could not be removed");
        }
    }
}

/// Reads `90`, `90s`, `2m` or `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("\"{text}\" is no time; write it as 60s or 2m"))?;
    match &text[digits.len()..] {
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        "ms" => Ok(Duration::from_millis(number)),
        unit => Err(format!("\"{unit}\" is no unit of time; use ms, s or m")),
    }
}
