//! `mooring`: the one executable. A role or a command per word; `mooring help` lists them.

mod commands;
mod demo;
mod parts;
mod policy;
mod roles;
mod vault_keys;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use mooring_runtime::{Config, Sources, boot, boot::Role};

/// Keeps social-media connections healthy and proves that every scheduled post went live.
#[derive(Parser)]
#[command(name = "mooring", version, about, disable_help_subcommand = false)]
struct Cli {
    /// Configuration file (TOML); environment variables win over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A whole fleet with simulated platforms in this process, to see it work.
    Demo(demo::Options),
    /// All roles in one process: on PostgreSQL and Redis where their URLs are set, else embedded.
    Up,
    /// Claims due jobs and fills the lanes. Any number of schedulers may run.
    Scheduler,
    /// Runs jobs.
    Worker {
        /// Lanes to serve, separated by commas: check, refresh, publish, verify, house. Default: as configured.
        #[arg(long, value_delimiter = ',')]
        lanes: Vec<String>,
    },
    /// Serves the API, and on the admin port the signal for autoscaling.
    Gateway,
    /// Brings the database's tables up to this version (or shows, or takes down).
    #[command(subcommand)]
    Migrate(commands::migrate::Migrate),
    /// After the database was restored from a backup, before anything else starts: what may have been published since
    /// is looked for before it is sent.
    Restored(commands::restored::Restored),
    /// Connects an account with a name and a password, where its platform takes such; the password comes on standard
    /// input.
    Connect(commands::connect::Connect),
    /// Makes a link by which somebody without a key can reconnect one connection, once.
    ReconnectLink(commands::connect::ReconnectLink),
    /// Brings things in from files.
    #[command(subcommand)]
    Import(commands::import::Import),
    /// Adds images and videos for posts.
    #[command(subcommand)]
    Media(commands::media::Media),
    /// Schedules a post; lists, shows, changes, cancels posts, compares one with its platforms, and publishes again.
    Post(Box<commands::post::Post>),
    /// What people did with published posts themselves: took one down, published one by hand.
    #[command(subcommand)]
    Target(commands::target::Target),
    /// Proofs of what went out: exports them, checks them, shows the keys to check them by.
    #[command(subcommand)]
    Proof(commands::proof::Proof),
    /// Shows the fleet in numbers, or one workspace in detail.
    Status(commands::status::Status),
    /// Checks that everything Mooring needs is there.
    Doctor,
    /// Shows or checks the configuration.
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    /// Creates and lists workspaces.
    #[command(subcommand)]
    Workspace(commands::workspace::Workspace),
    /// Lists, shows, changes, checks and disconnects connections.
    #[command(subcommand)]
    Connection(commands::connection::Connection),
    /// Shows what people have to do before something stops, the first due first.
    Tasks(commands::todo::Todo),
    /// Shows what happened and asks a person to act, the newest first.
    Alerts(commands::todo::Todo),
    /// Shows who did what, when, from where; the newest first.
    Audit(commands::audit::Audit),
    /// Registers our app at a platform.
    #[command(subcommand)]
    App(commands::app::App),
    /// Makes the first key to the API.
    #[command(subcommand)]
    Admin(commands::admin::Admin),
    /// Makes, lists and takes back keys to the API.
    #[command(subcommand)]
    ApiKey(commands::api_key::ApiKey),
    /// The keys that seal stored tokens: makes them, rotates them, shows what each has sealed.
    #[command(subcommand)]
    Keys(commands::keys::Keys),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return commands::misused(&error),
    };
    if let Command::Keys(commands::keys::Keys::New { id }) = &cli.command {
        return commands::keys::new(id);
    }
    if let Command::Proof(commands::proof::Proof::Verify(verify)) = &cli.command {
        return commands::proof::check(verify);
    }
    let sources = Sources::of_process(cli.config);
    if let Command::Config(command) = &cli.command {
        return commands::config::run(command, &sources);
    }
    let config = match Config::load(&sources) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    run(cli.command, config)
}

fn run(command: Command, config: Config) -> ExitCode {
    let quiet = |name| Role::command(name);
    match command {
        Command::Demo(options) => demo::run(options, config),
        Command::Up => boot("up", config, roles::up),
        Command::Scheduler => boot("scheduler", config, roles::scheduler),
        Command::Worker { lanes } => worker(lanes, config),
        Command::Gateway => boot("gateway", config, roles::gateway),
        Command::Migrate(command) => commands::run(quiet("migrate"), config, |context| {
            commands::migrate::run(command, context)
        }),
        Command::Restored(command) => commands::run(quiet("restored"), config, |context| {
            commands::restored::run(command, context)
        }),
        Command::Connect(command) => commands::run(quiet("connect"), config, |context| {
            commands::connect::run(command, context)
        }),
        Command::ReconnectLink(command) => {
            commands::run(quiet("reconnect-link"), config, |context| {
                commands::connect::link(command, context)
            })
        }
        Command::Import(command) => commands::run(quiet("import"), config, |context| {
            commands::import::run(command, context)
        }),
        Command::Media(command) => commands::run(quiet("media"), config, |context| {
            commands::media::run(command, context)
        }),
        Command::Post(command) => commands::run(quiet("post"), config, |context| {
            commands::post::run(*command, context)
        }),
        Command::Target(command) => commands::run(quiet("target"), config, |context| {
            commands::target::run(command, context)
        }),
        Command::Proof(command) => commands::run(quiet("proof"), config, |context| {
            commands::proof::run(command, context)
        }),
        Command::Status(command) => commands::run(quiet("status"), config, |context| {
            commands::status::run(command, context)
        }),
        Command::Doctor => commands::run(quiet("doctor"), config, commands::doctor::run),
        Command::Workspace(command) => commands::run(quiet("workspace"), config, |context| {
            commands::workspace::run(command, context)
        }),
        Command::Connection(command) => commands::run(quiet("connection"), config, |context| {
            commands::connection::run(command, context)
        }),
        Command::Tasks(command) => commands::run(quiet("tasks"), config, |context| {
            commands::todo::tasks(command, context)
        }),
        Command::Alerts(command) => commands::run(quiet("alerts"), config, |context| {
            commands::todo::alerts(command, context)
        }),
        Command::Audit(command) => commands::run(quiet("audit"), config, |context| {
            commands::audit::run(command, context)
        }),
        Command::App(command) => commands::run(quiet("app"), config, |context| {
            commands::app::run(command, context)
        }),
        Command::Admin(command) => commands::run(quiet("admin"), config, |context| {
            commands::admin::run(command, context)
        }),
        Command::ApiKey(command) => commands::run(quiet("api-key"), config, |context| {
            commands::api_key::run(command, context)
        }),
        Command::Keys(command) => commands::run(quiet("keys"), config, |context| {
            commands::keys::run(command, context)
        }),
        // Handled before the configuration was loaded, for it may be what is wrong.
        Command::Config(_) => ExitCode::FAILURE,
    }
}

fn worker(lanes: Vec<String>, mut config: Config) -> ExitCode {
    if !lanes.is_empty() {
        config.worker.lanes = lanes;
    }
    if let Err(error) = config.validate() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    boot("worker", config, roles::worker)
}
