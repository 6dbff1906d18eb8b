//! What platforms tell us on their own, and what follows from it.
//!
//! News is a wish to look sooner, and its end is decided by the look. Two things are more than that: that an order of ours
//! has become a post is evidence of its acceptance, and a person's wish to have their data deleted is an order. So the news
//! may come late, twice, in any order or not at all, and the books end the same (docs/adr/0021).

use serde::{Deserialize, Serialize};

use crate::{
    connection::check_poke,
    decision::{Change, Decision, Evidence, Next, Outcome, Poke},
    event::Event,
    failure::Failure,
    id::{AttemptId, ConnectionId, GrantId, NewsId, TargetId},
    job::JobKind,
    platform::Platform,
    policy::Policy,
    post::Accepted,
    survey::{first_survey, survey_poke},
    time::{Time, minutes},
};

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// About whom: a destination's or a provider user's id at the platform.
    pub account: String,
    /// What.
    pub what: NewsKind,
    /// When it happened, where the platform says so.
    pub at: Option<Time>,
    /// The same for the same news told twice.
    pub key: String,
}

/// What a platform can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NewsKind {
    /// A post appeared, by us or by somebody else.
    PostAppeared {
        /// Its id.
        remote_id: String,
    },
    /// A post was changed.
    PostChanged {
        /// Its id.
        remote_id: String,
    },
    /// A post is gone.
    PostRemoved {
        /// Its id.
        remote_id: String,
    },
    /// An order that the platform worked on has become a post.
    OrderPublished {
        /// The order.
        handle: String,
        /// The post's id, where the news has it.
        remote_id: Option<String>,
    },
    /// An order has ended without a post.
    OrderFailed {
        /// The order.
        handle: String,
        /// Why.
        failure: Failure,
    },
    /// The credential was taken back.
    AccessRevoked,
    /// Permissions changed; a check tells which.
    PermissionsChanged,
    /// Something about the account changed; a check tells what.
    AccountChanged,
    /// A person wants their data deleted.
    DataDeletion {
        /// The code that we gave them.
        confirmation: String,
    },
}

impl NewsKind {
    /// The name in the database and in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::PostAppeared { .. } => "post_appeared",
            Self::PostChanged { .. } => "post_changed",
            Self::PostRemoved { .. } => "post_removed",
            Self::OrderPublished { .. } => "order_published",
            Self::OrderFailed { .. } => "order_failed",
            Self::AccessRevoked => "access_revoked",
            Self::PermissionsChanged => "permissions_changed",
            Self::AccountChanged => "account_changed",
            Self::DataDeletion { .. } => "data_deletion",
        }
    }

    /// The post that it names.
    #[must_use]
    pub fn remote_id(&self) -> Option<&str> {
        match self {
            Self::PostAppeared { remote_id }
            | Self::PostChanged { remote_id }
            | Self::PostRemoved { remote_id } => Some(remote_id),
            _ => None,
        }
    }

    /// The order that it names.
    #[must_use]
    pub fn handle(&self) -> Option<&str> {
        match self {
            Self::OrderPublished { handle, .. } | Self::OrderFailed { handle, .. } => Some(handle),
            _ => None,
        }
    }

    /// The code by which a person follows a deletion.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::DataDeletion { confirmation } => Some(confirmation),
            _ => None,
        }
    }
}

/// A connection that news is about: the destination itself, or one behind the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The connection.
    pub connection: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// Its grant.
    pub grant: GrantId,
    /// The way in by which the grant came.
    pub way: Platform,
    /// Whether the news is about the person behind the grant.
    pub personal: bool,
}

/// An attempt that news names by its order or its post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedAttempt {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its target.
    pub target: TargetId,
    /// Its platform.
    pub platform: Platform,
    /// Whether the platform took it, as far as we know.
    pub accepted: bool,
}

/// An attempt on the same account whose outcome nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DanglingAttempt {
    /// Its target.
    pub target: TargetId,
    /// Its platform.
    pub platform: Platform,
    /// When it began.
    pub begun_at: Time,
    /// How often it was looked for.
    pub looks: u16,
}

/// News as its job loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsWork {
    /// Its row in the inbox.
    pub id: NewsId,
    /// What was told.
    pub what: NewsKind,
    /// When it happened, where the platform says so.
    pub at: Option<Time>,
    /// Whether it was merged before.
    pub merged: bool,
    /// What of this workspace it is about.
    pub told: Vec<Told>,
    /// The attempts that it names.
    pub named: Vec<NamedAttempt>,
    /// What dangles on these connections.
    pub dangling: Vec<DanglingAttempt>,
}

/// Looks that news about somebody's posts may cause per attempt: the later ones are left to the resolver's own times, or a
/// lively page would use them up.
const LOOKS_BY_NEWS: u16 = 3;

/// Turns news into a decision.
#[must_use]
pub fn after_news(work: &NewsWork, policy: &Policy, now: Time) -> Decision {
    if work.merged {
        return Decision::new(Next::Done, Outcome::Nothing);
    }
    let decision = Decision::new(Next::Done, Outcome::Success).change(Change::NewsMerged {
        news: work.id,
        at: now,
    });
    match &work.what {
        NewsKind::PostAppeared { .. } if !work.named.is_empty() => decision,
        NewsKind::PostAppeared { .. } => appeared(decision, work, policy, now),
        NewsKind::PostChanged { .. } | NewsKind::PostRemoved { .. } => {
            work.named.iter().fold(decision, |decision, one| {
                decision.poke(verify_poke(one.attempt, one.platform, now))
            })
        }
        NewsKind::OrderPublished {
            remote_id: Some(remote_id),
            ..
        } => work.named.iter().fold(decision, |decision, one| {
            decision.evidence(Evidence::Accepted {
                attempt: one.attempt,
                accepted: Accepted {
                    remote_id: remote_id.clone(),
                    permalink: None,
                },
                at: now,
            })
        }),
        // The platform's own word on the order is asked for: the resolver's rule settles it.
        NewsKind::OrderPublished {
            remote_id: None, ..
        }
        | NewsKind::OrderFailed { .. } => work
            .named
            .iter()
            .filter(|one| !one.accepted)
            .fold(decision, |decision, one| {
                decision.poke(look_poke(one.target, one.platform, now))
            }),
        NewsKind::AccessRevoked | NewsKind::PermissionsChanged | NewsKind::AccountChanged => {
            look_at_accounts(decision, work, policy, now)
        }
        NewsKind::DataDeletion { .. } => deleted(decision, work),
    }
}

/// A post that nobody of ours owns has appeared: it may be one that we are looking for.
fn appeared(decision: Decision, work: &NewsWork, policy: &Policy, now: Time) -> Decision {
    let could_be = |one: &&DanglingAttempt| {
        let late_enough = work
            .at
            .is_none_or(|at| at + policy.clock_margin + minutes(1) >= one.begun_at);
        late_enough && one.looks < LOOKS_BY_NEWS
    };
    work.dangling
        .iter()
        .filter(could_be)
        .fold(decision, |decision, one| {
            decision.poke(look_poke(one.target, one.platform, now))
        })
}

/// The credential is probed anew, whoever did so a moment ago, and each connection looked at; where the platform lists what
/// a grant reaches, that is compared, too.
fn look_at_accounts(
    mut decision: Decision,
    work: &NewsWork,
    policy: &Policy,
    now: Time,
) -> Decision {
    let mut grants = Vec::new();
    for one in &work.told {
        decision = decision.poke(check_poke(one.connection, one.platform, now));
        if grants.contains(&one.grant) {
            continue;
        }
        grants.push(one.grant);
        decision = decision.change(Change::ProbeWanted { grant: one.grant });
        if first_survey(one.way, policy, now).is_some() {
            decision = decision.poke(survey_poke(one.grant, one.way, now));
        }
    }
    decision
}

/// The connections were let go before this; here it is said that they are.
fn deleted(decision: Decision, work: &NewsWork) -> Decision {
    decision.event(Event::DataDeleted {
        news: work.id,
        connections: erased(work),
    })
}

/// The connections that end with a person's data: those behind their grants.
#[must_use]
pub fn erased(work: &NewsWork) -> Vec<ConnectionId> {
    if work.merged || !matches!(work.what, NewsKind::DataDeletion { .. }) {
        return Vec::new();
    }
    let personal = work.told.iter().filter(|one| one.personal);
    personal.map(|one| one.connection).collect()
}

/// A wish to merge news now.
#[must_use]
pub fn news_poke(news: NewsId, platform: Platform, now: Time) -> Poke {
    Poke::Job {
        kind: JobKind::News,
        subject: news.uuid(),
        platform,
        at: now,
        priority: 100,
    }
}

/// A wish to read an accepted post back now.
#[must_use]
pub fn verify_poke(attempt: AttemptId, platform: Platform, now: Time) -> Poke {
    Poke::Job {
        kind: JobKind::Verify,
        subject: attempt.uuid(),
        platform,
        at: now,
        priority: 200,
    }
}

/// A wish to look for what dangles now.
#[must_use]
pub fn look_poke(target: TargetId, platform: Platform, now: Time) -> Poke {
    Poke::Job {
        kind: JobKind::Publish,
        subject: target.uuid(),
        platform,
        at: now,
        priority: 100,
    }
}

#[cfg(test)]
#[path = "news_test.rs"]
mod tests;
