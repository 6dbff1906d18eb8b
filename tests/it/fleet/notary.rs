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
    kind text, subject_id uuid, at_ms bigint,
    lost_lease boolean, lost_begun boolean, lost_holder uuid, lost_generation bigint);
CREATE TABLE noted_strikes (subject_id uuid, generation bigint, at_ms bigint);
CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noted_claims VALUES (NEW.kind, NEW.subject_id,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        OLD.lease_until IS NOT NULL, OLD.begun_at IS NOT NULL, OLD.holder, OLD.generation);
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

/// Begins to take notes.
pub(super) async fn open(store: &Store) {
    store
        .connection()
        .execute_unprepared(OPEN)
        .await
        .expect("the notary sits down");
}

/// Who has begun publishes right now, busiest first.
pub(super) async fn holdings(store: &Store) -> Vec<Holding> {
    let sql = "SELECT holder, count(*) AS begun FROM jobs WHERE kind = 'publish' AND begun_at IS NOT NULL \
               AND holder IS NOT NULL GROUP BY holder ORDER BY 2 DESC";
    Holding::find_by_statement(text(sql, []))
        .all(store.connection())
        .await
        .expect("the books answer")
}

/// How many publishes a process has begun and not ended.
pub(super) async fn begun_by(store: &Store, process: ProcessId) -> i64 {
    let all = holdings(store).await;
    all.iter()
        .find(|one| one.holder == process.uuid())
        .map_or(0, |one| one.begun)
}

/// Notes that a process was killed or frozen at a moment, with the publishes that it had begun and not ended.
/// Returns how many. The dead and the frozen write nothing, so this may be noted a moment after.
pub(super) async fn strike(store: &Store, process: ProcessId, at_ms: i64) -> u64 {
    let sql = "INSERT INTO noted_strikes SELECT subject_id, generation, $2 FROM jobs \
               WHERE kind = 'publish' AND begun_at IS NOT NULL AND holder = $1";
    let values = [process.uuid().into(), at_ms.into()];
    let noted = store.connection().execute_raw(text(sql, values)).await;
    noted.expect("a note").rows_affected()
}

/// From each strike to the next claim of each publish that it had hit, in milliseconds, shortest first. A commit may
/// outlive its process: what was decided so was not lost, and comes back when it wants.
pub(super) async fn recoveries(store: &Store) -> Vec<i64> {
    let sql = "SELECT c.at_ms - s.at_ms FROM noted_claims c JOIN noted_strikes s \
               ON s.subject_id = c.subject_id AND s.generation = c.lost_generation \
               WHERE c.lost_begun ORDER BY 1";
    let rows = store.connection().query_all_raw(text(sql, [])).await;
    let rows = rows.expect("notes").into_iter();
    rows.map(|row| row.try_get_by_index(0).expect("a number"))
        .collect()
}

/// How many begun publishes lost their lease although nobody struck their worker.
pub(super) async fn lost_by_the_living(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM noted_claims c WHERE kind = 'publish' AND lost_begun AND NOT EXISTS \
               (SELECT 1 FROM noted_strikes s \
                WHERE s.subject_id = c.subject_id AND s.generation = c.lost_generation)";
    number(store, sql, []).await
}

/// How many claims, of any kind, took the place of one whose lease ran out.
pub(super) async fn lost_leases(store: &Store) -> i64 {
    number(
        store,
        "SELECT count(*) FROM noted_claims WHERE lost_lease",
        [],
    )
    .await
}

/// Whether a process has reached everything that it needs, and told so.
pub(super) async fn is_present(store: &Store, process: ProcessId) -> bool {
    let sql = "SELECT count(*) FROM processes WHERE id = $1";
    number(store, sql, [process.uuid().into()]).await == 1
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
    let sql = "SELECT count(*) FROM noted_claims \
               WHERE kind = 'publish' AND lost_begun AND lost_holder = $1";
    let what = "another worker's claim takes a frozen one's place";
    within(patience, what, || async {
        number(store, sql, [process.uuid().into()]).await > 0
    })
    .await
}

/// A target's job and attempts as JSON, for a failure's message.
pub(super) async fn jobs_of(store: &Store, target: Option<TargetId>) -> String {
    let Some(target) = target else {
        return "none".to_owned();
    };
    let sql = "SELECT json_build_object('now', (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
               'job', (SELECT row_to_json(j) FROM jobs j WHERE subject_id = $1), \
               'attempts', (SELECT json_agg(a) FROM publish_attempts a WHERE target_id = $1))::text";
    let row = store
        .connection()
        .query_one_raw(text(sql, [target.uuid().into()]))
        .await;
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

/// Ids from the books.
pub(super) async fn ids(
    store: &Store,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Vec<Uuid> {
    let rows = store.connection().query_all_raw(text(sql, values)).await;
    let rows = rows.expect("the books answer").into_iter();
    rows.map(|row| row.try_get_by_index(0).expect("an id"))
        .collect()
}

fn text(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
