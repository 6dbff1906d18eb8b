//! What the house looks after: jobs that are missing, and the partitions of the two growing tables.

use mooring_domain::{
    JobKind, Platform, Time, WorkspaceId,
    post::Stage,
    time::{days, from_ms},
};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{Store, StoreError, jobs::platform_of};

/// A subject that should have a job and has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Which kind of job is missing.
    pub kind: JobKind,
    /// About what.
    pub subject: Uuid,
    /// Where.
    pub platform: Platform,
    /// When the job is due.
    pub due: Time,
}

/// Unsettled targets without a publish job. `$1` the highest unsettled stage.
const TARGETS: &str = r"
SELECT t.workspace_id, t.id, t.platform, t.due_at
FROM post_targets t LEFT JOIN jobs j ON j.kind = 'publish' AND j.subject_id = t.id
WHERE t.stage <= $1 AND j.subject_id IS NULL
LIMIT 500";

/// Acceptances that nobody has looked at and nobody will. `$1` the stage of an accepted target.
const ACCEPTANCES: &str = r"
SELECT a.workspace_id, a.id, a.platform, a.accepted_at AS due_at
FROM publish_attempts a
JOIN post_targets t ON t.id = a.target_id
LEFT JOIN jobs j ON j.kind = 'verify' AND j.subject_id = a.id
WHERE t.stage = $1 AND t.verdict IS NULL AND a.accepted_at IS NOT NULL AND j.subject_id IS NULL
LIMIT 500";

impl Store {
    /// Subjects that lost their job.
    pub async fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        let mut orphans = Vec::new();
        let searches = [
            (JobKind::Publish, TARGETS, Stage::Begun.rank()),
            (JobKind::Verify, ACCEPTANCES, Stage::Accepted.rank()),
        ];
        for (kind, sql, stage) in searches {
            for row in self
                .db
                .query_all_raw(self.statement(sql, [stage.into()]))
                .await?
            {
                let subject: Uuid = row.try_get("", "id")?;
                let platform: String = row.try_get("", "platform")?;
                orphans.push(Orphan {
                    workspace: WorkspaceId::from_uuid(row.try_get("", "workspace_id")?),
                    kind,
                    subject,
                    platform: platform_of("post_targets", subject, &platform)?,
                    due: from_ms(row.try_get("", "due_at")?),
                });
            }
        }
        Ok(orphans)
    }

    /// Makes the partitions of the next three days and drops those that ended `keep` days ago.
    pub async fn keep_partitions(&self, now: Time, keep: i64) -> Result<(), StoreError> {
        if !self.is_postgres() {
            return Ok(());
        }
        for table in ["events", "job_runs"] {
            for ahead in 1..=3 {
                let day = (now + days(ahead)).date_naive();
                let from = day.and_time(chrono::NaiveTime::MIN).and_utc();
                let sql = format!(
                    "CREATE TABLE IF NOT EXISTS {table}_{} PARTITION OF {table} FOR VALUES FROM ({}) TO ({})",
                    day.format("%Y%m%d"),
                    from.timestamp_millis(),
                    (from + days(1)).timestamp_millis(),
                );
                self.db.execute_unprepared(&sql).await?;
            }
            let last = (now - days(keep + 1)).date_naive();
            self.drop_before(table, &format!("{table}_{}", last.format("%Y%m%d")))
                .await?;
        }
        Ok(())
    }

    async fn drop_before(&self, table: &str, last: &str) -> Result<(), StoreError> {
        let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
                   WHERE i.inhparent = $1::regclass AND c.relname <> $1 || '_rest' AND c.relname < $2";
        let values = [table.into(), last.into()];
        for row in self.db.query_all_raw(self.statement(sql, values)).await? {
            let name: String = row.try_get_by_index(0)?;
            self.db
                .execute_unprepared(&format!("DROP TABLE {name}"))
                .await?;
        }
        Ok(())
    }
}
