//! A notary in the database: a trigger writes down every claim of a job, with what became of the claim before it.
//! So recovery is measured where it happens, to the millisecond, and no claim can hide between two looks.

use std::time::Duration;

use mooring_domain::{ProcessId, TargetId};
use mooring_store::Store;
use mooring_tests::within;
use sea_orm::{ConnectionTrait as _, DbBackend, FromQueryResult, Statement, Value};
use uuid::Uuid;

const OPEN: &str = r"
CREATE TABLE noted_claims (
    kind text, subject_id uuid, generation bigint, at_ms bigint,
    lost_lease boolean, lost_begun boolean, lost_holder uuid, losses int);
CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noted_claims VALUES (NEW.kind, NEW.subject_id, NEW.generation,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        OLD.lease_until IS NOT NULL, OLD.begun_at IS NOT NULL, OLD.holder, NEW.losses);
    RETURN NULL;
END $$;
CREATE TRIGGER notary AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (NEW.generation <> OLD.generation) EXECUTE FUNCTION note_claim();";

/// A publish that a process has begun and not ended.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Holding {
    /// Who.
    pub(super) holder: Uuid,
    /// How many.
    pub(super) begun: i64,
}

/// A claim that followed a lost one.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Recovered {
    /// Who had begun the job.
    pub(super) lost_holder: Uuid,
    /// When the next claim came, in epoch milliseconds.
    pub(super) at_ms: i64,
}

/// Begins to take notes.
pub(super) async fn open(store: &Store) {
    store.connection().execute_unprepared(OPEN).await.expect("the notary sits down");
}

/// Who has begun publishes right now, busiest first.
pub(super) async fn holdings(store: &Store) -> Vec<Holding> {
    let sql = "SELECT holder, count(*) AS begun FROM jobs WHERE kind = 'publish' AND begun_at IS NOT NULL \
               AND holder IS NOT NULL GROUP BY holder ORDER BY 2 DESC";
    Holding::find_by_statement(text(sql, [])).all(store.connection()).await.expect("the books answer")
}

/// How many publishes a process has begun and not ended.
pub(super) async fn begun_by(store: &Store, process: ProcessId) -> i64 {
    let all = holdings(store).await;
    all.iter().find(|one| one.holder == process.uuid()).map_or(0, |one| one.begun)
}

/// Every claim of a begun publish whose lease had been lost.
pub(super) async fn recoveries(store: &Store) -> Vec<Recovered> {
    let sql = "SELECT lost_holder, at_ms FROM noted_claims \
               WHERE kind = 'publish' AND lost_begun AND lost_holder IS NOT NULL ORDER BY at_ms";
    Recovered::find_by_statement(text(sql, [])).all(store.connection()).await.expect("notes")
}

/// How many claims, of any kind, took the place of one whose lease ran out.
pub(super) async fn lost_leases(store: &Store) -> i64 {
    number(store, "SELECT count(*) FROM noted_claims WHERE lost_lease", []).await
}

/// How many targets have no attempt yet.
pub(super) async fn untried(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM post_targets t WHERE NOT EXISTS \
               (SELECT 1 FROM publish_attempts a WHERE a.target_id = t.id)";
    number(store, sql, []).await
}

/// How many publishes are claimed and not begun: they wait on the lane or in a worker's hands.
pub(super) async fn waiting(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM jobs WHERE kind = 'publish' AND lease_until IS NOT NULL \
               AND begun_at IS NULL";
    number(store, sql, []).await
}

/// Waits until somebody else has claimed a publish that `process` had begun.
pub(super) async fn taken_over(store: &Store, process: ProcessId, patience: Duration) -> Duration {
    within(patience, "another worker's claim takes a frozen one's place", async || {
        recoveries(store).await.iter().any(|one| one.lost_holder == process.uuid())
    })
    .await
}

/// A target's job and attempts as JSON, for a failure's message.
pub(super) async fn jobs_of(store: &Store, target: Option<TargetId>) -> String {
    let Some(target) = target else { return "none".to_owned() };
    let sql = "SELECT json_build_object('now', (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
               'job', (SELECT row_to_json(j) FROM jobs j WHERE subject_id = $1), \
               'attempts', (SELECT json_agg(a) FROM publish_attempts a WHERE target_id = $1))::text";
    let row = store.connection().query_one_raw(text(sql, [target.uuid().into()])).await;
    let row = row.expect("the books answer").expect("one row");
    row.try_get_by_index(0).expect("a text")
}

/// One number from the books.
pub(super) async fn number(
    store: &Store,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> i64 {
    let row = store.connection().query_one_raw(text(sql, values)).await;
    let row = row.expect("the books answer").expect("one row");
    row.try_get_by_index(0).expect("a number")
}

fn text(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
