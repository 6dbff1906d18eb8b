//! Public reads: records, the state of a repository, handles.

use serde_json::{Value, json};

use super::{AccountState, Record, errors, repo};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// `getRecord`: gone is 400 `RecordNotFound`, not 404.
pub(crate) fn record(world: &mut World, call: &Call) -> Answer {
    flat(get_record(world, call))
}

fn get_record(world: &World, call: &Call) -> Result<Answer, Answer> {
    let (repo, collection, rkey) = (
        need(call, "repo")?,
        need(call, "collection")?,
        need(call, "rkey")?,
    );
    let elsewhere = || errors::invalid_request("Could not locate record");
    let (did, account) = world.bluesky.public_account(repo).ok_or_else(elsewhere)?;
    let wanted = call.param("cid").filter(|c| !c.is_empty());
    let found = account.records.get(collection).and_then(|r| r.get(rkey));
    let found = found.filter(|r| wanted.is_none_or(|cid| cid == r.cid));
    let uri = repo::uri(did, collection, rkey);
    let gone = || {
        let text = format!("Could not locate record: {uri}");
        errors::error(400, "RecordNotFound", &text)
    };
    found
        .map(|record| Answer::ok(&record_json(&uri, record)))
        .ok_or_else(gone)
}

fn record_json(uri: &str, record: &Record) -> Value {
    json!({ "uri": uri, "cid": record.cid, "value": record.value })
}

/// `listRecords`: newest key first, `reverse=true` oldest first.
pub(crate) fn list(world: &mut World, call: &Call) -> Answer {
    flat(list_records(world, call))
}

fn list_records(world: &World, call: &Call) -> Result<Answer, Answer> {
    let (repo, collection) = (need(call, "repo")?, need(call, "collection")?);
    let missing = || errors::invalid_request(&format!("Could not find repo: {repo}"));
    let (did, account) = world.bluesky.public_account(repo).ok_or_else(missing)?;
    let limit = call.param("limit").map_or(Ok(50), str::parse::<usize>);
    let limit = limit.ok().filter(|l| (1..=100).contains(l));
    let limit = limit.ok_or_else(|| errors::invalid_request("limit must be from 1 to 100"))?;
    let cursor = call.param("cursor").filter(|c| !c.is_empty());
    let oldest_first = call.param("reverse") == Some("true");
    let all = account.records.get(collection).into_iter().flatten();
    let chosen: Vec<(&String, &Record)> = if oldest_first {
        all.filter(|(k, _)| cursor.is_none_or(|c| k.as_str() > c))
            .take(limit)
            .collect()
    } else {
        all.rev()
            .filter(|(k, _)| cursor.is_none_or(|c| k.as_str() < c))
            .take(limit)
            .collect()
    };
    let row = |(rkey, record): &(&String, &Record)| {
        record_json(&repo::uri(did, collection, rkey), record)
    };
    let mut out = json!({ "records": chosen.iter().map(row).collect::<Vec<_>>() });
    if let Some((last, _)) = chosen.last() {
        out["cursor"] = last.as_str().into();
    }
    Ok(Answer::ok(&out))
}

/// `getRepoStatus`: public, tells even of shut accounts.
pub(crate) fn repo_status(world: &mut World, call: &Call) -> Answer {
    flat(need(call, "did").and_then(|did| {
        let missing = || {
            errors::error(
                400,
                "RepoNotFound",
                &format!("Could not find repo for DID: {did}"),
            )
        };
        let (did, account) = world.bluesky.account(did).ok_or_else(missing)?;
        let mut out = json!({ "did": did, "active": account.state == AccountState::Active });
        match account.state.status() {
            Some(status) => out["status"] = status.into(),
            None => out["rev"] = account.rev.as_str().into(),
        }
        Ok(Answer::ok(&out))
    }))
}

/// `resolveHandle`.
pub(crate) fn resolve_handle(world: &mut World, call: &Call) -> Answer {
    flat(need(call, "handle").and_then(|handle| {
        let missing = || errors::invalid_request("Unable to resolve handle");
        let (did, _) = world.bluesky.public_account(handle).ok_or_else(missing)?;
        Ok(Answer::ok(&json!({ "did": did })))
    }))
}

fn need<'c>(call: &'c Call, name: &str) -> Result<&'c str, Answer> {
    let missing = || errors::invalid_request(&format!("Params must have the property \"{name}\""));
    call.param(name).ok_or_else(missing)
}
