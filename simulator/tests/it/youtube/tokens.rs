//! Consent, codes, access and refresh tokens.

use mooring_simulator::youtube::{NewYoutubeApp, YoutubeTokenAction};
use url::Url;

use super::{DAY, HOUR, Reply, Youtube};

const UPLOAD: &str = "https://www.googleapis.com/auth/youtube.upload";
const READ: &str = "https://www.googleapis.com/auth/youtube.readonly";
const REDIRECT: &str = "https://app.example/callback";

impl Youtube {
    /// The consent page, with what is added to the usual query.
    async fn consent(&self, added: &[(&str, &str)]) -> Reply {
        let mut url = Url::parse(&self.url("o/oauth2/v2/auth")).unwrap();
        let scope = format!("{UPLOAD} {READ}");
        let usual = [
            ("client_id", self.app.client_id.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", &scope),
            ("state", "s1"),
            ("login_hint", &self.user.email),
        ];
        let usual = usual
            .iter()
            .filter(|(n, _)| !added.iter().any(|(a, _)| a == n));
        url.query_pairs_mut().extend_pairs(usual.chain(added));
        self.send(self.http.get(url)).await
    }

    /// The parameter of the redirect that the consent page gives.
    async fn consented(&self, added: &[(&str, &str)], parameter: &str) -> Option<String> {
        let reply = self.consent(added).await;
        assert_eq!(reply.status, 302, "{reply:?}");
        let target = Url::parse(reply.header("location").unwrap()).unwrap();
        let found = target.query_pairs().find(|(name, _)| name == parameter);
        found.map(|(_, value)| value.into_owned())
    }

    async fn code(&self, added: &[(&str, &str)]) -> String {
        self.consented(added, "code").await.unwrap()
    }

    async fn exchange(&self, code: &str, added: &[(&str, &str)]) -> Reply {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
        ];
        let usual = usual
            .iter()
            .filter(|(n, _)| !added.iter().any(|(a, _)| a == n));
        let fields: Vec<_> = usual.chain(added).copied().collect();
        self.token(&fields).await
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_and_for_its_redirect_address() {
    let yt = Youtube::new().await;
    let offline = [("access_type", "offline"), ("prompt", "consent")];
    let code = yt.code(&offline).await;
    let elsewhere = yt
        .exchange(&code, &[("redirect_uri", "https://evil.example/")])
        .await;
    assert_eq!(
        elsewhere.oauth_error(),
        (400, "redirect_uri_mismatch".to_owned())
    );
    let tokens = yt.exchange(&code, &[]).await.json();
    assert_eq!(tokens["expires_in"], 3599);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], format!("{READ} {UPLOAD}"));
    assert!(
        tokens["refresh_token"]
            .as_str()
            .unwrap()
            .starts_with("1//0")
    );
    assert!(
        tokens["access_token"]
            .as_str()
            .unwrap()
            .starts_with("ya29.")
    );
    let again = yt.exchange(&code, &[]).await;
    assert_eq!(again.oauth_error(), (400, "invalid_grant".to_owned()));
    let late = yt.code(&offline).await;
    yt.admin.clock().advance(HOUR).unwrap();
    let late = yt.exchange(&late, &[]).await;
    assert_eq!(late.oauth_error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_refresh_token_comes_with_the_first_consent_or_when_consent_is_asked_for() {
    let yt = Youtube::new().await;
    let with_refresh = async |added: &[(&str, &str)]| {
        let code = yt.code(added).await;
        yt.exchange(&code, &[]).await.json()["refresh_token"].is_string()
    };
    // The account has consented before.
    assert!(!with_refresh(&[("access_type", "offline")]).await);
    assert!(!with_refresh(&[("prompt", "consent")]).await, "online");
    assert!(
        with_refresh(&[
            ("access_type", "offline"),
            ("prompt", "select_account consent")
        ])
        .await
    );
    yt.admin
        .act_on_youtube_tokens(&yt.user.id, YoutubeTokenAction::Revoke)
        .unwrap();
    assert!(
        with_refresh(&[("access_type", "offline")]).await,
        "first consent again"
    );
}

#[tokio::test]
async fn consent_is_granular_and_may_be_refused() {
    let yt = Youtube::new().await;
    let code = yt.code(&[("decline", UPLOAD)]).await;
    assert_eq!(yt.exchange(&code, &[]).await.json()["scope"], READ);
    let both = format!("{UPLOAD} {READ}");
    for refusal in [("deny", "1"), ("decline", both.as_str())] {
        let error = yt.consented(&[refusal], "error").await;
        assert_eq!(error.as_deref(), Some("access_denied"));
        assert_eq!(
            yt.consented(&[refusal], "state").await.as_deref(),
            Some("s1")
        );
    }
    let unknown = yt.consent(&[("client_id", "nobody")]).await;
    assert_eq!(
        unknown.status, 401,
        "told on a page, not to the redirect address"
    );
}

#[tokio::test]
async fn a_code_with_a_challenge_wants_its_verifier() {
    let yt = Youtube::new().await;
    // The pair of RFC 7636, appendix B.
    let challenge = [
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let code = yt.code(&challenge).await;
    let missing = yt.exchange(&code, &[]).await;
    assert_eq!(
        missing.json()["error_description"],
        "Missing code verifier."
    );
    let wrong = yt.exchange(&code, &[("code_verifier", "wrong")]).await;
    assert_eq!(wrong.json()["error_description"], "Invalid code verifier.");
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(
        yt.exchange(&code, &[("code_verifier", verifier)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_access_token_lives_an_hour_and_a_refresh_token_may_be_used_again_and_again() {
    let yt = Youtube::new().await;
    let first = yt.refresh(&yt.user.refresh_token).await.json();
    assert_eq!(
        first["refresh_token"],
        serde_json::Value::Null,
        "not rotated"
    );
    let access = first["access_token"].as_str().unwrap();
    let info = async |token: &str| yt.form("tokeninfo", &[("access_token", token)]).await;
    let live = info(access).await.json();
    assert_eq!(live["expires_in"], "3599");
    assert_eq!(live["aud"], yt.app.client_id);
    assert!(live["scope"].as_str().unwrap().contains(READ));
    yt.admin.clock().advance(HOUR).unwrap();
    assert_eq!(
        info(access).await.oauth_error(),
        (400, "invalid_token".to_owned())
    );
    let dead = yt
        .get("youtube/v3/channels?part=id&mine=true", access)
        .await;
    assert_eq!(dead.reason(), (401, "authError".to_owned()));
    assert_eq!(dead.json()["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(yt.refresh(&yt.user.refresh_token).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_dies_after_six_months_without_use() {
    let yt = Youtube::new().await;
    for _ in 0..2 {
        yt.admin.clock().advance(DAY * 180).unwrap();
        assert_eq!(yt.refresh(&yt.user.refresh_token).await.status, 200);
    }
    yt.admin.clock().advance(DAY * 184).unwrap();
    let dead = yt.refresh(&yt.user.refresh_token).await;
    assert_eq!(dead.oauth_error(), (400, "invalid_grant".to_owned()));
    assert_eq!(
        dead.json()["error_description"],
        "Token has been expired or revoked."
    );
}

#[tokio::test]
async fn an_app_in_testing_has_refresh_tokens_of_seven_days() {
    let yt = Youtube::with(NewYoutubeApp {
        testing: true,
        ..NewYoutubeApp::default()
    })
    .await;
    let code = yt
        .code(&[("access_type", "offline"), ("prompt", "consent")])
        .await;
    let tokens = yt.exchange(&code, &[]).await.json();
    assert_eq!(tokens["refresh_token_expires_in"], 604_799);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    yt.admin.clock().advance(DAY * 6).unwrap();
    assert_eq!(yt.refresh(refresh).await.status, 200);
    yt.admin.clock().advance(DAY).unwrap();
    assert_eq!(
        yt.refresh(refresh).await.oauth_error(),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn the_hundred_and_first_refresh_token_ends_the_oldest_silently() {
    let yt = Youtube::new().await;
    let mut last = String::new();
    for n in 0..100 {
        assert_eq!(yt.refresh(&yt.user.refresh_token).await.status, 200, "{n}");
        let code = yt
            .code(&[("access_type", "offline"), ("prompt", "consent")])
            .await;
        let tokens = yt.exchange(&code, &[]).await.json();
        tokens["refresh_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut last);
    }
    let oldest = yt.refresh(&yt.user.refresh_token).await;
    assert_eq!(oldest.oauth_error(), (400, "invalid_grant".to_owned()));
    assert_eq!(yt.refresh(&last).await.status, 200);
}

#[tokio::test]
async fn revocation_ends_the_whole_consent_and_a_password_only_that_for_mail() {
    let yt = Youtube::new().await;
    assert_eq!(yt.admin.change_youtube_password(&yt.user.id).unwrap(), 0);
    assert_eq!(yt.refresh(&yt.user.refresh_token).await.status, 200);
    let revoked = yt.form("revoke", &[("token", &yt.user.access_token)]).await;
    assert_eq!((revoked.status, revoked.body.as_str()), (200, "{}"));
    let refresh = yt.refresh(&yt.user.refresh_token).await;
    assert_eq!(refresh.oauth_error(), (400, "invalid_grant".to_owned()));
    let call = yt.own("youtube/v3/channels?part=id&mine=true").await;
    assert_eq!(call.reason(), (401, "authError".to_owned()));
    let again = yt.form("revoke", &[("token", &yt.user.access_token)]).await;
    assert_eq!(again.oauth_error(), (400, "invalid_token".to_owned()));
    let code = yt
        .code(&[
            ("access_type", "offline"),
            ("scope", "https://mail.google.com/"),
        ])
        .await;
    assert_eq!(yt.exchange(&code, &[]).await.status, 200);
    assert_eq!(yt.admin.change_youtube_password(&yt.user.id).unwrap(), 1);
}
