//! Where a case happens: a simulator of its own, one connected account, and the adapter under test.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mooring_domain::{
    Failure, Platform, Time,
    connection::{AccountState, Observation},
    post::{Accepted, Content},
    time::{from_ms, minutes},
};
use mooring_providers::{
    Access, BaseUrls, Connected, Credentials, Draft, Lost, NewTokens, Provider, Registry,
};
use mooring_runtime::{Clock, Http, Metrics, config::HttpConfig};
use mooring_simulator::{Admin, Fault, FaultKind, Options, RunningSimulator, SimClock, Simulator};
use url::Url;

/// 2026-11-23T15:00:00Z: when every case begins.
const START_MS: i64 = 1_795_446_000_000;

/// How a case ended.
pub(crate) enum Passed {
    /// It holds.
    Yes,
    /// It cannot apply to the platform, and this is why.
    Cannot(&'static str),
}

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
    ) -> std::pin::Pin<Box<dyn Future<Output = Credentials> + Send + 'a>>;
    /// Credentials that do not work.
    fn wrong_credentials(&self) -> Credentials;
    /// Lets something happen, and says where it shows.
    fn act(&self, act: Act) -> Shown;
    /// A text that is one character too long.
    fn too_long(&self) -> String;
}

/// One case's world.
pub(crate) struct Arena {
    pub(crate) admin: Admin,
    pub(crate) clock: SimClock,
    pub(crate) http: Http,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) scene: Box<dyn Scene>,
    /// Never read: dropping it ends the server.
    _simulator: RunningSimulator,
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
        remember(scene.secrets());
        let http = http(&clock);
        let urls = BaseUrls {
            facebook: Url::parse(&simulator.facebook_url()).expect("a URL"),
            facebook_dialog: Url::parse(&simulator.facebook_url()).expect("a URL"),
            bluesky: Url::parse(&simulator.bluesky_url()).expect("a URL"),
            ..BaseUrls::default()
        };
        let registry = Registry::new(&http, &shared(&clock), &urls);
        let provider = Arc::clone(registry.of(platform));
        Self {
            admin,
            clock,
            http,
            provider,
            scene,
            _simulator: simulator,
        }
    }

    pub(crate) fn now(&self) -> Time {
        from_ms(self.clock.now_ms())
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by).expect("a manual clock");
    }

    /// Puts a fault on the next calls of this kind; the arena has no other caller.
    pub(crate) fn fault(&self, operation: &str, kind: FaultKind, times: u64) {
        let fault = Fault::new(self.scene.simulated(), operation, kind);
        self.admin
            .add_fault(fault.times(times))
            .expect("a fault rule");
    }

    pub(crate) fn draft(&self, text: &str) -> Draft {
        Draft {
            content: Content {
                text: text.to_owned(),
                link: None,
            },
            reference: self.provider.reference(self.now(), 7),
            created_at: self.now(),
            send_by: self.now() + minutes(1),
        }
    }

    pub(crate) async fn check(&self) -> Result<Observation, Failure> {
        self.provider.check(&self.scene.access(), true).await
    }

    pub(crate) async fn publish(&self, draft: &Draft) -> Result<Accepted, Failure> {
        self.provider.publish(&self.scene.access(), draft).await
    }

    /// Looks for a draft that was sent at the present time.
    pub(crate) fn lost(draft: &Draft) -> Lost {
        Lost {
            reference: draft.reference.clone(),
            content: draft.content.clone(),
            not_before: draft.created_at,
            owned: Vec::new(),
        }
    }

    /// How many posts of the account were ever made.
    pub(crate) fn made(&self) -> usize {
        let account = Some(self.scene.account());
        self.admin
            .ledger(&mooring_simulator::LedgerFilter {
                account,
                ..Default::default()
            })
            .len()
    }
}

fn scene(platform: Platform, admin: Admin) -> Box<dyn Scene> {
    match platform {
        Platform::Facebook => Box::new(crate::facebook::Facebook::new(admin)),
        Platform::Bluesky => Box::new(crate::bluesky::Bluesky::new(admin)),
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
    mooring_runtime::boot::install_tls();
    let config = HttpConfig {
        allow_private_addresses: true,
        ..HttpConfig::default()
    };
    Http::new(&config, shared(clock), Arc::new(Metrics::new("test"))).expect("an HTTP client")
}

static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes secrets that must not be found in what was traced.
pub(crate) fn remember(secrets: impl IntoIterator<Item = String>) {
    SECRETS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(secrets);
}

pub(crate) fn remember_connected(connected: &Connected) {
    remember([connected.grant_token.expose().to_owned()]);
    remember(
        connected
            .refresh_token
            .iter()
            .map(|token| token.expose().to_owned()),
    );
    let tokens = connected
        .destinations
        .iter()
        .filter_map(|destination| destination.token.as_ref());
    remember(tokens.map(|token| token.expose().to_owned()));
}

pub(crate) fn remember_new(tokens: &NewTokens) {
    remember([tokens.access.expose().to_owned()]);
    remember(tokens.refresh.iter().map(|token| token.expose().to_owned()));
}

/// Every secret that any case has used.
pub(crate) fn secrets() -> Vec<String> {
    SECRETS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Complains when two values differ.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, wanted {wanted:?}"))
    }
}

/// Complains when something does not hold.
pub(crate) fn holds(what: &str, it_does: bool, seen: &dyn Debug) -> Result<(), String> {
    if it_does {
        Ok(())
    } else {
        Err(format!("{what}: got {seen:?}"))
    }
}

/// The value, or a complaint about a failure that should not be.
pub(crate) fn works<T>(what: &str, result: Result<T, Failure>) -> Result<T, String> {
    result.map_err(|failure| format!("{what}: failed with {failure}"))
}
