//! The OAuth side of a Bluesky server: pushed requests, PKCE, proofs of possession with the server's
//! nonces, refresh tokens that work once. Statuses and texts are those of the real server.

mod authorize;
mod client;
mod dpop;
mod errors;
mod jose;
mod metadata;
mod par;
mod resource;
mod token;

use std::collections::{HashMap, HashSet};

use p256::ecdsa::SigningKey;
use rand::Rng as _;
use rand::rngs::StdRng;

pub(crate) use authorize::page as authorize;
pub(crate) use dpop::next_nonce;
pub(crate) use metadata::{authorization_server, did_document, jwks, protected_resource};
pub(crate) use par::push;
pub(crate) use resource::{Caller, caller, is_proven};
pub(crate) use token::{ends, is_refresh, open, revoke, token};

/// The scope of a session that may do what an app password may.
pub(crate) const GENERIC: &str = "transition:generic";

/// What the server knows.
pub(crate) struct OAuth {
    /// Nonces are made from it.
    nonce_key: [u8; 32],
    /// The one client that is registered with a key of its own.
    client_key: SigningKey,
    /// Ids of proofs that were seen, with the time until which they are remembered.
    proofs: HashMap<String, i64>,
    /// Pushed requests, by their URI.
    requests: HashMap<String, Request>,
    codes: HashMap<String, Code>,
    /// Codes that became a session, and which.
    spent_codes: HashMap<String, u64>,
    /// Challenges that were used up.
    challenges: HashSet<String>,
    pub(crate) sessions: HashMap<u64, Session>,
    /// Refresh tokens and ids of access tokens of every session, spent ones too: a spent refresh token ends its session.
    tokens: HashMap<String, u64>,
    counter: u64,
}

/// A pushed request.
#[derive(Clone)]
struct Request {
    client: client::Client,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
    challenge: String,
    login_hint: Option<String>,
    /// Thumbprint of the key that its proof was made with.
    jkt: String,
    expires_at: i64,
}

/// An authorization code.
struct Code {
    request: Request,
    did: String,
    scope: String,
    expires_at: i64,
}

/// A session: one consent, and the tokens that followed from it.
pub(crate) struct Session {
    pub(crate) did: String,
    client: client::Client,
    jkt: String,
    pub(crate) scope: String,
    /// `jti` of the one access token that counts.
    token_id: String,
    /// The one refresh token that counts.
    refresh_token: String,
    created_at: i64,
    updated_at: i64,
    /// Ended by a test, as if its time were over.
    pub(crate) expired: bool,
}

impl OAuth {
    pub(crate) fn new(rng: &mut StdRng) -> Self {
        Self {
            nonce_key: rng.random(),
            client_key: jose::new_key(rng),
            proofs: HashMap::new(),
            requests: HashMap::new(),
            codes: HashMap::new(),
            spent_codes: HashMap::new(),
            challenges: HashSet::new(),
            sessions: HashMap::new(),
            tokens: HashMap::new(),
            counter: 0,
        }
    }

    /// Ends every session of an account.
    pub(crate) fn end_sessions(&mut self, did: &str) {
        self.sessions.retain(|_, session| session.did != did);
    }

    /// Id and private key (a JWK) of the registered client.
    pub(crate) fn registered_client(&self) -> (&'static str, String) {
        let mut key = jose::private_jwk(&self.client_key);
        key["kid"] = client::KEY_ID.into();
        (client::REGISTERED, key.to_string())
    }
}
