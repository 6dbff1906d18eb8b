//! What only LinkedIn has: two kinds of destinations behind one grant, uploads in parts, texts that are cut without
//! a word, and versions that end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mooring_domain::{
    Failure, Platform,
    connection::{AccountState, TokenSeen},
    post::{Finding, MediaKind, Prepared, Seen, text_digest},
};
use mooring_providers::{BaseUrls, Draft, Notice, Observer, Registry};
use mooring_simulator::{
    Fault, FaultKind, Platform as Simulated, SimClock,
    linkedin::{LinkedInRevokeReason, LinkedInSettings, LinkedInTokenScope},
};
use url::Url;

use crate::{
    arena::{self, Arena, Scene as _},
    linkedin::LinkedIn,
    media,
};

const BOTH: [Platform; 2] = [Platform::LinkedIn, Platform::LinkedInPage];

/// A draft with so many images, or with a video.
fn with_media(arena: &Arena, text: &str, kind: MediaKind, count: usize) -> Draft {
    let mut draft = arena.draft(text);
    let platform = arena.scene.platform();
    draft.media = (0..count)
        .map(|_| media::attachment(platform, kind))
        .collect();
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    draft
}

fn set(arena: &Arena, change: impl FnOnce(&mut LinkedInSettings)) {
    let mut settings = arena.admin.linkedin_settings();
    change(&mut settings);
    arena.admin.set_linkedin_settings(settings);
}

fn texts(arena: &Arena) -> Vec<String> {
    let everything = mooring_simulator::LedgerFilter::default();
    let posts = arena.admin.ledger(&everything).into_iter();
    posts.map(|post| post.text).collect()
}

#[tokio::test]
async fn images_one_and_several_and_a_video_are_posted_by_both_kinds() {
    for platform in BOTH {
        let arena = Arena::new(platform).await;
        set(&arena, |settings| settings.image_processing_ms = 3_000);
        let kinds = [
            (MediaKind::Image, 1),
            (MediaKind::Image, 3),
            (MediaKind::Video, 1),
        ];
        for (kind, count) in kinds {
            let text = format!("{count} of {kind:?}");
            let draft = arena.ready(with_media(&arena, &text, kind, count)).await;
            let draft = draft.expect("uploads");
            let accepted = arena.publish(&draft).await.expect("a post");
            // A member's images cannot be looked at, so their posts appear when LinkedIn is ready.
            arena.advance(Duration::from_secs(5));
            arena.settle();
            assert_eq!(texts(&arena).last(), Some(&text), "{platform}");
            let found = arena
                .provider
                .find(&arena.scene.access(), &arena.lost(&draft))
                .await;
            assert_eq!(found, Ok(arena.findable(Finding::Found(accepted))));
        }
    }
}

#[tokio::test]
async fn media_that_fail_are_refused_before_the_post() {
    let arena = Arena::new(Platform::LinkedInPage).await;
    for kind in [MediaKind::Image, MediaKind::Video] {
        set(&arena, |settings| settings.fail_processing = 1);
        let refused = arena.ready(with_media(&arena, "broken", kind, 1)).await;
        let code = "PROCESSING_FAILED".to_owned();
        assert_eq!(
            refused.err(),
            Some(Failure::ContentRejected { code }),
            "{kind:?}"
        );
    }
    assert_eq!(arena.made(), 0);
}

#[tokio::test]
async fn an_upload_that_is_cut_goes_on_where_it_was() {
    let arena = Arena::new(Platform::LinkedIn).await;
    let draft = with_media(&arena, "gallery", MediaKind::Image, 2);
    let access = arena.scene.access();
    arena.fault("upload_image", FaultKind::LostAnswer, 1);
    let cut = arena.provider.prepare(&access, &draft, None).await;
    assert_eq!(cut, Err(Failure::ProviderDown), "a repetition harms nobody");
    let ready = arena.provider.prepare(&access, &draft, None).await;
    assert!(matches!(ready, Ok(Prepared::Ready(_))), "{ready:?}");

    // A state of another version of ours is no state at all.
    let strange = serde_json::json!({ "assets": "none" });
    let ready = arena
        .provider
        .prepare(&access, &draft, Some(&strange))
        .await;
    assert!(matches!(ready, Ok(Prepared::Ready(_))), "{ready:?}");
}

#[tokio::test]
async fn a_videos_address_that_ended_is_asked_for_again() {
    let arena = Arena::new(Platform::LinkedInPage).await;
    let draft = with_media(&arena, "film", MediaKind::Video, 1);
    let access = arena.scene.access();
    let over = serde_json::json!({ "status": 400, "code": "EXPIRED_UPLOAD_URL" });
    let fault = FaultKind::Status {
        code: 400,
        body: Some(over),
    };
    arena.fault("upload_video_part", fault, 1);
    let again = arena.provider.prepare(&access, &draft, None).await;
    let Ok(Prepared::Pending { state, again }) = again else {
        panic!("{again:?}");
    };
    assert_eq!(
        (&state, again.num_seconds()),
        (&serde_json::json!({ "assets": [] }), 0)
    );
    let next = arena.provider.prepare(&access, &draft, Some(&state)).await;
    let Ok(Prepared::Pending { again, .. }) = next else {
        panic!("{next:?}");
    };
    assert!(again.num_seconds() > 0, "LinkedIn is processing");
}

#[tokio::test]
async fn what_linkedin_would_cut_reaches_people_whole() {
    let arena = Arena::new(Platform::LinkedInPage).await;
    let text = "Price (net) < 5 | me@example.com #C_1 *bold* ~ {x} [y] C:\\dir #1 #Rust_2026!";
    let accepted = arena.publish(&arena.draft(text)).await.expect("a post");
    assert_eq!(texts(&arena), [text]);
    let access = arena.scene.access();
    let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
    let Ok(Seen::Live { digest, .. }) = seen else {
        panic!("{seen:?}");
    };
    assert_eq!(digest, Some(text_digest(text)));
}

#[tokio::test]
async fn one_grant_reaches_a_profile_and_its_pages_and_they_have_names() {
    for platform in BOTH {
        let arena = Arena::new(platform).await;
        let credentials = arena.scene.credentials(&arena.http, &*arena.provider).await;
        let connected = arena.provider.connect(credentials).await.expect("a grant");
        arena::remember_connected(&connected);
        // Who asked for the profile alone reaches nothing else.
        let pages = if platform == Platform::LinkedInPage {
            3
        } else {
            0
        };
        assert_eq!(connected.destinations.len(), 1 + pages, "{platform}");
        let kinds = connected.destinations.iter().map(|one| one.platform);
        assert_eq!(
            kinds.filter(|kind| *kind == Platform::LinkedInPage).count(),
            pages
        );
        assert!(connected.destinations.iter().all(|one| one.may_publish));
        assert!(
            connected
                .destinations
                .iter()
                .all(|one| !one.name.starts_with("urn:"))
        );
    }
}

#[tokio::test]
async fn an_app_that_may_not_read_several_organizations_connects_pages_without_names() {
    let arena = Arena::new(Platform::LinkedInPage).await;
    let denied = FaultKind::Status {
        code: 403,
        body: None,
    };
    arena.fault("organizations", denied, 1);
    let reached = arena.provider.destinations(&arena.scene.access()).await;
    let reached = reached.expect("a list");
    assert_eq!(reached.len(), 4);
    assert!(reached[1].name.starts_with("urn:li:organization:"));
}

#[tokio::test]
async fn a_page_in_a_later_part_of_the_list_keeps_its_role() {
    let simulator = mooring_simulator::Simulator::start(mooring_simulator::Options::default())
        .await
        .expect("a simulator");
    let scene = LinkedIn::among(Platform::LinkedInPage, simulator.admin(), 130);
    let clock = SimClock::system();
    let base = Url::parse(&simulator.base_url()).expect("a URL");
    let (http, time) = (arena::http(&clock), arena::shared(&clock));
    let registry = Registry::new(&http, &time, &BaseUrls::simulated(&base));
    let provider = registry.of(Platform::LinkedInPage);
    let seen = provider.check(&scene.access(), true).await.expect("a look");
    let state = seen.account.map(|account| account.state);
    assert_eq!(state, Some(AccountState::Accessible));
    let reached = provider
        .destinations(&scene.access())
        .await
        .expect("a list");
    assert_eq!(reached.len(), 131);
    assert!(reached.iter().all(|one| !one.name.starts_with("urn:")));
}

#[tokio::test]
async fn a_consent_to_less_ends_what_was_connected_before() {
    let page = Arena::new(Platform::LinkedInPage).await;
    let base = Url::parse(&page.base_url()).expect("a URL");
    let registry = Registry::new(
        &page.http,
        &arena::shared(&page.clock),
        &BaseUrls::simulated(&base),
    );
    let member = registry.of(Platform::LinkedIn);
    let credentials = page.scene.credentials(&page.http, &**member).await;
    let connected = member.connect(credentials).await.expect("a grant");
    arena::remember_connected(&connected);
    let seen = page.check().await.expect("a look");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenRevoked));
}

#[tokio::test]
async fn profiles_that_are_used_up_for_the_day_do_not_blind_the_probe() {
    let arena = Arena::new(Platform::LinkedIn).await;
    let kind = FaultKind::RateLimited { reset_s: 60 };
    arena.fault("userinfo", kind, 2);
    let seen = arena.check().await.expect("a look");
    assert!(
        matches!(seen.token, TokenSeen::Alive { .. }),
        "{:?}",
        seen.token
    );
    assert_eq!(seen.account, None, "nobody has seen it");
    let access = arena.scene.access();
    let blind = arena.provider.check(&access, false).await;
    assert!(
        matches!(blind, Err(Failure::RateLimited { .. })),
        "{blind:?}"
    );
}

#[tokio::test]
async fn a_refresh_token_that_was_taken_back_is_not_taken_for_one_that_ended() {
    let arena = Arena::new(Platform::LinkedIn).await;
    let access = arena.scene.access();
    let member = access.remote_id.trim_start_matches("urn:li:person:");
    let (reason, which) = (LinkedInRevokeReason::Removed, LinkedInTokenScope::Refresh);
    arena
        .admin
        .revoke_linkedin_tokens(member, reason, which)
        .expect("a person");
    let refused = arena.provider.refresh(&access).await.err();
    assert_eq!(refused, Some(Failure::TokenRevoked));
    // The access token lives on.
    assert!(matches!(
        arena.check().await.expect("a look").token,
        TokenSeen::Alive { .. }
    ));
}

#[tokio::test]
async fn tokens_go_to_no_address_that_is_not_linkedins() {
    let arena = Arena::new(Platform::LinkedIn).await;
    let elsewhere = serde_json::json!({ "value": {
        "uploadUrl": "https://linkedin.com.example/dms-uploads/1", "image": "urn:li:image:1",
    }});
    let fault = FaultKind::Status {
        code: 200,
        body: Some(elsewhere),
    };
    let fault = Fault::new(Simulated::LinkedIn, "initialize_image", fault);
    arena.admin.add_fault(fault.times(1)).expect("a fault");
    let sent = arena
        .ready(with_media(&arena, "x", MediaKind::Image, 1))
        .await;
    assert!(matches!(sent, Err(Failure::Contract { .. })), "{sent:?}");
}

#[tokio::test]
async fn a_retired_version_is_told_and_is_no_accounts_fault() {
    let arena = Arena::new(Platform::LinkedInPage).await;
    let base = Url::parse(&arena.base_url()).expect("a URL");
    let told = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&told);
    let observer: Observer = Arc::new(move |notice: Notice<'_>| {
        let Notice::VersionChanged {
            platform,
            asked,
            answered,
        } = notice;
        assert_eq!(
            (platform, asked, answered),
            (Platform::LinkedInPage, "202409", "none")
        );
        count.fetch_add(1, Ordering::SeqCst);
    });
    let urls = BaseUrls {
        linkedin_version: "202409".to_owned(),
        ..BaseUrls::simulated(&base)
    };
    let clock = arena::shared(&arena.clock);
    let registry = Registry::observed(&arena.http, &clock, &urls, &observer);
    let provider = registry.of(Platform::LinkedInPage);
    let access = arena.scene.access();
    assert_eq!(provider.check(&access, true).await, Err(Failure::AppAccess));
    let sent = provider.publish(&access, &arena.draft("old")).await;
    assert_eq!(sent, Err(Failure::AppAccess));
    assert_eq!(told.load(Ordering::SeqCst), 2);
}
