//! The database's shape: up, down, up again; by many at once; and what the jobs table promises.

use std::collections::BTreeSet;

use futures::future::join_all;
use mooring_domain::{JobKind, job::Fence, time::minutes};
use mooring_migrations::{Migrator, down, pending, up};
use mooring_store::Lease;
use mooring_tests::{Database, Engine, eventually};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database as SeaOrm, DatabaseConnection};
use sea_orm_migration::MigratorTrait as _;

use crate::rules::{Desk, done, job, start};

async fn open(database: &Database) -> DatabaseConnection {
    let mut options = ConnectOptions::new(database.url.clone());
    options.sqlx_logging(false);
    SeaOrm::connect(options).await.expect("the database opens")
}

async fn names(db: &DatabaseConnection, sql: &str) -> BTreeSet<String> {
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let rows = db
        .query_all_raw(statement)
        .await
        .expect("the catalogue answers");
    rows.iter()
        .map(|row| row.try_get_by_index(0).expect("a name"))
        .collect()
}

/// Everything of ours in a database.
async fn things(db: &DatabaseConnection, engine: Engine) -> BTreeSet<String> {
    let sql = match engine {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
        Engine::Postgres => {
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        }
    };
    let mut all = names(db, sql).await;
    all.retain(|name| !name.starts_with("seaql_migrations"));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_down_and_up_again() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = Database::empty(engine).await;
        let db = open(&database).await;
        assert_eq!(
            pending(&db).await.expect("it answers").len(),
            Migrator::migrations().len()
        );
        up(&db).await.expect("up");
        let first = things(&db, engine).await;
        assert!(
            first.contains("jobs") && first.contains("events"),
            "{engine:?}: {first:?}"
        );
        assert_eq!(
            pending(&db).await.expect("it answers"),
            Vec::<String>::new()
        );
        let store = database.store(mooring_domain::Policy::default()).await;
        store
            .keep_partitions(start(), 90)
            .await
            .expect("partitions of the next days");
        store.connection().clone().close().await.expect("it closes");
        let grown = things(&db, engine).await.len() > first.len();
        assert_eq!(
            grown,
            engine == Engine::Postgres,
            "partitions exist on PostgreSQL"
        );
        down(&db).await.expect("down");
        assert_eq!(
            things(&db, engine).await,
            BTreeSet::new(),
            "{engine:?}: nothing is left"
        );
        up(&db).await.expect("up again");
        assert_eq!(things(&db, engine).await, first, "{engine:?}");
        up(&db).await.expect("up once more changes nothing");
        assert_eq!(things(&db, engine).await, first, "{engine:?}");
        db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_processes_migrate_at_once_and_one_of_them_works() {
    let database = Database::empty(Engine::Postgres).await;
    let sessions = join_all((0..5).map(|_| open(&database))).await;
    for answer in join_all(sessions.iter().map(up)).await {
        answer.expect("each of them succeeds");
    }
    let applied = "SELECT version FROM seaql_migrations";
    assert_eq!(
        names(&sessions[0], applied).await.len(),
        Migrator::migrations().len()
    );
    // Tables have one transaction that made them: nobody made them twice.
    assert_eq!(
        pending(&sessions[4]).await.expect("it answers"),
        Vec::<String>::new()
    );
    assert!(
        things(&sessions[0], Engine::Postgres)
            .await
            .contains("jobs")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jobs_table_has_one_index_beside_its_key_and_room_in_its_pages() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = Database::empty(engine).await;
        let db = open(&database).await;
        up(&db).await.expect("up");
        let (sql, key) = match engine {
            Engine::Sqlite => (
                "SELECT name FROM sqlite_master WHERE tbl_name = 'jobs' AND type = 'index'",
                "sqlite_autoindex_jobs_1",
            ),
            Engine::Postgres => (
                "SELECT indexname::text FROM pg_indexes WHERE tablename = 'jobs'",
                "jobs_pkey",
            ),
        };
        let expected = BTreeSet::from([key.to_owned(), "jobs_due".to_owned()]);
        assert_eq!(names(&db, sql).await, expected, "{engine:?}");
        if engine == Engine::Postgres {
            let sql = "SELECT unnest(reloptions) FROM pg_class WHERE relname = 'jobs'";
            let options = names(&db, sql).await;
            assert!(options.contains("fillfactor=70"), "{options:?}");
            let sql = "SELECT indexdef FROM pg_indexes WHERE indexname = 'jobs_due'";
            let index = names(&db, sql).await.pop_first().expect("an index");
            assert!(index.ends_with("(kind, visible_at)"), "{index}");
        }
        db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claim_extend_and_begin_update_rows_in_place() {
    let desk = Desk::new(Engine::Postgres).await;
    let now = start() + minutes(1);
    // Many rows to a page, few of them due: what a page has room for is the fill factor's doing.
    let jobs = (0..600).fold(done(), |decision, place| {
        let kind = if place % 60 == 30 {
            JobKind::Publish
        } else {
            JobKind::Check
        };
        decision.poke(job(kind, uuid::Uuid::now_v7(), start()))
    });
    desk.act_in(desk.workspace, &jobs).await;
    let claimed = desk.claim(JobKind::Publish, 100, now).await;
    let fences: Vec<Fence> = claimed.iter().map(|one| one.claim.fence).collect();
    assert_eq!(fences.len(), 10);
    let until = now + minutes(1);
    let wanted: Vec<Lease> = fences
        .iter()
        .map(|fence| Lease {
            fence: *fence,
            until,
        })
        .collect();
    let kept = desk.store.extend(&wanted, desk.me).await;
    assert_eq!(kept.expect("the books answer").len(), 10);
    let looking = mooring_store::BeginPublish {
        reference: None,
        send: false,
        revision: None,
    };
    for fence in &fences {
        let held = desk
            .store
            .held(fence)
            .await
            .expect("the books answer")
            .expect("it holds");
        let begun = desk
            .store
            .begin_publish(&held, &looking, desk.me, now)
            .await;
        assert!(
            matches!(begun, Ok(mooring_store::BegunPublish::Looking)),
            "{begun:?}"
        );
    }
    eventually("the statistics arrive", || async {
        updates(&desk).await.0 >= 30
    })
    .await;
    assert_eq!(
        updates(&desk).await,
        (30, 30),
        "(updates, updates in place)"
    );
}

/// Updates of the jobs table so far, and how many of them touched no index.
async fn updates(desk: &Desk) -> (i64, i64) {
    let of = async |column: &str| {
        let sql = format!("SELECT {column} FROM pg_stat_user_tables WHERE relname = 'jobs'");
        desk.number(&sql, []).await
    };
    (of("n_tup_upd").await, of("n_tup_hot_upd").await)
}
