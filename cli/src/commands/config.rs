//! `mooring config`.

use std::process::ExitCode;

use clap::Subcommand;
use mooring_runtime::{Config, Sources};

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says whether the configuration can be used; names every problem.
    Check,
    /// Prints the configuration in force, without secrets.
    Print,
}

pub(crate) fn run(command: &ConfigCommand, sources: &Sources) -> ExitCode {
    match (Config::load(sources), command) {
        (Ok(_), ConfigCommand::Check) => println!("the configuration is good"),
        (Ok(config), ConfigCommand::Print) => print!("{}", config.print_redacted()),
        (Err(error), _) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
