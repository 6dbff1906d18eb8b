//! `mooring vault`: the keys that seal stored tokens.

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Vault {
    /// Prints a fresh random key as a line for the key ring, `id:base64`. It is kept nowhere: put it into a file
    /// that only Mooring can read, name the file in `MOORING_VAULT__KEYS_FILE`, and back it up.
    NewKey {
        /// Its name in the ring: 1 to 32 of a-z, 0-9, '-' and '_'. Each key of a ring needs one of its own.
        #[arg(long, default_value = "k1")]
        id: String,
    },
}

/// Needs no configuration and no database: it is how the first key comes to be.
pub(crate) fn run(command: &Vault) -> ExitCode {
    let Vault::NewKey { id } = command;
    if let Ok(line) = mooring_vault::new_key_text(id) {
        println!("{}", line.expose());
        return ExitCode::SUCCESS;
    }
    // The only way to fail; the ring's own message counts keys, and here there is one.
    eprintln!(
        "mooring vault: id: {id:?} is no name for a key; use 1 to 32 of a-z, 0-9, '-' and '_'"
    );
    ExitCode::FAILURE
}
