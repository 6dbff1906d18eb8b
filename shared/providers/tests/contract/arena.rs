//! Where a case happens: a simulator of its own, one connected account, and the adapter under test.

use std::{
    fmt::Debug,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use mooring_domain::{
    Failure, Platform, Time,
    connection::{AccountState, Observation},
    failure::RateScope,
    platform::{Lookup, Prepares},
    post::{Accepted, Content, Finding, MediaKind, Prepared, Seen, Sent},
    time::{from_ms, minutes},
};
use mooring_providers::{Access, Credentials, Draft, Lost, Provider, Registry};
use mooring_runtime::{Clock, Http, Metrics, config::HttpConfig};
use mooring_simulator::{Admin, FaultKind, Limits, Options, RunningSimulator, SimClock, Simulator};
use serde_json::Value;
use url::Url;

use crate::{
    ground::{Ground, Only, Simulated},
    hooks::Provoked,
    media,
};

pub(crate) use crate::checks::*;

/// 2026-11-23T15:00:00Z: when every case begins.
const START_MS: i64 = 1_795_446_000_000;

/// How a case ended.
pub(crate) enum Passed {
    /// It holds.
    Yes,
    /// It cannot apply to the platform, and this is why.
    Cannot(&'static str),
}

/// What a scene answers that was never asked; a hole in the table.
pub(crate) const NOBODY_SAYS: &str = "the scene does not say";

/// A case's end, or what is wrong.
pub(crate) type Verdict = Result<Passed, String>;

/// Something that happens to an account at the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The publishing token's time is over.
    Expire,
    /// The user takes the credential back.
    Revoke,
    /// The user changes the password.
    ChangePassword,
    /// A permission is taken away.
    DropScope,
    /// The user loses the role on the destination.
    LoseRole,
    /// The user must pass a checkpoint.
    Checkpoint,
    /// The destination is taken down.
    Suspend,
    /// The destination is hidden from the public.
    Hide,
}

/// Where an act can be seen, and as what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shown {
    /// A check sees a dead token.
    Token(Failure),
    /// A check sees the account in this state.
    Account(AccountState),
    /// A check sees that this permission is missing.
    Scope(&'static str),
    /// A check sees nothing; the next refresh fails with this.
    Refresh(Failure),
    /// A check sees nothing; the next publish fails with this.
    Publish(Failure),
    /// The platform has no such thing.
    Nowhere(&'static str),
}

/// What a person gives who declines a permission, and its name; or why nobody can.
pub(crate) type Declining<'a> =
    Pin<Box<dyn Future<Output = Result<(Credentials, String), &'static str>> + Send + 'a>>;

/// What the suite has to know about a platform.
pub(crate) trait Scene: Send + Sync {
    fn platform(&self) -> Platform;
    fn simulated(&self) -> mooring_simulator::Platform;
    /// The account's id in fault rules and in the ledger.
    fn account(&self) -> String;
    /// A connection's access, as the store would hand it out.
    fn access(&self) -> Access;
    /// The same destination with the tokens of somebody else.
    fn strangers_access(&self) -> Access;
    /// Everything that must never be traced.
    fn secrets(&self) -> Vec<String>;
    /// What a person gives to connect. `http` is for the person's browser.
    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>>;
    /// Credentials that do not work.
    fn wrong_credentials(&self) -> Credentials;
    /// Lets something happen, and says where it shows.
    fn act(&self, act: Act) -> Shown;
    /// A text that is one character too long.
    fn too_long(&self) -> String;
    /// What a person gives who declines one permission, and which; or why there is no such thing.
    fn declining<'a>(&'a self, _http: &'a Http, _provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async { Err(NOBODY_SAYS) })
    }
    /// Makes the platform's next work on media fail, or says why it has none.
    fn spoil_media(&self) -> Result<(), &'static str> {
        Err(NOBODY_SAYS)
    }
    /// Sets a callback and makes the platform send something there: one entry per delivery, in their order.
    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        Err(NOBODY_SAYS)
    }
    /// Whether the platform signs what it sends; else it shows a word that was agreed on.
    fn signs_body(&self) -> bool {
        true
    }
    /// Whether the platform's signatures cover a time.
    fn signs_time(&self) -> bool {
        false
    }
    /// Whether a token publishes for its owner whatever destination is meant, so that only a check can tell.
    fn token_is_the_destination(&self) -> bool {
        false
    }
    /// Makes sure that the platform refuses a repetition; why not, where it takes the same post twice.
    fn refuse_twins(&self) -> Result<(), &'static str> {
        Ok(())
    }
    /// When the refresh token of a renewed grant ends, by the platform's row; `counted_from` is where its life begins.
    fn refresh_end(&self, counted_from: Time) -> Option<Time> {
        let life = self.platform().capabilities().refresh_lifetime;
        life.map(|life| counted_from + life)
    }
    /// Whether the platform has a call that gives a credential back.
    fn revokes(&self) -> bool {
        true
    }
    /// Sets the platform's limits so that one more post is within and the next is over one of these; why not, where
    /// the platform counts nothing of the kind.
    fn one_more(&self, admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        let mut limits = Limits::default();
        match whose {
            RateScope::Account => {
                limits.facebook_page_calls_per_day = Some(1);
                limits.bluesky_write_points_per_hour = Some(2);
            }
            RateScope::App | RateScope::Provider => {
                limits.facebook_app_calls_per_hour = Some(1);
                limits.bluesky_requests_per_5min = Some(1);
            }
        }
        admin.set_limits(limits);
        Ok(())
    }
    /// Whether a refusal of one call too many says when it ends; why not.
    fn tells_reset(&self) -> Result<(), &'static str> {
        Ok(())
    }
    /// What its usual post shows, where words alone are no post.
    fn usual_kind(&self) -> MediaKind {
        if self.platform().capabilities().formats[0].images.max > 0 {
            MediaKind::Image
        } else {
            MediaKind::Video
        }
    }
    /// After how long a signature that covers a time is out of date.
    fn signature_life(&self) -> Duration {
        Duration::from_hours(1)
    }
    /// Until when a refusal of one call too many holds, when the fault says `for_so_long`.
    fn limited_until(&self, now: Time, for_so_long: TimeDelta) -> Time {
        now + for_so_long
    }
}

/// One case's world.
pub(crate) struct Arena {
    pub(crate) admin: Only<Admin>,
    pub(crate) clock: Only<SimClock>,
    pub(crate) http: Http,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) scene: Box<dyn Scene>,
    pub(crate) ground: Arc<dyn Ground>,
    /// The last order that the platform took.
    handle: Mutex<Option<String>>,
    /// Dropping it ends the server.
    simulator: Only<RunningSimulator>,
}

impl Arena {
    pub(crate) async fn new(platform: Platform) -> Self {
        let clock = SimClock::manual(START_MS);
        let options = Options {
            clock: clock.clone(),
            ..Options::default()
        };
        let simulator = Simulator::start(options)
            .await
            .expect("a simulator on a free port");
        let admin = simulator.admin();
        let scene = scene(platform, admin.clone());
        let ground = Simulated {
            admin: admin.clone(),
            clock: clock.clone(),
            address: simulator.address().to_string(),
            base: Url::parse(&simulator.base_url()).expect("a URL"),
        };
        let adapter = Adapter::on(&ground, platform);
        let mut arena = Self::of(Arc::new(ground), adapter, scene);
        arena.admin = Only(Some(admin));
        arena.clock = Only(Some(clock));
        arena.simulator = Only(Some(simulator));
        arena
    }

    /// On any ground.
    pub(crate) fn of(ground: Arc<dyn Ground>, adapter: Adapter, scene: Box<dyn Scene>) -> Self {
        remember(scene.secrets());
        Self {
            admin: Only(None),
            clock: Only(None),
            http: adapter.http,
            provider: adapter.provider,
            scene,
            ground,
            handle: Mutex::new(None),
            simulator: Only(None),
        }
    }

    /// Where the simulated hub takes subscriptions.
    pub(crate) fn subscribe_url(&self) -> Url {
        let site = self.simulator.site_url("youtube");
        Url::parse(&format!("{site}/subscribe")).expect("a URL")
    }
    /// Host and port of the platform.
    pub(crate) fn address(&self) -> String {
        self.ground.address()
    }
    /// The simulator's address.
    pub(crate) fn base_url(&self) -> String {
        self.simulator.base_url()
    }

    pub(crate) fn now(&self) -> Time {
        self.ground.clock().now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.ground.advance(by);
    }

    /// Puts a fault on the next calls of this kind; the arena has no other caller.
    pub(crate) fn fault(&self, operation: &str, kind: FaultKind, times: u64) {
        self.ground.fault(&*self.scene, operation, kind, times);
    }

    pub(crate) fn draft(&self, text: &str) -> Draft {
        Draft {
            content: Content::text(text),
            reference: self.provider.reference(self.now(), 7),
            created_at: self.now(),
            send_by: self.now() + minutes(1),
            media: Vec::new(),
            prepared: None,
        }
    }

    pub(crate) async fn check(&self) -> Result<Observation, Failure> {
        self.provider.check(&self.scene.access(), true).await
    }

    /// Prepares where the platform wants it, sends once, and follows an order until it is a post. The clock moves
    /// while the platform works.
    pub(crate) async fn publish(&self, draft: &Draft) -> Result<Accepted, Failure> {
        let draft = self.ready(draft.clone()).await?;
        match self.provider.publish(&self.scene.access(), &draft).await? {
            Sent::Accepted(accepted) => Ok(accepted),
            Sent::Processing { handle } => {
                *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
                self.follow(&draft).await
            }
        }
    }

    /// The draft with what its steps before the one that publishes bring.
    pub(crate) async fn ready(&self, mut draft: Draft) -> Result<Draft, Failure> {
        if draft.prepared.is_none() {
            let begun = self.now();
            draft.prepared = self.prepare(&draft).await?;
            // What the steps before took does not count against the send.
            draft.send_by += self.now() - begun;
        }
        Ok(draft)
    }

    /// What the steps before the one that publishes bring; `None` where there are none.
    async fn prepare(&self, draft: &Draft) -> Result<Option<Value>, Failure> {
        let needed = match self.scene.platform().capabilities().prepares {
            Prepares::Never => false,
            Prepares::Media => !draft.media.is_empty(),
            Prepares::Always => true,
        };
        if !needed {
            return Ok(None);
        }
        let mut so_far = None;
        for _ in 0..60 {
            let access = self.scene.access();
            match self
                .provider
                .prepare(&access, draft, so_far.as_ref())
                .await?
            {
                Prepared::Ready(state) => return Ok(Some(state)),
                Prepared::Pending { state, again } => {
                    so_far = Some(state);
                    self.advance(again.to_std().unwrap_or_default() + Duration::from_secs(1));
                }
            }
        }
        Err(Failure::MediaProcessing)
    }

    async fn follow(&self, draft: &Draft) -> Result<Accepted, Failure> {
        let lost = self.lost(draft);
        for _ in 0..60 {
            match self.provider.find(&self.scene.access(), &lost).await? {
                Finding::Found(accepted) => return Ok(accepted),
                Finding::Refused(failure) => return Err(failure),
                Finding::Processing | Finding::Absent | Finding::Unlisted | Finding::Unsure => {
                    self.advance(Duration::from_secs(5));
                }
            }
        }
        Err(Failure::MediaProcessing)
    }

    /// The words with what the platform's usual post needs: an image or a video where words alone are no post.
    pub(crate) fn usual(&self, text: &str) -> Draft {
        let row = &self.scene.platform().capabilities().formats[0];
        let mut draft = self.draft(text);
        if row.text_only {
            return draft;
        }
        let kind = self.scene.usual_kind();
        draft.media = vec![media::attachment(self.scene.platform(), kind)];
        draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
        draft
    }

    /// How a draft that was sent would be looked for. Its preparation travels with it: use [`Self::ready`] first.
    pub(crate) fn lost(&self, draft: &Draft) -> Lost {
        Lost {
            reference: draft.reference.clone(),
            handle: self
                .handle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            prepared: draft.prepared.clone(),
            content: draft.content.clone(),
            not_before: draft.created_at,
            owned: Vec::new(),
        }
    }

    /// Lets the time pass after which a look-up is sure to show what was published.
    pub(crate) fn settle(&self) {
        let settle = self.scene.platform().capabilities().settle;
        self.advance(settle.to_std().unwrap_or_default());
    }

    /// What a look for a lost post brings at most: nothing, where the platform lets nobody look.
    pub(crate) fn findable(&self, finding: Finding) -> Finding {
        match self.scene.platform().capabilities().lookup {
            Lookup::Nothing => Finding::Unsure,
            Lookup::Key | Lookup::Handle | Lookup::Recent => finding,
        }
    }

    /// What reading a post back brings at most.
    pub(crate) fn readable(&self, seen: Seen) -> Seen {
        if self.scene.platform().capabilities().reads_back {
            seen
        } else {
            Seen::Unverifiable
        }
    }

    /// How many posts of the account were ever made.
    pub(crate) fn made(&self) -> usize {
        self.ground.made(&*self.scene)
    }

    /// Whether a moment is the expected one.
    pub(crate) fn is_at(&self, got: Option<Time>, wanted: Option<Time>) -> bool {
        match (got, wanted) {
            (Some(got), Some(wanted)) => (got - wanted).abs() <= self.ground.tolerance(),
            (got, wanted) => got == wanted,
        }
    }
}

/// An adapter and its way out.
pub(crate) struct Adapter {
    pub(crate) http: Http,
    pub(crate) provider: Arc<dyn Provider>,
}

impl Adapter {
    pub(crate) fn on(ground: &dyn Ground, platform: Platform) -> Self {
        let clock = ground.clock();
        let http = http_by(&clock);
        let registry = Registry::new(&http, &clock, &ground.urls());
        let provider = Arc::clone(registry.of(platform));
        Self { http, provider }
    }
}

fn scene(platform: Platform, admin: Admin) -> Box<dyn Scene> {
    match platform {
        Platform::Facebook => Box::new(crate::facebook::Facebook::new(admin)),
        Platform::Bluesky => Box::new(crate::bluesky::Bluesky::new(admin)),
        Platform::Instagram | Platform::Threads => {
            Box::new(crate::meta::Meta::new(admin, platform))
        }
        Platform::InstagramFacebook => Box::new(crate::meta::ByFacebook::new(admin)),
        Platform::BlueskyOAuth => Box::new(crate::bluesky_oauth::BlueskyOAuth::new(admin)),
        Platform::X => Box::new(crate::x::X::new(admin)),
        Platform::YouTube => Box::new(crate::youtube::Youtube::new(admin)),
        Platform::TikTok => Box::new(crate::tiktok::TikTok::new(admin)),
        Platform::Mastodon => Box::new(crate::mastodon::Mastodon::new(admin)),
        Platform::Telegram => Box::new(crate::telegram::Telegram::new(admin)),
        Platform::LinkedIn | Platform::LinkedInPage => {
            Box::new(crate::linkedin::LinkedIn::new(platform, admin))
        }
    }
}

/// The simulator's time as the house's clock.
struct SimTime(SimClock);

impl Clock for SimTime {
    fn now(&self) -> Time {
        from_ms(self.0.now_ms())
    }

    fn simulated(&self) -> bool {
        true
    }
}

pub(crate) fn shared(clock: &SimClock) -> Arc<dyn Clock> {
    Arc::new(SimTime(clock.clone()))
}

pub(crate) fn http(clock: &SimClock) -> Http {
    http_by(&shared(clock))
}

pub(crate) fn http_by(clock: &Arc<dyn Clock>) -> Http {
    mooring_runtime::boot::install_tls();
    let config = HttpConfig {
        allow_private_addresses: true,
        ..HttpConfig::default()
    };
    Http::new(&config, Arc::clone(clock), Arc::new(Metrics::new("test"))).expect("an HTTP client")
}
