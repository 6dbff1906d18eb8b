//! Forms that all answers of the Data API share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::errors;
use crate::call::{Answer, Call};
use crate::clock::rfc3339;

/// `2026-11-23T15:00:00Z`, the form of the API.
pub(crate) fn api_time(ms: i64) -> String {
    rfc3339(ms - ms.rem_euclid(1000)).replace(".000Z", "Z")
}

/// The parts that a call asks for, or the refusal of an unknown one.
pub(crate) fn parts<'c>(call: &'c Call, known: &[&str]) -> Result<Vec<&'c str>, Answer> {
    let given = call.params_except(&[]).filter(|(name, _)| *name == "part");
    let asked: Vec<&str> = given
        .flat_map(|(_, p)| p.split(','))
        .map(str::trim)
        .collect();
    if asked.iter().all(|p| p.is_empty()) {
        return Err(errors::parameter(
            "missingRequiredParameter",
            "part",
            "No part selected.",
        ));
    }
    match asked.iter().find(|p| !known.contains(p)) {
        Some(unknown) => Err(errors::unknown_part(unknown)),
        None => Ok(asked),
    }
}

/// A list answer with its envelope.
pub(crate) fn list_answer(kind: &str, items: Vec<Value>, page: Page) -> Answer {
    let items = Value::from(items);
    let mut body = json!({
        "kind": kind,
        "etag": etag(&items),
        "pageInfo": { "totalResults": page.total, "resultsPerPage": page.size },
        "items": items,
    });
    for (name, token) in [
        ("nextPageToken", page.next),
        ("prevPageToken", page.previous),
    ] {
        if let Some(token) = token {
            body[name] = token.into();
        }
    }
    Answer::ok(&body)
}

/// Where a list answer stands in the whole list.
pub(crate) struct Page {
    pub(crate) total: usize,
    pub(crate) size: usize,
    pub(crate) next: Option<String>,
    pub(crate) previous: Option<String>,
}

/// The mark of one state of a resource.
pub(crate) fn etag(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string());
    URL_SAFE_NO_PAD.encode(&digest[..20])
}
