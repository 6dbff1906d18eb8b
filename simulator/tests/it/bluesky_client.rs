//! A client of the Bluesky server's OAuth that shares no code with the server or the product.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::bluesky::Bluesky;
use crate::client::{Reply, get, post_form, post_json, send};

pub(crate) const VERIFIER: &str = "a-verifier-that-is-at-least-forty-three-characters-long";
pub(crate) const CLIENT: &str = "http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%2Fback&scope=atproto%20transition%3Ageneric";
pub(crate) const BACK: &str = "http%3A%2F%2F127.0.0.1%3A9%2Fback";
pub(crate) const PUT: &str = "/bluesky/xrpc/com.atproto.repo.putRecord";

/// A client with one key.
pub(crate) struct Client {
    pub(crate) bsky: Bluesky,
    pub(crate) key: SigningKey,
    pub(crate) nonce: String,
    counter: u32,
}

/// What the server answered to the last exchange.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Client {
    pub(crate) async fn new() -> Self {
        let mut client = Self {
            bsky: Bluesky::new().await,
            key: SigningKey::from_slice(&[7; 32]).unwrap(),
            nonce: String::new(),
            counter: 0,
        };
        let reply = client.post("/oauth/token", "client_id=x").await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.json()["error"], "use_dpop_nonce");
        client.nonce.clone_from(&reply.headers["dpop-nonce"]);
        client
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}/bluesky", self.bsky.simulator.address())
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    pub(crate) fn claims(&mut self, method: &str, path: &str, token: Option<&str>) -> Value {
        self.counter += 1;
        let ath = token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        let now = self.bsky.admin.clock().now_ms() / 1000;
        let mut claims = json!({
            "jti": format!("id-{}", self.counter),
            "htm": method,
            "htu": format!("{}{path}", self.origin()),
            "iat": now,
        });
        if !self.nonce.is_empty() {
            claims["nonce"] = self.nonce.as_str().into();
        }
        if let Some(ath) = ath {
            claims["ath"] = ath.into();
        }
        claims
    }

    pub(crate) fn proof(&self, claims: &Value) -> String {
        let point = self.key.verifying_key().to_sec1_point(false);
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": part(&point.as_bytes()[1..33]), "y": part(&point.as_bytes()[33..]),
        });
        self.sign(
            &json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }),
            claims,
        )
    }

    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Reply {
        let claims = self.claims("POST", path, None);
        self.post_with(path, form, &claims).await
    }

    pub(crate) async fn post_with(&self, path: &str, form: &str, claims: &Value) -> Reply {
        let proof = self.proof(claims);
        let request = post_form(format!("/bluesky{path}"), form).header("dpop", &proof);
        send(&self.bsky.simulator, &request).await
    }

    /// Writes a post with a bound token.
    pub(crate) async fn write(&mut self, token: &str, rkey: &str) -> Reply {
        let claims = self.claims("POST", "/xrpc/com.atproto.repo.putRecord", Some(token));
        self.write_with(token, rkey, &claims).await
    }

    pub(crate) async fn write_with(&self, token: &str, rkey: &str, claims: &Value) -> Reply {
        // Two lines of the head at once: this client is a raw one.
        let lines = format!("{}\r\nauthorization: DPoP {token}", self.proof(claims));
        let record = self.bsky.record(rkey, "said with a bound token");
        let request = post_json(PUT, &record).header("dpop", &lines);
        send(&self.bsky.simulator, &request).await
    }

    pub(crate) async fn par(&mut self, more: &str) -> Reply {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let form = format!(
            "client_id={}&redirect_uri={BACK}&response_type=code&state=s1&scope=atproto%20transition%3Ageneric\
             &code_challenge={challenge}&code_challenge_method=S256&login_hint={}{more}",
            escaped(CLIENT),
            self.bsky.account.handle,
        );
        self.post("/oauth/par", &form).await
    }

    /// Consents; where the browser is sent back to.
    pub(crate) async fn consent(&mut self, more: &str) -> String {
        let pushed = self.par("").await;
        assert_eq!(pushed.status, 201);
        assert_eq!(pushed.json()["expires_in"], 299);
        let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
        let page = format!(
            "/bluesky/oauth/authorize?client_id={}&request_uri={}{more}",
            escaped(CLIENT),
            escaped(&uri)
        );
        let reply = send(&self.bsky.simulator, &get(page.clone())).await;
        assert_eq!(reply.status, 303);
        let again = send(&self.bsky.simulator, &get(page)).await;
        assert_eq!(again.status, 400, "a request serves once");
        reply.headers["location"].clone()
    }

    pub(crate) async fn exchange(&mut self, code: &str, verifier: &str) -> Reply {
        let form = format!(
            "grant_type=authorization_code&client_id={}&redirect_uri={BACK}&code={code}&code_verifier={verifier}",
            escaped(CLIENT)
        );
        self.post("/oauth/token", &form).await
    }

    pub(crate) async fn connect(&mut self) -> Tokens {
        let code = value(&self.consent("").await, "code");
        tokens(&self.exchange(&code, VERIFIER).await)
    }

    pub(crate) async fn refresh(&mut self, token: &str) -> Reply {
        let form = format!(
            "grant_type=refresh_token&client_id={}&refresh_token={token}",
            escaped(CLIENT)
        );
        self.post("/oauth/token", &form).await
    }

    pub(crate) async fn advance(&mut self, by: Duration) {
        self.bsky.admin.clock().advance(by).unwrap();
        let reply = self.post("/oauth/token", "client_id=x").await;
        self.nonce.clone_from(&reply.headers["dpop-nonce"]);
    }
}

pub(crate) fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) fn value(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

pub(crate) fn tokens(reply: &Reply) -> Tokens {
    assert_eq!(
        reply.status,
        200,
        "{:?}",
        String::from_utf8_lossy(&reply.body)
    );
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Tokens {
        access: text("access_token"),
        refresh: text("refresh_token"),
    }
}

pub(crate) fn complaint(reply: &Reply) -> (u16, String, String) {
    let body = reply.json();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    // Where tokens are issued, and where they are used.
    let said = text("error_description").or(text("message"));
    (
        reply.status,
        text("error").unwrap_or_default(),
        said.unwrap_or_default(),
    )
}

pub(crate) fn invalid_grant(text: &str) -> (u16, String, String) {
    (400, "invalid_grant".to_owned(), text.to_owned())
}
