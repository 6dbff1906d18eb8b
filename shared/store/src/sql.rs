//! Raw SQL: the bulk statements of the jobs protocol, and what the two databases say differently.
//!
//! Everything else goes through sea-orm. Parameters are `$1…` on both databases.

use sea_orm::{Statement, Value};

use crate::Store;

impl Store {
    /// Binds values to a text.
    pub(crate) fn statement(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, values)
    }
}

/// PostgreSQL's own clock.
pub(crate) const DATABASE_MS: &str =
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Claims due jobs of one kind, in the order priority, fair turn of the workspace, time.
///
/// `$1` kind, `$2` scan cursor, `$3` now, `$4` window, `$5` how many, `$6` lease end, `$7` epoch, `$8` leases
/// that ended by then are lost, `$9` whether the kind begins: then only a begun claim counts as a loss, for one that
/// waited too long in its lane says nothing about the job.
/// Changes no indexed column, so the row is updated in place. A row whose lease has run out counts a loss.
/// The last column is where the next scan may start: the first due row that was left behind.
pub(crate) const CLAIM_POSTGRES: &str = r"
WITH candidate AS (
    SELECT kind, subject_id, workspace_id, priority, visible_at
    FROM jobs
    WHERE kind = $1 AND visible_at >= $2 AND visible_at <= $3
      AND (lease_until IS NULL OR lease_until <= $8)
    ORDER BY visible_at
    LIMIT $4
), ranked AS (
    SELECT kind, subject_id, priority, visible_at,
           row_number() OVER (PARTITION BY workspace_id ORDER BY priority, visible_at) AS turn
    FROM candidate
), chosen AS (
    SELECT kind, subject_id FROM ranked ORDER BY priority, turn, visible_at LIMIT $5
), locked AS (
    SELECT j.kind, j.subject_id
    FROM jobs j JOIN chosen c ON j.kind = c.kind AND j.subject_id = c.subject_id
    WHERE j.visible_at <= $3 AND (j.lease_until IS NULL OR j.lease_until <= $8)
    FOR UPDATE OF j SKIP LOCKED
)
UPDATE jobs j
SET generation = nextval('job_generation'), lease_until = $6, begun_at = NULL, holder = NULL,
    claim_epoch = $7, parked = NULL,
    wanted_at = CASE WHEN j.wanted_at <= $3 THEN NULL ELSE j.wanted_at END,
    losses = CASE WHEN j.lease_until IS NULL OR (j.begun_at IS NULL AND $9) THEN j.losses
        ELSE j.losses + 1 END
FROM locked l
WHERE j.kind = l.kind AND j.subject_id = l.subject_id
RETURNING j.subject_id, j.workspace_id, j.platform, j.priority, j.generation, j.run_at, j.losses,
    (SELECT min(visible_at) FROM candidate
     WHERE (kind, subject_id) NOT IN (SELECT kind, subject_id FROM chosen)) AS floor";

/// The same on SQLite, inside an immediate transaction, with fencing tokens from the counter's row:
/// `$10` is the counter's value before this claim.
pub(crate) const CLAIM_SQLITE: &str = r"
WITH ranked AS (
    SELECT kind, subject_id, priority, visible_at,
           row_number() OVER (PARTITION BY workspace_id ORDER BY priority, visible_at) AS turn
    FROM (
        SELECT kind, subject_id, workspace_id, priority, visible_at
        FROM jobs
        WHERE kind = $1 AND visible_at >= $2 AND visible_at <= $3
          AND (lease_until IS NULL OR lease_until <= $8)
        ORDER BY visible_at
        LIMIT $4
    )
), chosen AS (
    SELECT kind, subject_id, row_number() OVER (ORDER BY priority, turn, visible_at) AS place
    FROM ranked ORDER BY priority, turn, visible_at LIMIT $5
)
UPDATE jobs
SET generation = $10 + chosen.place, lease_until = $6, begun_at = NULL, holder = NULL,
    claim_epoch = $7, parked = NULL,
    wanted_at = CASE WHEN jobs.wanted_at <= $3 THEN NULL ELSE jobs.wanted_at END,
    losses = CASE WHEN jobs.lease_until IS NULL OR (jobs.begun_at IS NULL AND $9) THEN jobs.losses
        ELSE jobs.losses + 1 END
FROM chosen
WHERE jobs.kind = chosen.kind AND jobs.subject_id = chosen.subject_id
RETURNING jobs.subject_id, jobs.workspace_id, jobs.platform, jobs.priority, jobs.generation,
    jobs.run_at, jobs.losses, NULL AS floor";

/// Reserves fencing tokens on SQLite. `$1` how many; answers the value after.
pub(crate) const RESERVE_GENERATIONS: &str = r"
INSERT INTO counters (name, value) VALUES ('job_generation', $1)
ON CONFLICT (name) DO UPDATE SET value = counters.value + $1
RETURNING value";

/// Leaves out fencing tokens on PostgreSQL. `$1` how many.
pub(crate) const LEAP_GENERATIONS: &str =
    "SELECT setval('job_generation', nextval('job_generation') + $1)";

/// One kind's part of the lanes' view: claimed but not begun, and the next time at which something can be
/// claimed. `$1` now, `$2` how much of the lane's head to look at, `$kind` the kind.
pub(crate) const LANE_VIEW: &str = r"
SELECT $kind AS kind,
    (SELECT count(*) FROM (
        SELECT lease_until, begun_at FROM jobs
        WHERE kind = $kind AND visible_at <= $1 ORDER BY visible_at LIMIT $2) AS head
     WHERE lease_until > $1 AND begun_at IS NULL) AS outstanding,
    (SELECT min(visible_at) FROM (
        SELECT visible_at FROM jobs
        WHERE kind = $kind AND (lease_until IS NULL OR lease_until <= $1)
        ORDER BY visible_at LIMIT 1) AS first) AS next";

/// Creates a job or makes it due earlier. On a leased row only the wish is noted; a pause that the platform
/// asked for, and poison, are not ended by a wish.
/// `$1` kind, `$2` subject, `$3` workspace, `$4` platform, `$5` priority, `$6` when.
pub(crate) const POKE: &str = r"
INSERT INTO jobs (kind, subject_id, workspace_id, platform, priority, run_at, visible_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (kind, subject_id) DO UPDATE SET
    wanted_at = CASE
        WHEN jobs.lease_until IS NULL THEN jobs.wanted_at
        WHEN jobs.wanted_at IS NULL OR excluded.run_at < jobs.wanted_at THEN excluded.run_at
        ELSE jobs.wanted_at END,
    run_at = CASE
        WHEN jobs.lease_until IS NULL AND excluded.run_at < jobs.run_at THEN excluded.run_at
        ELSE jobs.run_at END,
    priority = CASE
        WHEN jobs.lease_until IS NULL AND excluded.priority < jobs.priority THEN excluded.priority
        ELSE jobs.priority END,
    parked = CASE
        WHEN jobs.lease_until IS NULL AND jobs.parked IN ('awaiting_refresh', 'awaiting_connection')
            THEN NULL
        ELSE jobs.parked END,
    visible_at = CASE
        WHEN jobs.lease_until IS NULL AND excluded.run_at < jobs.visible_at
             AND (jobs.parked IS NULL OR jobs.parked IN ('awaiting_refresh', 'awaiting_connection'))
            THEN excluded.run_at
        ELSE jobs.visible_at END";

/// The same for the checks of every connection of a workspace. `$1` workspace, `$2` when.
pub(crate) fn poke_checks() -> String {
    let (_, conflict) = POKE.split_once("ON CONFLICT").unwrap_or_default();
    format!(
        r"
INSERT INTO jobs (kind, subject_id, workspace_id, platform, priority, run_at, visible_at)
SELECT 'check', id, workspace_id, platform, 500, $2, $2 FROM connections
WHERE workspace_id = $1 AND removed_at IS NULL ORDER BY id
ON CONFLICT{conflict}"
    )
}

/// Wakes the publishes that wait for a grant's refresh; on leased rows it leaves a wish.
/// `$1` grant, `$2` now, `$3` the oldest due time that can still matter.
pub(crate) const WAKE_PUBLISHES: &str = r"
UPDATE jobs SET
    wanted_at = CASE WHEN lease_until IS NULL THEN wanted_at ELSE $2 END,
    parked = CASE WHEN lease_until IS NULL THEN NULL ELSE parked END,
    visible_at = CASE WHEN lease_until IS NULL THEN $2 ELSE visible_at END
WHERE kind = 'publish'
  AND (parked IN ('awaiting_refresh', 'awaiting_connection') OR lease_until IS NOT NULL)
  AND subject_id IN (
    SELECT t.id FROM post_targets t JOIN connections c ON c.id = t.connection_id
    WHERE c.grant_id = $1 AND t.due_at >= $3 AND t.due_at <= $2 AND t.stage <= 10)";

/// Lets a grant's refresh job begin anew: its tokens are other ones. `$1` grant.
pub(crate) const UNPARK_REFRESH: &str = r"
UPDATE jobs SET parked = NULL, visible_at = run_at, attempt = 0, losses = 0
WHERE kind = 'refresh' AND subject_id = $1 AND lease_until IS NULL";

/// Keeps others from deciding about the same thing until the transaction ends. `$1` its name. PostgreSQL only.
pub(crate) const LOCK_NAME: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";

/// Wakes the publishes that wait for a connection. `$1` connection, `$2` now.
pub(crate) const WAKE_FOR_CONNECTION: &str = r"
UPDATE jobs SET
    wanted_at = CASE WHEN lease_until IS NULL THEN wanted_at ELSE $2 END,
    parked = CASE WHEN lease_until IS NULL THEN NULL ELSE parked END,
    visible_at = CASE WHEN lease_until IS NULL THEN $2 ELSE visible_at END
WHERE kind = 'publish' AND (parked = 'awaiting_connection' OR lease_until IS NOT NULL)
  AND subject_id IN (
    SELECT id FROM post_targets WHERE connection_id = $1 AND due_at <= $2 AND stage <= 10)";

/// The same for read-backs. `$1` grant, `$2` now, `$3` the oldest acceptance that can still matter.
pub(crate) const WAKE_VERIFIES: &str = r"
UPDATE jobs SET
    wanted_at = CASE WHEN lease_until IS NULL THEN wanted_at ELSE $2 END,
    parked = CASE WHEN lease_until IS NULL THEN NULL ELSE parked END,
    visible_at = CASE WHEN lease_until IS NULL THEN $2 ELSE visible_at END
WHERE kind = 'verify' AND (parked = 'awaiting_refresh' OR lease_until IS NOT NULL)
  AND subject_id IN (
    SELECT a.id FROM publish_attempts a JOIN connections c ON c.id = a.connection_id
    WHERE c.grant_id = $1 AND a.accepted_at >= $3)";

/// Renews leases of any kinds. `$1` an array of objects in JSON: `kind`, `subject_id`, `generation`, `until`.
///
/// Locks what is free and skips what is not, so it never waits, and never in a circle. A row that is locked by
/// somebody shows as it was before: still ours, with the end that it had. If that somebody is taking it over, the
/// next extension learns it. Joined by key and not by `ctid`: a row that changed since the snapshot is found anew.
/// Changes no indexed column.
pub(crate) const EXTEND_POSTGRES: &str = r"
WITH wanted AS (
    SELECT * FROM json_to_recordset($1::json)
        AS w (kind text, subject_id uuid, generation bigint, until bigint)
), locked AS (
    SELECT held.kind, held.subject_id, w.until
    FROM wanted w JOIN jobs held USING (kind, subject_id, generation)
    WHERE held.lease_until IS NOT NULL
    FOR UPDATE OF held SKIP LOCKED
), renewed AS (
    UPDATE jobs j SET lease_until = l.until, holder = $2
    FROM locked l WHERE j.kind = l.kind AND j.subject_id = l.subject_id
    RETURNING j.kind, j.subject_id, j.lease_until
)
SELECT j.kind, j.subject_id, j.generation, coalesce(r.lease_until, j.lease_until) AS lease_until
FROM wanted w
JOIN jobs j ON j.kind = w.kind AND j.subject_id = w.subject_id AND j.generation = w.generation
LEFT JOIN renewed r ON r.kind = j.kind AND r.subject_id = j.subject_id
WHERE j.lease_until IS NOT NULL";

/// The same on SQLite, where one writer writes at a time and ids are blobs.
pub(crate) const EXTEND_SQLITE: &str = r"
UPDATE jobs SET lease_until = wanted.until, holder = $2
FROM (
    SELECT value ->> 'kind' AS kind, unhex(replace(value ->> 'subject_id', '-', '')) AS subject_id,
        value ->> 'generation' AS generation, value ->> 'until' AS until
    FROM json_each($1)
) AS wanted
WHERE jobs.kind = wanted.kind AND jobs.subject_id = wanted.subject_id
  AND jobs.generation = wanted.generation AND jobs.lease_until IS NOT NULL
RETURNING jobs.kind, jobs.subject_id, jobs.generation, jobs.lease_until";

/// Consumes a claim: nobody can begin it twice. `$1` kind, `$2` subject, `$3` generation, `$4` now,
/// `$5` the earliest acceptable lease end, `$6` holder.
pub(crate) const BEGIN: &str = r"
UPDATE jobs SET begun_at = $4, holder = $6, attempt = attempt + 1
WHERE kind = $1 AND subject_id = $2 AND generation = $3 AND begun_at IS NULL AND lease_until > $5
RETURNING lease_until, attempt";

/// Consumes the fence. `$1` kind, `$2` subject, `$3` generation, `$4` next time,
/// `$5` whether a wish may make it earlier, `$6` park reason, `$7` 0 = attempts start anew, 1 = count this one
/// (unless its begin has counted it), 2 = keep them as they are.
///
/// A wish that came while the job ran is honoured, except against a pause that the platform asked for.
pub(crate) const FINISH: &str = r"
UPDATE jobs SET
    lease_until = NULL, begun_at = NULL, holder = NULL, claim_epoch = NULL, losses = 0,
    run_at = CASE WHEN $5 AND wanted_at < $4 THEN wanted_at ELSE $4 END,
    visible_at = CASE WHEN $5 AND wanted_at < $4 THEN wanted_at ELSE $4 END,
    parked = CASE WHEN $5 AND wanted_at < $4 THEN NULL ELSE $6 END,
    attempt = CASE WHEN $7 = 0 THEN 0 WHEN $7 = 1 AND begun_at IS NULL THEN attempt + 1 ELSE attempt END,
    wanted_at = NULL
WHERE kind = $1 AND subject_id = $2 AND generation = $3 AND lease_until IS NOT NULL
RETURNING workspace_id, platform, attempt";

/// Consumes the fence and the job with it, unless somebody wished for it meanwhile.
/// `$1` kind, `$2` subject, `$3` generation.
pub(crate) const FINISH_DONE: &str = r"
DELETE FROM jobs
WHERE kind = $1 AND subject_id = $2 AND generation = $3 AND lease_until IS NOT NULL
  AND wanted_at IS NULL
RETURNING workspace_id, platform, attempt";

/// The other half of [`FINISH_DONE`]: the wish becomes the next run. `$1` kind, `$2` subject, `$3` generation.
pub(crate) const FINISH_WANTED: &str = r"
UPDATE jobs SET
    lease_until = NULL, begun_at = NULL, holder = NULL, claim_epoch = NULL, losses = 0, attempt = 0,
    run_at = wanted_at, visible_at = wanted_at, parked = NULL, wanted_at = NULL
WHERE kind = $1 AND subject_id = $2 AND generation = $3 AND lease_until IS NOT NULL
RETURNING workspace_id, platform, attempt";

/// Gives claims back that were not begun: due again at once, no attempt spent, no loss counted.
/// `$1` kind, `$2` subject, `$3` generation.
pub(crate) const RELEASE: &str = r"
UPDATE jobs SET lease_until = NULL, holder = NULL, claim_epoch = NULL
WHERE kind = $1 AND subject_id = $2 AND generation = $3 AND begun_at IS NULL
  AND lease_until IS NOT NULL";

/// Ends a lease earlier. `$1` kind, `$2` subject, `$3` generation, `$4` its new end, `$5` the holder that was seen
/// (null = none).
pub(crate) const SHORTEN: &str = r"
UPDATE jobs SET lease_until = $4
WHERE kind = $1 AND subject_id = $2 AND generation = $3 AND lease_until > $4
  AND (holder = $5 OR (holder IS NULL AND $5 IS NULL))";

/// Since when a lane has leases that nobody accounts for. `$1` lane, `$2` whether it has, `$3` now.
pub(crate) const NOTE_UNACCOUNTED: &str = r"
UPDATE lanes SET unaccounted_since = CASE WHEN $2 THEN COALESCE(unaccounted_since, $3) ELSE NULL END
WHERE lane = $1
RETURNING unaccounted_since";

/// Releases what was claimed under another epoch and not begun. `$1` kind, `$2` the epoch in force.
pub(crate) const RELEASE_EPOCH: &str = r"
UPDATE jobs SET lease_until = NULL, holder = NULL, claim_epoch = NULL
WHERE kind = $1 AND lease_until IS NOT NULL AND begun_at IS NULL
  AND (claim_epoch IS NULL OR claim_epoch <> $2)";

/// Changes a lane's epoch, if it is still the one that the caller saw. `$1` lane, `$2` seen (null = none yet),
/// `$3` new, `$4` now.
pub(crate) const CHANGE_EPOCH: &str = r"
INSERT INTO lanes (lane, epoch, changed_at) VALUES ($1, $3, $4)
ON CONFLICT (lane) DO UPDATE SET epoch = $3, changed_at = $4 WHERE lanes.epoch = $2";

/// Whether a process that holds its lock on PostgreSQL has ended: its lock is free, and the server has been
/// up since before the process took it. `$1` lock key, `$2` process start in epoch ms.
pub(crate) const LOCK_IS_FREE: &str = r"
SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint < $2
   AND pg_try_advisory_xact_lock($1)";
