//! The whole way, at each platform where a person consents in a browser.

use mooring_domain::{
    Event, Platform, Policy, Role,
    connection::Health,
    platform::ConnectsBy,
    post::{Content, Stage},
    time::{hours, minutes},
};
use mooring_tests::{World, WorldOptions};
use serde_json::json;

/// A JPEG up to its frame header.
fn jpeg() -> Vec<u8> {
    let side = 1_080_u16.to_be_bytes();
    let mut file = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8];
    file.extend(side);
    file.extend(side);
    file.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
    file
}

fn has_a_page(platform: Platform) -> bool {
    platform.connects_by() == ConnectsBy::Browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_046_an_account_of_every_platform_is_connected_healthy_and_publishes() {
    let mut tried = 0;
    for platform in Platform::ALL.into_iter().filter(|one| has_a_page(*one)) {
        let w = World::start().await;
        tried += 1;
        let api = w.api(Role::Operator).await;
        let person = w.newcomer(platform);
        let (account, seen) = w.connect_in_browser(&api, platform, &person).await;
        assert_eq!(seen["outcome"], "connected", "{platform}: {seen}");
        assert_eq!(seen["health"], "healthy", "{platform}: {seen}");
        w.settle().await;
        let row = w.connection(&account).await;
        assert_eq!(row.health, Health::Healthy, "{platform}: {:?}", row.reasons);
        let told = w.told(account.connection.uuid()).await;
        let ended = told.iter().filter(|event| {
            matches!(
                event,
                Event::ConnectionConnected {
                    returned: false,
                    ..
                }
            )
        });
        assert_eq!(ended.count(), 1, "{platform}: {told:?}");
        publish(&w, &account, platform).await;
        w.done().await;
    }
    assert!(tried >= 10, "{tried} platforms have a page");
}

/// Words where they alone are a post, a picture where that is one.
async fn publish(w: &World, account: &mooring_tests::Account, platform: Platform) {
    let usual = &platform.capabilities().formats[0];
    let post = if usual.text_only {
        w.post(account, "moored", minutes(1)).await
    } else if usual.image.is_some() {
        let picture = w.add_media(jpeg(), "a boat").await;
        let content = Content::text("moored");
        w.post_with(account, content, vec![picture], minutes(1))
            .await
    } else {
        return;
    };
    w.advance(hours(1)).await;
    let row = w.target(&post).await;
    assert_eq!(row.stage, Stage::Accepted, "{platform}: {:?}", row.reason);
    assert_eq!(w.copies(account, "moored"), 1, "{platform}");
}

/// Row 145: what a page asks for is what the platform's row names, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_145_a_page_asks_for_the_permissions_of_its_row_and_for_no_other() {
    let policy = Policy {
        connect_attempts: 100,
        public_media: true,
        ..Policy::default()
    };
    let w = World::with(WorldOptions {
        policy,
        ..WorldOptions::default()
    })
    .await;
    let api = w.api(Role::Operator).await;
    let mut read = 0;
    for platform in Platform::ALL.into_iter().filter(|one| has_a_page(*one)) {
        let begun = w.begin(&api, platform, &w.newcomer(platform)).await;
        let page: url::Url = begun["authorize_url"].as_str().unwrap().parse().unwrap();
        let asked = page.query_pairs().find(|(name, _)| name == "scope");
        // Pushed requests name their scopes where no browser sees them.
        let Some((_, asked)) = asked else { continue };
        read += 1;
        // Of a network whose ways share one consent (LinkedIn), a page may ask for what the others need.
        let network = platform.capabilities().network;
        let allowed: Vec<&str> = Platform::ALL
            .iter()
            .map(|way| way.capabilities())
            .filter(|row| row.network == network)
            .flat_map(|row| {
                let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
                row.required_scopes.iter().copied().chain(optional)
            })
            .collect();
        for scope in asked.split([' ', ',']).filter(|scope| !scope.is_empty()) {
            assert!(allowed.contains(&scope), "{platform} asks for {scope}");
        }
    }
    assert!(read >= 8, "{read} pages were read");
    w.done().await;
}

/// Neither code nor state nor token is in what browsers see, in what the API answers, or in the stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_143_connecting_shows_no_secret_anywhere() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let user = w.facebook_person(2);
    let begun = api.post("/connect/facebook", json!({})).await.ok(201);
    let page = begun["authorize_url"].as_str().unwrap();
    let browser = mooring_tests::Browser::default();
    let back = browser.consent(page, &user.id, &[]).await.unwrap();
    let shown = browser.open(&back).await;
    let back: url::Url = back.parse().unwrap();
    let secret = |name: &str| {
        let found = back.query_pairs().find(|(key, _)| key == name);
        found.unwrap().1.into_owned()
    };
    let path = format!("/connects/{}", begun["id"].as_str().unwrap());
    let run = api.get(&path).await;
    let audit = w.api(Role::Admin).await.get("/audit").await;
    let dump = format!("{:?}", w.events().await);
    for hidden in [
        secret("code"),
        secret("state"),
        user.pages[0].token.to_string(),
    ] {
        for (place, text) in [
            ("page", &shown.text),
            ("run", &run.text),
            ("audit", &audit.text),
            ("events", &dump),
        ] {
            assert!(!text.contains(&hidden), "{place} shows a secret");
        }
    }
    w.done().await;
}
