//! A store with a ring of two keys and what the tests do with it by hand, on both engines.

use std::{collections::BTreeSet, panic::AssertUnwindSafe};

use futures::FutureExt as _;
use mooring_domain::{
    Decision, GrantId, JobKind, Next, Platform, Policy, ProcessId, Time, WorkspaceId,
    decision::Outcome,
    job::Fence,
    reseal::{Reseal, ResealStep, after_reseal, before_reseal},
    retry::Jitter,
    time::{days, from_ms, hours, minutes},
};
use mooring_gateway::acts::{self, ImportRow};
use mooring_store::{
    Actor, Credentials, EventRow, Held, JobResult, ResealedBatch, Secrets, Store, jobs::ClaimOrder,
};
use mooring_tests::{Database, Engine};
use mooring_vault::{KeyRing, Secret, new_key_text};
use sea_orm::{ConnectionTrait as _, Statement, Value};
use uuid::Uuid;

/// When the stories begin.
pub(super) fn start() -> Time {
    from_ms(1_800_000_000_000)
}

/// Tells a story on SQLite and then on PostgreSQL; a failure names the engine.
pub(super) async fn on_both(story: impl AsyncFn(Safe)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let safe = Safe::new(engine).await;
        if let Err(panic) = AssertUnwindSafe(Box::pin(story(safe))).catch_unwind().await {
            eprintln!("it broke on {engine:?}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// A store whose ring has the keys `k1` (in force) and `k2`.
pub(super) struct Safe {
    pub(super) store: Store,
    pub(super) workspace: WorkspaceId,
    pub(super) me: ProcessId,
    /// The lines of the two keys.
    pub(super) keys: [Secret; 2],
    // Dropped last: the files that the store has open.
    pub(super) database: Database,
}

impl Safe {
    async fn new(engine: Engine) -> Self {
        let database = Database::fresh(engine).await;
        let keys = ["k1", "k2"].map(|id| new_key_text(id).expect("a key"));
        let ring = keys.each_ref().map(Secret::expose).join("\n");
        let ring = KeyRing::parse(&ring).expect("a ring");
        let store = database.store_with(ring, Policy::default()).await;
        let workspace = acts::create_workspace(&store, &Actor::Cli, "Harbour", start());
        let workspace = workspace.await.expect("a tenant");
        let me = store.mint(start());
        let safe = Self {
            store,
            workspace,
            me,
            keys,
            database,
        };
        safe.activate("k1").await;
        safe
    }

    /// Puts a key in force.
    pub(super) async fn activate(&self, key: &str) {
        let done = acts::activate_vault_key(&self.store, &Actor::Cli, key, start()).await;
        assert!(done.expect("the key is put in force").known_here);
    }

    /// Connects an account whose tokens are `access-NAME` and `refresh-NAME`.
    pub(super) async fn connect(&self, name: &str) -> GrantId {
        let row = ImportRow {
            workspace: self.workspace.to_string(),
            brand: None,
            platform: "bluesky".to_owned(),
            remote_id: format!("did:plc:{name}"),
            name: name.to_owned(),
            user_id: None,
            access_token: format!("access-{name}"),
            page_token: None,
            refresh_token: Some(format!("refresh-{name}")),
            issued_at: Some(start()),
            access_expires_at: Some(start() + hours(2)),
            refresh_expires_at: Some(start() + days(90)),
            scopes: None,
            binding: None,
            host: None,
        };
        let (good, bad) = acts::check_import(&self.store, vec![(1, row)], start())
            .await
            .expect("it is checked");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, start())
            .await
            .expect("an import");
        let grants = self.store.grants(self.workspace).await.expect("grants");
        grants[&("bluesky".to_owned(), format!("did:plc:{name}"))]
    }

    /// A claim on a grant's refresh, as a worker has it.
    pub(super) fn held(&self, grant: GrantId) -> Held {
        Held {
            fence: Fence {
                kind: JobKind::Refresh,
                subject: grant.uuid(),
                generation: 1,
            },
            workspace: self.workspace,
            platform: Some(Platform::Bluesky),
            lease_until: start() + minutes(1),
            due: start(),
            attempt: 0,
        }
    }

    /// A grant's tokens, opened by a store.
    pub(super) async fn tokens(&self, store: &Store, grant: GrantId) -> (String, Option<String>) {
        let job = store
            .refresh_job(&self.held(grant))
            .await
            .expect("it opens");
        let job = job.expect("a grant");
        let credentials: Credentials = job.credentials.expect("tokens");
        let refresh = credentials.refresh_token;
        (
            credentials.grant_token.expose().to_owned(),
            refresh.map(|token| token.expose().to_owned()),
        )
    }

    /// Claims the job that re-seals.
    pub(super) async fn claim(&self, now: Time) -> Fence {
        let order = ClaimOrder {
            kind: JobKind::Reseal,
            limit: 1,
            from: from_ms(0),
            lost_by: now,
            epoch: "first",
        };
        let claimed = self.store.claim(order, now).await.expect("a claim").claimed;
        claimed.first().expect("the job is due").claim.fence
    }

    /// The next batch that has values to store; those without are applied on the way.
    pub(super) async fn batch(&self, now: Time) -> (Fence, Reseal, ResealedBatch) {
        loop {
            let fence = self.claim(now).await;
            let job = self.store.reseal_job().await.expect("the books answer");
            let reseal = job.reseal.expect("a key is in force");
            let batch = self.store.reseal_batch(&reseal.walk).await;
            let batch = batch.expect("a batch");
            if !batch.values.is_empty() {
                return (fence, reseal, batch);
            }
            self.keep(fence, &reseal, batch, now).await;
        }
    }

    /// Stores a batch.
    pub(super) async fn keep(
        &self,
        fence: Fence,
        reseal: &Reseal,
        batch: ResealedBatch,
        now: Time,
    ) {
        let decision = after_reseal(reseal, &batch.seen, now);
        self.apply(fence, decision, batch, now).await;
    }

    async fn apply(&self, fence: Fence, decision: Decision, batch: ResealedBatch, now: Time) {
        let secrets = Secrets {
            resealed: batch.values,
            ..Secrets::default()
        };
        let applied = self.result(fence, decision, secrets, now);
        let applied = self.store.apply_job(&applied).await.expect("it is applied");
        assert!(applied.fenced, "the claim holds");
    }

    /// Walks until nothing is left to do now. Returns how often a run was due.
    pub(super) async fn walk(&self, mut now: Time) -> usize {
        for run in 1..100 {
            now += minutes(2);
            let fence = self.claim(now).await;
            let job = self.store.reseal_job().await.expect("the books answer");
            let jitter = Jitter::of(1);
            let step = before_reseal(job.reseal.as_ref(), job.left, job.holds_key, now, jitter);
            let reseal = job.reseal.expect("a key is in force");
            let (decision, batch) = match step {
                ResealStep::Settled(decision) => (decision, None),
                ResealStep::Batch => {
                    let batch = self.store.reseal_batch(&reseal.walk).await;
                    let batch = batch.expect("a batch");
                    (after_reseal(&reseal, &batch.seen, now), Some(batch))
                }
            };
            let rests = matches!(decision.next, Next::At(at) if at > now + hours(1));
            if let Some(batch) = batch {
                self.apply(fence, decision, batch, now).await;
            } else {
                let result = self.result(fence, decision, Secrets::default(), now);
                self.store.apply_job(&result).await.expect("it is applied");
            }
            if rests {
                return run;
            }
        }
        panic!("the walk has no end")
    }

    pub(super) fn result(
        &self,
        fence: Fence,
        decision: Decision,
        secrets: Secrets,
        now: Time,
    ) -> JobResult {
        JobResult {
            fence,
            decision,
            secrets,
            now,
            trace_id: None,
            process: self.me,
        }
    }

    /// The ids of the keys that anything stored is sealed with.
    pub(super) async fn sealed_with(&self) -> BTreeSet<String> {
        let counts = self.store.sealed_counts().await.expect("the books answer");
        counts.into_keys().collect()
    }

    /// The house's events of a name, newest first.
    pub(super) async fn told(&self, name: &str) -> Vec<EventRow> {
        let house = WorkspaceId::from_uuid(Uuid::nil());
        let mut events = self.store.events(house, 1_000).await.expect("events");
        events.retain(|event| event.name == name);
        events
    }

    /// Runs a statement past every rule; it must change something.
    pub(super) async fn meddle<const N: usize>(&self, sql: &str, values: [Value; N]) {
        meddle(&self.store, sql, values).await;
    }
}

/// Runs a statement past every rule; it must change something.
pub(super) async fn meddle<const N: usize>(store: &Store, sql: &str, values: [Value; N]) {
    let db = store.connection();
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let done = db.execute_raw(statement).await;
    let done = done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(done.rows_affected() > 0, "{sql} changed nothing");
}

/// A decision that ends its job.
pub(super) fn done() -> Decision {
    Decision::new(Next::Done, Outcome::Success)
}
