//! What the server says about itself, and about identities.

use serde_json::json;

use crate::bluesky::{AccountState, session};
use crate::call::{Answer, Call};
use crate::world::World;

/// `GET /.well-known/oauth-protected-resource`
pub(crate) fn protected_resource(_: &mut World, call: &Call) -> Answer {
    let own = format!("http://{}/bluesky", call.host);
    Answer::ok(&json!({
        "resource": own,
        "authorization_servers": [own],
        "scopes_supported": [],
        "bearer_methods_supported": ["header"],
        "resource_documentation": "https://atproto.com",
    }))
}

/// `GET /.well-known/oauth-authorization-server`
pub(crate) fn authorization_server(_: &mut World, call: &Call) -> Answer {
    let own = format!("http://{}/bluesky", call.host);
    Answer::ok(&json!({
        "issuer": own,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "scopes_supported":
            ["atproto", "transition:email", "transition:generic", "transition:chat.bsky"],
        "subject_types_supported": ["public"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "ui_locales_supported": ["en-US"],
        "display_values_supported": ["page"],
        "authorization_response_iss_parameter_supported": true,
        "jwks_uri": format!("{own}/oauth/jwks"),
        "authorization_endpoint": format!("{own}/oauth/authorize"),
        "token_endpoint": format!("{own}/oauth/token"),
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "revocation_endpoint": format!("{own}/oauth/revoke"),
        "pushed_authorization_request_endpoint": format!("{own}/oauth/par"),
        "require_pushed_authorization_requests": true,
        "dpop_signing_alg_values_supported": ["ES256"],
        "protected_resources": [own],
        "client_id_metadata_document_supported": true,
    }))
}

/// `GET /oauth/jwks`: nothing, because the access tokens are signed with a secret.
pub(crate) fn jwks(_: &mut World, _: &Call) -> Answer {
    Answer::ok(&json!({ "keys": [] }))
}

/// `GET /{did}`: the identity directory, which is a server of its own in reality.
pub(crate) fn did_document(world: &mut World, call: &Call) -> Answer {
    let known = world.bluesky.accounts.get_key_value(call.segment(0));
    let known = known.filter(|(_, account)| account.state != AccountState::Deleted);
    if let Some((did, account)) = known {
        let document = session::did_document(did, &account.handle, &call.host);
        return Answer::ok(&document);
    }
    let text = format!("DID not registered: {}", call.segment(0));
    Answer::json(404, &json!({ "message": text }))
}
