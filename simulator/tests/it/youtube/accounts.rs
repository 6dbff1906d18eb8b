//! Scopes, accounts, projects and their quota.

use std::time::Duration;

use mooring_simulator::youtube::{AppState, ChannelState, NewYoutubeApp, UserState};
use mooring_simulator::{Fault, FaultKind, Platform};

use super::{HOUR, Youtube, draft};

const MINE: &str = "youtube/v3/channels?part=id&mine=true";

#[tokio::test]
async fn a_scope_opens_its_own_methods_and_no_others() {
    let yt = Youtube::new().await;
    let drop = |scope| {
        yt.admin
            .set_youtube_scope(&yt.user.id, scope, false)
            .unwrap();
    };
    drop("youtube.force-ssl");
    assert_eq!(yt.start_upload(&draft("Fine")).await.status, 200);
    let video = yt.upload("Kept").await["id"].as_str().unwrap().to_owned();
    let url = yt.url(&format!("youtube/v3/videos?id={video}"));
    let delete = yt
        .send(yt.http.delete(url).bearer_auth(&*yt.user.access_token))
        .await;
    assert_eq!(delete.reason(), (403, "insufficientPermissions".to_owned()));
    let details = &delete.json()["error"]["details"][0];
    assert_eq!(details["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    drop("youtube.readonly");
    assert_eq!(
        yt.own(MINE).await.reason(),
        (403, "insufficientPermissions".to_owned())
    );
    assert_eq!(
        yt.start_upload(&draft("Blind")).await.status,
        200,
        "it may upload all the same"
    );
    drop("youtube.upload");
    let refused = yt.start_upload(&draft("No")).await;
    assert_eq!(
        refused.reason(),
        (403, "insufficientPermissions".to_owned())
    );
}

#[tokio::test]
async fn a_suspended_a_closed_and_a_missing_channel_are_told_apart() {
    let yt = Youtube::new().await;
    for (state, status, reason) in [
        (
            ChannelState::Suspended,
            403,
            "authenticatedUserAccountSuspended",
        ),
        (ChannelState::Closed, 403, "authenticatedUserAccountClosed"),
        (ChannelState::Removed, 401, "youtubeSignupRequired"),
    ] {
        yt.admin
            .set_youtube_channel_state(yt.channel(), state)
            .unwrap();
        let refused = yt.start_upload(&draft("No")).await;
        assert_eq!(refused.reason(), (status, reason.to_owned()));
    }
    yt.admin
        .set_youtube_channel_state(yt.channel(), ChannelState::Active)
        .unwrap();
    assert_eq!(yt.own(MINE).await.status, 200);
}

#[tokio::test]
async fn the_token_endpoint_says_what_is_wrong_with_account_and_client() {
    let yt = Youtube::new().await;
    for (state, status, error) in [
        (UserState::ReauthWanted, 400, "invalid_grant"),
        (UserState::BlockedByAdmin, 400, "admin_policy_enforced"),
        (UserState::Deleted, 400, "invalid_grant"),
    ] {
        yt.admin.set_youtube_user_state(&yt.user.id, state).unwrap();
        let refused = yt.refresh(&yt.user.refresh_token).await;
        assert_eq!(refused.oauth_error(), (status, error.to_owned()));
        let rapt = refused.json()["error_subtype"] == "invalid_rapt";
        assert_eq!(rapt, state == UserState::ReauthWanted);
    }
    yt.admin
        .set_youtube_app_state(&yt.app.client_id, AppState::Deleted)
        .unwrap();
    let refused = yt.refresh(&yt.user.refresh_token).await;
    assert_eq!(refused.oauth_error(), (401, "deleted_client".to_owned()));
    let form = [
        ("client_id", "nobody"),
        ("client_secret", "x"),
        ("grant_type", "refresh_token"),
    ];
    let refused = yt.form("token", &form).await;
    assert_eq!(refused.oauth_error(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_project_has_its_units_until_pacific_midnight() {
    let yt = Youtube::with(NewYoutubeApp {
        units_per_day: Some(2),
        uploads_per_day: Some(1),
        ..NewYoutubeApp::default()
    })
    .await;
    for _ in 0..2 {
        assert_eq!(yt.own(MINE).await.status, 200);
    }
    let refused = yt.own(MINE).await;
    assert_eq!(refused.reason(), (403, "quotaExceeded".to_owned()));
    assert_eq!(
        refused.json()["error"]["errors"][0]["domain"],
        "youtube.quota"
    );
    assert_eq!(
        yt.start_upload(&draft("One")).await.status,
        200,
        "a bucket of its own"
    );
    assert_eq!(
        yt.start_upload(&draft("Two")).await.reason().1,
        "quotaExceeded"
    );
    // The tests' clock begins at 15:00 UTC, which is 7:00 in California.
    yt.admin.clock().advance(HOUR * 17).unwrap();
    let access = yt.refresh(&yt.user.refresh_token).await.json();
    let access = access["access_token"].as_str().unwrap();
    assert_eq!(yt.get(MINE, access).await.status, 200);
    yt.admin
        .set_youtube_app_state(&yt.app.client_id, AppState::ApiDisabled)
        .unwrap();
    assert_eq!(
        yt.get(MINE, access).await.reason(),
        (403, "accessNotConfigured".to_owned())
    );
}

#[tokio::test]
async fn faults_speak_googles_language() {
    let yt = Youtube::new().await;
    let throttle = FaultKind::RateLimited { reset_s: 30 };
    yt.admin
        .add_fault(Fault::new(Platform::YouTube, "check", throttle).times(1))
        .unwrap();
    let throttled = yt.own(MINE).await;
    assert_eq!(throttled.reason(), (403, "rateLimitExceeded".to_owned()));
    assert_eq!(throttled.header("retry-after"), Some("30"));
    let kind = FaultKind::ErrorAlthoughCreated {
        code: None,
        body: None,
    };
    yt.admin
        .add_fault(Fault::new(Platform::YouTube, "upload_finish", kind).times(1))
        .unwrap();
    let session = yt.session("There").await;
    let failed = yt.put(&session, None, vec![1]).await;
    assert_eq!(failed.reason(), (503, "backendError".to_owned()));
    yt.admin.set_youtube_processing(0);
    yt.upload("Seen").await;
    assert_eq!(yt.admin.ledger_summary().posts, 1, "the other is processed");
    yt.admin.clock().advance(HOUR / 60).unwrap();
    assert_eq!(yt.admin.ledger_summary().posts, 2);
    let calls = yt.admin.calls();
    assert_eq!(calls.by_endpoint["youtube.upload_finish"].failed, 1);
    assert_eq!(yt.admin.calls_of(yt.channel(), "publish"), 2);
    yt.admin.clock().advance(Duration::from_hours(2)).unwrap();
    assert_eq!(
        yt.send(yt.http.get(yt.url(MINE))).await.reason(),
        (401, "required".to_owned())
    );
}
