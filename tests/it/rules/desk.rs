//! A store on a fresh database and what the tests of the rules do with it by hand.

use std::panic::AssertUnwindSafe;

use chrono::DateTime;
use futures::FutureExt as _;
use mooring_domain::{
    ConnectionId, Decision, Event, GrantId, JobKind, Next, Platform, Poke, Policy, PostId,
    ProcessId, TargetId, Time, WorkspaceId,
    decision::Outcome,
    job::Fence,
    post::{Content, plan::PostEdit},
    time::{days, from_ms, hours, minutes},
};
use mooring_gateway::acts::{self, ImportRow, SchedulePost};
use mooring_store::{
    Actor, Applied, ApplyError, BeginPublish, BegunPublish, Claimed, Held, JobResult, JobRow,
    Secrets, Store, StoreError, jobs::ClaimOrder,
};
use mooring_tests::{Database, Engine};
use mooring_vault::{KeyRing, Secret, new_key_text};
use uuid::Uuid;

/// When the stories begin.
pub(crate) fn start() -> Time {
    DateTime::parse_from_rfc3339("2026-11-26T08:00:00Z")
        .expect("a time")
        .to_utc()
}

/// Tells a story on SQLite and then on PostgreSQL; a failure names the engine.
pub(crate) async fn on_both(story: impl AsyncFn(Desk)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let desk = Desk::new(engine).await;
        if let Err(panic) = AssertUnwindSafe(Box::pin(story(desk))).catch_unwind().await {
            eprintln!("the rule broke on {engine:?}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Other words for a post.
pub(crate) fn edited(post: PostId, text: &str) -> Decision {
    let edit = PostEdit {
        content: Some(content(text)),
        ..PostEdit::of(post)
    };
    let policy = Policy::default();
    mooring_domain::acts::edit_post(edit, (&[], false), start(), &policy, start())
}

/// A store, a tenant, and the hands of two workers.
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) workspace: WorkspaceId,
    /// Two processes.
    pub(crate) me: ProcessId,
    pub(crate) other: ProcessId,
    /// What opens the sealed columns, for a second store.
    pub(super) keys: Secret,
    // Dropped last: the files that the store has open.
    pub(super) database: Database,
}

/// A connected account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) connection: ConnectionId,
    pub(crate) grant: GrantId,
}

impl Desk {
    pub(crate) async fn new(engine: Engine) -> Self {
        let database = Database::fresh(engine).await;
        let keys = new_key_text("desk").expect("a key");
        let ring = KeyRing::parse(keys.expose()).expect("a key ring");
        let store = database.store_with(ring, Policy::default()).await;
        let workspace = acts::create_workspace(&store, &Actor::Cli, "Harbour", start())
            .await
            .expect("a tenant");
        Self {
            engine,
            me: store.mint(start()),
            other: store.mint(start()),
            store,
            workspace,
            keys,
            database,
        }
    }

    // Jobs

    /// Creates or wakes a job.
    pub(crate) async fn poke(&self, kind: JobKind, subject: Uuid, at: Time) {
        self.poke_in(self.workspace, kind, subject, at).await;
    }

    /// The same for another tenant.
    pub(crate) async fn poke_in(&self, whose: WorkspaceId, kind: JobKind, subject: Uuid, at: Time) {
        let decision = done().poke(job(kind, subject, at));
        self.act_in(whose, &decision).await;
    }

    /// Many checks, due one after the other from `from` on.
    pub(crate) async fn checks(&self, whose: WorkspaceId, count: i64, from: Time) -> Vec<Uuid> {
        let subjects: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
        let due = subjects
            .iter()
            .zip(0..)
            .map(|(id, i)| job(JobKind::Check, *id, from + ms(i)));
        self.act_in(whose, &due.fold(done(), Decision::poke)).await;
        subjects
    }

    pub(crate) async fn act_in(&self, whose: WorkspaceId, decision: &Decision) {
        let secrets = Secrets::default();
        self.store
            .apply_act(&Actor::Cli, whose, decision, &secrets, start())
            .await
            .expect("an act");
    }

    /// An act that may be refused.
    pub(crate) async fn try_act(&self, decision: &Decision) -> Result<(), ApplyError> {
        let secrets = Secrets::default();
        self.store
            .apply_act(&Actor::Cli, self.workspace, decision, &secrets, start())
            .await
    }

    /// Claims at most `limit` jobs.
    pub(crate) async fn claim(&self, kind: JobKind, limit: u32, now: Time) -> Vec<Claimed> {
        let order = order(kind, limit, now);
        self.store.claim(order, now).await.expect("a claim").claimed
    }

    /// Claims a job that is the only one due.
    pub(crate) async fn take(&self, kind: JobKind, subject: Uuid, now: Time) -> Held {
        let claimed = self.claim(kind, 100, now).await;
        let found = claimed
            .iter()
            .find(|one| one.claim.fence.subject == subject);
        let fence = found
            .unwrap_or_else(|| panic!("{kind} was not claimed"))
            .claim
            .fence;
        self.store
            .held(&fence)
            .await
            .expect("the books answer")
            .expect("a claim that holds")
    }

    pub(crate) async fn job(&self, kind: JobKind, subject: Uuid) -> Option<JobRow> {
        self.store
            .job(kind, subject)
            .await
            .expect("the books answer")
    }

    /// A job that exists.
    pub(crate) async fn row(&self, kind: JobKind, subject: Uuid) -> JobRow {
        self.job(kind, subject)
            .await
            .unwrap_or_else(|| panic!("there is no {kind} job"))
    }

    /// Applies what a run decided.
    pub(crate) async fn apply(&self, fence: Fence, decision: Decision, now: Time) -> Applied {
        self.try_apply(fence, decision, now)
            .await
            .expect("it is applied")
    }

    pub(crate) async fn try_apply(
        &self,
        fence: Fence,
        decision: Decision,
        now: Time,
    ) -> Result<Applied, StoreError> {
        self.store
            .apply_job(&self.result(fence, decision, now))
            .await
    }

    pub(crate) fn result(&self, fence: Fence, decision: Decision, now: Time) -> JobResult {
        JobResult {
            fence,
            decision,
            secrets: Secrets::default(),
            now,
            trace_id: None,
            process: self.me,
        }
    }

    // Accounts and posts

    /// Connects a Bluesky account whose access token ends in two hours.
    pub(crate) async fn connect(&self, name: &str) -> Place {
        self.connect_as(&format!("did:plc:{name}"), "access-1", "refresh-1")
            .await
    }

    /// The same with the tokens that a platform gave.
    pub(crate) async fn connect_as(&self, did: &str, access: &str, refresh: &str) -> Place {
        self.import(self.bluesky_row(did, access, refresh)).await
    }

    /// What there is to import about a Bluesky account whose access token ends in two hours.
    pub(crate) fn bluesky_row(&self, did: &str, access: &str, refresh: &str) -> ImportRow {
        let now = start();
        ImportRow {
            workspace: self.workspace.to_string(),
            brand: None,
            platform: "bluesky".to_owned(),
            remote_id: did.to_owned(),
            name: did.to_owned(),
            user_id: None,
            access_token: access.to_owned(),
            page_token: None,
            refresh_token: Some(refresh.to_owned()),
            issued_at: Some(now),
            access_expires_at: Some(now + hours(2)),
            refresh_expires_at: Some(now + days(90)),
            scopes: None,
            binding: None,
            host: None,
        }
    }

    /// Imports one row.
    pub(crate) async fn import(&self, row: ImportRow) -> Place {
        let (now, did) = (start(), row.remote_id.clone());
        let (good, bad) = acts::check_import(&self.store, vec![(1, row)], now)
            .await
            .expect("it is checked");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, now)
            .await
            .expect("an import");
        let rows = self
            .store
            .connections(self.workspace, now)
            .await
            .expect("the books answer");
        let grants = self
            .store
            .grants(self.workspace)
            .await
            .expect("the books answer");
        let user = ("bluesky".to_owned(), did);
        Place {
            connection: rows
                .iter()
                .find(|row| row.remote_id == user.1)
                .expect("a connection")
                .id,
            grant: grants[&user],
        }
    }

    /// Schedules a post.
    pub(crate) async fn post(&self, place: Place, text: &str, due: Time) -> (PostId, TargetId) {
        let order = SchedulePost {
            connections: vec![place.connection],
            content: content(text),
            media: Vec::new(),
            due,
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        let post =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, start()).await;
        let post = post.expect("a post");
        (post.post, post.targets[0])
    }

    /// Begins a publish that sends.
    pub(crate) async fn begin(&self, held: &Held, who: ProcessId, now: Time) -> BegunPublish {
        self.begin_for(held, who, None, now).await
    }

    /// Begins a publish that sends what was prepared for a revision.
    pub(crate) async fn begin_for(
        &self,
        held: &Held,
        who: ProcessId,
        revision: Option<i32>,
        now: Time,
    ) -> BegunPublish {
        let order = BeginPublish {
            reference: None,
            send: true,
            revision,
        };
        self.store
            .begin_publish(held, &order, who, now)
            .await
            .expect("the books answer")
    }

    /// Whether an account's target has come this far, and by how many attempts.
    pub(crate) async fn target(&self, id: TargetId) -> mooring_store::TargetRow {
        let rows = self
            .store
            .targets(self.workspace)
            .await
            .expect("the books answer");
        rows.into_iter()
            .find(|row| row.id == id)
            .expect("the target exists")
    }

    // The stream

    /// How many events of this name are about this subject.
    pub(crate) async fn told(&self, name: &str, subject: Uuid) -> usize {
        let mut events = Vec::new();
        for whose in [self.workspace, WorkspaceId::from_uuid(Uuid::nil())] {
            events.extend(
                self.store
                    .events(whose, 10_000)
                    .await
                    .expect("the books answer"),
            );
        }
        events
            .iter()
            .filter(|row| row.name == name && row.subject == subject)
            .count()
    }

    /// How many runs of a kind are in the books.
    pub(crate) async fn runs(&self, kind: JobKind) -> u64 {
        let runs = self.store.runs(kind).await.expect("the books answer");
        runs.iter().map(|(_, count)| count).sum()
    }
}

/// What to claim: everything due, of any age.
pub(crate) fn order(kind: JobKind, limit: u32, now: Time) -> ClaimOrder<'static> {
    ClaimOrder {
        kind,
        limit,
        from: from_ms(0),
        lost_by: now,
        epoch: "first",
    }
}

pub(crate) fn job(kind: JobKind, subject: Uuid, at: Time) -> Poke {
    Poke::Job {
        kind,
        subject,
        platform: Platform::Bluesky,
        at,
        priority: 300,
    }
}

/// A decision that ends its job.
pub(crate) fn done() -> Decision {
    Decision::new(Next::Done, Outcome::Success)
}

/// A decision that comes back in an hour and tells something.
pub(crate) fn telling(now: Time) -> Decision {
    Decision::new(Next::At(now + hours(1)), Outcome::Success).event(Event::DriftRepaired {
        what: "told".to_owned(),
        rows: 1,
    })
}

pub(crate) fn content(text: &str) -> Content {
    Content::text(text)
}

pub(crate) fn ms(n: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::milliseconds(n)
}

/// A moment after every lease that was given at `now`.
pub(crate) fn after_leases(now: Time) -> Time {
    now + minutes(2)
}
