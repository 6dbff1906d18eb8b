//! Writing a configuration as TOML.

use serde_json::{Map, Value};

/// The value as TOML: scalars first, then one table per section. Unset keys are shown as comments, so that the
/// print is also the list of what can be set.
pub(super) fn to_toml(value: &Value) -> String {
    let mut lines = Vec::new();
    if let Value::Object(map) = value {
        table(&mut lines, "", map);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn table(lines: &mut Vec<String>, path: &str, map: &Map<String, Value>) {
    for (key, value) in map.iter().filter(|(_, v)| !v.is_object()) {
        lines.push(match value {
            Value::Null => format!("# {key} is not set"),
            // JSON's strings, numbers and arrays of them are written the same way in TOML.
            other => format!("{key} = {other}"),
        });
    }
    for (key, value) in map {
        if let Value::Object(inner) = value {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            lines.push(format!("\n[{path}]"));
            table(lines, &path, inner);
        }
    }
}
