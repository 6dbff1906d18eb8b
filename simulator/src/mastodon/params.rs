//! Parameters as the server takes them: JSON, a form, or the query.

use crate::call::Call;

/// Several values: a JSON array, or `name[]=…` more than once.
pub(super) fn list(call: &Call, name: &str) -> Vec<String> {
    let json = call.json.as_ref().and_then(|j| j[name].as_array());
    if let Some(values) = json {
        let text = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        return values.iter().map(text).collect();
    }
    let indexed = format!("{name}[]");
    let all = call.params_except(&[]).filter(|(k, _)| *k == indexed);
    all.map(|(_, v)| v.to_owned()).collect()
}

/// A value that is not empty.
pub(super) fn text<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    call.param(name).filter(|v| !v.is_empty() && *v != "null")
}

/// `true`, `1`, `on`.
pub(super) fn flag(call: &Call, name: &str) -> bool {
    matches!(call.param(name), Some("true" | "1" | "on"))
}

/// Scopes, divided by spaces.
pub(super) fn scopes(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
