//! `mooring keys`: the keys that seal stored tokens.

mod rotate;
mod status;

use std::process::ExitCode;

use clap::Subcommand;
use mooring_runtime::Context;

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Prints a fresh random key as a line for the key ring, `id:base64`. It is kept nowhere: put it into a file
    /// that only Mooring can read, name the file in `MOORING_VAULT__KEYS_FILE`, and back it up.
    New {
        /// Its name in the ring: 1 to 32 of a-z, 0-9, '-' and '_'. Each key of a ring needs one of its own.
        #[arg(long, default_value = "k1")]
        id: String,
    },
    /// Puts another key in force: makes one in the key file (or prints it, where the ring is not in a file of ours),
    /// waits until every running process knows it, and has everything sealed anew in the background.
    Rotate(rotate::Rotate),
    /// Shows what is sealed with which key, and which key may be removed.
    Status(status::Status),
}

/// Prints a fresh key. Needs no configuration and no database: it is how the first key comes to be.
pub(crate) fn new(id: &str) -> ExitCode {
    if let Ok(line) = mooring_vault::new_key_text(id) {
        println!("{}", line.expose());
        return ExitCode::SUCCESS;
    }
    // The only way to fail; the ring's own message counts keys, and here there is one.
    eprintln!(
        "mooring keys: id: {id:?} is no name for a key; use 1 to 32 of a-z, 0-9, '-' and '_'"
    );
    ExitCode::FAILURE
}

pub(crate) async fn run(command: Keys, context: Context) -> anyhow::Result<()> {
    match command {
        // Handled before the configuration was loaded, for it may still be to come.
        Keys::New { .. } => Ok(()),
        Keys::Rotate(rotate) => rotate::run(rotate, context).await,
        Keys::Status(status) => status::run(status, context).await,
    }
}
