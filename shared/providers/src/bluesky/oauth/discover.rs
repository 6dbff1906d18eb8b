//! Who an account is, where it lives, and who issues tokens for it.
//!
//! Handle → DID (any server resolves) → DID document → the account's server → its authorization server
//! (<https://atproto.com/specs/oauth>, <https://atproto.com/specs/did>). One that hosts accounts for others
//! (bsky.social) is its own authorization server and takes no tokens itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Failure, Time};
use mooring_runtime::Call;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{
    super::{Bluesky, broken, wire::DidDoc},
    map,
    wire::{Metadata, ProtectedResource},
};
use crate::wire::{Op, Reply, join};

/// How long what a server says about itself is believed; the reference server says so itself.
const BELIEVED: TimeDelta = TimeDelta::minutes(5);
/// From here on, servers that were not asked for long are forgotten.
const SERVERS: usize = 10_000;

/// The authorization servers of accounts' servers, in memory only.
#[derive(Default)]
pub(in super::super) struct Servers(Mutex<HashMap<String, (Metadata, Time)>>);

#[derive(Deserialize)]
struct Resolved {
    did: String,
}

impl Bluesky {
    /// The server of the account that a handle or DID names.
    pub(super) async fn home_of(&self, name: &str) -> Result<Url, Failure> {
        let name = name.trim().trim_start_matches('@');
        if name.starts_with("did:") {
            return self.home(Op::Connect, name).await;
        }
        // A mail address is known to its server alone.
        if name.contains('@') || !name.contains('.') {
            return Ok(self.base.clone());
        }
        let method = "com.atproto.identity.resolveHandle";
        let call = self
            .transport
            .call(method, Method::GET, &self.base, &["xrpc", method])?;
        let resolved: Resolved = self
            .answer(Op::Read, call.query("handle", name), "resolved handle")
            .await?;
        self.home(Op::Connect, &resolved.did).await
    }

    /// The server that an account's DID document names.
    pub(super) async fn home(&self, op: Op, did: &str) -> Result<Url, Failure> {
        let (template, url) = self.document_address(did)?;
        let call = Call::new(self.platform.as_str(), template, Method::GET, url);
        let reply = self.look(op, call).await?;
        if matches!(reply.status, 404 | 410) {
            return Err(Failure::AccountUnavailable);
        }
        if !reply.is_success() {
            return Err(map::failure(op, &reply, self.transport.now()));
        }
        let document: DidDoc = reply.read("DID document")?;
        if document.id != did {
            return Err(broken("a DID document of another identity"));
        }
        document
            .server()
            .ok_or_else(|| broken("a DID document without a server"))
    }

    fn document_address(&self, did: &str) -> Result<(&'static str, Url), Failure> {
        if did.starts_with("did:plc:") {
            return Ok(("/{did}", join(&self.directory, &[did])?));
        }
        let host = did.strip_prefix("did:web:").unwrap_or_default();
        // A port is written as %3A; paths are not allowed here.
        let host = host.replace("%3A", ":");
        let address = format!("https://{host}/.well-known/did.json");
        match Url::parse(&address) {
            Ok(url) if !host.is_empty() && url.path() == "/.well-known/did.json" => {
                Ok(("/.well-known/did.json", url))
            }
            _ => Err(broken("an identity of an unknown method")),
        }
    }

    /// The authorization server of an account's server.
    pub(super) async fn issuer_of(&self, op: Op, host: &Url) -> Result<Metadata, Failure> {
        let now = self.transport.now();
        if let Some(known) = self.servers.of(host, now) {
            return Ok(known);
        }
        let path = [".well-known", "oauth-protected-resource"];
        let template = "/.well-known/oauth-protected-resource";
        let call = self.transport.call(template, Method::GET, host, &path)?;
        let reply = self.look(op, call).await?;
        let takes_no_tokens = (400..500).contains(&reply.status) && reply.status != 429;
        let issuer = if takes_no_tokens {
            host.clone()
        } else {
            let resource: ProtectedResource = self.read(op, &reply, "protected resource")?;
            let first = resource.authorization_servers.first();
            let issuer = first.and_then(|text| Url::parse(text).ok());
            issuer.ok_or_else(|| broken("a server without an authorization server"))?
        };
        let metadata = self.metadata(op, &issuer).await?;
        self.servers.learn(host, &metadata, now);
        Ok(metadata)
    }

    /// What an authorization server says about itself.
    pub(super) async fn metadata(&self, op: Op, issuer: &Url) -> Result<Metadata, Failure> {
        let path = [".well-known", "oauth-authorization-server"];
        let template = "/.well-known/oauth-authorization-server";
        let call = self.transport.call(template, Method::GET, issuer, &path)?;
        let reply = self.look(op, call).await?;
        let metadata: Metadata = self.read(op, &reply, "authorization server")?;
        let own = |text: &str| text.trim_end_matches('/').to_owned();
        if own(&metadata.issuer) == own(issuer.as_str()) {
            Ok(metadata)
        } else {
            Err(broken("an authorization server with another name"))
        }
    }

    /// A look that changes nothing: whatever it is for, a lost answer is no question.
    async fn look(&self, op: Op, call: Call) -> Result<Reply, Failure> {
        let reply = self.transport.send(op, call).await;
        reply.map_err(|failure| match failure {
            Failure::Indeterminate => Failure::ProviderDown,
            failure => failure,
        })
    }

    pub(super) fn read<T: DeserializeOwned>(
        &self,
        op: Op,
        reply: &Reply,
        what: &str,
    ) -> Result<T, Failure> {
        if reply.is_success() {
            reply.read(what)
        } else {
            Err(map::failure(op, reply, self.transport.now()))
        }
    }
}

impl Servers {
    fn of(&self, host: &Url, now: Time) -> Option<Metadata> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (metadata, at) = known.get(host.as_str())?;
        (now >= *at && now - *at < BELIEVED).then(|| metadata.clone())
    }

    fn learn(&self, host: &Url, metadata: &Metadata, now: Time) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SERVERS {
            known.retain(|_, (_, at)| now - *at < BELIEVED);
        }
        known.insert(host.as_str().to_owned(), (metadata.clone(), now));
    }
}
