//! The system by OAuth on the real Bluesky server, where a refresh token works once and its second use ends the session.

use futures::future::{join, join_all};
use mooring_domain::{
    ConnectionId, JobKind, Platform, Policy, TargetId,
    connection::Health,
    post::Stage,
    time::{minutes, seconds},
};
use mooring_tests::{Engine, Live, LiveOptions, Pds, PdsAccount, PdsSessions, eventually};
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, Statement, TransactionTrait as _, Value,
};
use uuid::Uuid;

const PLATFORM: Platform = Platform::BlueskyOAuth;

/// As many as are said to end a session when each of them refreshes.
const WORKERS: u8 = 4;

/// How often all of them are after one token; each time it is the successor of the last.
const ROUNDS: u8 = 3;

/// The sessions of this database that wait for somebody's lock in order to begin a refresh.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND query ILIKE '%begun_at%'";

struct Scene {
    live: Live,
    pds: Pds,
    account: PdsAccount,
    connection: ConnectionId,
    grant: Uuid,
}

impl Scene {
    /// An account whose owner has consented in a browser, and nobody who works yet.
    async fn start() -> Self {
        let pds = Pds::of_environment();
        let live = Live::idle(LiveOptions {
            engine: Engine::Postgres,
            urls: pds.base_urls(),
            policy: Policy {
                verify_after: (0..60).map(|look| seconds(look * 2)).collect(),
                ..Policy::default()
            },
        })
        .await;
        live.register(PLATFORM, Pds::app()).await;
        let account = pds.account().await;
        let adapter = live.adapter(PLATFORM);
        let code = pds.consented(live.http(), adapter, &account).await;
        let session = adapter.connect(code).await.expect("a session");
        assert!(session.binding.is_some(), "its tokens are bound to a key");
        let connection = live.import(live.row(PLATFORM, &session)).await;
        let mut scene = Self {
            live,
            pds,
            account,
            connection,
            grant: Uuid::nil(),
        };
        let sql = scene.statement("SELECT id FROM grants", []);
        let row = scene.live.store.connection().query_one_raw(sql).await;
        let row = row.expect("the books answer").expect("one grant");
        scene.grant = row.try_get_by_index(0).expect("its id");
        scene
    }

    fn statement<const N: usize>(&self, sql: &str, values: [Value; N]) -> Statement {
        assert!(self.live.store.is_postgres(), "rows are locked here");
        Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
    }

    /// By our books the access token ends in a minute: nobody uses it any more, and a refresh is due.
    async fn near_its_end(&self) {
        let now = self.live.now();
        let [issued, end] = [now - minutes(59), now + minutes(1)].map(|at| at.timestamp_millis());
        let sql = "UPDATE grants SET issued_at = $1, access_expires_at = $2 WHERE id = $3";
        let sql = self.statement(sql, [issued.into(), end.into(), self.grant.into()]);
        let done = self.live.store.connection().execute_raw(sql).await;
        assert_eq!(done.expect("the books answer").rows_affected(), 1);
    }

    /// Holds the grant's row: whoever begins a refresh waits, until it is dropped.
    async fn gate(&self) -> DatabaseTransaction {
        let tx = self.live.store.connection().begin().await;
        let tx = tx.expect("a transaction");
        let sql = "SELECT id FROM grants WHERE id = $1 FOR UPDATE";
        let sql = self.statement(sql, [self.grant.into()]);
        let row = tx.query_one_raw(sql).await.expect("a lock");
        assert!(row.is_some(), "the gate holds nothing");
        tx
    }

    /// Waits until every worker stands before the begin of a refresh, and lets them go all at once.
    async fn open_for_all(&self, gate: DatabaseTransaction) {
        eventually("all workers are at the same refresh", || async {
            let row = self
                .live
                .store
                .connection()
                .query_one_raw(self.statement(WAITING, []))
                .await;
            let row = row.expect("the books answer").expect("a row");
            row.try_get_by_index::<i64>(0).expect("a number") == i64::from(WORKERS)
        })
        .await;
        gate.rollback().await.expect("the gate opens");
    }

    /// As many wishes as there are workers, and a post that cannot go out with the old token, all at once.
    async fn all_want_it(&self, text: &str) -> TargetId {
        let wish = |_| self.live.poke(JobKind::Refresh, self.grant, PLATFORM);
        let wishes = join_all((0..WORKERS).map(wish));
        join(self.live.post(self.connection, text), wishes).await.0
    }

    /// Asserts that a post is live: by our own looks, and on the server as the public sees it.
    async fn is_live(&self, target: TargetId, text: &str) {
        self.live
            .until_target(target, "the post is live", |row| {
                row.verdict.as_deref() == Some("live")
            })
            .await;
        let row = self.live.target(target).await;
        assert_eq!((row.stage, row.attempts), (Stage::Accepted, 1), "{text}");
        let posts = self.pds.posts(&self.account).await;
        let copies = posts.iter().filter(|post| post["value"]["text"] == text);
        assert_eq!(copies.count(), 1, "{text}");
    }

    /// Asserts that so far one worker has refreshed in each round, that all others were at the same refresh and lost, and
    /// that the server says so, too.
    async fn assert_one_has_won(&self, rounds: u8) {
        let runs = |outcome| {
            let of_each = self.live.finished(JobKind::Refresh, outcome);
            of_each.into_iter().sum::<u64>()
        };
        eventually("all but one have lost", async || {
            runs("claim_lost") == u64::from(rounds * (WORKERS - 1))
        })
        .await;
        eventually("one has won", async || runs("success") == u64::from(rounds)).await;
        let connection = self.live.connection(self.connection).await;
        assert_eq!(connection.token_version, 1 + i64::from(rounds));
        let wanted = PdsSessions {
            alive: 1,
            spent: i64::from(rounds),
        };
        let sessions = self.pds.sessions(&self.account).await;
        assert_eq!(sessions, wanted, "by the server's own books");
    }

    async fn told(&self, name: &str) -> usize {
        let events = self.live.store.events(self.live.workspace, 1_000).await;
        let events = events.expect("the books answer");
        events.iter().filter(|event| event.name == name).count()
    }
}

/// Four workers have the same refresh in their hands, and stand before its begin in the same moment, three times over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_workers_refresh_one_single_use_token_at_once_and_the_session_survives() {
    let mut scene = Scene::start().await;
    for round in 1..=ROUNDS {
        let text = format!("round {round}");
        scene.near_its_end().await;
        let gate = scene.gate().await;
        let target = scene.all_want_it(&text).await;
        if round == 1 {
            scene.live.hire(usize::from(WORKERS)).await;
        }
        scene.open_for_all(gate).await;
        scene.is_live(target, &text).await;
        scene.assert_one_has_won(round).await;
    }

    assert_eq!(scene.told("token_refreshed").await, usize::from(ROUNDS));
    for bad in [
        "auth_state_changed",
        "refresh_failed",
        "refresh_exhausted",
        "rotation_lost",
        "job_poisoned",
    ] {
        assert_eq!(scene.told(bad).await, 0, "{bad}");
    }
    let since = scene.live.now();
    scene.live.check_now(scene.connection, PLATFORM).await;
    scene
        .live
        .until(scene.connection, "a later check finds it healthy", |row| {
            row.health == Health::Healthy && row.checked_at.is_some_and(|at| at >= since)
        })
        .await;
    scene.live.done().await;
}

/// What the fence is for, by the same books: four uses of one token without it, and the server ends the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_unfenced_refreshes_of_one_token_end_the_session() {
    let scene = Scene::start().await;
    let one = PdsSessions { alive: 1, spent: 0 };
    assert_eq!(scene.pds.sessions(&scene.account).await, one);
    let ended = PdsSessions { alive: 0, spent: 0 };
    // Whether the server notices a second use is a matter of luck: the winner may come last.
    for _ in 0..20 {
        let account = scene.pds.account().await;
        let adapter = scene.live.adapter(PLATFORM);
        let http = scene.live.http();
        let code = scene.pds.consented(http, adapter, &account).await;
        let session = adapter.connect(code).await.expect("a session");
        let access = mooring_providers::Access {
            app: Some(Pds::app()),
            host: session.host.clone(),
            remote_id: account.did.clone(),
            remote_user_id: account.did.clone(),
            token: session.grant_token.clone(),
            grant_token: session.grant_token.clone(),
            refresh_token: session.refresh_token.clone(),
            binding: session.binding.clone(),
        };
        let answers = join_all((0..WORKERS).map(|_| adapter.refresh(&access))).await;
        assert!(
            answers.iter().flatten().count() <= 1,
            "a token that works once worked twice"
        );
        if scene.pds.sessions(&account).await == ended {
            scene.live.done().await;
            return;
        }
    }
    panic!("twenty times nothing was lost: a second use does not end sessions any more");
}
