//! The system in this process on the machine's own clock, for platforms whose time nobody can move.

use std::sync::Arc;

use mooring_domain::{
    ConnectionId, Decision, JobKind, Lane, Next, Platform, Poke, Policy, TargetId, Time,
    WorkspaceId, decision::Outcome, post::Content,
};
use mooring_gateway::acts::{self, ImportRow, SchedulePost};
use mooring_providers::{BaseUrls, Connected, Provider, Registry};
use mooring_queue::{MemoryQueue, Queue};
use mooring_runtime::{Clock, Config, Context, SystemClock, boot::install_tls, lifecycle::Signals};
use mooring_store::{Actor, ConnectionRow, Secrets, Store, TargetRow};

use crate::{Database, Engine, eventually};

/// All four jobs at work, against a real server.
pub struct Live {
    /// The books.
    pub store: Store,
    /// The tenant.
    pub workspace: WorkspaceId,
    context: Context,
    registry: Arc<Registry>,
    ended: bool,
    // Dropped last: the store is open on it.
    _database: Database,
}

impl Live {
    /// Starts scheduler and workers; `bluesky` is where accounts without a server of their own are.
    pub async fn start(bluesky: &str, policy: Policy) -> Self {
        install_tls();
        let database = Database::fresh(Engine::Sqlite).await;
        let store = database.store(policy).await;
        let mut config = Config::default();
        config.http.allow_private_addresses = true;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let context = Context::with_clock("live", config, clock).expect("a context");
        let urls = BaseUrls {
            bluesky: bluesky.parse().expect("a URL"),
            ..BaseUrls::default()
        };
        let registry = Arc::new(Registry::new(&context.http, &context.clock, &urls));
        let workspace =
            acts::create_workspace(&store, &Actor::Cli, "Harbour", context.clock.now()).await;
        let live = Self {
            workspace: workspace.expect("a workspace"),
            store,
            context,
            registry,
            ended: false,
            _database: database,
        };
        live.run();
        live
    }

    fn run(&self) {
        let queue: Arc<dyn Queue> = Arc::new(MemoryQueue::new());
        let lanes = [Lane::Check, Lane::Refresh, Lane::Publish, Lane::Verify]
            .map(|lane| (lane, 4))
            .to_vec();
        let (context, store, lifecycle) = (&self.context, &self.store, &self.context.lifecycle);
        let registry = Arc::clone(&self.registry);
        let workers = mooring_workers::run(
            context.clone(),
            store.clone(),
            Arc::clone(&queue),
            registry,
            mooring_runtime::MediaStore::in_memory(1 << 26),
            lanes,
        );
        lifecycle.spawn("workers", workers);
        lifecycle.spawn(
            "scheduler",
            mooring_scheduler::run(context.clone(), store.clone(), queue),
        );
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.context.clock.now()
    }

    /// The adapter of a platform.
    #[must_use]
    pub fn adapter(&self, platform: Platform) -> &dyn Provider {
        self.registry.of(platform).as_ref()
    }

    /// What connecting brought, as a row to import. The tokens are in it.
    #[must_use]
    pub fn row(&self, platform: Platform, connected: &Connected) -> ImportRow {
        let destination = &connected.destinations[0];
        ImportRow {
            workspace: self.workspace.to_string(),
            brand: None,
            platform: platform.as_str().to_owned(),
            remote_id: destination.remote_id.clone(),
            name: destination.name.clone(),
            user_id: Some(connected.remote_user_id.clone()),
            access_token: connected.grant_token.expose().to_owned(),
            page_token: None,
            refresh_token: connected
                .refresh_token
                .as_ref()
                .map(|token| token.expose().to_owned()),
            issued_at: Some(self.now()),
            access_expires_at: connected.access_expires_at,
            refresh_expires_at: connected.refresh_expires_at,
            scopes: None,
            binding: None,
            host: connected.host.as_ref().map(ToString::to_string),
        }
    }

    /// Imports one row.
    pub async fn import(&self, row: ImportRow) -> ConnectionId {
        let remote_id = row.remote_id.clone();
        let (good, bad) = acts::check_import(&self.store, vec![(1, row)], self.now())
            .await
            .expect("a check");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, self.now())
            .await
            .expect("the import");
        let rows = self.connections().await;
        rows.into_iter()
            .find(|row| row.remote_id == remote_id)
            .expect("the connection")
            .id
    }

    /// Schedules a post, due now.
    pub async fn post(&self, connection: ConnectionId, text: &str) -> TargetId {
        let order = SchedulePost {
            connections: vec![connection],
            content: Content::text(text),
            media: Vec::new(),
            due: self.now(),
            critical: false,
        };
        let scheduled =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now()).await;
        scheduled.expect("the post is scheduled").targets[0]
    }

    /// Has a connection checked now, as somebody who asks for it does.
    pub async fn check_now(&self, connection: ConnectionId, platform: Platform) {
        let at = self.now();
        let poke = Poke::Job {
            kind: JobKind::Check,
            subject: connection.uuid(),
            platform,
            at,
            priority: 100,
        };
        let decision = Decision::new(Next::Done, Outcome::Success).poke(poke);
        let poked = self
            .store
            .apply_act(
                &Actor::Cli,
                self.workspace,
                &decision,
                &Secrets::default(),
                at,
            )
            .await;
        poked.expect("the check is asked for");
    }

    /// A connection, judged now.
    pub async fn connection(&self, connection: ConnectionId) -> ConnectionRow {
        let rows = self.connections().await;
        rows.into_iter()
            .find(|row| row.id == connection)
            .expect("the connection exists")
    }

    /// A target.
    pub async fn target(&self, target: TargetId) -> TargetRow {
        let rows = self
            .store
            .targets(self.workspace)
            .await
            .expect("the books answer");
        rows.into_iter()
            .find(|row| row.id == target)
            .expect("the target exists")
    }

    async fn connections(&self) -> Vec<ConnectionRow> {
        self.store
            .connections(self.workspace, self.now())
            .await
            .expect("the books answer")
    }

    /// Waits until a connection is what `wanted` says.
    pub async fn until(
        &self,
        connection: ConnectionId,
        what: &str,
        wanted: impl Fn(&ConnectionRow) -> bool,
    ) {
        eventually(what, || async {
            wanted(&self.connection(connection).await)
        })
        .await;
    }

    /// Waits until a target is what `wanted` says.
    pub async fn until_target(
        &self,
        target: TargetId,
        what: &str,
        wanted: impl Fn(&TargetRow) -> bool,
    ) {
        eventually(what, || async { wanted(&self.target(target).await) }).await;
    }

    /// Ends in good order.
    pub async fn done(mut self) {
        self.ended = true;
        let (_by_hand, signals) = Signals::by_hand();
        self.context.lifecycle.stop();
        let drained = self
            .context
            .lifecycle
            .run(std::time::Duration::from_secs(20), signals, || {})
            .await;
        assert!(drained, "something did not stop");
        assert_eq!(self.context.lifecycle.failure(), None, "a component failed");
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        assert!(
            self.ended || std::thread::panicking(),
            "a story must end with Live::done"
        );
    }
}
