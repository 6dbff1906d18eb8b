//! Reading the sources in order, and refusing every key that nothing reads.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::Dict;

use super::env::{CONFIG_VARIABLE, read_env};
use super::known::{default_tree, unknown_keys};
use super::{Config, ConfigError, Problem, SecretText, SecretUrl};

/// Keys whose values never appear in a message.
const SECRETS: [&str; 5] = [
    "database.url",
    "redis.url",
    "vault.keys",
    "media.signing_key",
    "proof.signing_key",
];

/// Where a configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The TOML file of `--config`. `MOORING_CONFIG` names one when this is `None`.
    pub file: Option<PathBuf>,
    /// Environment variables. Those that do not begin with `MOORING_` are ignored.
    pub env: Vec<(String, String)>,
}

impl Sources {
    /// The variables of this process, and the file of `--config` if there was one.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            file,
            env: std::env::vars_os().filter_map(text).collect(),
        }
    }

    fn file(&self) -> Option<PathBuf> {
        let named = |(name, value): &(String, String)| {
            (name == CONFIG_VARIABLE && !value.is_empty()).then(|| PathBuf::from(value))
        };
        self.file
            .clone()
            .or_else(|| self.env.iter().find_map(named))
    }
}

/// Merges the sources and resolves the `*_file` keys; validation comes after.
pub(super) fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let defaults = default_tree();
    let mut problems = Vec::new();
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = sources.file() {
        match read_file(&path) {
            Ok(file) => {
                unknown_keys(&file, &defaults, "", &path, &mut problems);
                figment = figment.merge(Serialized::defaults(file));
            }
            Err(problem) => problems.push(problem),
        }
    }
    let env = read_env(&sources.env, &defaults, &mut problems);
    figment = figment.merge(Serialized::defaults(env));
    if !problems.is_empty() {
        return Err(ConfigError(problems));
    }
    let mut config: Config = figment
        .extract()
        .map_err(|e| ConfigError(e.into_iter().map(|e| type_problem(&e)).collect()))?;
    resolve_files(&mut config, &mut problems);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError(problems))
    }
}

fn read_file(path: &Path) -> Result<Dict, Problem> {
    let key = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Problem::new(
            &key,
            format!("cannot read the configuration file ({e})"),
            "check --config and MOORING_CONFIG",
        )
    })?;
    Toml::from_str::<Dict>(&text).map_err(|e| {
        // The parser quotes the line it stumbled over, which may hold a secret: keep the position and the reason.
        let message = e.to_string();
        let place = message.lines().next().unwrap_or_default().to_owned();
        let reason = message
            .lines()
            .last()
            .filter(|l| **l != *place)
            .unwrap_or_default();
        Problem::new(
            key,
            format!("{place} {reason}").trim().to_owned(),
            "correct the TOML at that place",
        )
    })
}

fn type_problem(error: &figment::Error) -> Problem {
    let key = error.path.join(".");
    let wrong = match &error.kind {
        _ if SECRETS.contains(&key.as_str()) => "the value has the wrong type".to_owned(),
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            format!("{actual} is not {expected}")
        }
        other => other.to_string(),
    };
    Problem::new(
        key,
        wrong,
        "correct its value; `mooring config print` shows every key with its type",
    )
}

fn resolve_files(config: &mut Config, problems: &mut Vec<Problem>) {
    let database = config.database.url_file.clone();
    resolve(
        "database.url",
        database.as_deref(),
        &mut config.database.url,
        SecretUrl::from,
        problems,
    );
    let redis = config.redis.url_file.clone();
    resolve(
        "redis.url",
        redis.as_deref(),
        &mut config.redis.url,
        SecretUrl::from,
        problems,
    );
    let keys = config.vault.keys_file.clone();
    resolve(
        "vault.keys",
        keys.as_deref(),
        &mut config.vault.keys,
        SecretText::from,
        problems,
    );
    let key = config.media.signing_key_file.clone();
    resolve(
        "media.signing_key",
        key.as_deref(),
        &mut config.media.signing_key,
        SecretText::from,
        problems,
    );
    let key = config.proof.signing_key_file.clone();
    resolve(
        "proof.signing_key",
        key.as_deref(),
        &mut config.proof.signing_key,
        SecretText::from,
        problems,
    );
}

fn resolve<T>(
    key: &str,
    file: Option<&Path>,
    value: &mut Option<T>,
    wrap: impl Fn(String) -> T,
    problems: &mut Vec<Problem>,
) {
    let Some(path) = file else { return };
    let file_key = format!("{key}_file");
    if value.is_some() {
        problems.push(Problem::new(
            file_key,
            format!("{key} is set as well"),
            "keep one of the two",
        ));
        return;
    }
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => {
            problems.push(Problem::new(
                file_key,
                format!("{} is empty", path.display()),
                "write the secret into it",
            ));
        }
        Ok(text) => *value = Some(wrap(text.trim().to_owned())),
        Err(e) => {
            let wrong = format!("cannot read {} ({e})", path.display());
            problems.push(Problem::new(
                file_key,
                wrong,
                "check the path and its permissions",
            ));
        }
    }
}
