//! What a person is asked for: what the platform's row names, and nothing beside it.

use std::collections::BTreeSet;

use mooring_domain::{Platform, platform::ConnectsBy};
use mooring_providers::{AppCredentials, Authorize};
use mooring_runtime::Call;
use mooring_tests::World;
use mooring_vault::Secret;
use reqwest::Method;
use url::Url;

/// The words of a list of permissions.
fn words(text: &str) -> BTreeSet<String> {
    let parts = text.split([' ', ',', '+']).filter(|word| !word.is_empty());
    parts.map(str::to_owned).collect()
}

/// What the address of a consent asks for, where it says so itself.
fn asked(url: &Url) -> Option<BTreeSet<String>> {
    let mut pairs = url.query_pairs();
    let (_, scope) = pairs.find(|(key, _)| key == "scope")?;
    Some(words(&scope))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_145_every_platform_asks_for_the_permissions_of_its_row_and_no_others() {
    let w = World::start().await;
    let registry = w.registry();
    let redirect_uri: Url = "https://mooring.example/oauth/bluesky"
        .parse()
        .expect("a URL");
    let mut seen = 0;
    for platform in Platform::ALL {
        let row = platform.capabilities();
        let made = (platform == Platform::BlueskyOAuth)
            .then(|| w.sim().account(platform.as_str()).expect("an account"));
        let known = made.as_ref().and_then(|account| account.app.as_ref());
        let app = AppCredentials {
            client_id: known.map_or("our-app", |(id, _)| id).to_owned(),
            client_secret: Secret::from(known.map_or("our-secret", |(_, secret)| secret)),
        };
        let host = made.as_ref().and_then(|account| account.host.clone());
        let host = host.map(|path| w.platforms().join(&path).expect("a URL"));
        let request = Authorize {
            // Mastodon's servers know no app beforehand: one is registered on the way.
            app: (platform != Platform::Mastodon).then_some(&app),
            redirect_uri: &redirect_uri,
            state: "state-1",
            host: host.as_ref(),
            login_hint: made.as_ref().map(|account| account.name.as_str()),
        };
        let consent = registry.of(platform).authorize(&request).await;
        let consent = consent.unwrap_or_else(|failure| panic!("{platform}: {failure:?}"));
        let Some(consent) = consent else {
            assert!(row.required_scopes.is_empty(), "{platform} asks nobody");
            continue;
        };
        let asked = match asked(&consent.url) {
            Some(asked) => asked,
            // A pushed request says it to the server alone; what is granted is what was asked for.
            None => granted(&w, platform, &consent, &app, &redirect_uri).await,
        };
        let required: BTreeSet<String> = row
            .required_scopes
            .iter()
            .map(|&scope| scope.to_owned())
            .collect();
        // One consent serves a person's profile and pages: a later one to fewer permissions would end the tokens of
        // the one before (docs/how-to/import-connections.md).
        let both: &[&str] = if platform == Platform::LinkedInPage {
            Platform::LinkedIn.capabilities().required_scopes
        } else {
            &[]
        };
        let both = both.iter().map(|&scope| scope.to_owned());
        let optional = row
            .optional_scopes
            .iter()
            .map(|(scope, _)| (*scope).to_owned());
        let allowed: BTreeSet<String> = required
            .iter()
            .cloned()
            .chain(optional)
            .chain(both)
            .collect();
        assert!(
            asked.is_superset(&required),
            "{platform} asks for {asked:?}"
        );
        assert!(
            asked.is_subset(&allowed),
            "{platform} asks for {asked:?}, its row for {allowed:?}"
        );
        seen += 1;
    }
    let by_browser = |one: &Platform| one.connects_by() == ConnectsBy::Browser;
    let wanted = Platform::ALL.into_iter().filter(by_browser).count();
    assert_eq!(seen, wanted, "whoever connects by a browser asks a person");
    w.done().await;
}

/// Consents like a person who declines nothing.
async fn granted(
    w: &World,
    platform: Platform,
    consent: &mooring_providers::Consent,
    app: &AppCredentials,
    redirect_uri: &Url,
) -> BTreeSet<String> {
    let call = Call::new(
        "browser",
        "/oauth/authorize",
        Method::GET,
        consent.url.clone(),
    );
    let answer = w.context.http.send(call).await.expect("the page answers");
    let back: Url = answer
        .header("location")
        .expect("a redirect")
        .parse()
        .expect("a URL");
    let value = |name: &str| {
        let mut pairs = back.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let credentials = mooring_providers::Credentials::Code {
        app: Some(app.clone()),
        code: Secret::from(value("code").expect("a code")),
        redirect_uri: redirect_uri.clone(),
        kept: consent.kept.clone(),
        issuer: value("iss"),
    };
    let connected = w.registry().of(platform).connect(credentials).await;
    let connected = connected.expect("a grant");
    connected
        .scopes
        .expect("its permissions")
        .into_iter()
        .collect()
}
