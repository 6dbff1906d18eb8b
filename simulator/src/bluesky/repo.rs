//! Writing in a repository.

use serde_json::{Value, json};

use super::{Account, Blob, POSTS, Record, auth, cid, errors, validate};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::ledger::{NewPost, Platform};
use crate::world::World;

/// `putRecord`: the identical record again is no write at all, and a success.
pub(crate) fn put(world: &mut World, call: &Call) -> Answer {
    flat(put_record(world, call))
}

fn put_record(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let write = Write::read(world, call, "update")?;
    let current = write.current(world).map(|r| r.cid.clone());
    if current.as_deref() == Some(write.cid.as_str()) {
        // The same content changes nothing, so no swap condition is looked at.
        return Ok(write.answer(None));
    }
    check_swap(call, current.as_deref())?;
    let commit = write.store(world);
    Ok(write.answer(Some(&commit)))
}

/// `createRecord`: fails with a bare 500 when the key is taken, as the real
/// server does.
pub(crate) fn create(world: &mut World, call: &Call) -> Answer {
    flat(Write::read(world, call, "create").and_then(|write| {
        if write.current(world).is_some() {
            return Err(errors::internal());
        }
        let commit = write.store(world);
        Ok(write.answer(Some(&commit)))
    }))
}

/// `swapRecord`: absent means no condition, `null` means "must not exist".
fn check_swap(call: &Call, current: Option<&str>) -> Result<(), Answer> {
    let condition = call.json.as_ref().and_then(|j| j.get("swapRecord"));
    match condition {
        None => Ok(()),
        Some(Value::Null) if current.is_none() => Ok(()),
        Some(Value::String(wanted)) if current == Some(wanted.as_str()) => Ok(()),
        Some(_) => Err(errors::invalid_swap(current)),
    }
}

/// A write that was asked for and is in order.
struct Write {
    did: String,
    collection: String,
    rkey: String,
    value: Value,
    cid: String,
    validation: &'static str,
}

impl Write {
    fn read(world: &mut World, call: &Call, action: &str) -> Result<Self, Answer> {
        let did = auth::writer(world, call, call.param("repo"), &needs(call, action))?;
        let body = call.json.as_ref();
        let body = body.ok_or_else(|| {
            errors::invalid_request("A request body is expected but none was provided")
        })?;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let missing =
            |name: &str| errors::invalid_request(&format!("Missing required key \"{name}\" at $"));
        text("repo").ok_or_else(|| missing("repo"))?;
        let collection = text("collection").ok_or_else(|| missing("collection"))?;
        let rkey = match text("rkey") {
            Some(rkey) => rkey,
            None if action == "update" => return Err(missing("rkey")),
            None => world.bluesky.tids.next(world.now),
        };
        validate::key(&collection, &rkey)?;
        let mut value = body["record"].clone();
        let fields = value.as_object_mut().ok_or_else(|| missing("record"))?;
        fields.entry("$type").or_insert_with(|| json!(collection));
        let account = account_mut(world, &did)?;
        let validation = validate::record(account, &collection, &value)?;
        let cid = cid::of_record(&value)
            .ok_or_else(|| errors::invalid_request("Record is not a valid data model value"))?;
        Ok(Self {
            did,
            collection,
            rkey,
            value,
            cid,
            validation,
        })
    }

    fn current<'w>(&self, world: &'w World) -> Option<&'w Record> {
        let records = &world.bluesky.accounts.get(&self.did)?.records;
        records.get(&self.collection)?.get(&self.rkey)
    }

    fn uri(&self) -> String {
        uri(&self.did, &self.collection, &self.rkey)
    }

    /// Makes the record exist, or changes it. Returns the commit.
    fn store(&self, world: &mut World) -> Value {
        let (existed, uri) = (self.current(world).is_some(), self.uri());
        if self.collection == POSTS {
            let text = self.value["text"].as_str().unwrap_or("");
            if existed {
                world.ledger.edited(&uri, text);
            } else {
                let post = NewPost {
                    platform: Platform::Bluesky,
                    account: &self.did,
                    remote_id: &uri,
                    text,
                    client_reference: Some(&self.rkey),
                };
                world.ledger.created(&post, world.now);
            }
        }
        if let Some(account) = world.bluesky.accounts.get_mut(&self.did) {
            let records = account.records.entry(self.collection.clone()).or_default();
            let record = Record {
                cid: self.cid.clone(),
                value: self.value.clone(),
            };
            records.insert(self.rkey.clone(), record);
        }
        commit(world, &self.did)
    }

    fn answer(&self, commit: Option<&Value>) -> Answer {
        let mut out = json!({
            "uri": self.uri(),
            "cid": self.cid,
            "validationStatus": self.validation,
        });
        if let Some(commit) = commit {
            out["commit"] = commit.clone();
        }
        Answer::ok(&out)
    }
}

/// The permission that a write needs of a session of OAuth.
fn needs(call: &Call, action: &str) -> String {
    let collection = call.param("collection").unwrap_or("*");
    format!("repo:{collection}?action={action}")
}

fn account_mut<'w>(world: &'w mut World, did: &str) -> Result<&'w mut Account, Answer> {
    let missing = || errors::invalid_request(&format!("Could not find repo: {did}"));
    world.bluesky.accounts.get_mut(did).ok_or_else(missing)
}

/// The address of a record.
pub(crate) fn uri(did: &str, collection: &str, rkey: &str) -> String {
    format!("at://{did}/{collection}/{rkey}")
}

/// A new revision of the repository. Its CID is ours: it stands for a signed
/// commit block that nobody reads here.
fn commit(world: &mut World, did: &str) -> Value {
    let rev = world.bluesky.tids.next(world.now);
    let cid = cid::of_record(&json!({ "did": did, "rev": rev }));
    if let Some(account) = world.bluesky.accounts.get_mut(did) {
        account.rev.clone_from(&rev);
    }
    json!({ "cid": cid, "rev": rev })
}

/// `deleteRecord`: 200 with a commit, and 200 `{}` when there is nothing.
pub(crate) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(delete_record(world, call))
}

fn delete_record(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let did = auth::writer(world, call, call.param("repo"), &needs(call, "delete"))?;
    let need = |name: &str| {
        let missing = || errors::invalid_request(&format!("Missing required key \"{name}\" at $"));
        call.param(name).ok_or_else(missing)
    };
    let (collection, rkey) = (need("collection")?, need("rkey")?);
    let account = account_mut(world, &did)?;
    let current = account.records.get(collection).and_then(|r| r.get(rkey));
    let Some(current) = current.map(|r| r.cid.clone()) else {
        return Ok(Answer::ok(&json!({})));
    };
    check_swap(call, Some(&current))?;
    remove(world, &did, collection, rkey);
    Ok(Answer::ok(&json!({ "commit": commit(world, &did) })))
}

/// Takes a record away. Says whether it existed.
pub(crate) fn remove(world: &mut World, did: &str, collection: &str, rkey: &str) -> bool {
    let account = world.bluesky.accounts.get_mut(did);
    let removed = account.and_then(|a| a.records.get_mut(collection)?.remove(rkey));
    if removed.is_some() && collection == POSTS {
        world.ledger.deleted(&uri(did, collection, rkey), world.now);
    }
    removed.is_some()
}

/// `uploadBlob`: raw bytes; the same bytes have the same CID.
pub(crate) fn upload_blob(world: &mut World, call: &Call) -> Answer {
    flat(auth::writer(world, call, None, "blob:*/*").and_then(|did| {
        let size = call.body.len();
        if size > world.bluesky.blob_limit {
            return Err(errors::usual_for_status(413));
        }
        let cid = cid::of_blob(&call.body);
        let mime = Some(call.content_type.as_str()).filter(|t| !t.is_empty());
        let mime = mime.unwrap_or("application/octet-stream").to_owned();
        let answer = Answer::ok(&json!({ "blob": {
            "$type": "blob",
            "ref": { "$link": cid },
            "mimeType": mime,
            "size": size,
        }}));
        let blobs = &mut account_mut(world, &did)?.blobs;
        blobs.insert(cid, Blob { size, mime });
        Ok(answer)
    }))
}
