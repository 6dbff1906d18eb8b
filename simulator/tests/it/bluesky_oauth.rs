//! OAuth of the Bluesky server on the wire.

use std::time::Duration;

use mooring_simulator::{AccountState, BlueskyTokenAction};
use p256::ecdsa::SigningKey;
use serde_json::json;

use crate::bluesky::RKEY;
use crate::bluesky_client::{
    BACK, CLIENT, Client, PUT, VERIFIER, complaint, escaped, invalid_grant, tokens, value,
};
use crate::client::{get, post_json, send};

#[tokio::test]
async fn the_server_says_who_issues_its_tokens() {
    let client = Client::new().await;
    let simulator = &client.bsky.simulator;
    let path = "/bluesky/.well-known/oauth-protected-resource";
    let resource = send(simulator, &get(path)).await.json();
    assert_eq!(resource["authorization_servers"], json!([client.origin()]));
    let path = "/bluesky/.well-known/oauth-authorization-server";
    let server = send(simulator, &get(path)).await.json();
    assert_eq!(server["issuer"], client.origin());
    assert_eq!(server["require_pushed_authorization_requests"], true);
    assert_eq!(
        server["token_endpoint"],
        format!("{}/oauth/token", client.origin())
    );
    let path = format!("/bluesky/{}", client.bsky.account.did);
    let document = send(simulator, &get(path)).await.json();
    assert_eq!(document["service"][0]["serviceEndpoint"], client.origin());
    assert_eq!(
        send(simulator, &get("/bluesky/did:plc:nobody"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn consent_code_and_tokens() {
    let mut client = Client::new().await;
    let back = client.consent("").await;
    assert!(back.starts_with("http://127.0.0.1:9/back?"), "{back}");
    assert_eq!(
        (value(&back, "state").as_str(), value(&back, "iss")),
        ("s1", client.origin())
    );
    let reply = client.exchange(&value(&back, "code"), VERIFIER).await;
    let body = reply.json();
    assert_eq!(body["token_type"], "DPoP");
    assert_eq!(body["scope"], "atproto transition:generic");
    assert_eq!(body["sub"], client.bsky.account.did.as_str());
    let access = tokens(&reply).access;
    assert_eq!(client.write(&access, RKEY).await.status, 200);
}

#[tokio::test]
async fn a_person_may_refuse_or_decline() {
    let mut client = Client::new().await;
    let back = client.consent("&deny=1").await;
    assert_eq!(value(&back, "error"), "access_denied");
    let back = client.consent("&decline=transition%3Ageneric").await;
    let reply = client.exchange(&value(&back, "code"), VERIFIER).await;
    assert_eq!(reply.json()["scope"], "atproto");
    let refused = client.write(&tokens(&reply).access, RKEY).await;
    assert_eq!(complaint(&refused).1, "ScopeMissingError");
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_request_is_pushed_with_a_challenge_and_its_own_address() {
    let mut client = Client::new().await;
    // The first parameter of a name counts, so these come in front.
    for (form, error) in [
        (
            "client_id=https%3A%2F%2Funknown.example%2Fc.json",
            "invalid_client_metadata",
        ),
        (
            &*format!("client_id={}", escaped(CLIENT)),
            "invalid_request",
        ),
    ] {
        let reply = client.post("/oauth/par", form).await;
        assert_eq!((reply.status, complaint(&reply).1.as_str()), (400, error));
    }
    let form = format!(
        "client_id={}&response_type=code&scope=atproto&redirect_uri=https%3A%2F%2Fevil.example%2F\
         &code_challenge={}&code_challenge_method=S256",
        escaped(CLIENT),
        "a".repeat(43)
    );
    let reply = client.post("/oauth/par", &form).await;
    assert_eq!(
        complaint(&reply).2,
        "Invalid redirect_uri https://evil.example/"
    );
    let form = form.replace("scope=atproto", "scope=atproto%20transition%3Aemail");
    let form = form.replace("https%3A%2F%2Fevil.example%2F", BACK);
    assert_eq!(
        complaint(&client.post("/oauth/par", &form).await).1,
        "invalid_scope"
    );
}

#[tokio::test]
async fn a_code_works_once_with_its_verifier_within_five_minutes() {
    let mut client = Client::new().await;
    let code = value(&client.consent("").await, "code");
    let wrong = client.exchange(&code, &"x".repeat(43)).await;
    assert_eq!(complaint(&wrong), invalid_grant("Invalid code_verifier"));
    let again = client.exchange(&code, VERIFIER).await;
    assert_eq!(
        complaint(&again),
        invalid_grant("Invalid code"),
        "used up by the failure"
    );

    let code = value(&client.consent("").await, "code");
    client.advance(Duration::from_mins(6)).await;
    let late = client.exchange(&code, VERIFIER).await;
    assert_eq!(complaint(&late), invalid_grant("This code has expired"));

    let code = value(&client.consent("").await, "code");
    let issued = tokens(&client.exchange(&code, VERIFIER).await);
    client.exchange(&code, VERIFIER).await;
    let ended = client.write(&issued.access, RKEY).await;
    assert_eq!(ended.status, 401, "a replayed code ends what came of it");
}

#[tokio::test]
async fn without_the_servers_nonce_nothing_happens() {
    let mut client = Client::new().await;
    let issued = client.connect().await;
    for nonce in ["", "not-a-nonce"] {
        let known = std::mem::replace(&mut client.nonce, nonce.to_owned());
        let reply = client.write(&issued.access, RKEY).await;
        assert_eq!(
            (reply.status, complaint(&reply).1.as_str()),
            (401, "use_dpop_nonce")
        );
        assert!(reply.headers["www-authenticate"].contains("error=\"use_dpop_nonce\""));
        assert_eq!(reply.headers["dpop-nonce"], known);
        let reply = client.refresh(&issued.refresh).await;
        assert_eq!(
            (reply.status, complaint(&reply).1.as_str()),
            (400, "use_dpop_nonce")
        );
        client.nonce = known;
    }
    assert_eq!(client.bsky.admin.ledger_summary().posts, 0);
    assert_eq!(
        client.refresh(&issued.refresh).await.status,
        200,
        "not used up"
    );
}

#[tokio::test]
async fn a_nonce_is_good_for_three_minutes_at_most() {
    let mut client = Client::new().await;
    let issued = client.connect().await;
    let clock = client.bsky.admin.clock();
    clock.advance(Duration::from_mins(1)).unwrap();
    assert_eq!(client.write(&issued.access, RKEY).await.status, 200);
    clock.advance(Duration::from_mins(3)).unwrap();
    assert_eq!(client.write(&issued.access, RKEY).await.status, 401);
}

#[tokio::test]
async fn a_proof_is_for_one_call_with_one_token() {
    let mut client = Client::new().await;
    let issued = client.connect().await;
    let good = client.claims(
        "POST",
        "/xrpc/com.atproto.repo.putRecord",
        Some(&issued.access),
    );
    assert_eq!(
        client.write_with(&issued.access, RKEY, &good).await.status,
        200
    );
    let replayed = client.write_with(&issued.access, RKEY, &good).await;
    assert_eq!(complaint(&replayed).2, "DPoP proof replayed");
    for (claim, other) in [
        ("htm", json!("GET")),
        ("htu", json!("http://127.0.0.1/other")),
        ("ath", json!("another token's")),
        ("jti", json!("")),
        ("iat", json!(1_795_446_000 - 600)),
    ] {
        let mut claims = client.claims(
            "POST",
            "/xrpc/com.atproto.repo.putRecord",
            Some(&issued.access),
        );
        claims[claim] = other;
        let reply = client.write_with(&issued.access, RKEY, &claims).await;
        assert_eq!(
            (reply.status, complaint(&reply).1.as_str()),
            (401, "invalid_dpop_proof"),
            "{claim}"
        );
    }
}

#[tokio::test]
async fn tokens_are_bound_to_their_key() {
    let mut client = Client::new().await;
    let issued = client.connect().await;
    client.key = SigningKey::from_slice(&[8; 32]).unwrap();
    let reply = client.write(&issued.access, RKEY).await;
    assert_eq!(complaint(&reply).2, "Invalid DPoP key binding");
    let record = client.bsky.record(RKEY, "as if it were a plain token");
    let plain = post_json(PUT, &record).token(&issued.access);
    assert_eq!(send(&client.bsky.simulator, &plain).await.status, 400);
    let reply = client.refresh(&issued.refresh).await;
    assert_eq!(
        complaint(&reply),
        invalid_grant("DPoP proof does not match the expected JKT")
    );
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_second_use_ends_the_session() {
    let mut client = Client::new().await;
    let first = client.connect().await;
    let second = tokens(&client.refresh(&first.refresh).await);
    let old = client.write(&first.access, RKEY).await;
    assert_eq!(
        (old.status, complaint(&old).1.as_str()),
        (401, "invalid_token")
    );
    assert_eq!(client.write(&second.access, RKEY).await.status, 200);
    let replayed = client.refresh(&first.refresh).await;
    assert_eq!(
        complaint(&replayed),
        invalid_grant("Refresh token replayed")
    );
    let family = client.refresh(&second.refresh).await;
    assert_eq!(complaint(&family), invalid_grant("Invalid refresh token"));
    assert_eq!(client.write(&second.access, RKEY).await.status, 401);
}

#[tokio::test]
async fn access_tokens_live_an_hour_and_sessions_of_public_clients_two_weeks() {
    let mut client = Client::new().await;
    let mut issued = client.connect().await;
    client.advance(Duration::from_hours(1)).await;
    let late = client.write(&issued.access, RKEY).await;
    assert_eq!(complaint(&late).1, "invalid_token");
    for _ in 0..2 {
        client.advance(Duration::from_hours(24 * 6)).await;
        issued = tokens(&client.refresh(&issued.refresh).await);
    }
    client.advance(Duration::from_hours(24 * 3)).await;
    let over = client.refresh(&issued.refresh).await;
    assert_eq!(complaint(&over), invalid_grant("Session expired"));
}

#[tokio::test]
async fn what_ends_sessions() {
    for how in ["revoked by the client", "revoked by the user", "taken down"] {
        let mut client = Client::new().await;
        let issued = client.connect().await;
        let did = client.bsky.account.did.clone();
        match how {
            "revoked by the client" => {
                let form = format!("client_id={}&token={}", escaped(CLIENT), issued.refresh);
                for _ in 0..2 {
                    assert_eq!(client.post("/oauth/revoke", &form).await.status, 200);
                }
            }
            "revoked by the user" => client
                .bsky
                .admin
                .act_on_bluesky_tokens(&did, BlueskyTokenAction::Revoke)
                .unwrap(),
            _ => client
                .bsky
                .admin
                .set_bluesky_state(&did, AccountState::Takendown)
                .unwrap(),
        }
        let reply = client.refresh(&issued.refresh).await;
        assert_eq!(
            complaint(&reply),
            invalid_grant("Invalid refresh token"),
            "{how}"
        );
        assert_eq!(
            client.write(&issued.access, RKEY).await.status,
            401,
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_new_password_ends_no_session_of_oauth() {
    let mut client = Client::new().await;
    let issued = client.connect().await;
    let did = client.bsky.account.did.clone();
    client.bsky.admin.change_bluesky_password(&did).unwrap();
    assert_eq!(client.write(&issued.access, RKEY).await.status, 200);
    assert_eq!(client.refresh(&issued.refresh).await.status, 200);
}

#[tokio::test]
async fn the_registered_client_must_show_its_key() {
    let mut client = Client::new().await;
    let grant = client
        .bsky
        .admin
        .grant_bluesky_oauth(&client.bsky.account.did)
        .unwrap();
    let form = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={}",
        escaped(&grant.client_id),
        &*grant.refresh_token
    );
    let reply = client.post("/oauth/token", &form).await;
    assert_eq!(
        (reply.status, complaint(&reply).1.as_str()),
        (400, "invalid_client")
    );
}
