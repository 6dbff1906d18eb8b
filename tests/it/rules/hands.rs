//! Reaching past every rule: raw SQL, locks that others have to wait for, and two transactions that meet.

use std::cell::Cell;

use futures::{FutureExt as _, future::LocalBoxFuture};
use mooring_domain::Policy;
use mooring_store::Store;
use mooring_tests::{DatabaseTap, Engine, eventually};
use mooring_vault::KeyRing;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, Statement, TransactionTrait as _, Value};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Desk;

impl Desk {
    /// Binds values to a text.
    pub(crate) fn statement<const N: usize>(&self, sql: &str, values: [Value; N]) -> Statement {
        let backend = self.store.connection().get_database_backend();
        Statement::from_sql_and_values(backend, sql, values)
    }

    /// Runs a statement past every rule; it must change something.
    pub(crate) async fn meddle<const N: usize>(&self, sql: &str, values: [Value; N]) {
        let done = self
            .store
            .connection()
            .execute_raw(self.statement(sql, values))
            .await;
        let rows = done
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .rows_affected();
        assert!(rows > 0, "{sql} changed nothing");
    }

    /// The number that a query answers.
    pub(crate) async fn number<const N: usize>(&self, sql: &str, values: [Value; N]) -> i64 {
        let row = self
            .store
            .connection()
            .query_one_raw(self.statement(sql, values))
            .await;
        let row = row
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .expect("a row");
        row.try_get_by_index::<Option<i64>>(0)
            .expect("a number")
            .unwrap_or(0)
    }

    /// On PostgreSQL, a lock that everybody who comes now has to wait for.
    pub(crate) async fn gate(
        &self,
        table: &str,
        key: &str,
        id: Uuid,
    ) -> Option<DatabaseTransaction> {
        if self.engine == Engine::Sqlite {
            return None;
        }
        let tx = self
            .store
            .connection()
            .begin()
            .await
            .expect("a transaction");
        let sql = format!("SELECT 1 FROM {table} WHERE {key} = $1 FOR UPDATE");
        let row = tx
            .query_one_raw(self.statement(&sql, [id.into()]))
            .await
            .expect("a lock");
        assert!(row.is_some(), "the gate holds nothing");
        Some(tx)
    }

    /// A second store on the same PostgreSQL database, by way of a tap: what a process has that is watched, or
    /// whose database hangs.
    pub(super) async fn tap(&self, policy: Policy) -> (Store, DatabaseTap) {
        let tap = DatabaseTap::before(&self.database);
        let keys = KeyRing::parse(self.keys.expose()).expect("a key ring");
        let store = self.database.store_through(&tap, keys, policy).await;
        (store, tap)
    }

    /// How many deadlocks PostgreSQL has ended in this database. Closes the store first: a session tells what it
    /// has seen at the latest when it ends.
    pub(super) async fn deadlocks(self) -> i64 {
        let name = self.database.url.rsplit('/').next().unwrap_or_default();
        let name: Value = name.into();
        self.store
            .connection()
            .close_by_ref()
            .await
            .expect("it closes");
        let elsewhere = Self::new(Engine::Postgres).await;
        eventually("its sessions have ended", async || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
            elsewhere.number(sql, [name.clone()]).await == 0
        })
        .await;
        let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = $1";
        elsewhere.number(sql, [name]).await
    }

    /// Lets two transactions meet: the second starts when the first waits at the gate (or has passed it), and the
    /// gate opens when both wait. Without a gate they start one right after the other.
    pub(crate) fn meet<'a, A: 'a, B: 'a>(
        &'a self,
        gate: Option<DatabaseTransaction>,
        first: impl Future<Output = A> + 'a,
        second: impl Future<Output = B> + 'a,
    ) -> LocalBoxFuture<'a, (A, B)> {
        async move {
            let ended = Cell::new(0);
            let (go, may_go) = oneshot::channel();
            let first = async {
                let answer = first.await;
                ended.set(ended.get() + 1);
                answer
            };
            let second = async {
                may_go.await.expect("somebody opens");
                let answer = second.await;
                ended.set(ended.get() + 1);
                answer
            };
            let keeper = self.keep(gate, go, &ended);
            let (a, b, ()) = futures::join!(first, second, keeper);
            (a, b)
        }
        .boxed_local()
    }

    /// Lets the second go when the first waits, and both when both do. Who has ended waits no more.
    async fn keep(
        &self,
        gate: Option<DatabaseTransaction>,
        go: oneshot::Sender<()>,
        ended: &Cell<i64>,
    ) {
        let there = async |n: i64| {
            eventually("they meet at the gate", || async {
                self.waiting().await + ended.get() >= n
            })
            .await;
        };
        if gate.is_some() {
            there(1).await;
        }
        go.send(()).expect("the second waits");
        if let Some(gate) = gate {
            there(2).await;
            gate.commit().await.expect("the gate opens");
        }
    }

    /// How many sessions wait for a lock in this database.
    pub(super) async fn waiting(&self) -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.number(sql, []).await
    }
}
