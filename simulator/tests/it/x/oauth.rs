//! Consent, tokens, and every way to lose them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mooring_simulator::x::{NewXApp, NewXUsers, XAccountState, XAppStanding, XTokenAct};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{BACK, X, code_in, detail, encoded, problem};
use crate::client::{post_form, post_json, send};

#[tokio::test]
async fn a_code_is_good_once_for_thirty_seconds_with_its_verifier_and_address() {
    let x = X::new().await;
    let verifier = "a-verifier-of-at-least-forty-three-characters-000";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let ask = format!(
        "scope=tweet.read%20users.read%20offline.access&code_challenge={challenge}\
         &code_challenge_method=S256&login_hint={}",
        x.user.id
    );
    let exchange = |code: &str, verifier: &str, back: &str| {
        format!(
            "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={verifier}",
            encoded(code),
            encoded(back)
        )
    };
    let consent = x.authorize(&ask).await;
    assert_eq!(consent.status, 302);
    assert!(consent.headers["location"].contains("state=s1"));
    let code = code_in(&consent);
    let wrong = [
        exchange(&code, "wrong", BACK),
        exchange(&code, verifier, "https://app.test/else"),
        exchange("nothing", verifier, BACK),
        "grant_type=authorization_code".to_owned(),
    ];
    for form in wrong {
        let refused = x.token_call("token", &form).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (400, &"invalid_request".into())
        );
    }
    let form = exchange(&code, verifier, BACK);
    let tokens = x.token_call("token", &form).await;
    assert_eq!(tokens.status, 200);
    let tokens = tokens.json();
    assert_eq!(
        (
            &tokens["token_type"],
            &tokens["expires_in"],
            &tokens["scope"]
        ),
        (
            &"bearer".into(),
            &7200.into(),
            &"tweet.read users.read offline.access".into()
        )
    );
    let me = x
        .get("users/me", tokens["access_token"].as_str().unwrap())
        .await;
    assert_eq!(me.json()["data"]["id"], x.user.id);
    assert_eq!(
        x.token_call("token", &form).await.status,
        400,
        "a code works once"
    );

    let late = code_in(&x.authorize(&ask).await);
    x.advance(Duration::from_secs(31));
    assert_eq!(
        x.token_call("token", &exchange(&late, verifier, BACK))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn the_authorize_page_wants_pkce_and_tells_of_a_refusal() {
    let x = X::new().await;
    let hint = format!("login_hint={}", x.user.id);
    assert_eq!(
        x.authorize(&hint).await.status,
        400,
        "no challenge, no page"
    );
    let denied = x.authorize("code_challenge=c&deny=1").await;
    assert!(denied.headers["location"].contains("error=access_denied"));
    let ask = format!(
        "code_challenge=plain-text&scope=tweet.read%20media.write&decline=media.write&{hint}"
    );
    let code = code_in(&x.authorize(&ask).await);
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier=plain-text",
        encoded(&code),
        encoded(BACK)
    );
    let tokens = x.token_call("token", &form).await.json();
    assert_eq!(tokens["scope"], "tweet.read");
    assert!(
        tokens.get("refresh_token").is_none(),
        "only with offline.access"
    );
}

#[tokio::test]
async fn clients_prove_who_they_are_as_they_must() {
    let x = X::new().await;
    let refresh = x.user.refresh_token.as_ref().unwrap();
    let form = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={}",
        x.app.id,
        encoded(refresh)
    );
    let call = post_form("/x/2/oauth2/token", &form);
    let refused = send(&x.simulator, &call).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (401, &"unauthorized_client".into())
    );
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:wrong", x.app.id)));
    let call = post_form("/x/2/oauth2/token", &form).header("authorization", &basic);
    assert_eq!(send(&x.simulator, &call).await.status, 401);
    // A JSON body is as good as a form.
    let basic = x.basic();
    let body = json!({ "grant_type": "refresh_token", "refresh_token": &**refresh });
    let call = post_json("/x/2/oauth2/token", &body).header("authorization", &basic);
    assert_eq!(send(&x.simulator, &call).await.status, 200);

    let new = NewXApp {
        public: true,
        ..NewXApp::default()
    };
    let public = x.admin.create_x_app(new).unwrap();
    let users = NewXUsers {
        app: public.id.clone(),
        ..NewXUsers::default()
    };
    let user = x.admin.create_x_users(&users).unwrap().remove(0);
    let form = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={}",
        public.id,
        encoded(user.refresh_token.as_ref().unwrap())
    );
    assert_eq!(
        send(&x.simulator, &post_form("/x/2/oauth2/token", &form))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_family() {
    let x = X::new().await;
    let first = x.user.refresh_token.clone().unwrap();
    x.advance(Duration::from_secs(7201));
    assert_eq!(x.own("users/me").await.status, 401, "two hours are over");
    let fresh = x.refresh(&first).await;
    assert_eq!(fresh.status, 200);
    let fresh = fresh.json();
    let (access, second) = (
        fresh["access_token"].as_str().unwrap(),
        fresh["refresh_token"].as_str().unwrap(),
    );
    assert_ne!(second, &*first);
    assert_eq!(x.get("users/me", access).await.status, 200);

    let reused = x.refresh(&first).await;
    assert_eq!(reused.status, 400);
    assert_eq!(
        reused.json()["error_description"],
        "Value passed for the token was invalid."
    );
    assert_eq!(x.get("users/me", access).await.status, 401);
    assert_eq!(x.refresh(second).await.status, 400);
}

#[tokio::test]
async fn a_refresh_token_ends_after_six_months_or_when_it_is_given_back() {
    let x = X::new().await;
    x.advance(Duration::from_hours(24 * 181));
    let fresh = x
        .refresh(x.user.refresh_token.as_ref().unwrap())
        .await
        .json();
    let (access, refresh) = (
        fresh["access_token"].as_str().unwrap().to_owned(),
        fresh["refresh_token"].as_str().unwrap().to_owned(),
    );
    let gone = x
        .token_call("revoke", &format!("token={}", encoded(&refresh)))
        .await;
    assert_eq!(gone.json(), json!({ "revoked": true }));
    assert_eq!(x.get("users/me", &access).await.status, 401);
    assert_eq!(x.refresh(&refresh).await.status, 400);

    let y = X::new().await;
    y.advance(Duration::from_hours(24 * 183));
    assert_eq!(
        y.refresh(y.user.refresh_token.as_ref().unwrap())
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn every_way_to_lose_access_has_its_own_answer() {
    let x = X::new().await;
    x.admin
        .set_x_state(&x.user.id, XAccountState::Suspended)
        .unwrap();
    assert_eq!(
        problem(&x.own("users/me").await),
        (403, "user-suspended".to_owned())
    );
    x.admin
        .set_x_state(&x.user.id, XAccountState::Locked)
        .unwrap();
    assert_eq!(x.own("users/me").await.status, 200);
    let locked = x.post("a").await;
    assert_eq!(
        (locked.status, &locked.json()["errors"][0]["code"]),
        (403, &326.into())
    );
    x.admin
        .set_x_state(&x.user.id, XAccountState::Automated)
        .unwrap();
    assert_eq!(x.post("a").await.json()["errors"][0]["code"], 226);
    x.admin
        .set_x_state(&x.user.id, XAccountState::Deactivated)
        .unwrap();
    assert_eq!(
        problem(&x.own("users/me").await),
        (401, "about:blank".to_owned())
    );
    x.admin
        .set_x_state(&x.user.id, XAccountState::Active)
        .unwrap();

    x.admin
        .set_x_scope(&x.user.id, "tweet.write", false)
        .unwrap();
    let refused = x.post("a").await;
    assert_eq!(
        (refused.status, detail(&refused)),
        (403, "Forbidden".to_owned())
    );
    x.admin
        .set_x_scope(&x.user.id, "tweet.write", true)
        .unwrap();

    let standings = [
        (XAppStanding::NotEnrolled, 403, "client-forbidden"),
        (XAppStanding::Suspended, 403, "app-suspended"),
        (XAppStanding::CreditsDepleted, 402, "credits"),
    ];
    for (standing, status, kind) in standings {
        x.admin.set_x_app_standing(&x.app.id, standing).unwrap();
        assert_eq!(problem(&x.post("a").await), (status, kind.to_owned()));
    }
    x.admin
        .set_x_app_standing(&x.app.id, XAppStanding::Active)
        .unwrap();
    let app_only = x.get("users/me", &x.app.bearer).await;
    assert_eq!(
        problem(&app_only),
        (403, "unsupported-authentication".to_owned())
    );
    x.admin
        .act_on_x_tokens(&x.user.id, XTokenAct::Revoke)
        .unwrap();
    assert_eq!(x.own("users/me").await.status, 401);
    assert_eq!(
        x.refresh(x.user.refresh_token.as_ref().unwrap())
            .await
            .status,
        400
    );
    assert_eq!(x.get("users/me", "garbage").await.status, 401);
}
