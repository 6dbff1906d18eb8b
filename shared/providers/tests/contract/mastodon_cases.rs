//! What only Mastodon has: files that take their time, servers that ignore the key, the account's own list.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    post::{Finding, MediaKind, Prepared, Seen},
    time::{minutes, seconds},
};
use mooring_providers::{Authorize, Draft, Lost};
use mooring_simulator::{FaultKind, mastodon::MastodonSettings};
use url::Url;

use crate::{arena::Arena, media};

async fn arena() -> Arena {
    Arena::new(Platform::Mastodon).await
}

fn set(arena: &Arena, change: impl FnOnce(&mut MastodonSettings)) {
    let mut settings = arena.admin.mastodon_settings();
    change(&mut settings);
    arena.admin.set_mastodon_settings(settings);
}

#[tokio::test]
async fn a_video_is_waited_for_and_a_file_that_was_thrown_away_is_uploaded_anew() {
    let arena = arena().await;
    let mut draft = arena.draft("look");
    draft.media = vec![media::attachment(Platform::Mastodon, MediaKind::Video)];
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    let access = arena.scene.access();
    let step = async |so_far| arena.provider.prepare(&access, &draft, so_far).await;
    let Ok(Prepared::Pending { state, again }) = step(None).await else {
        panic!("an upload")
    };
    assert_eq!(again, seconds(0));
    let Ok(Prepared::Pending { state, again }) = step(Some(&state)).await else {
        panic!("still processed")
    };
    assert!(again > seconds(0));
    arena.advance(Duration::from_secs(3));
    let Ok(Prepared::Ready(ready)) = step(Some(&state)).await else {
        panic!("processed")
    };
    // Another post takes the file: to this one it is gone.
    let taken = Draft {
        prepared: Some(ready),
        ..draft.clone()
    };
    arena
        .provider
        .publish(&access, &taken)
        .await
        .expect("published");
    let gone = step(Some(&state)).await;
    assert!(matches!(gone, Ok(Prepared::Pending { .. })), "{gone:?}");
    assert_eq!(arena.made(), 1);
}

#[tokio::test]
async fn a_server_that_ignores_the_key_is_looked_at_before_anything_is_repeated() {
    let arena = arena().await;
    set(&arena, |settings| settings.idempotency = false);
    let draft = arena.draft("once");
    arena.fault("publish", FaultKind::LostAnswer, 1);
    let access = arena.scene.access();
    let sent = arena.provider.publish(&access, &draft).await;
    assert_eq!(sent, Err(Failure::Indeterminate));
    let finding = arena.provider.find(&access, &arena.lost(&draft)).await;
    assert!(matches!(finding, Ok(Finding::Found(_))), "{finding:?}");
}

#[tokio::test]
async fn a_lost_post_is_found_below_a_page_of_later_ones_and_is_unsure_below_too_many() {
    let arena = arena().await;
    set(&arena, |settings| {
        settings.statuses_per_3h = None;
        settings.requests_per_5min = None;
    });
    let access = arena.scene.access();
    let first = arena.draft("the lost one");
    arena
        .provider
        .publish(&access, &first)
        .await
        .expect("published");
    let lost = arena.lost(&first);
    for number in 1..=210 {
        arena.advance(Duration::from_secs(1));
        let other = arena.draft(&format!("number {number}"));
        arena
            .provider
            .publish(&access, &other)
            .await
            .expect("published");
        if number == 60 {
            let finding = arena.provider.find(&access, &lost).await;
            assert!(matches!(finding, Ok(Finding::Found(_))), "{finding:?}");
        }
    }
    let finding = arena.provider.find(&access, &lost).await;
    assert_eq!(finding, Ok(Finding::Unsure), "the list was cut off");
}

#[tokio::test]
async fn an_earlier_post_with_the_same_words_is_not_taken_for_the_lost_one() {
    let arena = arena().await;
    let access = arena.scene.access();
    let draft = arena.draft("the same words");
    arena
        .provider
        .publish(&access, &draft)
        .await
        .expect("published");
    let after = |wait| Lost {
        not_before: arena.now() + wait,
        ..arena.lost(&draft)
    };
    // The server's clock may be behind ours: who cannot tell says so.
    let near = arena.provider.find(&access, &after(seconds(30))).await;
    assert_eq!(near, Ok(Finding::Unsure));
    let far = arena.provider.find(&access, &after(minutes(5))).await;
    assert_eq!(far, Ok(Finding::Absent));
}

#[tokio::test]
async fn mentions_and_links_are_compared_as_they_were_written() {
    let arena = arena().await;
    let text =
        "Hello @ana@example.social\n\nsee https://example.com/a/very/long/path/indeed?x=1&y=2";
    let accepted = arena.publish(&arena.draft(text)).await.expect("published");
    let access = arena.scene.access();
    let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
    let digest = Some(mooring_domain::post::text_digest(text));
    assert!(
        matches!(&seen, Ok(Seen::Live { digest: one, .. }) if *one == digest),
        "{seen:?}"
    );
}

#[tokio::test]
async fn an_app_is_registered_at_the_account_s_own_server() {
    let arena = arena().await;
    let redirect_uri = Url::parse("https://mooring.example/oauth").expect("a URL");
    let host = Url::parse(&format!("http://{}/mastodon", arena.address())).expect("a URL");
    let request = Authorize {
        app: None,
        redirect_uri: &redirect_uri,
        state: "s",
        host: Some(&host),
        login_hint: None,
    };
    let consent = arena
        .provider
        .authorize(&request)
        .await
        .expect("an address")
        .expect("a page");
    let value = |name: &str| {
        let mut pairs = consent.url.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(value("code_challenge_method").as_deref(), Some("S256"));
    let scopes = value("scope").expect("scopes");
    assert!(
        scopes.contains("write:media") && scopes.contains("write:statuses"),
        "{scopes}"
    );
    let shown = format!("{consent:?}");
    assert!(!shown.contains("client_secret"), "{shown}");
    // A server that forgot the app is the app's trouble, not the person's.
    let mut access = arena.scene.access();
    let app = access.app.as_mut().expect("an app");
    arena
        .admin
        .delete_mastodon_app(&app.client_id)
        .expect("an app");
    assert_eq!(
        arena.provider.revoke(&access).await,
        Err(Failure::AppAccess)
    );
}
