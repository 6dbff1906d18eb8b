//! `mooring-simulator`: the fake platforms as a program of their own.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use mooring_simulator::{Options, SimClock, Simulator};
use serde_json::json;

/// Fake social platforms for tests, on this machine only.
#[derive(Parser)]
#[command(name = "mooring-simulator", version)]
struct Arguments {
    /// Loopback address to listen on; port 0 chooses a free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    bind: SocketAddr,
    /// File that holds the time (RFC 3339 or milliseconds since the epoch).
    #[arg(long, env = mooring_simulator::CLOCK_FILE_VARIABLE, value_name = "FILE")]
    clock_file: Option<PathBuf>,
    /// Decides ids, tokens and the fate of calls.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() {
    if let Err(error) = run(Arguments::parse()).await {
        let cause = error.source().map_or(String::new(), |s| format!(" ({s})"));
        eprintln!("mooring-simulator: {error}{cause}");
        std::process::exit(1);
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let clock = match &arguments.clock_file {
        Some(path) => SimClock::file(path)?,
        None => SimClock::system(),
    };
    let options = Options {
        bind: arguments.bind,
        clock,
        seed: arguments.seed,
    };
    let simulator = Simulator::start(options).await?;
    let urls = json!({
        "base_url": simulator.base_url(),
        "facebook_url": simulator.facebook_url(),
        "bluesky_url": simulator.bluesky_url(),
        "admin_url": format!("{}/admin", simulator.base_url()),
    });
    println!("{urls}");
    wait_for_the_end().await?;
    simulator.shutdown().await;
    Ok(())
}

/// Interrupt, or the polite request to end.
async fn wait_for_the_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
