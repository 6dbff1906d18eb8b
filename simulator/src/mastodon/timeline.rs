//! Reading: one post, several, an account's newest.

use serde_json::json;

use super::{MastodonAccountState, Status, access, entities, errors};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// `GET /api/v1/statuses/:id`.
pub(super) fn show(world: &mut World, call: &Call) -> Answer {
    flat(visible(world, call).map(|id| {
        let status = &world.mastodon.statuses[&id];
        Answer::ok(&entities::status(world, &call.host, id, status))
    }))
}

/// `GET /api/v1/statuses?id[]=…`; what is not there is left out.
pub(super) fn several(world: &mut World, call: &Call) -> Answer {
    flat(access::reader(world, call, "read:statuses").map(|reader| {
        let ids = super::params::list(call, "id");
        let shown = ids.iter().filter_map(|id| {
            let id = id.parse().ok()?;
            let status = world.mastodon.statuses.get(&id)?;
            let fits = is_visible(world, status, reader.as_deref());
            fits.then(|| entities::status(world, &call.host, id, status))
        });
        Answer::ok(&shown.collect())
    }))
}

/// `GET /api/v1/statuses/:id/source`.
pub(super) fn source(world: &mut World, call: &Call) -> Answer {
    flat(visible(world, call).map(|id| {
        let status = &world.mastodon.statuses[&id];
        Answer::ok(&json!({
            "id": id.to_string(),
            "text": status.text,
            "spoiler_text": status.spoiler,
        }))
    }))
}

/// The post that a call names, if this caller may see it.
fn visible(world: &World, call: &Call) -> Result<u64, Answer> {
    let reader = access::reader(world, call, "read:statuses")?;
    let id = call
        .segment(3)
        .parse::<u64>()
        .map_err(|_| errors::not_found())?;
    let status = world
        .mastodon
        .statuses
        .get(&id)
        .ok_or_else(errors::not_found)?;
    if is_visible(world, status, reader.as_deref()) {
        Ok(id)
    } else {
        Err(errors::not_found())
    }
}

fn is_visible(world: &World, status: &Status, reader: Option<&str>) -> bool {
    let author = &world.mastodon.accounts[&status.account];
    let hidden = matches!(
        author.state,
        MastodonAccountState::Suspended | MastodonAccountState::Deleted
    );
    let open = matches!(&*status.visibility, "public" | "unlisted");
    !status.deleted && !hidden && (open || reader == Some(status.account.as_str()))
}

/// `GET /api/v1/accounts/:id/statuses`, the newest first.
pub(super) fn of_account(world: &mut World, call: &Call) -> Answer {
    flat(newest(world, call))
}

fn newest(world: &World, call: &Call) -> Result<Answer, Answer> {
    let reader = access::reader(world, call, "read:statuses")?;
    let id = call.segment(3);
    access::known(world, id)?;
    let number = |name: &str| call.param(name).and_then(|v| v.parse::<u64>().ok());
    let limit = number("limit").map_or(20, |l| usize::try_from(l.min(40)).unwrap_or(40));
    let (below, above) = (
        number("max_id").unwrap_or(u64::MAX),
        number("since_id").unwrap_or(0),
    );
    let own = world.mastodon.statuses.range(..below).rev();
    let own = own.filter(|(n, s)| s.account == id && **n > above);
    let own = own.filter(|(_, s)| is_visible(world, s, reader.as_deref()));
    let own = own.filter(|(n, _)| number("min_id").is_none_or(|min| **n > min));
    let own = own.filter(|(_, s)| {
        (call.param("only_media") != Some("true") || !s.media.is_empty())
            && (call.param("exclude_replies") != Some("true") || s.in_reply_to.is_none())
    });
    let mut page: Vec<(&u64, &Status)> = own.collect();
    if number("min_id").is_some() {
        // The oldest of those above it.
        page.drain(..page.len().saturating_sub(limit));
    }
    page.truncate(limit);
    let shown = page
        .iter()
        .map(|(n, s)| entities::status(world, &call.host, **n, s));
    let answer = Answer::ok(&shown.collect());
    let (Some((first, _)), Some((last, _))) = (page.first(), page.last()) else {
        return Ok(answer);
    };
    let root = format!("http://{}/mastodon/{}", call.host, call.path);
    let links =
        format!("<{root}?max_id={last}>; rel=\"next\", <{root}?min_id={first}>; rel=\"prev\"");
    Ok(answer.with("link", links))
}

/// `GET /@name/:id`: the page that everybody sees.
pub(super) fn permalink(world: &mut World, call: &Call) -> Answer {
    let name = call.segment(0).trim_start_matches('@');
    let status = call
        .segment(1)
        .parse()
        .ok()
        .and_then(|n: u64| world.mastodon.statuses.get(&n));
    let shown = status.filter(|s| {
        is_visible(world, s, None) && world.mastodon.accounts[&s.account].username == name
    });
    let (code, text) = match shown {
        Some(status) => (200, super::text::html(&status.text)),
        None => (404, "The page you are looking for isn't here.".to_owned()),
    };
    Answer::text(
        code,
        "text/html",
        format!("<html><body>{text}</body></html>"),
    )
}
