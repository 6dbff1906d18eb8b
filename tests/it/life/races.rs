//! A disconnect that meets a publish or a refresh: on both engines, whoever comes first.

use mooring_domain::{
    ConnectionId, Evidence, JobKind, TargetId,
    connection::life::Which,
    grant::Renewed,
    post::{Accepted, Stage},
    time::{hours, seconds},
};
use mooring_gateway::acts::{self, Disconnected};
use mooring_store::{Actor, BegunPublish, Secrets, TokensStored};
use mooring_vault::Secret;

use crate::rules::{Desk, Place, done, on_both, start};

async fn disconnect(desk: &Desk, connection: ConnectionId) -> Disconnected {
    let which = Which::One(connection);
    let shown = acts::preview_disconnect(&desk.store, desk.workspace, which)
        .await
        .expect("a preview");
    acts::disconnect(
        &desk.store,
        &Actor::Cli,
        desk.workspace,
        which,
        Some(&shown.confirmation),
        start(),
    )
    .await
    .expect("it is disconnected")
}

/// How many sealed tokens a place still has in the database.
async fn tokens(desk: &Desk, place: Place) -> i64 {
    let grant = "SELECT count(*) FROM grants WHERE id = $1 AND (access_token IS NOT NULL \
                 OR refresh_token IS NOT NULL OR binding IS NOT NULL)";
    let own = "SELECT count(*) FROM connections WHERE id = $1 AND access_token IS NOT NULL";
    desk.number(grant, [place.grant.uuid().into()]).await
        + desk.number(own, [place.connection.uuid().into()]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_048_a_publish_that_is_claimed_and_not_begun_is_never_sent() {
    on_both(async |desk| {
        let place = desk.connect("claimed").await;
        let (_, target) = desk.post(place, "claimed", start()).await;
        let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
        disconnect(&desk, place.connection).await;
        let begun = desk.begin(&held, desk.me, start()).await;
        assert!(
            matches!(begun, BegunPublish::Lost | BegunPublish::Changed),
            "{begun:?}"
        );
        let row = desk.target(target).await;
        assert_eq!((row.stage, row.attempts), (Stage::Cancelled, 0));
        for (kind, subject) in [
            (JobKind::Publish, target.uuid()),
            (JobKind::Check, place.connection.uuid()),
            (JobKind::Refresh, place.grant.uuid()),
        ] {
            assert_eq!(desk.job(kind, subject).await, None, "{kind}");
        }
        // Nor does the house bring any of them back.
        let orphans = desk.store.orphans(start() + hours(9)).await;
        assert_eq!(orphans.expect("the books answer"), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_048_of_a_begin_and_a_disconnect_that_meet_one_comes_first() {
    on_both(async |desk| {
        for round in 0..8 {
            let place = desk.connect(&format!("meet-{round}")).await;
            let (_, target) = desk.post(place, "meet", start()).await;
            let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
            let leave = async {
                // A post that begins in between makes the confirmation one of something else.
                loop {
                    let which = Which::One(place.connection);
                    let (store, workspace) = (&desk.store, desk.workspace);
                    let shown = acts::preview_disconnect(store, workspace, which)
                        .await
                        .expect("a preview");
                    let confirmed = Some(shown.confirmation.as_str());
                    let left =
                        acts::disconnect(store, &Actor::Cli, workspace, which, confirmed, start());
                    match left.await {
                        Ok(left) => return left.was,
                        Err(error) => assert!(error.to_string().contains("confirm"), "{error}"),
                    }
                }
            };
            let (begun, _) = tokio::join!(desk.begin(&held, desk.me, start()), leave);
            let row = desk.target(target).await;
            match begun {
                BegunPublish::Attempt(..) => {
                    assert_eq!((row.stage, row.attempts), (Stage::Begun, 1));
                }
                BegunPublish::Lost | BegunPublish::Changed => {
                    assert_eq!((row.stage, row.attempts), (Stage::Cancelled, 0));
                }
                BegunPublish::Looking => panic!("it was to send"),
            }
        }
    })
    .await;
}

/// A post that has begun under a claim, and whose connection is then disconnected.
async fn in_flight(desk: &Desk, place: Place) -> (TargetId, mooring_store::Held, Evidence) {
    let (_, target) = desk.post(place, "on its way", start()).await;
    let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
    let begun = desk.begin(&held, desk.me, start()).await;
    let BegunPublish::Attempt(attempt, _) = begun else {
        panic!("{begun:?}")
    };
    let done = disconnect(desk, place.connection).await;
    assert_eq!((done.was.pending, done.was.in_flight), (0, 1));
    let evidence = Evidence::Accepted {
        attempt: attempt.id,
        accepted: Accepted {
            remote_id: "r1".to_owned(),
            permalink: Some("https://bsky.example/r1".to_owned()),
        },
        at: start() + seconds(2),
    };
    (target, held, evidence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_050_a_publish_that_has_begun_finishes_and_its_evidence_is_kept() {
    on_both(async |desk| {
        let place = desk.connect("flying").await;
        let (target, held, accepted) = in_flight(&desk, place).await;
        let applied = desk.apply(held.fence, done().evidence(accepted), start());
        assert!(applied.await.fenced, "its job was left to it");
        let row = desk.target(target).await;
        assert_eq!(row.stage, Stage::Accepted);
        assert_eq!(row.permalink.as_deref(), Some("https://bsky.example/r1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_049_tokens_leave_the_database_at_once_and_with_their_last_connection() {
    on_both(async |desk| {
        let row = |account: &str| {
            let mut row = desk.bluesky_row(&format!("did:plc:{account}"), "access", "refresh");
            row.user_id = Some("did:plc:user".to_owned());
            row.page_token = Some("of its own".to_owned());
            row
        };
        let mut places = Vec::new();
        for account in ["user", "two"] {
            let (store, now) = (&desk.store, start());
            let (good, bad) = acts::check_import(store, vec![(1, row(account))], now)
                .await
                .expect("it is checked");
            assert!(bad.is_empty(), "{bad:?}");
            acts::import_connections(store, &Actor::Cli, good, now)
                .await
                .expect("an import");
            let rows = store.connections(desk.workspace, now).await.expect("rows");
            let grants = store.grants(desk.workspace).await.expect("grants");
            let remote_id = format!("did:plc:{account}");
            places.push(Place {
                connection: rows.iter().find(|r| r.remote_id == remote_id).unwrap().id,
                grant: *grants.values().next().unwrap(),
            });
        }
        let (one, two) = (places[0], places[1]);
        assert_eq!(tokens(&desk, one).await, 2);
        let first = disconnect(&desk, one.connection).await;
        assert!(first.taken.is_empty(), "another connection uses the grant");
        assert_eq!(tokens(&desk, one).await, 1, "its own token is gone");
        assert!(desk.job(JobKind::Refresh, one.grant.uuid()).await.is_some());
        let second = disconnect(&desk, two.connection).await;
        assert_eq!(second.taken.len(), 1, "the grant goes with its last");
        let held = second.taken[0].credentials.as_ref().expect("in memory");
        assert_eq!(held.grant_token.expose(), "access");
        assert_eq!(tokens(&desk, two).await, 0);
        assert_eq!(desk.job(JobKind::Refresh, one.grant.uuid()).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_049_new_tokens_of_a_refresh_that_ran_meanwhile_are_given_up() {
    on_both(async |desk| {
        let place = desk.connect("renewing").await;
        let due = start() + hours(2);
        let held = desk.take(JobKind::Refresh, place.grant.uuid(), due).await;
        let begun = desk.store.begin_refresh(&held, desk.me, due).await;
        assert!(begun.expect("the books answer"));
        disconnect(&desk, place.connection).await;
        let renewed = done().evidence(Evidence::Renewed {
            grant: place.grant,
            spent_version: 1,
            renewed: Renewed {
                access_expires_at: None,
                refresh_expires_at: None,
                scopes: None,
            },
            at: due,
        });
        let mut result = desk.result(held.fence, renewed, due);
        result.secrets = Secrets {
            grants: vec![(place.grant, Secret::from("late"), None)],
            ..Secrets::default()
        };
        let applied = desk.store.apply_job(&result).await.expect("it is applied");
        assert_eq!(applied.tokens, Some(TokensStored::GrantGone));
        assert_eq!(tokens(&desk, place).await, 0, "they are stored nowhere");
        // One that has not begun yet does not begin.
        let begun = desk.store.begin_refresh(&held, desk.me, due).await;
        assert!(!begun.expect("the books answer"));
    })
    .await;
}
