//! Reading the caller's own account, and single posts. Reads are billed.

use serde_json::{Value, json};

use super::access::Caller;
use super::{Post, XAccountState, XMissingPosts, access, billing, errors, flat, view};
use crate::call::{Answer, Call};
use crate::world::World;

const MOST_IDS: usize = 100;

/// `GET /2/users/me`.
pub(super) fn me(world: &mut World, call: &Call) -> Answer {
    flat(own_account(world, call))
}

fn own_account(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let holder = access::user(world, call)?;
    let wanted = view::wanted(world, call, &[])?;
    billing::admit_read(world, &holder.app)?;
    let user = world
        .x
        .users
        .get(&holder.user)
        .ok_or_else(errors::unauthorized)?;
    let data = view::user(&holder.user, user, &wanted);
    billing::reads(world, &holder.app, &[holder.user], &[]);
    Ok(Answer::ok(&json!({ "data": data })))
}

/// `GET /2/tweets/{id}`: 200 also for a post that is gone; `errors` tells.
pub(super) fn post(world: &mut World, call: &Call) -> Answer {
    flat(one_post(world, call))
}

fn one_post(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::reader(world, call)?;
    let wanted = view::wanted(world, call, &[])?;
    billing::admit_read(world, &caller.app)?;
    let id = call.segment(2);
    if !is_id(id) {
        let text = format!("The `id` query parameter value [{id}] is not valid");
        return Err(errors::invalid("id", id, &text));
    }
    let post = match visible(world, &caller, id, "id") {
        Ok(post) => post,
        Err(problem) if world.x.settings.missing_posts == XMissingPosts::NotFound => {
            return Err(errors::whole(404, &problem));
        }
        Err(problem) => return Ok(Answer::ok(&json!({ "errors": [problem] }))),
    };
    let mut body = json!({ "data": view::post(world, id, post, &wanted) });
    if let Some(includes) = view::includes(world, &[post], &wanted) {
        body["includes"] = includes;
    }
    let expanded = expanded_users(&body);
    billing::reads(world, &caller.app, &expanded, &[id.to_owned()]);
    Ok(Answer::ok(&body))
}

/// `GET /2/tweets?ids=`: what is there in `data`, the rest in `errors`.
pub(super) fn posts(world: &mut World, call: &Call) -> Answer {
    flat(some_posts(world, call))
}

fn some_posts(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let caller = access::reader(world, call)?;
    let wanted = view::wanted(world, call, &["ids"])?;
    billing::admit_read(world, &caller.app)?;
    let asked = call.param("ids").unwrap_or("");
    let ids: Vec<&str> = asked.split(',').collect();
    if ids.len() > MOST_IDS || !ids.iter().all(|id| is_id(id)) {
        let text = format!("The `ids` query parameter value [{asked}] is not valid");
        return Err(errors::invalid("ids", asked, &text));
    }
    let (mut data, mut problems, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for id in &ids {
        match visible(world, &caller, id, "ids") {
            Ok(post) => {
                data.push(view::post(world, id, post, &wanted));
                found.push(post);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let mut body = json!({});
    if let Some(includes) = view::includes(world, &found, &wanted) {
        body["includes"] = includes;
    }
    let billed: Vec<String> = data
        .iter()
        .filter_map(|p| p["id"].as_str().map(str::to_owned))
        .collect();
    if !data.is_empty() {
        body["data"] = data.into();
    }
    if !problems.is_empty() {
        body["errors"] = problems.into();
    }
    let expanded = expanded_users(&body);
    billing::reads(world, &caller.app, &expanded, &billed);
    Ok(Answer::ok(&body))
}

/// Users that an answer brings along are billed like others.
pub(super) fn expanded_users(body: &Value) -> Vec<String> {
    let users = body["includes"]["users"].as_array().into_iter().flatten();
    users
        .filter_map(|u| u["id"].as_str().map(str::to_owned))
        .collect()
}

pub(super) fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The post, or the problem that stands in its place.
fn visible<'w>(
    world: &'w World,
    caller: &Caller,
    id: &str,
    parameter: &str,
) -> Result<&'w Post, Value> {
    let found = world.x.live_post(id);
    let post = found.ok_or_else(|| errors::post_not_found(id, parameter))?;
    let own = caller.user.as_deref() == Some(post.author.as_str());
    let author = world.x.users.get(&post.author);
    let hidden = author.is_none_or(|a| a.protected || a.state == XAccountState::Suspended);
    if author.is_some_and(|a| a.state == XAccountState::Deactivated) {
        return Err(errors::post_not_found(id, parameter));
    }
    if hidden && !own {
        return Err(errors::post_not_visible(id, parameter));
    }
    Ok(post)
}
