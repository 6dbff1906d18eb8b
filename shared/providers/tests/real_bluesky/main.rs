//! The Bluesky adapter before a real server: the one judge that neither we nor the simulator can talk round.
//!
//! `dev/test` starts the server. Without one (`MOORING_TEST_PDS_URL` unset) these tests say so and end.

mod browser;
mod oauth;
mod operator;
mod server;

use mooring_domain::{
    Failure,
    connection::{AccountState, TokenSeen},
    post::{Accepted, Content, Finding, Seen, Sent},
    time::{minutes, seconds},
};
use mooring_providers::{Draft, Lost};
use server::{Server, token_id};

fn draft(server: &Server, text: &str) -> Draft {
    let now = server.clock.now();
    Draft {
        content: Content::text(text),
        reference: server.provider.reference(now, 77),
        created_at: now,
        send_by: now + minutes(1),
        media: Vec::new(),
        prepared: None,
    }
}

/// The post that a publish brought.
fn accepted(sent: Result<Sent, Failure>) -> Accepted {
    match sent {
        Ok(Sent::Accepted(accepted)) => accepted,
        other => panic!("not published: {other:?}"),
    }
}

fn lost(draft: &Draft) -> Lost {
    Lost {
        reference: draft.reference.clone(),
        handle: None,
        prepared: None,
        content: draft.content.clone(),
        not_before: draft.created_at,
        owned: Vec::new(),
    }
}

#[tokio::test]
async fn a_post_goes_out_once_and_is_read_back_until_it_is_deleted() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let account = server.account().await;
    let (_, access) = server.connect(&account).await;
    let provider = &server.provider;

    let mut draft = draft(
        &server,
        "Grüße, 日本 👨‍👩‍👧 https://example.com/a?b=c (and http://example.org).",
    );
    draft.content.link = Some("https://example.com/article".to_owned());
    assert_eq!(
        provider.find(&access, &lost(&draft)).await,
        Ok(Finding::Absent)
    );
    let accepted = accepted(provider.publish(&access, &draft).await);
    assert_eq!(
        provider.publish(&access, &draft).await,
        Ok(Sent::Accepted(accepted.clone())),
        "repeated: the same post"
    );
    assert_eq!(
        provider.find(&access, &lost(&draft)).await,
        Ok(Finding::Found(accepted.clone()))
    );
    let forgotten = Lost {
        reference: None,
        ..lost(&draft)
    };
    assert_eq!(
        provider.find(&access, &forgotten).await,
        Ok(Finding::Found(accepted.clone())),
        "by its text, where nobody knows its key"
    );
    let live = Seen::Live {
        permalink: accepted.permalink.clone(),
        digest: Some(draft.content.digest()),
    };
    assert_eq!(
        provider.read_back(&access, &accepted.remote_id).await,
        Ok(live)
    );

    provider
        .delete(&access, &accepted.remote_id)
        .await
        .expect("deleted");
    provider
        .delete(&access, &accepted.remote_id)
        .await
        .expect("deleted twice");
    assert_eq!(
        provider.read_back(&access, &accepted.remote_id).await,
        Ok(Seen::Gone)
    );
    assert_eq!(
        provider.find(&access, &lost(&draft)).await,
        Ok(Finding::Absent)
    );
}

#[tokio::test]
async fn what_is_no_post_is_refused() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let (_, access) = server.connect(&server.account().await).await;
    let rejected = |sent| matches!(sent, Err(Failure::ContentRejected { .. }));
    let too_long = draft(&server, &"a".repeat(301));
    assert!(
        rejected(server.provider.publish(&access, &too_long).await),
        "301 graphemes"
    );
    let mut bad_key = draft(&server, "a key of the wrong form");
    bad_key.reference = Some("not-a-tid".to_owned());
    assert!(
        rejected(server.provider.publish(&access, &bad_key).await),
        "a key that is no TID"
    );
}

#[tokio::test]
async fn a_session_is_checked_and_renewed() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let account = server.account().await;
    let (connected, mut access) = server.connect(&account).await;
    assert_eq!(connected.remote_user_id, account.did);
    let seen = server.provider.check(&access, true).await.expect("a check");
    let TokenSeen::Alive {
        access_expires_at, ..
    } = seen.token
    else {
        panic!("the token lives: {:?}", seen.token)
    };
    assert_eq!(access_expires_at, connected.access_expires_at);
    let account_seen = seen.account.expect("the account");
    assert_eq!(
        (account_seen.state, account_seen.name),
        (AccountState::Accessible, Some(account.handle.clone()))
    );

    let (renewed, first) = server.provider.refresh(&access).await.expect("renewed");
    let (_, again) = server
        .provider
        .refresh(&access)
        .await
        .expect("renewed again, inside the grace");
    let ids =
        [first.refresh.as_ref(), again.refresh.as_ref()].map(|token| token.and_then(token_id));
    assert!(ids[0].is_some() && ids[0] == ids[1], "the same successor");
    let end = renewed.access_expires_at.expect("an end") - server.clock.now();
    assert!(end > minutes(119) && end < minutes(121), "{end}");

    access.token = server.aged(&access.token);
    let seen = server.provider.check(&access, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
    assert_eq!(
        seen.account.map(|account| account.state),
        Some(AccountState::Accessible)
    );
    let sent = server
        .provider
        .publish(&access, &draft(&server, "too late"))
        .await;
    assert_eq!(sent, Err(Failure::TokenExpired));
}

#[tokio::test]
async fn what_ends_a_session_shows_at_the_refresh() {
    let Some(server) = Server::from_env() else {
        return;
    };
    let account = server.account().await;
    let wrong = server
        .provider
        .connect(Server::credentials(&account, "aaaa-bbbb-cccc-dddd"))
        .await;
    assert_eq!(wrong.err(), Some(Failure::TokenRevoked));

    let (_, access) = server.connect(&account).await;
    server.provider.revoke(&access).await.expect("revoked");
    server
        .provider
        .revoke(&access)
        .await
        .expect("revoked twice");
    assert_eq!(
        server.provider.refresh(&access).await.err(),
        Some(Failure::TokenRevoked)
    );

    let (_, access) = server.connect(&account).await;
    server.change_password(&account).await;
    assert_eq!(
        server.provider.refresh(&access).await.err(),
        Some(Failure::TokenRevoked)
    );
    let mut garbage = access.clone();
    garbage.refresh_token = Some("eyJhbGciOiJIUzI1NiJ9.e30.x".into());
    assert_eq!(
        server.provider.refresh(&garbage).await.err(),
        Some(Failure::TokenRevoked)
    );
}

#[tokio::test]
async fn an_account_that_was_shut_is_unavailable_everywhere() {
    let Some(server) = Server::from_env() else {
        return;
    };
    for shut in ["taken down", "deactivated", "deleted"] {
        let account = server.account().await;
        let (_, access) = server.connect(&account).await;
        let before = draft(&server, "before");
        server
            .provider
            .publish(&access, &before)
            .await
            .expect("published");
        match shut {
            "taken down" => server.take_down(&account).await,
            "deactivated" => server.deactivate(&account).await,
            _ => server.delete_account(&account).await,
        }
        for probe in [true, false] {
            let seen = server.provider.check(&access, probe).await.expect(shut);
            assert_eq!(
                seen.account.map(|account| account.state),
                Some(AccountState::Unavailable),
                "{shut}, {probe}"
            );
            assert!(
                !matches!(seen.token, TokenSeen::Dead(_)),
                "{shut}: no verdict on the token"
            );
        }
        let mut after = draft(&server, "after");
        after.created_at = before.created_at + seconds(1);
        let sent = server.provider.publish(&access, &after).await;
        assert_eq!(sent, Err(Failure::AccountUnavailable), "{shut}");
        let found = server.provider.find(&access, &lost(&before)).await;
        assert_eq!(
            found,
            Err(Failure::AccountUnavailable),
            "{shut}: nothing is known about the post"
        );
    }
}
