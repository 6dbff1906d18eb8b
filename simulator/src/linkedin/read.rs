//! Reading posts back: one, several by id, and an author's recent ones.

use serde_json::{Value, json};

use super::access::{self, READ_MEMBER, READ_ORGANIZATION};
use super::posts::{Lifecycle, Post};
use super::{errors, flat, gateway, members};
use crate::call::{Answer, Call};
use crate::world::World;

const READ_SCOPES: [&str; 2] = [READ_MEMBER, READ_ORGANIZATION];

/// `GET /rest/posts/{urn}`. Posts of people need `r_member_social`, which hardly any app has.
pub(super) fn one(world: &mut World, call: &Call) -> Answer {
    flat(get(world, call))
}

fn get(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let resource = "partnerApiPostsExternal.GET";
    access::need_one(world, call, &token, &READ_SCOPES, resource)?;
    let urn = gateway::path_key(call)?;
    let post = world.linkedin.posts.get(urn);
    let post = post.ok_or_else(errors::not_found)?;
    access::may_read(world, call, &token, &post.author, resource)?;
    if post.deleted {
        return Err(errors::not_found());
    }
    Ok(Answer::ok(&object(urn, post)))
}

/// `GET /rest/posts?ids=List(…)`.
pub(super) fn several(world: &mut World, call: &Call) -> Answer {
    flat(batch(world, call))
}

fn batch(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let resource = "partnerApiPostsExternal.BATCH_GET";
    access::need_one(world, call, &token, &READ_SCOPES, resource)?;
    let (mut results, mut errors, mut statuses) = (json!({}), json!({}), json!({}));
    for urn in gateway::list(call, "ids")? {
        let post = world.linkedin.posts.get(&urn).filter(|post| !post.deleted);
        let readable =
            |post: &&Post| access::may_read(world, call, &token, &post.author, resource).is_ok();
        if let Some(post) = post.filter(readable) {
            results[&urn] = object(&urn, post);
            statuses[&urn] = 200.into();
        } else {
            errors[&urn] = json!({ "status": 404, "message": "Could not find entity" });
            statuses[&urn] = 404.into();
        }
    }
    let body = json!({ "results": results, "statuses": statuses, "errors": errors });
    Ok(Answer::ok(&body))
}

/// `GET /rest/posts?q=author&author={urn}[&count=][&start=][&sortBy=CREATED|LAST_MODIFIED]`, newest
/// first. A new post is listed after a moment only.
pub(super) fn find(world: &mut World, call: &Call) -> Answer {
    flat(by_author(world, call))
}

fn by_author(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let resource = "partnerApiPostsExternal.FINDER-author";
    access::need_one(world, call, &token, &READ_SCOPES, resource)?;
    let author = gateway::encoded_param(call, "author")?;
    access::may_read(world, call, &token, author, resource)?;
    let state = &world.linkedin;
    let listed = |post: &Post| {
        let since = post.published_at.unwrap_or(i64::MAX);
        let indexed = since.saturating_add(state.settings.index_lag_ms) <= world.now;
        !post.deleted && post.state == Lifecycle::Published && indexed
    };
    let own = state.timelines.get(author).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<(&String, &Post)> = own
        .iter()
        .filter_map(|urn| state.posts.get(urn).map(|post| (urn, post)))
        .filter(|(_, post)| listed(post))
        .collect();
    match call.param("sortBy").unwrap_or("LAST_MODIFIED") {
        "CREATED" => found.sort_by_key(|(_, post)| post.created_at),
        "LAST_MODIFIED" => found.sort_by_key(|(_, post)| post.modified_at),
        other => {
            let text = format!("sortBy can't be set to {other}");
            return Err(errors::field("INVALID_VALUE_FOR_FIELD", "sortBy", &text));
        }
    }
    let rows: Vec<Value> = found
        .iter()
        .rev()
        .map(|(urn, post)| object(urn, post))
        .collect();
    Ok(Answer::ok(&members::page(call, &rows)))
}

/// A post as the API shows it.
fn object(urn: &str, post: &Post) -> Value {
    let mut object = json!({
        "id": urn,
        "author": post.author,
        "commentary": post.commentary,
        "visibility": post.visibility,
        "distribution": post.distribution,
        "lifecycleState": post.state.as_str(),
        "lifecycleStateInfo": { "isEditedByAuthor": post.edited },
        "isReshareDisabledByAuthor": post.reshare_disabled,
        "createdAt": post.created_at,
        "lastModifiedAt": post.modified_at,
    });
    if let Some(content) = &post.content {
        object["content"] = content.clone();
    }
    if let Some(at) = post.published_at {
        object["publishedAt"] = at.into();
    }
    object
}
