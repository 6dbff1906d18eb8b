//! A grant's connections against what the grant really reaches: kept, under another id, or gone.
//!
//! One list of destinations judges all connections of a grant. What the list does not show is believed to be gone only
//! at a second look, a minute later, and only while the grant has every permission that we need: a list may be short
//! for a moment, and is empty without the permission to read it.

use serde::{Deserialize, Serialize};

use crate::{
    connection::{AccountState, Assessment, Facts, Health, assess, check_poke},
    decision::{Change, Decision, Next, Outcome, ParkReason, Poke},
    event::Event,
    failure::Failure,
    grant::{self, AuthState, GrantFacts},
    id::{ConnectionId, GrantId},
    job::JobKind,
    platform::Platform,
    policy::Policy,
    retry::{Jitter, Schedule},
    time::{Time, minutes},
};

/// A grant as a survey job loads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyWork {
    /// The grant.
    pub grant: GrantId,
    /// Its platform.
    pub platform: Platform,
    /// Its facts.
    pub facts: GrantFacts,
    /// Its connections.
    pub known: Vec<Known>,
    /// Looks so far that showed something missing.
    pub attempt: u16,
}

/// A connection, as a survey knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// It.
    pub connection: ConnectionId,
    /// Its platform: one grant may reach destinations of several kinds.
    pub platform: Platform,
    /// Its id there.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// Its facts.
    pub facts: Facts,
    /// Its stored health, for events on change.
    pub health: Health,
}

/// A destination that the grant reaches now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// What it is.
    pub platform: Platform,
    /// Its id.
    pub remote_id: String,
    /// Its name.
    pub name: String,
    /// Whether the list brought a token of its own.
    pub has_token: bool,
    /// Whether the person's role there allows publishing.
    pub may_publish: bool,
}

/// What has become of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It is there.
    Kept,
    /// It is there under another id.
    Relinked {
        /// Its id now.
        remote_id: String,
    },
    /// It is not there any more.
    Gone {
        /// The health that follows.
        health: Assessment,
    },
}

/// What a survey does next.
#[derive(Debug, Clone, PartialEq)]
pub enum SurveyStep {
    /// Ask for the list.
    Look,
    /// Do not; this is the decision.
    Settled(Decision),
}

/// A list may be short for a moment: what is missing is looked for once more after this long.
const SECOND_LOOK: chrono::TimeDelta = minutes(1);

/// Where each connection is in the list: `Some` = this entry of it, by id or, where the id is gone, by a name that
/// nothing else has.
#[must_use]
pub fn compare(known: &[Known], live: &[Live]) -> Vec<Option<usize>> {
    let by_id = |one: &Known| {
        let same =
            |entry: &Live| entry.platform == one.platform && entry.remote_id == one.remote_id;
        live.iter().position(same)
    };
    let places: Vec<Option<usize>> = known.iter().map(by_id).collect();
    let left_over: Vec<usize> = (0..live.len())
        .filter(|index| !places.contains(&Some(*index)))
        .collect();
    let missing: Vec<&Known> = known
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none())
        .map(|(one, _)| one)
        .collect();
    let by_name = |one: &Known| {
        let named = |name: &str, platform| name == one.name && platform == one.platform;
        let mut fitting = left_over
            .iter()
            .filter(|index| named(&live[**index].name, live[**index].platform));
        let only_entry = fitting.next().filter(|_| fitting.next().is_none())?;
        let rivals = missing
            .iter()
            .filter(|other| named(&other.name, other.platform));
        (rivals.count() == 1).then_some(*only_entry)
    };
    known
        .iter()
        .zip(&places)
        .map(|(one, place)| place.or_else(|| by_name(one)))
        .collect()
}

/// Decides whether to ask at all.
#[must_use]
pub fn before_survey(work: &SurveyWork, policy: &Policy, now: Time, jitter: Jitter) -> SurveyStep {
    let settled = |next| SurveyStep::Settled(Decision::new(next, Outcome::Nothing));
    if work.known.is_empty() || !work.platform.capabilities().lists_destinations {
        return settled(Next::Done);
    }
    if work.facts.state != AuthState::Connected {
        return settled(regular(work, policy, now, jitter));
    }
    if work.facts.refresh_begun {
        return settled(Next::At(now + minutes(1)));
    }
    if work.facts.usable(now) {
        return SurveyStep::Look;
    }
    if !grant::can_refresh(&work.facts, work.platform, now) {
        return settled(regular(work, policy, now, jitter));
    }
    let refresh = grant::refresh_poke(work.grant, work.platform, now);
    let again = Decision::new(Next::At(now + minutes(2)), Outcome::Nothing);
    SurveyStep::Settled(again.poke(refresh))
}

/// Turns a grant's list of destinations into a decision.
#[must_use]
pub fn after_survey(
    work: &SurveyWork,
    list: Result<Vec<Live>, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let live = match list {
        Ok(live) => live,
        Err(failure) => return no_list(work, failure, policy, now, jitter),
    };
    let places = compare(&work.known, &live);
    let mut decision = Decision::new(regular(work, policy, now, jitter), Outcome::Success);
    let mut gone = Vec::new();
    let mut moved = Vec::new();
    for (one, place) in work.known.iter().zip(places) {
        match place.map(|index| &live[index]) {
            Some(entry) if entry.remote_id == one.remote_id => {
                decision = kept(decision, work, one, entry, now);
            }
            Some(entry) => moved.push((one, entry)),
            None => gone.push(one),
        }
    }
    let news = !moved.is_empty()
        || gone
            .iter()
            .any(|one| one.facts.account != Some(AccountState::Gone));
    if !news {
        return decision;
    }
    if work.attempt == 0 {
        // When all is missing, the second look is the one that tells, and it tells it once.
        let all = gone.len() == work.known.len();
        return doubt(decision, if all { Vec::new() } else { gone }, now);
    }
    let complete = work
        .known
        .iter()
        .all(|one| one.facts.scopes_missing.is_empty());
    if !complete {
        return decision;
    }
    let decision = moved.into_iter().fold(decision, |decision, (one, entry)| {
        relinked(decision, work, one, entry, now)
    });
    lost(decision, work, &gone, policy, now)
}

/// Something is missing: look once more before it is believed, and look at what is missing itself.
fn doubt(mut decision: Decision, gone: Vec<&Known>, now: Time) -> Decision {
    decision.next = Next::Retry(now + SECOND_LOOK);
    decision.outcome = Outcome::Retry(Failure::Indeterminate);
    gone.into_iter().fold(decision, |decision, one| {
        decision.poke(check_poke(one.connection, one.platform, now))
    })
}

fn kept(decision: Decision, work: &SurveyWork, one: &Known, entry: &Live, now: Time) -> Decision {
    let role_lost = one.facts.account == Some(AccountState::RoleLost);
    let back = one.facts.account == Some(AccountState::Gone);
    let decision = if back || role_lost == entry.may_publish {
        decision.poke(check_poke(one.connection, one.platform, now))
    } else {
        decision
    };
    if entry.has_token {
        decision.change(surveyed(work, one, Fate::Kept, now))
    } else {
        decision
    }
}

fn relinked(
    decision: Decision,
    work: &SurveyWork,
    one: &Known,
    entry: &Live,
    now: Time,
) -> Decision {
    let remote_id = entry.remote_id.clone();
    decision
        .change(surveyed(work, one, Fate::Relinked { remote_id }, now))
        .poke(check_poke(one.connection, one.platform, now))
}

/// What is gone is not connected. When all of it is, that is one piece of news, not one for each.
fn lost(
    mut decision: Decision,
    work: &SurveyWork,
    gone: &[&Known],
    policy: &Policy,
    now: Time,
) -> Decision {
    let all = gone.len() == work.known.len();
    for one in gone {
        if one.facts.account == Some(AccountState::Gone) {
            continue;
        }
        let facts = Facts {
            account: Some(AccountState::Gone),
            auth_state: AuthState::Revoked,
            checked_at: Some(now),
            ..one.facts.clone()
        };
        let health = assess(&facts, policy, now);
        if !all && health.health != one.health {
            decision = decision.event(Event::HealthChanged {
                connection: one.connection,
                from: one.health,
                to: health.health,
                reasons: health.reasons.iter().map(|r| r.code().to_owned()).collect(),
            });
        }
        decision = decision.change(surveyed(work, one, Fate::Gone { health }, now));
    }
    if all {
        decision = decision.event(Event::ProfileGone {
            grant: work.grant,
            connections: work.known.iter().map(|one| one.connection).collect(),
        });
    }
    decision
}

fn surveyed(work: &SurveyWork, one: &Known, fate: Fate, at: Time) -> Change {
    Change::Surveyed {
        connection: one.connection,
        grant: work.grant,
        token_version: work.facts.token_version,
        fate,
        at,
    }
}

/// Without a list nothing is known. A credential that seems dead is the checks' to judge.
fn no_list(
    work: &SurveyWork,
    failure: Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    if let Failure::RateLimited { until, .. } = failure {
        let until = Some(Schedule::pause(until, work.attempt.max(1), now, jitter));
        return Decision::new(
            Next::Park(until, ParkReason::RateLimited),
            Outcome::Retry(failure),
        );
    }
    if failure.is_transient() {
        // A fresh job: a failed look is no look that showed something missing.
        let again = now + jitter.spread(policy.check_soon, 50);
        return Decision::new(Next::At(again), Outcome::Retry(failure));
    }
    let next = regular(work, policy, now, jitter);
    Decision::new(next, Outcome::Failed(failure)).poke(Poke::ChecksOf(work.grant, now))
}

/// The next survey: daily, and only on demand where asking costs money.
fn regular(work: &SurveyWork, policy: &Policy, now: Time, jitter: Jitter) -> Next {
    let every = policy.survey_every;
    let at = now + every - jitter.spread(every / 10, 100);
    first_survey(work.platform, policy, now).map_or(Next::Done, |_| Next::At(at))
}

/// When a fresh grant is first surveyed without being asked for; `None` where it is not.
#[must_use]
pub fn first_survey(platform: Platform, policy: &Policy, now: Time) -> Option<Time> {
    surveyed_daily(platform).then(|| now + policy.survey_every)
}

/// Whether grants of a platform are surveyed without being asked for: where there is a list, and asking is free.
#[must_use]
pub fn surveyed_daily(platform: Platform) -> bool {
    let row = platform.capabilities();
    row.lists_destinations && row.paid_probe_every.is_none()
}

/// The survey job's poke for a grant.
#[must_use]
pub fn survey_poke(grant: GrantId, platform: Platform, at: Time) -> Poke {
    Poke::Job {
        kind: JobKind::Survey,
        subject: grant.uuid(),
        platform,
        at,
        priority: 600,
    }
}

#[cfg(test)]
#[path = "survey_test.rs"]
mod tests;
