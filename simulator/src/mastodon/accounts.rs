//! Accounts: the caller's own, and others.

use serde_json::json;

use super::{access, entities};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::World;

/// `GET /api/v1/accounts/verify_credentials`.
pub(super) fn verify(world: &mut World, call: &Call) -> Answer {
    let scopes = ["profile", "read:accounts"];
    flat(access::person(world, call, &scopes).map(|(_, id)| {
        let account = &world.mastodon.accounts[&id];
        let mut out = entities::account(world, &call.host, &id, account);
        out["source"] = json!({
            "privacy": "public",
            "sensitive": false,
            "language": null,
            "note": "",
            "fields": [],
            "follow_requests_count": 0,
            "hide_collections": false,
            "discoverable": true,
            "indexable": true,
            "attribution_domains": [],
            "quote_policy": "public",
        });
        let role = json!({
            "id": "-99", "name": "", "color": "", "permissions": "65536", "highlighted": false,
        });
        out["role"] = role;
        Answer::ok(&out)
    }))
}

/// `GET /api/v1/accounts/:id`.
pub(super) fn show(world: &mut World, call: &Call) -> Answer {
    let id = call.segment(3);
    flat(access::reader(world, call, "read:accounts").and_then(|_| {
        let account = access::known(world, id)?;
        Ok(Answer::ok(&entities::account(
            world, &call.host, id, account,
        )))
    }))
}
