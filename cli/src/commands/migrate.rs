//! `mooring migrate`.

use clap::Subcommand;
use mooring_runtime::Context;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Migrate {
    /// Applies what is missing. Any number may run at once; one works, the others wait.
    Up,
    /// Lists what is missing.
    Status,
    /// Takes all tables down, with everything in them.
    Down {
        /// Says that losing all data is meant.
        #[arg(long)]
        yes_lose_everything: bool,
    },
}

pub(crate) async fn run(command: Migrate, context: Context) -> anyhow::Result<()> {
    // An embedded database is not changed under the process that works on it. A server's takes a lock of its own.
    let lock = match command {
        Migrate::Status => None,
        Migrate::Up | Migrate::Down { .. } => parts::lock_embedded(&context.config)?,
    };
    let store = parts::store(&context.config, Secrets::Unneeded).await?;
    let db = store.connection();
    match command {
        Migrate::Up => {
            mooring_migrations::up(db).await?;
            println!("the tables are up to date");
        }
        Migrate::Status => {
            let missing = mooring_migrations::pending(db).await?;
            for name in &missing {
                println!("missing: {name}");
            }
            println!("{} migration(s) missing", missing.len());
        }
        Migrate::Down {
            yes_lose_everything: false,
        } => {
            anyhow::bail!("this deletes every table; repeat it with --yes-lose-everything");
        }
        Migrate::Down {
            yes_lose_everything: true,
        } => {
            mooring_migrations::down(db).await?;
            println!("all tables are gone");
        }
    }
    drop(lock);
    Ok(())
}
