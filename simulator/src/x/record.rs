//! A recording of what is on the wire, for judges outside: with
//! `MOORING_SIM_RECORD=FILE` every call that reached a handler, and its
//! answer, becomes one line of JSON. `dev/specs/x.py` holds it against X's
//! OpenAPI document.
//!
//! Tokens are those of a simulated world, and are left out all the same.

use std::fs::OpenOptions;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::multipart;
use crate::call::{Answer, Call};

const VARIABLE: &str = "MOORING_SIM_RECORD";
/// Longer bodies (media) are left out.
const LONGEST_BODY: usize = 64 * 1024;

/// Notes one exchange with the API proper (not with the token endpoint).
pub(super) fn exchange(call: &Call, answer: &Answer) {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return;
    };
    if !call.path.starts_with("2/") || call.path.starts_with("2/oauth2/") {
        return;
    }
    let line = format!("{}\n", line(call, answer));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    // One write of one line: several processes may write the same file.
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        eprintln!("mooring-simulator: cannot write the recording ({error}): unset {VARIABLE}");
    }
}

fn line(call: &Call, answer: &Answer) -> Value {
    let in_body = |name: &str| {
        let members = call.json.as_ref().and_then(Value::as_object);
        members.is_some_and(|m| m.contains_key(name))
    };
    let query: Vec<(&str, &str)> = call
        .params_except(&[])
        .filter(|(name, _)| !in_body(name))
        .collect();
    let body = (call.body.len() <= LONGEST_BODY).then(|| STANDARD.encode(&call.body));
    let headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-"))
        .collect();
    json!({
        "site": "x",
        "request": {
            "method": call.method.as_str(),
            "path": format!("/{}", call.path),
            "query": query,
            "content_type": call.content_type,
            "has_token": call.header_token.is_some(),
            "body_base64": body,
            "form": form(call),
        },
        "response": {
            "status": answer.status,
            "content_type": answer.content_type,
            "headers": headers,
            "body": String::from_utf8_lossy(&answer.body),
        },
    })
}

/// The parts of a multipart body by their names, the long ones (media) by their size alone.
fn form(call: &Call) -> Option<Value> {
    let parts = multipart::parts(&call.content_type, &call.body)?;
    let content = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= 64 => json!(text),
        _ => json!({ "bytes": bytes.len() }),
    };
    let named = parts
        .iter()
        .map(|part| (part.name.clone(), content(part.content)));
    Some(Value::Object(named.collect()))
}
