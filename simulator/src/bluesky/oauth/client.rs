//! Who asks: a loopback client, which needs no registration, or the one that is registered.
//!
//! A real server fetches the metadata behind a client's id. Here the registered client is known beforehand, and any
//! redirect address is its own, because nobody can know where the product under test listens.

use serde_json::Value;
use url::Url;

use super::{errors, jose};
use crate::call::{Answer, Call};
use crate::world::World;

/// Id of the registered client: the address that its metadata would have.
pub(crate) const REGISTERED: &str = "https://mooring.example/oauth/client-metadata.json";
/// Name of its key.
pub(super) const KEY_ID: &str = "mooring-1";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ASSERTION_LIFE_S: i64 = 60;
const SCOPES: &str = "atproto transition:generic transition:email transition:chat.bsky";

/// A client that has shown that it is one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) id: String,
    /// Whether it has a key of its own. Sessions of those that have none end after two weeks.
    pub(super) confidential: bool,
    scopes: String,
    /// Empty: any.
    redirect_uris: Vec<String>,
}

impl Client {
    pub(super) fn registered() -> Self {
        Self {
            id: REGISTERED.to_owned(),
            confidential: true,
            scopes: SCOPES.to_owned(),
            redirect_uris: Vec::new(),
        }
    }

    /// `http://localhost?redirect_uri=…&scope=…`
    fn loopback(id: &str) -> Option<Self> {
        let url = Url::parse(id).ok()?;
        if url.scheme() != "http" || url.host_str() != Some("localhost") || url.path() != "/" {
            return None;
        }
        let all = |name: &str| {
            let pairs = url.query_pairs().filter(|(key, _)| key == name);
            pairs
                .map(|(_, value)| value.into_owned())
                .collect::<Vec<_>>()
        };
        let mut redirect_uris = all("redirect_uri");
        if redirect_uris.is_empty() {
            redirect_uris = vec!["http://127.0.0.1/".to_owned(), "http://[::1]/".to_owned()];
        }
        Some(Self {
            id: id.to_owned(),
            confidential: false,
            scopes: all("scope").pop().unwrap_or_else(|| "atproto".to_owned()),
            redirect_uris,
        })
    }

    pub(super) fn may_ask_for(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|known| known == scope)
    }

    /// Loopback addresses fit whatever their port is.
    pub(super) fn redirects_to(&self, uri: &str) -> bool {
        let plain = |uri: &str| {
            let mut url = Url::parse(uri).ok()?;
            url.set_port(None).ok()?;
            Some(url)
        };
        Url::parse(uri).is_ok()
            && (self.redirect_uris.is_empty()
                || self
                    .redirect_uris
                    .iter()
                    .any(|one| plain(one) == plain(uri)))
    }
}

/// The client of a call, by its id and, for the registered one, its assertion.
pub(super) fn authenticate(world: &mut World, call: &Call) -> Result<Client, Answer> {
    let id = call
        .param("client_id")
        .ok_or_else(|| errors::invalid_client("Client credentials missing"))?;
    if id == REGISTERED {
        check_assertion(world, call).map_err(|text| {
            errors::invalid_client(&format!(
                "Validation of \"client_assertion\" failed: {text}"
            ))
        })?;
        return Ok(Client::registered());
    }
    Client::loopback(id).ok_or_else(|| {
        errors::error(
            400,
            "invalid_client_metadata",
            &format!("Unable to obtain client metadata for \"{id}\""),
        )
    })
}

fn check_assertion(world: &World, call: &Call) -> Result<(), &'static str> {
    if call.param("client_assertion_type") != Some(ASSERTION) {
        return Err("client authentication method \"private_key_jwt\" required");
    }
    let assertion = call.param("client_assertion").unwrap_or("");
    let jws = jose::Jws::parse(assertion).ok_or("Invalid Compact JWS")?;
    if jws.header["kid"] != KEY_ID {
        return Err("\"kid\" required in client_assertion");
    }
    if !jws.is_signed_by(world.bluesky.oauth.client_key.verifying_key()) {
        return Err("signature verification failed");
    }
    if jws.text("iss") != REGISTERED || jws.text("sub") != REGISTERED {
        return Err("unexpected \"iss\" or \"sub\" claim value");
    }
    let issuer = format!("http://{}/bluesky", call.host);
    let named = match &jws.claims["aud"] {
        Value::Array(all) => all.iter().any(|one| *one == issuer.as_str()),
        one => *one == issuer.as_str(),
    };
    if !named {
        return Err("unexpected \"aud\" claim value");
    }
    if jws.text("jti").is_empty() {
        return Err("missing required \"jti\" claim");
    }
    let age = world.now / 1000 - jws.claims["iat"].as_i64().unwrap_or(0);
    if !(0..=ASSERTION_LIFE_S).contains(&age) {
        return Err("\"iat\" claim timestamp check failed");
    }
    Ok(())
}
