//! The system in this process on the machine's own clock, for platforms whose time nobody can move.

use std::sync::Arc;

use mooring_domain::{
    ConnectionId, Decision, JobKind, Next, Platform, Poke, Policy, TargetId, Time, WorkspaceId,
    decision::Outcome, post::Content,
};
use mooring_gateway::acts::{self, ImportRow, NewApp, SchedulePost};
use mooring_providers::{AppCredentials, BaseUrls, Connected, Provider, Registry};
use mooring_runtime::{Context, Http, boot::install_tls, lifecycle::Signals};
use mooring_store::{Actor, ConnectionRow, Secrets, Store, TargetRow};
use mooring_vault::{KeyRing, Secret, new_key_text};

use crate::{Database, Engine, eventually};

mod crew;

use crew::fresh_context;

/// All four jobs at work, against a real server.
pub struct Live {
    /// The books.
    pub store: Store,
    /// The tenant.
    pub workspace: WorkspaceId,
    context: Context,
    registry: Arc<Registry>,
    urls: BaseUrls,
    /// The key ring's text: every worker opens the books by itself.
    key: Secret,
    policy: Policy,
    workers: Vec<Context>,
    ended: bool,
    // Dropped last: the store is open on it.
    database: Database,
}

/// How it is made.
pub struct LiveOptions {
    /// The database's engine.
    pub engine: Engine,
    /// Where the platforms are.
    pub urls: BaseUrls,
    /// The numbers that decisions go by.
    pub policy: Policy,
}

impl Live {
    /// Starts a scheduler and a worker; `bluesky` is where accounts without a server of their own are.
    pub async fn start(bluesky: &str, policy: Policy) -> Self {
        let urls = BaseUrls {
            bluesky: bluesky.parse().expect("a URL"),
            ..BaseUrls::default()
        };
        let mut live = Self::idle(LiveOptions {
            engine: Engine::Sqlite,
            urls,
            policy,
        })
        .await;
        Box::pin(live.hire(1)).await;
        live
    }

    /// The system without anybody who works.
    pub async fn idle(options: LiveOptions) -> Self {
        Box::pin(Self::made(options)).await
    }

    async fn made(options: LiveOptions) -> Self {
        install_tls();
        let database = Database::fresh(options.engine).await;
        let key = new_key_text("live").expect("a key");
        let ring = KeyRing::parse(key.expose()).expect("a key ring");
        let store = database.store_with(ring, options.policy.clone()).await;
        let context = fresh_context();
        let registry = Registry::new(&context.http, &context.clock, &options.urls);
        let workspace =
            acts::create_workspace(&store, &Actor::Cli, "Harbour", context.clock.now()).await;
        Self {
            workspace: workspace.expect("a workspace"),
            store,
            context,
            registry: Arc::new(registry),
            urls: options.urls,
            key,
            policy: options.policy,
            workers: Vec::new(),
            ended: false,
            database,
        }
    }

    /// The one door to the outside, for people's browsers.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.context.http
    }

    /// Tells the system about its registration at a platform.
    pub async fn register(&self, platform: Platform, app: AppCredentials) {
        let new = NewApp {
            workspace: None,
            platform,
            client_id: app.client_id,
            client_secret: app.client_secret,
            base_url: None,
        };
        acts::register_app(&self.store, &Actor::Cli, new, self.now())
            .await
            .expect("the app is registered");
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
            scopes: connected.scopes.as_ref().map(|scopes| scopes.join(" ")),
            binding: connected
                .binding
                .as_ref()
                .map(|key| key.expose().to_owned()),
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
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        let scheduled =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now()).await;
        scheduled.expect("the post is scheduled").targets[0]
    }

    /// Has a connection checked now, as somebody who asks for it does.
    pub async fn check_now(&self, connection: ConnectionId, platform: Platform) {
        self.poke(JobKind::Check, connection.uuid(), platform).await;
    }

    /// Wishes that a job runs now.
    pub async fn poke(&self, kind: JobKind, subject: uuid::Uuid, platform: Platform) {
        let at = self.now();
        let poke = Poke::Job {
            kind,
            subject,
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
        poked.expect("the job is asked for");
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
        for context in std::iter::once(&self.context).chain(&self.workers) {
            let (_by_hand, signals) = Signals::by_hand();
            context.lifecycle.stop();
            let drained = context
                .lifecycle
                .run(std::time::Duration::from_secs(20), signals, || {})
                .await;
            assert!(drained, "something did not stop");
            assert_eq!(context.lifecycle.failure(), None, "a component failed");
        }
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
