//! Our client at every authorization server: what it shows in calls, and what must be published about it.

use mooring_domain::{Failure, Platform};
use serde_json::{Value, json};
use url::Url;

use super::{
    super::Bluesky,
    key::{Key, nonce},
    wire::Metadata,
};
use crate::provider::AppCredentials;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion is good, in seconds; servers take none that is older than a minute.
const ASSERTION_LIFE: i64 = 60;

impl Bluesky {
    /// The form fields by which a client shows who it is.
    pub(super) fn client(
        &self,
        app: &AppCredentials,
        server: &Metadata,
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut form = vec![("client_id", app.client_id.clone())];
        if let Some(key) = Key::of_client(&app.client_secret)? {
            let now = self.transport.now().timestamp();
            let claims = json!({
                "iss": app.client_id,
                "sub": app.client_id,
                "aud": server.issuer,
                "jti": nonce(),
                "iat": now,
                "exp": now + ASSERTION_LIFE,
            });
            let header = json!({ "typ": "JWT", "alg": "ES256", "kid": key.id });
            form.extend([
                ("client_assertion_type", ASSERTION.to_owned()),
                ("client_assertion", key.sign(&header, &claims)),
            ]);
        }
        Ok(form)
    }
}

/// The document that must be served at the client's id, which is its address: servers fetch it from there
/// (<https://atproto.com/specs/oauth#clients>). It holds no secret.
///
/// # Errors
/// [`Failure::AppAccess`] when the client's secret looks like a key and is none on P-256.
pub(in crate::bluesky) fn client_metadata(
    app: &AppCredentials,
    name: &str,
    redirect_uri: &Url,
) -> Result<Value, Failure> {
    let scopes = Platform::BlueskyOAuth.capabilities().required_scopes;
    let mut document = json!({
        "client_id": app.client_id,
        "client_name": name,
        "application_type": "web",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": scopes.join(" "),
        "redirect_uris": [redirect_uri.as_str()],
        "dpop_bound_access_tokens": true,
        "token_endpoint_auth_method": "none",
    });
    if let Some(key) = Key::of_client(&app.client_secret)? {
        let mut public = key.public_jwk();
        public["use"] = "sig".into();
        public["alg"] = "ES256".into();
        public["kid"] = json!(key.id);
        document["token_endpoint_auth_method"] = "private_key_jwt".into();
        document["token_endpoint_auth_signing_alg"] = "ES256".into();
        document["jwks"] = json!({ "keys": [public] });
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;
    use mooring_vault::Secret;

    use super::*;

    fn document(secret: Secret) -> Value {
        let app = AppCredentials {
            client_id: "https://mooring.example/oauth/client-metadata.json".to_owned(),
            client_secret: secret,
        };
        let back = Url::parse("https://mooring.example/oauth/bluesky").expect("a URL");
        client_metadata(&app, "Mooring", &back).expect("a document")
    }

    #[test]
    fn a_client_with_a_key_publishes_the_public_half_and_nothing_else() {
        let mut key = Key::fresh(from_ms(1_795_446_000_000));
        key.id = Some("1".to_owned());
        let document = document(key.to_jwk());
        assert_eq!(document["token_endpoint_auth_method"], "private_key_jwt");
        let public = &document["jwks"]["keys"][0];
        assert_eq!(public["x"], key.public_jwk()["x"]);
        assert_eq!(public["kid"], "1");
        assert!(public.get("d").is_none(), "the secret half stays here");
        assert_eq!(document["dpop_bound_access_tokens"], true);
    }

    #[test]
    fn a_client_without_a_key_says_so() {
        let document = document(Secret::from(""));
        assert_eq!(document["token_endpoint_auth_method"], "none");
        assert!(document.get("jwks").is_none());
    }
}
