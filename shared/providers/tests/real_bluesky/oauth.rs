//! The way in by OAuth before a real server.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use mooring_domain::{
    Failure, MediaId,
    connection::{AccountState, TokenSeen},
    post::{Finding, Media, MediaKind, Prepared, Seen, Sent},
    time::{days, minutes},
};
use mooring_providers::{Access, Attachment, Connected, Credentials, Draft, MediaSource};

use crate::{
    accepted,
    browser::{self, Person},
    draft, lost,
    operator::{Account, OWNER_PASSWORD},
    server::Server,
};

/// A picture of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

impl Server {
    /// The code that the account's owner has consented to.
    async fn consented(&self, account: &Account) -> Credentials {
        let person = Person {
            did: &account.did,
            handle: &account.handle,
            password: OWNER_PASSWORD,
            grants: None,
        };
        browser::consented(&self.http, self.oauth.as_ref(), &person).await
    }

    /// Connects the account by OAuth.
    async fn connect_by_oauth(&self, account: &Account) -> (Connected, Access) {
        let credentials = self.consented(account).await;
        let connected = self.oauth.connect(credentials).await.expect("a grant");
        let access = Access {
            app: Some(browser::app()),
            host: connected.host.clone(),
            remote_id: connected.destinations[0].remote_id.clone(),
            remote_user_id: connected.remote_user_id.clone(),
            token: connected.grant_token.clone(),
            grant_token: connected.grant_token.clone(),
            refresh_token: connected.refresh_token.clone(),
            binding: connected.binding.clone(),
        };
        (connected, access)
    }
}

struct InMemory(Bytes);

#[async_trait]
impl MediaSource for InMemory {
    async fn read(&self, _media: &Media, _from: u64, _to: u64) -> Result<Bytes, Failure> {
        Ok(self.0.clone())
    }
}

fn pixel() -> Attachment {
    let bytes = Bytes::from(STANDARD.decode(PIXEL).expect("base64"));
    let media = Media {
        id: MediaId::from_uuid(uuid::Uuid::from_u128(1)),
        kind: MediaKind::Image,
        mime: "image/png".to_owned(),
        bytes: bytes.len() as u64,
        sha256: "0".repeat(64),
        width: 1,
        height: 1,
        duration_ms: None,
        alt: Some("a pixel".to_owned()),
    };
    Attachment::new(media, None, Arc::new(InMemory(bytes)))
}

async fn with_pixels(server: &Server, access: &Access, text: &str, count: usize) -> Draft {
    let mut draft = draft(server, text);
    draft.media = vec![pixel(); count];
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    loop {
        let so_far = draft.prepared.as_ref();
        let step = server.oauth.prepare(access, &draft, so_far).await;
        match step.expect("a step") {
            Prepared::Ready(state) => {
                draft.prepared = Some(state);
                return draft;
            }
            Prepared::Pending { state, .. } => draft.prepared = Some(state),
        }
    }
}

#[tokio::test]
async fn a_consent_becomes_a_grant_that_posts_reads_back_and_ends() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let account = server.account().await;
    let (connected, access) = server.connect_by_oauth(&account).await;
    let provider = &server.oauth;
    assert_eq!(connected.remote_user_id, account.did);
    assert_eq!(connected.destinations[0].name, account.handle);
    let now = server.clock.now();
    let end = connected.access_expires_at.expect("an end") - now;
    assert!(end > minutes(58) && end <= minutes(60), "{end}");
    let end = connected.refresh_expires_at.expect("an end") - now;
    assert!(
        end > days(13) && end <= days(14),
        "a client without a key: {end}"
    );
    let granted = connected.scopes.expect("scopes");
    assert!(
        granted.contains(&"transition:generic".to_owned()),
        "{granted:?}"
    );

    let seen = provider.check(&access, true).await.expect("a check");
    assert!(matches!(seen.token, TokenSeen::Alive { .. }), "{seen:?}");
    let account_seen = seen.account.expect("the account");
    assert_eq!(account_seen.state, AccountState::Accessible);
    assert_eq!(account_seen.name, Some(account.handle.clone()));

    for pixels in [0, 1, 4] {
        let text = format!("Grüße mit {pixels} https://example.com/a");
        let draft = with_pixels(&server, &access, &text, pixels).await;
        let accepted = accepted(provider.publish(&access, &draft).await);
        let again = provider.publish(&access, &draft).await;
        assert_eq!(again, Ok(Sent::Accepted(accepted.clone())), "the same post");
        let found = provider.find(&access, &lost(&draft)).await;
        assert_eq!(found, Ok(Finding::Found(accepted.clone())));
        let seen = provider.read_back(&access, &accepted.remote_id).await;
        let live = Seen::Live {
            permalink: accepted.permalink.clone(),
            digest: Some(draft.content.digest()),
        };
        assert_eq!(seen, Ok(live));
        provider
            .delete(&access, &accepted.remote_id)
            .await
            .expect("deleted");
        let seen = provider.read_back(&access, &accepted.remote_id).await;
        assert_eq!(seen, Ok(Seen::Gone));
    }

    let (_, tokens) = provider.refresh(&access).await.expect("renewed");
    let old = provider.check(&access, true).await.expect("a check");
    assert_eq!(
        old.token,
        TokenSeen::Dead(Failure::TokenExpired),
        "replaced"
    );
    let mut access = access;
    access.token = tokens.access.clone();
    access.grant_token = tokens.access;
    access.refresh_token = tokens.refresh;
    let text = draft(&server, "with renewed tokens");
    accepted(provider.publish(&access, &text).await);

    provider.revoke(&access).await.expect("given back");
    provider.revoke(&access).await.expect("given back twice");
    let seen = provider.check(&access, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
    let refused = provider.refresh(&access).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked));
}

#[tokio::test]
async fn a_code_works_once_and_its_second_use_ends_what_came_of_it() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let account = server.account().await;
    let credentials = server.consented(&account).await;
    let first = server.oauth.connect(credentials.clone()).await;
    first.expect("a grant");
    let second = server.oauth.connect(credentials).await;
    assert_eq!(second.err(), Some(Failure::TokenRevoked));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_second_use_ends_the_session() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let (_, access) = server.connect_by_oauth(&server.account().await).await;
    let (_, tokens) = server.oauth.refresh(&access).await.expect("renewed");
    let replayed = server.oauth.refresh(&access).await.err();
    assert_eq!(replayed, Some(Failure::TokenRevoked));
    let mut successor = access;
    successor.token = tokens.access.clone();
    successor.grant_token = tokens.access;
    successor.refresh_token = tokens.refresh;
    let refused = server.oauth.refresh(&successor).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked), "the new one, too");
    let seen = server.oauth.check(&successor, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
}

/// Why only the holder of a grant's refresh job may refresh: one of four wins at most, and whether the session lives on
/// is a matter of luck.
#[tokio::test]
async fn four_refreshes_at_once_cost_sessions() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let account = server.account().await;
    for _ in 0..20 {
        let (_, access) = server.connect_by_oauth(&account).await;
        let refresh = || server.oauth.refresh(&access);
        let (a, b, c, d) = tokio::join!(refresh(), refresh(), refresh(), refresh());
        let winners: Vec<_> = [a, b, c, d].into_iter().flatten().collect();
        assert!(winners.len() <= 1, "{} won", winners.len());
        let Some((_, tokens)) = winners.into_iter().next() else {
            return;
        };
        let mut winner = access.clone();
        winner.token = tokens.access.clone();
        winner.grant_token = tokens.access;
        winner.refresh_token = tokens.refresh;
        match server.oauth.refresh(&winner).await {
            Ok(_) => {}
            Err(failure) => {
                assert_eq!(failure, Failure::TokenRevoked, "the winner lost, too");
                return;
            }
        }
    }
    panic!("twenty times nothing was lost: a second use does not end sessions any more");
}

#[tokio::test]
async fn an_account_that_was_shut_is_unavailable_by_oauth_too() {
    let Some(server) = Server::from_env() else {
        return;
    };
    for shut in ["taken down", "deactivated", "deleted"] {
        let account = server.account().await;
        let (_, access) = server.connect_by_oauth(&account).await;
        match shut {
            "taken down" => server.take_down(&account).await,
            "deactivated" => server.deactivate(&account).await,
            _ => server.delete_account(&account).await,
        }
        let seen = server.oauth.check(&access, true).await.expect(shut);
        let state = seen.account.map(|account| account.state);
        assert_eq!(state, Some(AccountState::Unavailable), "{shut}");
        let sent = server
            .oauth
            .publish(&access, &draft(&server, "after"))
            .await;
        let refused = matches!(
            sent,
            Err(Failure::AccountUnavailable | Failure::TokenExpired)
        );
        assert!(refused, "{shut}: {sent:?}");
    }
}
