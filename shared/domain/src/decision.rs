//! What a job or an act has decided: everything that the store then writes in one transaction.

use crate::{
    event::Event,
    failure::Failure,
    grant::Renewed,
    id::{AttemptId, ConnectionId, GrantId},
    job::JobKind,
    platform::Platform,
    post::Accepted,
    time::Time,
};

pub use crate::{
    change::{Change, NativePost, NewConnection, NewsCame},
    post::plan::{Due, NewPost, PostEdit, PublishAgain},
};

/// The whole outcome of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Facts. Written whatever the fence says: what happened, happened.
    pub evidence: Vec<Evidence>,
    /// Changes of state, guarded by the fence.
    pub changes: Vec<Change>,
    /// The stream entries that go with the changes; [`Evidence`] brings its own.
    pub events: Vec<Event>,
    /// Other jobs to create or to wake.
    pub pokes: Vec<Poke>,
    /// What becomes of the job itself.
    pub next: Next,
    /// How the run went, for `job_runs` and metrics.
    pub outcome: Outcome,
}

impl Decision {
    /// A decision that so far only says what becomes of the job.
    #[must_use]
    pub fn new(next: Next, outcome: Outcome) -> Self {
        Self {
            evidence: Vec::new(),
            changes: Vec::new(),
            events: Vec::new(),
            pokes: Vec::new(),
            next,
            outcome,
        }
    }

    /// Adds a change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Adds a poke.
    #[must_use]
    pub fn poke(mut self, poke: Poke) -> Self {
        self.pokes.push(poke);
        self
    }
}

/// How a run went. Closed, because it is a metric label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was for.
    Success,
    /// There was nothing to do (any more).
    Nothing,
    /// It will be tried again by itself.
    Retry(Failure),
    /// It waits for something else (a refresh, a limit, a person).
    Waiting(ParkReason),
    /// It ended without success.
    Failed(Failure),
}

impl Outcome {
    /// The label.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Nothing => "nothing",
            Self::Retry(_) => "retry",
            Self::Waiting(_) => "waiting",
            Self::Failed(_) => "failed",
        }
    }

    /// The failure's class, where there is one.
    #[must_use]
    pub const fn error_class(&self) -> Option<&'static str> {
        match self {
            Self::Retry(failure) | Self::Failed(failure) => Some(failure.class()),
            Self::Success | Self::Nothing | Self::Waiting(_) => None,
        }
    }
}

/// What becomes of a job when its run is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The row is deleted, unless somebody wished for it meanwhile.
    Done,
    /// Due again at this time, as a fresh job: attempts start at zero.
    At(Time),
    /// Due again at this time, as the next attempt of the same piece of work.
    Retry(Time),
    /// Not claimable until then (`None` = until poked), as the same piece of work: attempts are kept.
    Park(Option<Time>, ParkReason),
}

/// Why a job does not run although it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkReason {
    /// Its token is being renewed; the refresh's apply pokes it.
    AwaitingRefresh,
    /// Its connection cannot publish; a check or a reconnect pokes it.
    AwaitingConnection,
    /// Another post went out on its connection a moment ago.
    Spacing,
    /// The platform asked for a pause. A poke does not end this one.
    RateLimited,
    /// It failed and waits before it tries again. A poke does not end this one either, or a hundred waiting
    /// posts would turn a back-off into a storm.
    BackingOff,
    /// The job's worker died too often. Only a person ends this one.
    Poison,
}

impl ParkReason {
    /// Whether somebody's wish may end the wait.
    #[must_use]
    pub const fn ends_by_a_wish(self) -> bool {
        matches!(self, Self::AwaitingRefresh | Self::AwaitingConnection)
    }

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingRefresh => "awaiting_refresh",
            Self::AwaitingConnection => "awaiting_connection",
            Self::Spacing => "spacing",
            Self::RateLimited => "rate_limited",
            Self::BackingOff => "backing_off",
            Self::Poison => "poison",
        }
    }
}

/// A wish for a job to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poke {
    /// Create the job, or make it due at the earlier of both times.
    Job {
        /// Which kind.
        kind: JobKind,
        /// About what.
        subject: uuid::Uuid,
        /// The platform it talks to.
        platform: Platform,
        /// When it should run.
        at: Time,
        /// Smaller is more urgent.
        priority: i16,
    },
    /// Create or wake a job of the house itself.
    House {
        /// Which kind.
        kind: JobKind,
        /// When it should run.
        at: Time,
    },
    /// Wake the publishes and read-backs that wait for this grant's refresh.
    WaitersOf(GrantId, Time),
    /// Wake the publishes that wait for this connection.
    PublishesOf(ConnectionId, Time),
    /// Look at every connection of this grant, apart from the one that this job is about.
    ChecksOf(GrantId, Time),
    /// Look at every connection of the workspace.
    EveryCheck(Time),
}

/// A fact about an attempt or a credential, written by its id, never fenced. Each brings its own event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The platform took the post.
    Accepted {
        /// The attempt.
        attempt: AttemptId,
        /// What the platform said.
        accepted: Accepted,
        /// When we learnt it.
        at: Time,
    },
    /// New tokens: stored only if the stored ones are those that were spent, whoever holds the job by now.
    /// The tokens themselves travel beside the decision.
    Renewed {
        /// The grant.
        grant: GrantId,
        /// The version whose refresh token was spent.
        spent_version: i64,
        /// What is known about the new ones.
        renewed: Renewed,
        /// When they came.
        at: Time,
    },
    /// The platform took the order and works on it; its call is over.
    Processing {
        /// The attempt.
        attempt: AttemptId,
        /// The platform's id for the order.
        handle: String,
        /// When we learnt it.
        at: Time,
    },
    /// The attempt's call is over: its bytes can no longer leave our process.
    CallEnded {
        /// The attempt.
        attempt: AttemptId,
        /// The answer's class, where there was one.
        failure: Option<Failure>,
        /// When.
        at: Time,
    },
}
