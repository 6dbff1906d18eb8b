//! Sessions: their ends, their server, and what a new one brings.

use mooring_domain::{Failure, Platform, Time};
use mooring_vault::Secret;
use url::Url;

use super::{
    Bluesky, jwt,
    wire::{DidDoc, Session},
};
use crate::connect::{Connected, Destination};

impl Bluesky {
    /// A refresh token that was refused: its own end tells whether its time was over or it was taken back.
    pub(super) fn over_or_revoked(&self, failure: Failure, refresh_token: &Secret) -> Failure {
        let over = jwt::ends_at(refresh_token).is_some_and(|end| end <= self.transport.now());
        if failure == Failure::TokenRevoked && over {
            Failure::TokenExpired
        } else {
            failure
        }
    }

    /// Ends of access and refresh token: what the tokens say, else what is usual.
    pub(super) fn ends(&self, session: &Session) -> (Option<Time>, Option<Time>) {
        let row = Platform::Bluesky.capabilities();
        let usual = |lifetime| Some(self.transport.now() + lifetime?);
        (
            jwt::ends_at(&session.access_jwt).or_else(|| usual(row.access_lifetime)),
            jwt::ends_at(&session.refresh_jwt).or_else(|| usual(row.refresh_lifetime)),
        )
    }

    pub(super) fn connected(&self, session: Session, host: Url) -> Connected {
        let (access_expires_at, refresh_expires_at) = self.ends(&session);
        let destination = Destination {
            platform: Platform::Bluesky,
            remote_id: session.did.clone(),
            name: session.handle.clone(),
            token: None,
            may_publish: session.active.unwrap_or(true),
        };
        Connected {
            host: Some(session.own_server().unwrap_or(host)),
            remote_user_id: session.did,
            grant_token: session.access_jwt,
            refresh_token: Some(session.refresh_jwt),
            access_expires_at,
            refresh_expires_at,
            scopes: None,
            binding: None,
            app: None,
            destinations: vec![destination],
        }
    }
}

impl DidDoc {
    /// The server that it names. Whether an address may be called at all is the HTTP client's affair.
    pub(super) fn server(&self) -> Option<Url> {
        let mut services = self.service.iter();
        let server = services.find(|service| service.id.ends_with("#atproto_pds"))?;
        let url = Url::parse(server.service_endpoint.as_str()?).ok()?;
        matches!(url.scheme(), "https" | "http").then_some(url)
    }
}

impl Session {
    /// The account's own server, from its DID document. A server on this machine names itself by a name that means
    /// another machine everywhere else, so such a document is not followed.
    fn own_server(&self) -> Option<Url> {
        let url = self.did_doc.as_ref()?.server()?;
        let public = url
            .domain()
            .is_some_and(|name| name.contains('.') && !name.ends_with(".localhost"));
        (url.scheme() == "https" && public).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_comes_from_the_did_document_only_where_it_can_be_reached() {
        let server = |endpoint: &str| {
            let text = format!(
                r##"{{"accessJwt":"a","refreshJwt":"r","did":"did:plc:x","handle":"h","didDoc":{{"service":
                    [{{"id":"#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":"{endpoint}"}}]}}}}"##
            );
            let session: Session = serde_json::from_str(&text).expect("a session");
            session.own_server().map(String::from)
        };
        let pds = "https://shiitake.us-east.host.bsky.network";
        assert_eq!(server(pds), Some(format!("{pds}/")));
        for local in [
            "https://localhost",
            "http://pds.example",
            "https://127.0.0.1:7110",
            "nowhere",
        ] {
            assert_eq!(server(local), None, "{local}");
        }
    }

    #[test]
    fn a_session_shows_no_token() {
        let session: Session = serde_json::from_str(
            r#"{"accessJwt":"aaa","refreshJwt":"rrr","did":"d","handle":"h"}"#,
        )
        .expect("a session");
        assert!(!format!("{session:?}").contains("aaa"), "{session:?}");
        assert!(
            serde_json::from_str::<Session>(
                r#"{"accessJwt":"","refreshJwt":"r","did":"d","handle":"h"}"#
            )
            .is_err()
        );
    }
}
