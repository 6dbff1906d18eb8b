//! Whose call it is: for fault rules and counters. Accounts are URNs of people and organizations.

use serde_json::Value;

use super::person_urn;
use crate::call::Call;
use crate::pipeline::Subject;
use crate::world::World;

/// The page or profile that a call is about, and the person in whose name it comes.
pub(super) fn of(world: &World, call: &Call) -> Subject {
    let owner = owner(world, call).map_or_else(String::new, |member| person_urn(&member));
    let named = named(world, call).filter(|urn| is_known(world, urn));
    Subject {
        account: named.unwrap_or_else(|| owner.clone()),
        owner,
    }
}

/// The person behind a token, a code or a hint.
fn owner(world: &World, call: &Call) -> Option<String> {
    let state = &world.linkedin;
    let tokens = [
        call.header_token.as_deref(),
        call.param("token"),
        call.param("refresh_token"),
    ];
    let mut known = tokens
        .into_iter()
        .flatten()
        .filter_map(|text| state.tokens.get(text));
    let of_token = known.next().map(|token| token.member.clone());
    let of_code = || {
        let code = call.param("code").and_then(|code| state.codes.get(code));
        code.map(|code| code.member.clone())
    };
    let hinted = || {
        let hint = call.param("login_hint")?;
        let member = hint.strip_prefix("urn:li:person:").unwrap_or(hint);
        state
            .members
            .contains_key(member)
            .then(|| member.to_owned())
    };
    of_token.or_else(of_code).or_else(hinted)
}

/// The author, owner or organization that a call names.
fn named(world: &World, call: &Call) -> Option<String> {
    let state = &world.linkedin;
    let of_key = |urn: &str| {
        let author = state.posts.get(urn).map(|post| post.author.clone());
        author.or_else(|| state.assets.get(urn).map(|asset| asset.owner.clone()))
    };
    let in_body = call.json.as_ref().and_then(|body| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        text(&body["author"])
            .or_else(|| text(&body["initializeUploadRequest"]["owner"]))
            .or_else(|| {
                body["finalizeUploadRequest"]["video"]
                    .as_str()
                    .and_then(of_key)
            })
    });
    let last = call.path.rsplit('/').next().unwrap_or("");
    in_body
        .or_else(|| call.param("author").map(str::to_owned))
        .or_else(|| of_key(last))
        .or_else(|| {
            let organization = call.path.starts_with("rest/organizations/");
            organization.then(|| super::organization_urn(last))
        })
        .or_else(|| {
            let id = call.path.strip_prefix("dms-uploads/")?.split('/').nth(1)?;
            state.uploads.get(id).and_then(|urn| of_key(urn))
        })
}

fn is_known(world: &World, urn: &str) -> bool {
    let member = urn.strip_prefix("urn:li:person:");
    let organization = urn.strip_prefix("urn:li:organization:");
    member.is_some_and(|id| world.linkedin.members.contains_key(id))
        || organization.is_some_and(|id| world.linkedin.organizations.contains_key(id))
}
