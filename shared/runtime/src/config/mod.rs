//! Configuration: defaults < file < environment, one struct per concern, no unknown key.
//!
//! A value comes from, in rising order: the default written at its field, the TOML file named by `--config` or
//! `MOORING_CONFIG`, and the variable `MOORING_SECTION__KEY`. `MOORING_DATABASE_URL` and `MOORING_REDIS_URL` are
//! the only aliases. Every secret can be read from a file instead: `vault.keys_file`, `database.url_file`,
//! `redis.url_file`, `media.signing_key_file`, `proof.signing_key_file`, or their variables. Lists in variables are separated by commas.
//!
//! Loading reports every problem at once; each names the key, says what is wrong and gives the fix.

mod env;
mod known;
mod load;
mod platforms;
mod policy;
mod print;
mod secret;
mod sections;
mod validate;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use load::Sources;
pub use platforms::PlatformsConfig;
pub use policy::{PerLane, PolicyConfig};
pub use secret::{SecretText, SecretUrl};
pub use sections::{
    AdminConfig, DatabaseConfig, GatewayConfig, HttpConfig, MediaConfig, ProofConfig, RedisConfig,
    TelemetryConfig, VaultConfig, WorkerConfig,
};

/// Everything a process can be told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// A file that holds the time, for tests of several processes (`MOORING_CLOCK_FILE`). Refused unless every URL
    /// is loopback.
    pub clock_file: Option<PathBuf>,
    /// Where truth lives. No URL means the embedded SQLite.
    pub database: DatabaseConfig,
    /// The conveyor. No URL means the in-process queue.
    pub redis: RedisConfig,
    /// Where the platforms are.
    pub platforms: PlatformsConfig,
    /// The keys that seal credentials.
    pub vault: VaultConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// Outgoing calls.
    pub http: HttpConfig,
    /// Images and videos.
    pub media: MediaConfig,
    /// The proof ledger.
    pub proof: ProofConfig,
    /// Health and metrics endpoints.
    pub admin: AdminConfig,
    /// The public API.
    pub gateway: GatewayConfig,
    /// Lanes and slots of a worker process.
    pub worker: WorkerConfig,
    /// The product's times and limits.
    pub policy: PolicyConfig,
}

impl Config {
    /// Reads the sources, resolves `*_file` keys and validates the result.
    ///
    /// # Errors
    /// All problems found, each as one line.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let config = load::load(sources)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks every value and every pair of values that have to fit.
    ///
    /// # Errors
    /// All problems found, each as one line.
    pub fn validate(&self) -> Result<(), ConfigError> {
        validate::validate(self)
    }

    /// The whole configuration in force as TOML, with every secret replaced by `***`.
    #[must_use]
    pub fn print_redacted(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        print::to_toml(&value)
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key as it is written in the file, such as `policy.leases.check_s`.
    pub key: String,
    /// What is wrong, without any secret.
    pub wrong: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    pub(crate) fn new(
        key: impl Into<String>,
        wrong: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            wrong: wrong.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.wrong, self.fix)
    }
}

/// Why a configuration cannot be used: one problem or several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct ConfigError(pub Vec<Problem>);

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests;
