//! An account on the real server, by app password or by OAuth, and what happens to it there.

use std::{pin::Pin, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mooring_domain::{
    Failure, Platform, Time, connection::AccountState, post::MediaKind, time::days,
};
use mooring_providers::{Access, Authorize, Credentials, Provider};
use mooring_runtime::Http;
use mooring_vault::Secret;
use serde_json::{Value, json};
use url::Url;

use super::{
    browser::{self, Browser},
    place::{Place, password, person},
};
use crate::{
    arena::{Act, Declining, Scene, Shown},
    media,
};

/// The account as the suite sees it.
pub(crate) struct Resident(pub(crate) Arc<Place>);

impl Resident {
    fn by_oauth(&self) -> bool {
        self.0.platform == Platform::BlueskyOAuth
    }

    /// The owner ends the session, on the server's own page or by taking the app password back.
    fn revoke(&self) {
        let (owner, server) = (self.0.owner(), &self.0.server);
        server.block(async {
            if !self.by_oauth() {
                let token = self.0.owner_token();
                let name = json!({ "name": "mooring" });
                let method = "com.atproto.server.revokeAppPassword";
                server
                    .operator
                    .post(method, &name, Some(token.expose()))
                    .await;
                return;
            }
            let http = self.0.adapter_of_its_own().http;
            let page = server.url.join("/account").expect("a URL");
            let mut browser = Browser::new(&http);
            browser.log_in(&person(&owner.account, None), &page).await;
            let session = json!({
                "sub": owner.account.did,
                "tokenId": claim(&owner.access.token, "jti"),
            });
            browser.press(&page, "revoke-oauth-session", &session).await;
        });
    }

    /// A consent that was asked for, and a code that nobody was given.
    async fn with_a_made_up_code(&self) -> Credentials {
        let adapter = self.0.adapter_of_its_own();
        let redirect_uri = Url::parse("http://127.0.0.1/oauth/bluesky").expect("a URL");
        let app = browser::app();
        let handle = self.0.owner().account.handle;
        let request = Authorize {
            app: Some(&app),
            redirect_uri: &redirect_uri,
            state: "state-2",
            host: None,
            login_hint: Some(&handle),
        };
        let consent = adapter.provider.authorize(&request).await;
        let consent = consent.expect("an address").expect("a page");
        let issuer = self.0.server.url.as_str().trim_end_matches('/').to_owned();
        Credentials::Code {
            app: Some(app),
            code: Secret::from(format!("cod-{}", "0".repeat(64))),
            redirect_uri,
            kept: consent.kept,
            issuer: Some(issuer),
        }
    }
}

fn claim(token: &Secret, name: &str) -> Value {
    let payload = token.expose().split('.').nth(1).expect("a JSON Web Token");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    let claims: Value = serde_json::from_slice(&payload).expect("JSON");
    claims[name].clone()
}

impl Scene for Resident {
    fn platform(&self) -> Platform {
        self.0.platform
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::Bluesky
    }

    fn account(&self) -> String {
        self.0.did()
    }

    fn access(&self) -> Access {
        self.0.owner().access
    }

    fn strangers_access(&self) -> Access {
        let stranger = self.0.server.block(async {
            let account = self.0.server.operator.account().await;
            self.0.connected(account, None).await
        });
        Access {
            remote_id: self.account(),
            remote_user_id: self.account(),
            ..stranger.access
        }
    }

    /// Those of its session were noted when it began.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(async move {
            let account = self.0.owner().account;
            if self.by_oauth() {
                browser::consented(http, provider, &person(&account, None)).await
            } else {
                password(&account, &account.app_password)
            }
        })
    }

    fn wrong_credentials(&self) -> Credentials {
        if self.by_oauth() {
            self.0.server.block(self.with_a_made_up_code())
        } else {
            password(&self.0.owner().account, "aaaa-bbbb-cccc-dddd")
        }
    }

    fn act(&self, act: Act) -> Shown {
        let (server, owner) = (&self.0.server, self.0.owner());
        let operator = &server.operator;
        match act {
            Act::Expire => {
                let life = self.platform().capabilities().access_lifetime;
                let life = life.and_then(|life| life.to_std().ok());
                server.advance(life.expect("a lifetime") + Duration::from_mins(1));
                Shown::Token(Failure::TokenExpired)
            }
            Act::Revoke if self.by_oauth() => {
                self.revoke();
                Shown::Token(Failure::TokenExpired)
            }
            Act::Revoke => {
                self.revoke();
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::ChangePassword => {
                server.block(operator.change_password(&owner.account));
                if self.by_oauth() {
                    return Shown::Nowhere("a session of OAuth outlives the password");
                }
                Shown::Refresh(Failure::TokenRevoked)
            }
            Act::DropScope if self.by_oauth() => {
                server.block(self.0.move_in(owner.account, Some("atproto")));
                Shown::Publish(Failure::ScopeMissing { scopes: Vec::new() })
            }
            Act::DropScope => Shown::Nowhere(
                "an app password has all permissions of its kind until it is revoked",
            ),
            Act::LoseRole => Shown::Nowhere("an account is its owner's alone: there are no roles"),
            Act::Checkpoint if self.by_oauth() => {
                Shown::Nowhere("a person proves it is them when consenting only")
            }
            Act::Checkpoint => Shown::Nowhere("an e-mail code is asked for at log-in only"),
            Act::Suspend => {
                server.block(operator.take_down(&owner.account));
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => {
                server.block(operator.deactivate(&owner.account));
                Shown::Account(AccountState::Unavailable)
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(301)
    }

    fn declining<'a>(&'a self, http: &'a Http, provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async move {
            if !self.by_oauth() {
                return Err("an app password has no permissions that could be declined");
            }
            let account = self.0.owner().account;
            let person = person(&account, Some("atproto"));
            let credentials = browser::consented(http, provider, &person).await;
            Ok((credentials, "transition:generic".to_owned()))
        })
    }

    /// The server's operator takes the very file down that will be uploaded.
    fn spoil_media(&self) -> Result<(), &'static str> {
        let format = &self.platform().capabilities().formats[0];
        let file = media::of_row(format, MediaKind::Image, 0);
        let (server, token) = (&self.0.server, self.0.owner_token());
        let operator = &server.operator;
        server.block(async {
            let bytes = file.bytes().await.expect("in memory");
            let call = operator
                .call("com.atproto.repo.uploadBlob")
                .bearer(token.expose())
                .bytes(file.media.mime.clone(), bytes);
            let uploaded = operator.answered("uploadBlob", call).await;
            let uploaded: Value = serde_json::from_slice(&uploaded).expect("JSON");
            let subject = json!({
                "$type": "com.atproto.admin.defs#repoBlobRef",
                "did": self.account(),
                "cid": uploaded["blob"]["ref"]["$link"],
            });
            let body = json!({ "subject": subject, "takedown": { "applied": true, "ref": "1" } });
            operator
                .administer("com.atproto.admin.updateSubjectStatus", &body)
                .await;
        });
        Ok(())
    }

    /// Ours is a client without a key: its session ends two weeks after it began, whatever is refreshed.
    fn refresh_end(&self, counted_from: Time) -> Option<Time> {
        if self.by_oauth() {
            return Some(self.0.owner().begun + days(14));
        }
        let life = self.platform().capabilities().refresh_lifetime;
        life.map(|life| counted_from + life)
    }
}
