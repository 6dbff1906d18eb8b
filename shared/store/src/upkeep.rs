//! What the house looks after: jobs that are missing, and the partitions of the two growing tables.

use mooring_domain::{
    JobKind, Platform, Time, WorkspaceId,
    platform::{RefreshRule, ways},
    survey::surveyed_daily,
    time::{days, from_ms},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Value,
};
use uuid::Uuid;

use crate::{ConnectRun, Store, StoreError, connects, entity::connect, jobs::platform_of};

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

/// Unsettled targets without a publish job.
const TARGETS: &str = r"
SELECT t.workspace_id, t.id, t.platform, t.due_at
FROM post_targets t LEFT JOIN jobs j ON j.kind = 'publish' AND j.subject_id = t.id
WHERE t.stage <= 10 AND j.subject_id IS NULL
LIMIT 500";

/// Acceptances that nobody has looked at and nobody will.
const ACCEPTANCES: &str = r"
SELECT a.workspace_id, a.id, a.platform, a.accepted_at AS due_at
FROM publish_attempts a
JOIN post_targets t ON t.id = a.target_id
LEFT JOIN jobs j ON j.kind = 'verify' AND j.subject_id = a.id
WHERE t.stage = 60 AND t.verdict IS NULL AND a.accepted_at IS NOT NULL AND j.subject_id IS NULL
LIMIT 500";

/// Connections that nobody will check.
const CONNECTIONS: &str = r"
SELECT c.workspace_id, c.id, c.platform, c.created_at AS due_at
FROM connections c LEFT JOIN jobs j ON j.kind = 'check' AND j.subject_id = c.id
WHERE c.removed_at IS NULL AND j.subject_id IS NULL
LIMIT 500";

/// Living grants that end and that nobody will renew. Whether they can be renewed, their platform's row tells.
const GRANTS: &str = r"
SELECT g.workspace_id, g.id, g.platform, g.issued_at AS due_at,
    CASE WHEN g.refresh_token IS NULL THEN 0 ELSE 1 END AS has_token
FROM grants g LEFT JOIN jobs j ON j.kind = 'refresh' AND j.subject_id = g.id
WHERE j.subject_id IS NULL AND g.state = 'connected' AND g.access_expires_at > $1
LIMIT 500";

/// Grants whose connections nobody will compare with what they reach. `$surveyed`: platforms where that is done daily.
const SURVEYS: &str = r"
SELECT g.workspace_id, g.id, g.platform, g.created_at AS due_at
FROM grants g LEFT JOIN jobs j ON j.kind = 'survey' AND j.subject_id = g.id
WHERE j.subject_id IS NULL AND g.access_token IS NOT NULL AND g.platform IN ($surveyed)
    AND EXISTS (SELECT 1 FROM connections c WHERE c.grant_id = g.id AND c.removed_at IS NULL)
LIMIT 500";

impl Store {
    /// Subjects that lost their job.
    pub async fn orphans(&self, now: Time) -> Result<Vec<Orphan>, StoreError> {
        let mut orphans = Vec::new();
        let surveys = SURVEYS.replace("$surveyed", &surveyed_platforms());
        let searches: [(JobKind, &str, Vec<Value>); 5] = [
            (JobKind::Survey, &surveys, Vec::new()),
            (JobKind::Publish, TARGETS, Vec::new()),
            (JobKind::Verify, ACCEPTANCES, Vec::new()),
            (JobKind::Check, CONNECTIONS, Vec::new()),
            (
                JobKind::Refresh,
                GRANTS,
                vec![now.timestamp_millis().into()],
            ),
        ];
        for (kind, sql, values) in searches {
            for row in self.db.query_all_raw(self.statement(sql, values)).await? {
                let orphan = orphan(&row, kind)?;
                if kind != JobKind::Refresh || renewable(&row, orphan.platform)? {
                    orphans.push(orphan);
                }
            }
        }
        Ok(orphans)
    }

    /// Runs of connecting that ended at or before `ended`, and for which something is still sealed.
    pub async fn lapsed_runs(
        &self,
        ended: Time,
        limit: u64,
    ) -> Result<Vec<ConnectRun>, StoreError> {
        let sealed = Condition::any()
            .add(connect::Column::Kept.is_not_null())
            .add(connect::Column::Offered.is_not_null());
        let rows = connect::Entity::find()
            .filter(sealed)
            .filter(connect::Column::ExpiresAt.lte(ended.timestamp_millis()))
            .order_by_asc(connect::Column::ExpiresAt)
            .limit(limit)
            .all(&self.db)
            .await?;
        rows.into_iter().map(connects::run).collect()
    }

    /// Runs of a platform, of any workspace, that somebody has come back with and that are not over: their codes are
    /// being exchanged, or what they offer waits to be chosen.
    pub async fn open_runs(
        &self,
        platform: Platform,
        now: Time,
    ) -> Result<Vec<ConnectRun>, StoreError> {
        let rows = connect::Entity::find()
            .filter(connect::Column::Platform.eq(platform.as_str()))
            .filter(connect::Column::CalledBackAt.is_not_null())
            .filter(connect::Column::EndedAt.is_null())
            .filter(connect::Column::ExpiresAt.gt(now.timestamp_millis()))
            .all(&self.db)
            .await?;
        rows.into_iter().map(connects::run).collect()
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

/// The platforms whose grants are surveyed daily, as a list in SQL; the names are ours.
fn surveyed_platforms() -> String {
    let surveyed = ways().filter(|one| surveyed_daily(*one));
    let names: Vec<String> = surveyed.map(|one| format!("'{one}'")).collect();
    names.join(", ")
}

/// Whether a grant can be renewed without its user.
fn renewable(row: &QueryResult, platform: Platform) -> Result<bool, StoreError> {
    let rule = platform.capabilities();
    if rule.refresh == RefreshRule::None {
        return Ok(false);
    }
    Ok(!rule.refresh_by_token || row.try_get::<i32>("", "has_token")? == 1)
}

fn orphan(row: &QueryResult, kind: JobKind) -> Result<Orphan, StoreError> {
    let subject: Uuid = row.try_get("", "id")?;
    let platform: String = row.try_get("", "platform")?;
    Ok(Orphan {
        workspace: WorkspaceId::from_uuid(row.try_get("", "workspace_id")?),
        kind,
        subject,
        platform: platform_of("jobs", subject, &platform)?,
        due: from_ms(row.try_get("", "due_at")?),
    })
}
