//! Reading the sources in order, and refusing every key that nothing reads.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Num, Tag, Value};

use super::{Config, ConfigError, Problem, SecretText, SecretUrl};

const PREFIX: &str = "MOORING_";
/// Variables of the test scripts; they are not configuration.
const TEST_PREFIX: &str = "MOORING_TEST_";
const CONFIG_VARIABLE: &str = "MOORING_CONFIG";
const ALIASES: [(&str, &str); 2] =
    [("MOORING_DATABASE_URL", "database.url"), ("MOORING_REDIS_URL", "redis.url")];
/// Keys whose values never appear in a message.
const SECRETS: [&str; 3] = ["database.url", "redis.url", "vault.keys"];

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
        Self { file, env: std::env::vars_os().filter_map(text).collect() }
    }

    fn file(&self) -> Option<PathBuf> {
        let named = |(name, value): &(String, String)| {
            (name == CONFIG_VARIABLE && !value.is_empty()).then(|| PathBuf::from(value))
        };
        self.file.clone().or_else(|| self.env.iter().find_map(named))
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
    let mut config: Config = figment.extract().map_err(|e| ConfigError(e.into_iter().map(type_problem).collect()))?;
    resolve_files(&mut config, &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
}

fn default_tree() -> Dict {
    let value = Value::serialize(Config::default()).expect("the default configuration is plain data");
    value.into_dict().expect("the configuration is a struct")
}

fn read_file(path: &Path) -> Result<Dict, Problem> {
    let key = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Problem::new(&key, format!("cannot read the configuration file ({e})"), "check --config and MOORING_CONFIG"))?;
    Toml::from_str::<Dict>(&text).map_err(|e| {
        // The parser quotes the line it stumbled over, which may hold a secret: keep the position and the reason.
        let message = e.to_string();
        let place = message.lines().next().unwrap_or_default().to_owned();
        let reason = message.lines().last().filter(|l| **l != *place).unwrap_or_default();
        Problem::new(key, format!("{place} {reason}").trim().to_owned(), "correct the TOML at that place")
    })
}

fn unknown_keys(given: &Dict, known: &Dict, path: &str, file: &Path, problems: &mut Vec<Problem>) {
    for (key, value) in given {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (known.get(key), value) {
            (Some(Value::Dict(_, known)), Value::Dict(_, given)) => {
                unknown_keys(given, known, &full, file, problems);
            }
            (Some(_), _) => {}
            (None, _) => {
                let wrong = format!("unknown key in {}", file.display());
                problems.push(Problem::new(&full, wrong, suggestion(&full)));
            }
        }
    }
}

/// Turns `MOORING_SECTION__KEY` variables into a tree, typed after the defaults.
fn read_env(env: &[(String, String)], defaults: &Dict, problems: &mut Vec<Problem>) -> Dict {
    let tree = Value::from(defaults.clone());
    let mut read = Dict::new();
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if name.starts_with(TEST_PREFIX) || name == CONFIG_VARIABLE || value.is_empty() {
            continue;
        }
        let alias = ALIASES.iter().find(|(alias, _)| alias == name).map(|(_, key)| (*key).to_owned());
        let key = alias.unwrap_or_else(|| rest.to_lowercase().replace("__", "."));
        let known = tree.find_ref(&key).filter(|v| !matches!(v, Value::Dict(..)));
        match known.map(|default| typed(value, default)) {
            Some(Ok(value)) => insert(&mut read, &key, value),
            Some(Err(expected)) => {
                let wrong = format!("{value:?} is not {expected}");
                problems.push(Problem::new(name, wrong, format!("set {name} to {expected}")));
            }
            None => problems.push(Problem::new(name, "unknown variable", suggestion(&key))),
        }
    }
    read
}

/// Reads a variable's text as the type its default has. Unset keys are all texts.
fn typed(text: &str, default: &Value) -> Result<Value, &'static str> {
    let number = |text: &str| text.trim().parse::<u64>().map(Value::from);
    match default {
        Value::Num(..) => number(text).map_err(|_| "a whole number that is not negative"),
        Value::Bool(..) => text.trim().parse::<bool>().map(Value::from).map_err(|_| "true or false"),
        Value::Array(_, items) => {
            let entries = text.split(',').map(str::trim).filter(|e| !e.is_empty());
            if matches!(items.first(), Some(Value::Num(_, Num::U64(_) | Num::USize(_)))) {
                let numbers: Result<Vec<Value>, _> = entries.map(number).collect();
                return numbers.map(|n| Value::Array(Tag::Default, n)).map_err(|_| "whole numbers separated by commas");
            }
            Ok(Value::Array(Tag::Default, entries.map(Value::from).collect()))
        }
        _ => Ok(Value::from(text)),
    }
}

fn insert(tree: &mut Dict, key: &str, value: Value) {
    let mut merged = figment::util::nest(key, value).into_dict().unwrap_or_default();
    for (section, value) in std::mem::take(&mut merged) {
        match (tree.get_mut(&section), value) {
            (Some(Value::Dict(_, present)), Value::Dict(_, new)) => {
                for (key, value) in new {
                    match (present.get_mut(&key), value) {
                        (Some(Value::Dict(_, deep)), Value::Dict(_, new)) => deep.extend(new),
                        (_, value) => drop(present.insert(key, value)),
                    }
                }
            }
            (_, value) => drop(tree.insert(section, value)),
        }
    }
}

fn type_problem(error: figment::Error) -> Problem {
    let key = error.path.join(".");
    let wrong = match &error.kind {
        _ if SECRETS.contains(&key.as_str()) => "the value has the wrong type".to_owned(),
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            format!("{actual} is not {expected}")
        }
        other => other.to_string(),
    };
    Problem::new(key, wrong, "correct its value; `mooring config print` shows every key with its type")
}

fn resolve_files(config: &mut Config, problems: &mut Vec<Problem>) {
    let database = config.database.url_file.clone();
    resolve("database.url", database.as_deref(), &mut config.database.url, SecretUrl::from, problems);
    let redis = config.redis.url_file.clone();
    resolve("redis.url", redis.as_deref(), &mut config.redis.url, SecretUrl::from, problems);
    let keys = config.vault.keys_file.clone();
    resolve("vault.keys", keys.as_deref(), &mut config.vault.keys, SecretText::from, problems);
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
        problems.push(Problem::new(file_key, format!("{key} is set as well"), "keep one of the two"));
        return;
    }
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => {
            problems.push(Problem::new(file_key, format!("{} is empty", path.display()), "write the secret into it"));
        }
        Ok(text) => *value = Some(wrap(text.trim().to_owned())),
        Err(e) => {
            let wrong = format!("cannot read {} ({e})", path.display());
            problems.push(Problem::new(file_key, wrong, "check the path and its permissions"));
        }
    }
}

fn suggestion(key: &str) -> String {
    let mut keys = Vec::new();
    leaves(&default_tree(), "", &mut keys);
    let nearest = keys.iter().min_by_key(|known| distance(key, known));
    match nearest.filter(|known| distance(key, known) <= 1 + key.len() / 3) {
        Some(known) => {
            let variable = known.to_uppercase().replace('.', "__");
            format!("did you mean {known} ({PREFIX}{variable})?")
        }
        None => "remove it; `mooring config print` lists every key".to_owned(),
    }
}

fn leaves(tree: &Dict, path: &str, into: &mut Vec<String>) {
    for (key, value) in tree {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Dict(_, inner) => leaves(inner, &full, into),
            _ => into.push(full),
        }
    }
}

/// The number of single letters to change, add or drop to turn one text into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
