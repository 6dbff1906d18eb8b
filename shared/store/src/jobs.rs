//! The jobs protocol: who may act on what, and until when. Nothing else moves leases.
//!
//! Rules 1 to 9 of the design's §4 live here and in `apply/`; each has a test named after it.

use mooring_domain::{
    JobKind, Lane, Platform, ProcessId, Time, WorkspaceId,
    job::{Claim, Fence},
    time::from_ms,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryResult,
    QuerySelect, QueryTrait, Value,
    sea_query::{LockBehavior, LockType},
};
use uuid::Uuid;

mod drift;

use crate::{Store, StoreError, entity::job, sql};

/// A job that was just claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What travels.
    pub claim: Claim,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Expired leases in a row, this claim's predecessor included.
    pub losses: i32,
}

/// A lease: who holds a job, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    /// The job and its claim.
    pub fence: Fence,
    /// The lease's end.
    pub until: Time,
}

/// What one claim brought, and where the next scan may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The claimed jobs.
    pub claimed: Vec<Claimed>,
    /// The first due row that was left behind; `None` when nothing was.
    pub floor: Option<Time>,
}

/// A lane, as the scheduler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneView {
    /// Claimed and not begun: what sits in the lane or in a worker's hands.
    pub outstanding: u64,
    /// The next time at which something can be claimed.
    pub next: Option<Time>,
}

/// A claim as its worker finds it in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who may act.
    pub fence: Fence,
    /// Whose job it is.
    pub workspace: WorkspaceId,
    /// The platform it talks to; `None` for the house's own jobs.
    pub platform: Option<Platform>,
    /// Until when.
    pub lease_until: Time,
    /// When it was due.
    pub due: Time,
    /// Attempts counted so far.
    pub attempt: u16,
}

/// What to claim.
#[derive(Debug, Clone, Copy)]
pub struct ClaimOrder<'a> {
    /// Which kind.
    pub kind: JobKind,
    /// How many at most.
    pub limit: u32,
    /// Skip what is due before this; the start of time finds everything.
    pub from: Time,
    /// Leases that ended by then are lost. Usually now; earlier for one lease after the database was away, when
    /// no worker could extend.
    pub lost_by: Time,
    /// The lane's epoch in force.
    pub epoch: &'a str,
}

/// How much of a lane's head is looked at when outstanding claims are counted. Lanes are shallow, and claims
/// take the oldest first, so what is claimed sits at the head.
const HEAD: i64 = 5_000;

/// More fencing tokens than any fleet uses up between two backups, and few enough for a million restores.
const FORGOTTEN_GENERATIONS: i64 = 1 << 40;

impl Store {
    /// Claims due jobs of one kind. Any number of schedulers may do so at once.
    pub async fn claim(&self, order: ClaimOrder<'_>, now: Time) -> Result<Batch, StoreError> {
        let limit = i64::from(order.limit);
        let lease_until = now + self.policy.lease(order.kind.lane()).lease;
        let mut values: Vec<Value> = vec![
            order.kind.as_str().into(),
            order.from.timestamp_millis().into(),
            now.timestamp_millis().into(),
            // Fairness looks at more than it takes, so that one workspace's flood does not hide the others.
            i64::from(Ord::max(order.limit.saturating_mul(8), 1_000)).into(),
            limit.into(),
            lease_until.timestamp_millis().into(),
            order.epoch.into(),
            Ord::min(order.lost_by, now).timestamp_millis().into(),
            order.kind.begins().into(),
        ];
        let rows = if self.is_postgres() {
            self.db
                .query_all_raw(self.statement(sql::CLAIM_POSTGRES, values))
                .await?
        } else {
            let tx = self.begin().await?;
            let reserve = self.statement(sql::RESERVE_GENERATIONS, [limit.into()]);
            let last = tx.query_one_raw(reserve).await?;
            let last: i64 = last.map_or(Ok(limit), |row| row.try_get_by_index(0))?;
            values.push((last - limit).into());
            let rows = tx
                .query_all_raw(self.statement(sql::CLAIM_SQLITE, values))
                .await?;
            tx.commit().await?;
            rows
        };
        let floor = rows
            .first()
            .map(|row| row.try_get::<Option<i64>>("", "floor"))
            .transpose()?;
        let claimed = rows
            .iter()
            .map(|row| claimed(row, order.kind, lease_until))
            .collect::<Result<_, _>>()?;
        Ok(Batch {
            claimed,
            floor: floor.flatten().map(from_ms),
        })
    }

    /// How full each lane is and when it has work again, in the order of [`Lane::ALL`]; one statement.
    pub async fn lane_views(&self, now: Time) -> Result<[LaneView; Lane::ALL.len()], StoreError> {
        let parts: Vec<String> = JobKind::ALL
            .iter()
            .enumerate()
            .map(|(i, _)| sql::LANE_VIEW.replace("$kind", &format!("${}", i + 3)))
            .collect();
        let mut values: Vec<Value> = vec![now.timestamp_millis().into(), HEAD.into()];
        values.extend(JobKind::ALL.iter().map(|kind| Value::from(kind.as_str())));
        let statement = self.statement(&parts.join(" UNION ALL "), values);
        let mut views = [LaneView::default(); Lane::ALL.len()];
        for row in self.db.query_all_raw(statement).await? {
            let lane = kind_of(&row.try_get::<String>("", "kind")?)?.lane();
            let place = Lane::ALL
                .iter()
                .position(|known| *known == lane)
                .unwrap_or(0);
            let view = &mut views[place];
            view.outstanding += row.try_get::<i64>("", "outstanding")?.unsigned_abs();
            let next = row.try_get::<Option<i64>>("", "next")?.map(from_ms);
            view.next = [view.next, next].into_iter().flatten().min();
        }
        Ok(views)
    }

    /// Renews the leases that a worker holds, of any kinds, each until the end that it names; one statement.
    /// Returns the survivors with the ends that are in the books now. Whatever is missing belongs to somebody
    /// newer, or was given back, and must be cancelled. From now on the books name `holder` as who holds them.
    ///
    /// It waits for nobody: a job whose row is locked at this moment (its result is being applied, a wish noted)
    /// survives with the end that it had, and is asked for again. So no transaction of anybody's holds up the
    /// leases beside its own row, and no deadlock can have an extension in it.
    ///
    /// A lease that ran out and was not taken over is renewed too: a takeover changes the generation, so nobody
    /// else can hold it, and after the database was away this is what the schedulers wait for.
    pub async fn extend(
        &self,
        wanted: &[Lease],
        holder: ProcessId,
    ) -> Result<Vec<Lease>, StoreError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<serde_json::Value> = wanted.iter().map(wish).collect();
        let wishes = serde_json::Value::Array(rows).to_string();
        let sql = if self.is_postgres() {
            sql::EXTEND_POSTGRES
        } else {
            sql::EXTEND_SQLITE
        };
        let survivors = self.statement(sql, [wishes.into(), holder.uuid().into()]);
        let survivors = self.db.query_all_raw(survivors).await?;
        survivors.iter().map(lease).collect()
    }

    /// Gives claims back that were not begun; spends no attempt. Returns how many were still ours.
    pub async fn release(&self, fences: &[Fence]) -> Result<u64, StoreError> {
        let mut released = 0;
        for fence in fences {
            let result = self
                .db
                .execute_raw(self.statement(sql::RELEASE, key(fence)))
                .await?;
            released += result.rows_affected();
        }
        Ok(released)
    }

    /// Adopts a new epoch for a lane: whoever changes the database's copy releases, in the same transaction,
    /// what was claimed under the old one and not begun. Returns `None` when somebody else was faster.
    pub async fn change_epoch(
        &self,
        lane: Lane,
        seen: Option<&str>,
        new: &str,
        now: Time,
    ) -> Result<Option<u64>, StoreError> {
        let tx = self.begin().await?;
        let values = [
            lane.as_str().into(),
            seen.map(str::to_owned).into(),
            new.into(),
            now.timestamp_millis().into(),
        ];
        let changed = tx
            .execute_raw(self.statement(sql::CHANGE_EPOCH, values))
            .await?;
        if changed.rows_affected() == 0 {
            tx.rollback().await?;
            return Ok(None);
        }
        let mut released = 0;
        for kind in lane.kinds() {
            let values = [kind.as_str().into(), new.into()];
            let result = tx
                .execute_raw(self.statement(sql::RELEASE_EPOCH, values))
                .await?;
            released += result.rows_affected();
        }
        tx.commit().await?;
        Ok(Some(released))
    }

    /// The epoch that the database knows for a lane.
    pub async fn lane_epoch(&self, lane: Lane) -> Result<Option<String>, StoreError> {
        let row = crate::entity::lane::Entity::find_by_id(lane.as_str())
            .one(&self.db)
            .await?;
        Ok(row.map(|row| row.epoch))
    }

    /// Ends jobs whose subjects are gone. Those that somebody works on at this moment are left: their holders decide
    /// anew, and nobody waits for them.
    pub(crate) async fn drop_jobs(
        &self,
        tx: &DatabaseTransaction,
        kind: JobKind,
        subjects: &[Uuid],
    ) -> Result<(), StoreError> {
        for batch in subjects.chunks(5_000) {
            let mut free = job::Entity::find()
                .select_only()
                .column(job::Column::SubjectId)
                .filter(job::Column::Kind.eq(kind.as_str()))
                .filter(job::Column::SubjectId.is_in(batch.iter().copied()));
            if self.is_postgres() {
                free = free.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            }
            job::Entity::delete_many()
                .filter(job::Column::Kind.eq(kind.as_str()))
                .filter(job::Column::SubjectId.in_subquery(free.into_query()))
                .exec(tx)
                .await?;
        }
        Ok(())
    }

    /// Leaves out so many fencing tokens that none that was given in a time which a restored database has
    /// forgotten is given again: an envelope or a worker of then would fit a claim of now.
    pub(crate) async fn leap_generations(
        &self,
        tx: &impl ConnectionTrait,
    ) -> Result<(), StoreError> {
        let leap = if self.is_postgres() {
            sql::LEAP_GENERATIONS
        } else {
            sql::RESERVE_GENERATIONS
        };
        tx.query_one_raw(self.statement(leap, [FORGOTTEN_GENERATIONS.into()]))
            .await?;
        Ok(())
    }

    /// Consumes a claim, so that no second holder of the same generation can act. `None`: not ours any more,
    /// already begun, or too little is left of the lease. Returns the lease's end and the attempt's number.
    pub(crate) async fn begin_job(
        &self,
        tx: &impl ConnectionTrait,
        fence: &Fence,
        holder: Uuid,
        now: Time,
    ) -> Result<Option<(Time, u16)>, StoreError> {
        let budget = self.policy.lease(fence.kind.lane()).budget;
        let mut values = key(fence).to_vec();
        values.push(now.timestamp_millis().into());
        values.push((now + budget).timestamp_millis().into());
        values.push(holder.into());
        let Some(row) = tx.query_one_raw(self.statement(sql::BEGIN, values)).await? else {
            return Ok(None);
        };
        let lease_until = from_ms(row.try_get("", "lease_until")?);
        let attempt: i32 = row.try_get("", "attempt")?;
        Ok(Some((
            lease_until,
            u16::try_from(attempt).unwrap_or(u16::MAX),
        )))
    }
}

pub(crate) fn key(fence: &Fence) -> [Value; 3] {
    [
        fence.kind.as_str().into(),
        fence.subject.into(),
        fence.generation.into(),
    ]
}

pub(crate) fn kind_of(text: &str) -> Result<JobKind, StoreError> {
    text.parse()
        .map_err(|_| StoreError::corrupt("jobs", text, "is no kind that this version knows"))
}

pub(crate) fn platform_of(
    table: &'static str,
    id: Uuid,
    text: &str,
) -> Result<Platform, StoreError> {
    text.parse()
        .map_err(|_| StoreError::corrupt(table, id, format!("platform \"{text}\" is unknown")))
}

/// One element of what [`sql::EXTEND_POSTGRES`] reads.
fn wish(lease: &Lease) -> serde_json::Value {
    serde_json::json!({
        "kind": lease.fence.kind.as_str(),
        "subject_id": lease.fence.subject,
        "generation": lease.fence.generation,
        "until": lease.until.timestamp_millis(),
    })
}

fn lease(row: &QueryResult) -> Result<Lease, StoreError> {
    Ok(Lease {
        fence: Fence {
            kind: kind_of(&row.try_get::<String>("", "kind")?)?,
            subject: row.try_get("", "subject_id")?,
            generation: row.try_get("", "generation")?,
        },
        until: from_ms(row.try_get("", "lease_until")?),
    })
}

fn claimed(row: &QueryResult, kind: JobKind, lease_until: Time) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        claim: Claim {
            fence: Fence {
                kind,
                subject: row.try_get("", "subject_id")?,
                generation: row.try_get("", "generation")?,
            },
            lease_until,
            due: from_ms(row.try_get("", "run_at")?),
            priority: row.try_get("", "priority")?,
        },
        workspace: WorkspaceId::from_uuid(row.try_get("", "workspace_id")?),
        losses: row.try_get("", "losses")?,
    })
}
