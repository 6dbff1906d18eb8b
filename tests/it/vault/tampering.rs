//! Ciphertexts that were moved, and ids of another workspace: refused, told, nothing changed.

use mooring_domain::{
    Change, Event, JobKind, Platform, Poke, WorkspaceId,
    grant::AuthState,
    post::Content,
    time::{hours, minutes},
};
use mooring_gateway::acts::{self, ActError, EditPost, SchedulePost};
use mooring_store::{Actor, Refusal, Secrets};
use mooring_tests::{Account, World, dump};
use sea_orm::{ConnectionTrait as _, Statement};
use uuid::Uuid;

use super::safe::{Safe, done, meddle, on_both, start};

/// What a table holds, as a text.
async fn rows_of(world: &World, table: &str) -> Vec<String> {
    let all = dump(&world.store).await;
    let prefix = format!("{table}: ");
    all.lines()
        .filter(|line| line.starts_with(&prefix))
        .map(str::to_owned)
        .collect()
}

async fn grant_of(world: &World, account: &Account) -> Uuid {
    let db = world.store.connection();
    let sql = "SELECT grant_id FROM connections WHERE id = $1";
    let values = [account.connection.uuid().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(statement).await.expect("a row");
    row.expect("the connection")
        .try_get_by_index(0)
        .expect("an id")
}

/// Wishes for a job at once.
async fn poke(world: &World, kind: JobKind, subject: Uuid) {
    let decision = done().poke(Poke::Job {
        kind,
        subject,
        platform: Platform::Bluesky,
        at: world.now(),
        priority: 300,
    });
    world
        .store
        .apply_act(
            &Actor::Cli,
            world.workspace,
            &decision,
            &Secrets::default(),
            world.now(),
        )
        .await
        .expect("a wish");
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_a_moved_ciphertext_is_refused_told_once_and_changes_nothing() {
    let w = World::start().await;
    let (mine, theirs) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Bluesky).await,
    );
    w.settle().await;
    let (grant, other) = (grant_of(&w, &mine).await, grant_of(&w, &theirs).await);
    let keep = "UPDATE connections SET access_token = (SELECT access_token FROM grants WHERE id = $1) WHERE id = $2";
    let places: [(&str, [sea_orm::Value; 2]); 3] = [
        (
            "UPDATE grants SET access_token = (SELECT access_token FROM grants WHERE id = $1) WHERE id = $2",
            [other.into(), grant.into()],
        ),
        (
            "UPDATE grants SET access_token = (SELECT refresh_token FROM grants WHERE id = $1) WHERE id = $2",
            [grant.into(), grant.into()],
        ),
        (keep, [grant.into(), mine.connection.uuid().into()]),
    ];
    let sealed = "UPDATE grants SET access_token = (SELECT access_token FROM kept) WHERE id = $1";
    w.store
        .connection()
        .execute_unprepared("CREATE TABLE kept AS SELECT id, access_token FROM grants")
        .await
        .expect("a copy");
    let sealed = sealed.replace("FROM kept)", "FROM kept WHERE kept.id = grants.id)");
    for (number, (sql, values)) in places.into_iter().enumerate() {
        meddle(&w.store, sql, values).await;
        let (grants, connections) = (
            rows_of(&w, "grants").await,
            rows_of(&w, "connections").await,
        );
        poke(&w, JobKind::Check, mine.connection.uuid()).await;
        let told = w.event_counts().await;
        assert_eq!(
            told.get("sealed_unreadable"),
            Some(&(number + 1)),
            "told once"
        );
        assert_eq!(rows_of(&w, "grants").await, grants);
        assert_eq!(rows_of(&w, "connections").await, connections);
        meddle(&w.store, &sealed, [grant.into()]).await;
        if sql == keep {
            let gone = "UPDATE connections SET access_token = NULL WHERE id = $1";
            meddle(&w.store, gone, [mine.connection.uuid().into()]).await;
        }
        // Whole again: somebody's wish ends the wait, and the check sees a good account.
        let checks = w.connection(&mine).await.checked_at;
        w.pass(minutes(1));
        poke(&w, JobKind::Check, mine.connection.uuid()).await;
        assert!(
            w.connection(&mine).await.checked_at > checks,
            "it is checked again"
        );
    }
    assert!(!w.event_counts().await.contains_key("auth_state_changed"));
    assert!(!w.event_counts().await.contains_key("job_poisoned"));
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_a_refresh_whose_token_was_moved_asks_nobody_and_judges_nothing() {
    let w = World::start().await;
    let (mine, theirs) = (
        w.connect(Platform::Bluesky).await,
        w.connect(Platform::Facebook).await,
    );
    w.settle().await;
    let (grant, other) = (grant_of(&w, &mine).await, grant_of(&w, &theirs).await);
    let moved = "UPDATE grants SET refresh_token = (SELECT access_token FROM grants WHERE id = $1) WHERE id = $2";
    meddle(&w.store, moved, [other.into(), grant.into()]).await;
    w.advance(hours(3)).await;
    let told = w.told(grant).await;
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::SealedUnreadable { .. }))
    );
    let judged = |event: &Event| {
        matches!(
            event,
            Event::AuthStateChanged { .. }
                | Event::RefreshFailed { .. }
                | Event::TokenRefreshed { .. }
        )
    };
    assert!(!told.iter().any(judged), "{told:?}");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_ids_of_another_workspace_are_refused_and_change_nothing() {
    let w = World::start().await;
    let account = w.connect(Platform::Bluesky).await;
    let posted = w.post(&account, "not theirs", hours(30)).await;
    w.settle().await;
    let stranger = acts::create_workspace(&w.store, &Actor::Cli, "Strangers", w.now())
        .await
        .expect("a workspace");
    let grant = grant_of(&w, &account).await;
    let before = dump(&w.store).await;
    let (store, now) = (&w.store, w.now());
    let missing = |result: Result<(), ActError>| {
        assert!(
            matches!(
                &result,
                Err(ActError::Refused(Refusal::NotFound { .. }) | ActError::Invalid { .. })
            ),
            "{result:?}"
        );
    };
    missing(acts::cancel_target(store, &Actor::Cli, stranger, posted.target(), now).await);
    let words = Content::text("other words");
    let post = posted.scheduled.post;
    let edit = EditPost {
        text: Some(words.text.clone()),
        ..EditPost::default()
    };
    missing(acts::edit_post(store, &Actor::Cli, stranger, post, &edit, now).await);
    let order = SchedulePost {
        connections: vec![account.connection],
        content: words,
        media: Vec::new(),
        due: now + hours(1),
        critical: false,
        ..SchedulePost::default()
    };
    missing(
        acts::schedule_post(store, &Actor::Cli, stranger, order, now)
            .await
            .map(drop),
    );
    // A job's decision about somebody else's credential.
    let verdict = done().change(Change::GrantState {
        grant: mooring_domain::GrantId::from_uuid(grant),
        token_version: 1,
        state: AuthState::Revoked,
        why: "token_revoked",
    });
    store
        .apply_act(&Actor::Cli, stranger, &verdict, &Secrets::default(), now)
        .await
        .expect("it finds nothing to change");
    assert_eq!(dump(&w.store).await, before);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_a_claim_under_another_workspace_loads_no_secret() {
    on_both(async |safe| {
        let grant = safe.connect("one").await;
        let mut held = safe.held(grant);
        assert!(
            safe.store
                .refresh_job(&held)
                .await
                .expect("it answers")
                .is_some()
        );
        held.workspace = WorkspaceId::from_uuid(Uuid::now_v7());
        assert!(
            safe.store
                .refresh_job(&held)
                .await
                .expect("it answers")
                .is_none()
        );
        let rows = safe.store.connections(safe.workspace, start()).await;
        held.fence.subject = rows.expect("connections")[0].id.uuid();
        held.fence.kind = JobKind::Check;
        let check = safe.store.check_job(&held, start()).await;
        assert!(check.expect("it answers").is_none());
        let mine = Safe::held(&safe, grant).workspace;
        held.workspace = mine;
        let check = safe.store.check_job(&held, start()).await;
        assert!(check.expect("it answers").is_some());
    })
    .await;
}
