//! What a person does to posts on the platform itself.

use super::{POSTS, cid, repo};
use crate::world::World;

/// Deletes a record by its URI.
pub(super) fn remove(world: &mut World, uri: &str) -> bool {
    parse_uri(uri).is_some_and(|(did, collection, rkey)| repo::remove(world, did, collection, rkey))
}

/// Changes a record's text.
pub(super) fn edit(world: &mut World, uri: &str, text: &str) -> bool {
    edited(world, uri, text).is_some()
}

fn edited(world: &mut World, uri: &str, text: &str) -> Option<()> {
    let (did, collection, rkey) = parse_uri(uri)?;
    let records = &mut world.bluesky.accounts.get_mut(did)?.records;
    let record = records.get_mut(collection)?.get_mut(rkey)?;
    record.value["text"] = text.into();
    record.cid = cid::of_record(&record.value)?;
    if collection == POSTS {
        world.ledger.edited(uri, text);
    }
    Some(())
}

/// `at://did/collection/rkey` in its three parts.
fn parse_uri(uri: &str) -> Option<(&str, &str, &str)> {
    let mut parts = uri.strip_prefix("at://")?.splitn(3, '/');
    Some((parts.next()?, parts.next()?, parts.next()?))
}
