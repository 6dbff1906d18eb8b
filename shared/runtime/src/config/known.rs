//! Which keys there are, and which one was meant.

use std::path::Path;

use figment::value::{Dict, Value};

use super::{Config, Problem};

/// The defaults as a tree: its leaves are all keys that are read.
pub(super) fn default_tree() -> Dict {
    let value =
        Value::serialize(Config::default()).expect("the default configuration is plain data");
    value.into_dict().expect("the configuration is a struct")
}

/// Notes every key of a file that nothing reads.
pub(super) fn unknown_keys(
    given: &Dict,
    known: &Dict,
    path: &str,
    file: &Path,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in given {
        let full = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
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

/// The fix for an unknown key: the nearest one that exists, if one is near.
pub(super) fn suggestion(key: &str) -> String {
    let mut keys = Vec::new();
    leaves(&default_tree(), "", &mut keys);
    let nearest = keys.iter().min_by_key(|known| distance(key, known));
    match nearest.filter(|known| distance(key, known) <= 1 + key.len() / 3) {
        Some(known) => {
            let variable = known.to_uppercase().replace('.', "__");
            format!("did you mean {known} (MOORING_{variable})?")
        }
        None => "remove it; `mooring config print` lists every key".to_owned(),
    }
}

fn leaves(tree: &Dict, path: &str, into: &mut Vec<String>) {
    for (key, value) in tree {
        let full = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
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
