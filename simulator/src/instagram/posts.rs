//! Publishing a container, and the quota of it.

use serde_json::json;

use super::door::{Door, Right};
use super::realm::publish::{self, Status};
use super::realm::{Quota, graph};
use super::{FLAVOR, errors};
use crate::call::{Answer, Call};
use crate::facebook::{self, flat};
use crate::world::World;

/// Posts per 24 hours, as the guide of content publishing says. Other pages of the platform say 50 and 25.
const POSTS_PER_DAY: u64 = 100;

/// `POST /{account}/media_publish`: a container becomes a post, once.
pub(super) fn publish(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(make_post(door, world, call))
}

fn make_post(door: Door, world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let actor = door.actor(world, call, call.segment(0), Right::Publish)?;
    let account = &world.instagram.accounts[&actor.account];
    if let Some(refusal) = errors::of_state(account.state) {
        return Err(refusal);
    }
    let missing = || facebook::errors::bad_parameter("The parameter creation_id is required");
    let id = call.param("creation_id").ok_or_else(missing)?.to_owned();
    let container = world.instagram.containers.get(&id);
    let container = container.filter(|c| c.account == actor.account && !c.draft.is_child);
    let container = container.ok_or_else(errors::creation_id_unknown)?;
    match container.status(world.now) {
        Status::Finished => {}
        Status::InProgress => return Err(errors::not_ready()),
        Status::Expired => return Err(errors::container_expired()),
        Status::Error(_) => return Err(errors::media_not_found()),
        Status::Published => return Err(errors::creation_id_unknown()),
    }
    if account.used(Quota::Posts, world.now) >= total(world) {
        return Err(errors::quota());
    }
    let media = publish::publish(&FLAVOR, world, &id);
    let media = media.ok_or_else(errors::creation_id_unknown)?;
    Ok(Answer::ok(&json!({ "id": media })))
}

fn total(world: &World) -> u64 {
    let set = world.instagram.settings.posts_per_day;
    set.unwrap_or(POSTS_PER_DAY)
}

/// `GET /{account}/content_publishing_limit`.
pub(super) fn limit(door: Door, world: &mut World, call: &Call) -> Answer {
    flat(read_limit(door, world, call))
}

fn read_limit(door: Door, world: &World, call: &Call) -> Result<Answer, Answer> {
    let actor = door.actor(world, call, call.segment(0), Right::Publish)?;
    let used = world.instagram.accounts[&actor.account].used(Quota::Posts, world.now);
    let mut row = json!({});
    for field in graph::fields(call, &["quota_usage"]) {
        match field.as_str() {
            "quota_usage" => row["quota_usage"] = used.into(),
            "config" => {
                row["config"] = json!({ "quota_total": total(world), "quota_duration": 86_400 });
            }
            other => {
                let text = format!("Tried accessing nonexisting field ({other})");
                return Err(facebook::errors::bad_parameter(&text));
            }
        }
    }
    Ok(Answer::ok(&json!({ "data": [row] })))
}
