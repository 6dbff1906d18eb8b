//! Which of our processes may still be alive.
//!
//! "Its process has ended" is what allows a second send on a platform that takes no key of ours, so it must be
//! knowledge, not a guess by silence. On PostgreSQL each process holds an advisory lock on a session of its
//! own: the lock is free when the process is gone, and stays held through any pause. A restart of the server
//! frees every lock without anybody having ended, so a lock counts only if the server has been up since before
//! the process started. On SQLite one process owns the file, so every other one has ended.

use std::time::Duration;

use mooring_domain::{ProcessId, Time};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    EntityTrait, QueryFilter,
};

use crate::{Store, StoreError, entity::process, sql};

/// The lock's session; the process is present while it lives.
#[derive(Debug)]
pub struct Presence {
    session: Option<DatabaseConnection>,
    process: ProcessId,
}

impl Presence {
    /// Whether the session still holds its lock. A process whose session broke must not send any more: others
    /// may take it for ended.
    pub async fn holds(&self) -> bool {
        let Some(session) = &self.session else {
            return true;
        };
        let statement = sea_orm::Statement::from_sql_and_values(
            sea_orm::DbBackend::Postgres,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() \
             AND granted",
            [],
        );
        let row = session.query_one_raw(statement).await.ok().flatten();
        row.and_then(|row| row.try_get_by_index::<i64>(0).ok())
            .is_some_and(|locks| locks > 0)
    }
}

impl Store {
    /// Registers this process and takes its lock. Its start is noted by the database's own clock, because it is
    /// compared with the server's start: by a clock that runs ahead, a process of before a restart would look like one
    /// of after it, and count as ended while it lives.
    pub async fn enter(
        &self,
        process: ProcessId,
        role: &str,
        host: &str,
        now: Time,
    ) -> Result<Presence, StoreError> {
        let session = if self.is_postgres() {
            let mut options = ConnectOptions::new(self.url.to_string());
            options
                .min_connections(1)
                .max_connections(1)
                .idle_timeout(None::<Duration>)
                .max_lifetime(None::<Duration>)
                .test_before_acquire(false)
                .connect_timeout(Duration::from_secs(5))
                .sqlx_logging(false)
                .set_application_name("mooring-presence");
            let session = Database::connect(options).await?;
            session
                .execute_raw(
                    self.statement("SELECT pg_advisory_lock($1)", [lock_key(process).into()]),
                )
                .await?;
            Some(session)
        } else {
            None
        };
        let started = self.database_ms().await?;
        process::Entity::insert(process::ActiveModel {
            id: Set(process.uuid()),
            role: Set(role.to_owned()),
            host: Set(host.to_owned()),
            started_at: Set(started.unwrap_or_else(|| now.timestamp_millis())),
            ended_at: Set(None),
        })
        .exec_without_returning(&self.db)
        .await?;
        Ok(Presence { session, process })
    }

    /// Says that this process sends nothing any more, and lets go of its lock.
    pub async fn leave(&self, presence: Presence, now: Time) -> Result<(), StoreError> {
        self.mark_ended(presence.process, now).await?;
        if let Some(session) = presence.session {
            session.close().await?;
        }
        Ok(())
    }

    /// Whether a process is known to have ended. `me` is the asking process.
    pub async fn has_ended(
        &self,
        process: ProcessId,
        me: ProcessId,
        now: Time,
    ) -> Result<bool, StoreError> {
        if process == me {
            return Ok(false);
        }
        let Some(row) = process::Entity::find_by_id(process.uuid())
            .one(&self.db)
            .await?
        else {
            return Ok(false);
        };
        if row.ended_at.is_some() {
            return Ok(true);
        }
        if !self.is_postgres() {
            return Ok(true);
        }
        let tx = self.begin().await?;
        let values = [lock_key(process).into(), row.started_at.into()];
        let answer = tx
            .query_one_raw(self.statement(sql::LOCK_IS_FREE, values))
            .await?;
        let free: bool = answer.map_or(Ok(false), |row| row.try_get_by_index(0))?;
        tx.commit().await?;
        if free {
            self.mark_ended(process, now).await?;
        }
        Ok(free)
    }

    /// Processes that hold their lock on PostgreSQL: they are at work on this database. On SQLite the lock beside
    /// the file tells.
    pub(crate) async fn at_work(
        &self,
        tx: &impl ConnectionTrait,
    ) -> Result<Vec<ProcessId>, StoreError> {
        let mut at_work = Vec::new();
        if !self.is_postgres() {
            return Ok(at_work);
        }
        let open = process::Entity::find()
            .filter(process::Column::EndedAt.is_null())
            .all(tx)
            .await?;
        for row in open {
            let process = ProcessId::from_uuid(row.id);
            let free = self.statement(
                "SELECT pg_try_advisory_xact_lock($1)",
                [lock_key(process).into()],
            );
            let answer = tx.query_one_raw(free).await?;
            if !answer.map_or(Ok(true), |row| row.try_get_by_index(0))? {
                at_work.push(process);
            }
        }
        Ok(at_work)
    }

    /// Notes that whoever is registered has ended, and `forgotten` in the place of those whose registration was
    /// forgotten. For the act that follows a restore: whoever calls it knows that nobody works.
    pub(crate) async fn end_all(
        &self,
        tx: &impl ConnectionTrait,
        forgotten: ProcessId,
        since: Time,
        now: Time,
    ) -> Result<(), StoreError> {
        process::Entity::update_many()
            .col_expr(process::Column::EndedAt, now.timestamp_millis().into())
            .filter(process::Column::EndedAt.is_null())
            .exec(tx)
            .await?;
        process::Entity::insert(process::ActiveModel {
            id: Set(forgotten.uuid()),
            role: Set("forgotten".to_owned()),
            host: Set("unknown".to_owned()),
            started_at: Set(since.timestamp_millis()),
            ended_at: Set(Some(now.timestamp_millis())),
        })
        .exec_without_returning(tx)
        .await?;
        Ok(())
    }

    async fn mark_ended(&self, process: ProcessId, now: Time) -> Result<(), StoreError> {
        process::Entity::update_many()
            .col_expr(process::Column::EndedAt, now.timestamp_millis().into())
            .filter(process::Column::Id.eq(process.uuid()))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

/// The random half of a process's id.
fn lock_key(process: ProcessId) -> i64 {
    let (_, random) = process.uuid().as_u64_pair();
    random.cast_signed()
}
