//! What the database tells a run: questions to our books, and a trigger that writes down each claim that took the place
//! of a publish which somebody had begun and not ended.

use std::collections::BTreeMap;

use mooring_domain::{Lane, ProcessId, Time};
use mooring_store::Store;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use uuid::Uuid;

const OPEN: &str = r"
CREATE TABLE noted_losses (platform text, subject_id uuid, lost_holder uuid, lost_generation bigint);
CREATE FUNCTION note_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noted_losses VALUES (OLD.platform, OLD.subject_id, OLD.holder, OLD.generation);
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (NEW.generation <> OLD.generation AND OLD.kind = 'publish' AND OLD.begun_at IS NOT NULL
          AND OLD.lease_until IS NOT NULL)
    EXECUTE FUNCTION note_loss();";

/// Begins to take notes.
pub(super) async fn open(store: &Store) {
    let opened = store.connection().execute_unprepared(OPEN).await;
    opened.expect("the notary sits down");
}

/// How many publishes were begun by somebody who did not end them, by way in.
pub(super) async fn losses(store: &Store) -> BTreeMap<String, u64> {
    let sql = "SELECT platform, count(*) FROM noted_losses GROUP BY platform";
    counted(store, sql).await
}

/// Whether somebody else has claimed a publish that `process` had begun.
pub(super) async fn is_overtaken(store: &Store, process: ProcessId) -> bool {
    let sql = "SELECT count(*) FROM noted_losses WHERE lost_holder = $1";
    number(store, sql, [process.uuid().into()]).await > 0
}

/// Who has begun publishes right now, busiest first.
pub(super) async fn holders(store: &Store) -> Vec<Uuid> {
    let sql = "SELECT holder FROM jobs WHERE kind = 'publish' AND begun_at IS NOT NULL \
               AND lease_until IS NOT NULL AND holder IS NOT NULL GROUP BY holder ORDER BY count(*) DESC";
    let rows = store.connection().query_all_raw(text(sql, [])).await;
    let rows = rows.expect("the books answer").into_iter();
    rows.map(|row| row.try_get_by_index(0).expect("an id"))
        .collect()
}

/// How many publishes a process has begun and not ended.
pub(super) async fn begun_by(store: &Store, process: ProcessId) -> i64 {
    let sql = "SELECT count(*) FROM jobs WHERE kind = 'publish' AND begun_at IS NOT NULL \
               AND lease_until IS NOT NULL AND holder = $1";
    number(store, sql, [process.uuid().into()]).await
}

/// Whether a process has reached everything that it needs, and told so.
pub(super) async fn is_present(store: &Store, process: ProcessId) -> bool {
    let sql = "SELECT count(*) FROM processes WHERE id = $1";
    number(store, sql, [process.uuid().into()]).await == 1
}

/// How many jobs of these lanes are due, in somebody's hands or not.
pub(super) async fn due(store: &Store, lanes: &[Lane], now: Time) -> u64 {
    let kinds = lanes.iter().flat_map(|lane| lane.kinds());
    let kinds: Vec<String> = kinds.map(|kind| format!("'{}'", kind.as_str())).collect();
    let sql = format!(
        "SELECT count(*) FROM jobs WHERE kind IN ({}) AND visible_at <= $1",
        kinds.join(", ")
    );
    let count = number(store, &sql, [now.timestamp_millis().into()]).await;
    u64::try_from(count).expect("a count")
}

/// How many targets nobody has tried to publish yet, apart from those that wait because a platform asked for it.
pub(super) async fn untried(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM post_targets t JOIN jobs j ON j.kind = 'publish' AND j.subject_id = t.id \
               WHERE t.stage = $1 AND j.parked IS NULL AND NOT EXISTS \
               (SELECT 1 FROM publish_attempts a WHERE a.target_id = t.id)";
    number(store, sql, [rank("scheduled")]).await
}

/// How many targets have not come to an end; what is out must have been seen a quarter of an hour after its acceptance.
pub(super) async fn unfinished(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM post_targets t WHERE t.stage < $1 OR (t.stage = $2 AND (t.verdict IS NULL \
               OR (t.verdict <> 'unverifiable' AND NOT EXISTS (SELECT 1 FROM proofs p JOIN publish_attempts a \
               ON a.id = p.attempt_id WHERE p.target_id = t.id AND p.seen_at >= a.accepted_at + 900000))))";
    number(store, sql, [rank("missed"), rank("accepted")]).await
}

/// How many accepted targets had their first verdict within a quarter of an hour.
pub(super) async fn verdicts_in_time(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM publish_attempts a WHERE a.accepted_at IS NOT NULL AND EXISTS \
               (SELECT 1 FROM proofs p WHERE p.attempt_id = a.id AND p.seen_at <= a.accepted_at + 900000)";
    number(store, sql, []).await
}

/// How many answers told of a limit, by whose it is: the account's, the app's, the provider's.
pub(super) async fn limits(store: &Store) -> BTreeMap<String, u64> {
    let sql = "SELECT failure #>> '{scope}', count(*) FROM publish_attempts \
               WHERE failure ->> 'class' = 'rate_limited' GROUP BY 1";
    counted(store, sql).await
}

/// How often a platform was still at work on a post when it was asked.
pub(super) async fn delays(store: &Store) -> u64 {
    told(store, "target_processing").await
}

/// How many events of a name were told.
pub(super) async fn told(store: &Store, event: &str) -> u64 {
    let sql = "SELECT count(*) FROM events WHERE name = $1";
    let count = number(store, sql, [event.into()]).await;
    u64::try_from(count).expect("a count")
}

/// A target with its job, attempts and proofs as JSON, for a failure's message.
pub(super) async fn story(store: &Store, target: Uuid) -> String {
    let sql = "SELECT json_build_object('target', (SELECT to_jsonb(t) - 'prepared' FROM post_targets t WHERE id = $1), \
               'job', (SELECT json_agg(j) FROM jobs j WHERE subject_id = $1), \
               'attempts', (SELECT json_agg(to_jsonb(a) - 'prepared') FROM publish_attempts a WHERE target_id = $1), \
               'runs', (SELECT json_agg(json_build_array(r.at, r.outcome, r.error_class) ORDER BY r.at) FROM job_runs r \
                WHERE subject_id = $1), \
               'proofs', (SELECT json_agg(p) FROM proofs p WHERE target_id = $1))::text";
    let row = store
        .connection()
        .query_one_raw(text(sql, [target.into()]))
        .await;
    let row = row.expect("the books answer").expect("one row");
    row.try_get_by_index(0).expect("a text")
}

/// A stage as the books write it.
fn rank(stage: &str) -> Value {
    let all = mooring_domain::post::Stage::ALL;
    let found = all.into_iter().find(|one| one.as_str() == stage);
    found.expect("there is such a stage").rank().into()
}

async fn counted(store: &Store, sql: &str) -> BTreeMap<String, u64> {
    let rows = store.connection().query_all_raw(text(sql, [])).await;
    let rows = rows.expect("the books answer").into_iter();
    rows.map(|row| {
        let name: Option<String> = row.try_get_by_index(0).expect("a name");
        let count: i64 = row.try_get_by_index(1).expect("a number");
        (
            name.unwrap_or_default(),
            u64::try_from(count).expect("a count"),
        )
    })
    .collect()
}

async fn number(store: &Store, sql: &str, values: impl IntoIterator<Item = Value>) -> i64 {
    let row = store.connection().query_one_raw(text(sql, values)).await;
    let row = row.expect("the books answer").expect("one row");
    row.try_get_by_index(0).expect("a number")
}

fn text(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
