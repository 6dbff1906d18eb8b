//! Proofs of possession (RFC 9449): each call with a bound token carries one, made for this call alone.
//!
//! Servers want a nonce of theirs in it, and change it every few minutes. A call without the right one is refused
//! before anything is done, with the right one beside the refusal: so it is made once more, and that is no repetition
//! of an effect (§8, §9).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use http::{HeaderName, Method};
use mooring_domain::{Failure, Time};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    super::{Bluesky, map},
    key::{Key, nonce},
};
use crate::{
    provider::Access,
    wire::{Op, Reply},
};

/// How long a nonce is surely good: servers change theirs every minute and take the last three.
const SURELY_GOOD: TimeDelta = TimeDelta::seconds(60);
/// From here on, nonces that no server can want any more are forgotten.
const SERVERS: usize = 10_000;

/// The newest nonce of each server, in memory only: a lost one costs a call.
#[derive(Default)]
pub(in super::super) struct Nonces(Mutex<HashMap<String, Known>>);

struct Known {
    nonce: String,
    at: Time,
}

impl Nonces {
    fn of(&self, url: &Url) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&origin(url)).map(|known| known.nonce.clone())
    }

    /// Whether the newest nonce of that server is surely good.
    fn is_fresh(&self, url: &Url, now: Time) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&origin(url))
            .is_some_and(|known| now >= known.at && now - known.at < SURELY_GOOD)
    }

    fn learn(&self, url: &Url, reply: &Reply, now: Time) {
        let Some(nonce) = reply.header("dpop-nonce").filter(|text| !text.is_empty()) else {
            return;
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SERVERS {
            known.retain(|_, known| now - known.at < TimeDelta::minutes(5));
        }
        let nonce = nonce.to_owned();
        known.insert(origin(url), Known { nonce, at: now });
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl Bluesky {
    /// Makes a call of the account's server in the name of the account.
    pub(in super::super) async fn send_as(
        &self,
        op: Op,
        access: &Access,
        call: Call,
    ) -> Result<Reply, Failure> {
        if !self.is_oauth() {
            return self
                .transport
                .send(op, call.bearer(access.token.expose()))
                .await;
        }
        let key = Key::of_grant(access.binding.as_ref())?;
        // What changes something goes out with a nonce that is surely good: then its answer, lost or not, is about
        // the change and not about the nonce. For uploads it saves sending the bytes twice.
        let changes = op.mutates() || op == Op::Prepare;
        if changes && !self.nonces.is_fresh(&call.url, self.transport.now()) {
            self.fetch_nonce(access, &key).await?;
        }
        self.send_bound(op, call, &key, &access.token).await
    }

    /// Asks who we are, for the nonce that comes with any answer. That it failed shows in the call that follows.
    async fn fetch_nonce(&self, access: &Access, key: &Key) -> Result<(), Failure> {
        let call = self.call(access, Method::GET, "com.atproto.server.getSession")?;
        let url = call.url.clone();
        let call = call.authorization("DPoP", access.token.expose());
        let proof = self.proof(&call, key, Some(&access.token), self.nonces.of(&url));
        if let Ok(reply) = self.transport.send(Op::Check, proven(call, &proof)).await {
            self.nonces.learn(&url, &reply, self.transport.now());
        }
        Ok(())
    }

    async fn send_bound(
        &self,
        op: Op,
        call: Call,
        key: &Key,
        token: &Secret,
    ) -> Result<Reply, Failure> {
        let call = call.authorization("DPoP", token.expose());
        self.send_proven(op, call, key, Some(token)).await
    }

    /// Makes a call with its proof, and once more where the server wants another nonce.
    pub(super) async fn send_proven(
        &self,
        op: Op,
        call: Call,
        key: &Key,
        token: Option<&Secret>,
    ) -> Result<Reply, Failure> {
        let url = call.url.clone();
        let used = self.nonces.of(&url);
        let proof = self.proof(&call, key, token, used.clone());
        let reply = self
            .transport
            .send(op, proven(call.clone(), &proof))
            .await?;
        self.nonces.learn(&url, &reply, self.transport.now());
        let wanted = self.nonces.of(&url);
        if !map::wants_nonce(&reply) || wanted == used {
            return Ok(reply);
        }
        let proof = self.proof(&call, key, token, wanted);
        let reply = self.transport.send(op, proven(call, &proof)).await?;
        self.nonces.learn(&url, &reply, self.transport.now());
        Ok(reply)
    }

    fn proof(
        &self,
        call: &Call,
        key: &Key,
        token: Option<&Secret>,
        server_nonce: Option<String>,
    ) -> String {
        let mut target = call.url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let mut claims = json!({
            "jti": nonce(),
            "htm": call.method.as_str(),
            "htu": target.as_str(),
            "iat": self.transport.now().timestamp(),
        });
        if let Some(nonce) = server_nonce {
            claims["nonce"] = nonce.into();
        }
        if let Some(token) = token {
            let digest = Sha256::digest(token.expose().as_bytes());
            claims["ath"] = URL_SAFE_NO_PAD.encode(digest).into();
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk() });
        key.sign(&header, &claims)
    }
}

fn proven(call: Call, proof: &str) -> Call {
    call.header(HeaderName::from_static("dpop"), proof)
}
