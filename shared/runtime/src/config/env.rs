//! Reading environment variables.

use figment::value::{Dict, Num, Tag, Value};

use super::Problem;
use super::known::suggestion;

/// Names the configuration file; read before everything else.
pub(super) const CONFIG_VARIABLE: &str = "MOORING_CONFIG";
const PREFIX: &str = "MOORING_";
/// Variables of the test scripts; they are not configuration.
const TEST_PREFIX: &str = "MOORING_TEST_";
const ALIASES: [(&str, &str); 2] = [
    ("MOORING_DATABASE_URL", "database.url"),
    ("MOORING_REDIS_URL", "redis.url"),
];

/// Turns `MOORING_SECTION__KEY` variables into a tree, typed after the defaults.
pub(super) fn read_env(
    env: &[(String, String)],
    defaults: &Dict,
    problems: &mut Vec<Problem>,
) -> Dict {
    let tree = Value::from(defaults.clone());
    let mut read = Dict::new();
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if name.starts_with(TEST_PREFIX) || name == CONFIG_VARIABLE || value.is_empty() {
            continue;
        }
        let alias = ALIASES
            .iter()
            .find(|(alias, _)| alias == name)
            .map(|(_, key)| (*key).to_owned());
        let key = alias.unwrap_or_else(|| rest.to_lowercase().replace("__", "."));
        let known = tree
            .find_ref(&key)
            .filter(|v| !matches!(v, Value::Dict(..)));
        match known.map(|default| typed(value, default)) {
            Some(Ok(value)) => insert(&mut read, &key, value),
            Some(Err(expected)) => {
                let wrong = format!("{value:?} is not {expected}");
                problems.push(Problem::new(
                    name,
                    wrong,
                    format!("set {name} to {expected}"),
                ));
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
        Value::Bool(..) => text
            .trim()
            .parse::<bool>()
            .map(Value::from)
            .map_err(|_| "true or false"),
        Value::Array(_, items) => {
            let entries = text.split(',').map(str::trim).filter(|e| !e.is_empty());
            if matches!(
                items.first(),
                Some(Value::Num(_, Num::U64(_) | Num::USize(_)))
            ) {
                let numbers: Result<Vec<Value>, _> = entries.map(number).collect();
                return numbers
                    .map(|n| Value::Array(Tag::Default, n))
                    .map_err(|_| "whole numbers separated by commas");
            }
            Ok(Value::Array(
                Tag::Default,
                entries.map(Value::from).collect(),
            ))
        }
        _ => Ok(Value::from(text)),
    }
}

fn insert(tree: &mut Dict, path: &str, value: Value) {
    let Some((section, rest)) = path.split_once('.') else {
        tree.insert(path.to_owned(), value);
        return;
    };
    let inner = tree
        .entry(section.to_owned())
        .or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, inner) = inner {
        insert(inner, rest, value);
    }
}
