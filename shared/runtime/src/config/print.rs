//! Writing a configuration as TOML.

use serde_json::{Map, Value};

/// The value as TOML: scalars first, then one table per section. Unset keys are shown as comments, so that the
/// print is also the list of what can be set.
pub(super) fn to_toml(value: &Value) -> String {
    let mut text = String::new();
    if let Value::Object(map) = value {
        table(&mut text, "", map);
    }
    text
}

fn table(text: &mut String, path: &str, map: &Map<String, Value>) {
    for (key, value) in map.iter().filter(|(_, v)| !v.is_object()) {
        match value {
            Value::Null => text.push_str(&format!("# {key} is not set\n")),
            // JSON's strings, numbers and arrays of them are written the same way in TOML.
            other => text.push_str(&format!("{key} = {other}\n")),
        }
    }
    for (key, value) in map {
        if let Value::Object(inner) = value {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            text.push_str(&format!("\n[{path}]\n"));
            table(text, &path, inner);
        }
    }
}
