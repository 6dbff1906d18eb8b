//! What stands before every versioned call: the version, the protocol, and how keys are written.

use super::errors;
use crate::call::{Answer, Call};
use crate::world::World;

/// Refuses a call without a version (400), or with one that is not active (426).
pub(super) fn check_version(world: &World, call: &Call) -> Result<(), Answer> {
    let asked = call.header("linkedin-version");
    if asked.is_empty() {
        return Err(errors::version_missing());
    }
    let settings = &world.linkedin.settings;
    let month = month(asked);
    let well_formed = month.len() == 6 && month.bytes().all(|b| b.is_ascii_digit());
    let active =
        settings.oldest_version.as_str() <= month && month <= settings.newest_version.as_str();
    if well_formed && active {
        return Ok(());
    }
    let written = if well_formed {
        format!("{month}01")
    } else {
        asked.to_owned()
    };
    Err(errors::version_inactive(&written))
}

/// `202609` of `202609` and `202609.01`.
fn month(version: &str) -> &str {
    version.split_once('.').map_or(version, |(month, _)| month)
}

/// The versioned resource as permission errors name it: `partnerApiPostsExternal.CREATE.20260901`.
pub(super) fn resource(call: &Call, name: &str) -> String {
    if call.path.starts_with("rest/") {
        format!("{name}.{}01", month(call.header("linkedin-version")))
    } else {
        format!("{name}.NO_VERSION")
    }
}

/// Version 2.0.0 of the Rest.li protocol is what the documentation demands.
pub(super) fn check_protocol(call: &Call) -> Result<(), Answer> {
    let asked = call.header("x-restli-protocol-version");
    if asked == "2.0.0" {
        return Ok(());
    }
    let asked = if asked.is_empty() { "1.0.0" } else { asked };
    let text = format!("Rest.li protocol version {asked} used by the client is not supported!");
    Err(errors::bad_request("ILLEGAL_ARGUMENT", &text))
}

/// The key at the end of a path, which must have been percent-encoded.
pub(super) fn path_key(call: &Call) -> Result<&str, Answer> {
    let path = call.target.split('?').next().unwrap_or("");
    let sent = path.rsplit('/').next().unwrap_or("");
    if sent.contains([':', '(', ')', ',']) {
        let text = "Syntax exception in path variables";
        return Err(errors::bad_request("ILLEGAL_ARGUMENT", text));
    }
    Ok(call.path.rsplit('/').next().unwrap_or(""))
}

/// A parameter that must have been percent-encoded.
pub(super) fn encoded_param<'c>(call: &'c Call, name: &str) -> Result<&'c str, Answer> {
    let invalid = || {
        errors::bad_request(
            "ILLEGAL_ARGUMENT",
            "Invalid query parameters passed to request",
        )
    };
    let query = call.target.split_once('?').map_or("", |(_, query)| query);
    let sent = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name);
    match (sent, call.param(name)) {
        (Some((_, raw)), Some(value)) if !raw.contains(':') => Ok(value),
        _ => Err(invalid()),
    }
}

/// The keys of `ids=List(a,b)`; each must have been percent-encoded.
pub(super) fn list(call: &Call, name: &str) -> Result<Vec<String>, Answer> {
    let text = encoded_param(call, name)?;
    // Brackets and commas are the list's own and must stand as they are; keys are encoded.
    let sent = format!("{name}=List(");
    let inner = text
        .strip_prefix("List(")
        .and_then(|rest| rest.strip_suffix(')'))
        .filter(|_| call.target.contains(&sent));
    let inner = inner.ok_or_else(|| {
        errors::bad_request(
            "ILLEGAL_ARGUMENT",
            "Invalid query parameters passed to request",
        )
    })?;
    Ok(inner
        .split(',')
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect())
}
