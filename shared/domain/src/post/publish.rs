//! Bringing a target to its platform: once in effect, whatever is lost on the way.
//!
//! Two rules carry everything here. An error answer is a claim, not a proof: unless no byte left us, a post
//! is looked for before anything is concluded. And *absent* is believed only when no byte of the attempt can
//! bring the post about any more.

use chrono::TimeDelta;

use crate::{
    connection::{AccountState, check_poke, life::CONNECTION_REMOVED},
    decision::{Change, Decision, Evidence, Next, Outcome, ParkReason, Poke},
    event::Event,
    failure::Failure,
    grant::{self, AuthState, GrantFacts},
    id::{ConnectionId, GrantId, TargetId},
    platform::{ContentRefused, Lookup, Platform, Prepares, PublishKey},
    policy::Policy,
    post::{Accepted, AttemptFacts, Preparation, Progress, Sent, Settlement, Spacing, Stage, Twin},
    retry::{Jitter, Schedule},
    time::{Time, minutes, seconds},
};

/// A target as a publish job loads it.
#[expect(clippy::struct_excessive_bools, reason = "facts that are true or not")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishWork {
    /// The target.
    pub target: TargetId,
    /// Where it goes.
    pub connection: ConnectionId,
    /// A person has disconnected it: nothing is sent any more.
    pub removed: bool,
    /// The platform.
    pub platform: Platform,
    /// How far it has come.
    pub progress: Progress,
    /// When it is due.
    pub due: Time,
    /// How late it may begin, where its post says so; else the policy does.
    pub max_lateness: Option<TimeDelta>,
    /// What it must know of the others on its connection.
    pub spacing: Spacing,
    /// The connection's grant.
    pub grant_id: GrantId,
    /// The grant's facts.
    pub grant: GrantFacts,
    /// Where the destination stands, as far as known.
    pub account: Option<AccountState>,
    /// Required permissions are missing.
    pub scopes_missing: bool,
    /// The account, the person's role there or a declined permission does not allow this post.
    pub right_off: bool,
    /// Why the account does not take this content, by what the newest look told: it may take less than when the post was
    /// scheduled.
    pub beyond: Option<ContentRefused>,
    /// Attempts of this edition, oldest first.
    pub attempts: Vec<AttemptFacts>,
    /// Attempts of other targets of the same connection with the same text that dangle.
    pub twins: Vec<Twin>,
    /// Failed tries of this job so far.
    pub attempt: u16,
    /// Which revision of the content this is about.
    pub revision: i32,
    /// Whether it shows images or videos.
    pub has_media: bool,
    /// How far its preparation has come, for this revision.
    pub preparation: Option<Preparation>,
}

impl PublishWork {
    /// The attempt whose outcome is not settled, if any.
    #[must_use]
    pub fn dangling(&self) -> Option<&AttemptFacts> {
        self.attempts
            .iter()
            .find(|attempt| attempt.settlement.is_none())
    }

    /// Whether a send now and a twin's post could be taken for each other.
    fn twin_bars_sending(&self) -> bool {
        let keyed = self.platform.capabilities().publish_key == PublishKey::Ours;
        self.twins.iter().any(|twin| !(keyed && twin.keyed))
    }

    /// Whether our own key tells this attempt's post from every other.
    fn is_keyed(&self, attempt: &AttemptFacts) -> bool {
        let ours = self.platform.capabilities().publish_key == PublishKey::Ours;
        ours && attempt.reference.is_some()
    }

    /// Whether what a look for this attempt finds may be a twin's.
    pub(super) fn is_obscured(&self, attempt: &AttemptFacts) -> bool {
        let told_apart = self.is_keyed(attempt) || attempt.handle.is_some();
        !told_apart && self.twins.iter().any(|twin| twin.obscures(attempt))
    }

    /// Whether sending once more has at most one effect, whoever may still be sending.
    pub(super) fn is_repeatable(&self, attempt: &AttemptFacts, now: Time) -> bool {
        match self.platform.capabilities().publish_key {
            PublishKey::Ours => attempt.reference.is_some(),
            // The key is the first attempt's, and so is the time for which the platform keeps it.
            PublishKey::Idempotent(kept) => {
                let first = self.attempts.iter().find(|one| one.reference.is_some());
                first.is_some_and(|first| now + KEY_MARGIN < first.begun_at + kept)
                    && attempt.reference.is_some()
            }
            PublishKey::Nothing => false,
        }
    }

    fn needs_preparation(&self) -> bool {
        let needed = match self.platform.capabilities().prepares {
            Prepares::Never => false,
            Prepares::Media => self.has_media,
            Prepares::Always => true,
        };
        needed && !self.preparation.as_ref().is_some_and(|one| one.ready)
    }

    pub(super) fn too_late(&self, policy: &Policy, now: Time) -> bool {
        now > self.due + self.max_lateness.unwrap_or(policy.max_lateness)
    }

    pub(super) fn deadline(&self, policy: &Policy) -> Time {
        self.due + self.max_lateness.unwrap_or(policy.max_lateness) + seconds(1)
    }
}

/// How long before its end a platform's memory of our key is no longer relied on.
const KEY_MARGIN: TimeDelta = minutes(5);

/// How long a post waits while another with the same words is on its way to the same place.
const TWIN_PAUSE: TimeDelta = seconds(15);

/// What a publish job does next.
#[derive(Debug, Clone, PartialEq)]
pub enum PublishStep {
    /// Do the next step before the one that publishes.
    Prepare,
    /// Begin a new attempt and send it.
    Send,
    /// Look for this attempt's post.
    Resolve(AttemptFacts),
    /// Neither; this is the decision.
    Settled(Decision),
}

/// Decides whether to send, to look, or to wait.
#[must_use]
pub fn before_publish(work: &PublishWork, policy: &Policy, now: Time) -> PublishStep {
    if work.progress.stage.is_settled() {
        return PublishStep::Settled(Decision::new(Next::Done, Outcome::Nothing));
    }
    if let Some(attempt) = work.dangling() {
        return PublishStep::Resolve(attempt.clone());
    }
    if work.removed {
        return PublishStep::Settled(removed(work));
    }
    if work.too_late(policy, now) {
        return PublishStep::Settled(missed(work, policy));
    }
    if now < work.due {
        return PublishStep::Settled(Decision::new(Next::At(work.due), Outcome::Nothing));
    }
    let barred = work.account.is_some_and(AccountState::bars_publishing);
    if work.grant.state != AuthState::Connected || barred || work.scopes_missing || work.right_off {
        let decision = await_connection(work, policy);
        return PublishStep::Settled(decision.poke(check_poke(
            work.connection,
            work.platform,
            now,
        )));
    }
    if work.beyond.is_some() {
        return PublishStep::Settled(super::beyond::beyond_the_account(work));
    }
    if !work.grant.usable(now) {
        return PublishStep::Settled(await_token(work, policy, now));
    }
    if work.twin_bars_sending() {
        // What a look finds could be either's; one after the other keeps them apart.
        let failure = Failure::Indeterminate;
        return PublishStep::Settled(Decision::new(
            Next::Retry(now + TWIN_PAUSE),
            Outcome::Retry(failure),
        ));
    }
    if work.needs_preparation() {
        return PublishStep::Prepare;
    }
    if let Some(turn) = work.spacing.wait(now) {
        // Not beyond its time: then it must be missed, loudly.
        let until = Some(turn.min(work.deadline(policy)));
        let waiting = Outcome::Waiting(ParkReason::Spacing);
        return PublishStep::Settled(Decision::new(
            Next::Park(until, ParkReason::Spacing),
            waiting,
        ));
    }
    PublishStep::Send
}

/// Turns the platform's answer to a send into a decision.
#[must_use]
pub fn after_send(
    work: &PublishWork,
    attempt: &AttemptFacts,
    answer: Result<Sent, Failure>,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let failure = match answer {
        Ok(Sent::Accepted(accepted)) => return accept(attempt, accepted, now),
        Ok(Sent::Processing { handle }) => return processing(work, attempt, handle, now),
        Err(failure) => failure,
    };
    let ended = Evidence::CallEnded {
        attempt: attempt.id,
        failure: Some(failure.clone()),
        at: now,
    };
    if failure == Failure::NotSent || believed(work.platform, &failure) {
        let settled = absent(work, attempt, &failure, policy, now, jitter).evidence(ended);
        return look_at_the_account(settled, work, &failure, now);
    }
    let settled = now + work.platform.capabilities().settle + policy.clock_margin;
    let look = match &failure {
        Failure::RateLimited {
            until: Some(until), ..
        } => settled.max(*until),
        _ => settled,
    };
    let decision =
        Decision::new(Next::Retry(look), Outcome::Retry(failure.clone())).evidence(ended);
    if failure.is_transient() {
        return decision.event(Event::OutcomeUnknown {
            target: work.target,
            attempt: attempt.id,
            class: failure.class().to_owned(),
        });
    }
    look_at_the_account(decision, work, &failure, now)
}

/// "The account is no longer yours" is a claim about the connection: it is looked at.
fn look_at_the_account(
    decision: Decision,
    work: &PublishWork,
    failure: &Failure,
    now: Time,
) -> Decision {
    if failure.is_transient() || is_about_content(failure) {
        return decision;
    }
    decision.poke(check_poke(work.connection, work.platform, now))
}

/// Whether a refusal is believed without a look, because nobody can look there: a refusal that the platform itself has
/// explained is all that will ever be known (docs/adr/0014).
fn believed(platform: Platform, failure: &Failure) -> bool {
    platform.capabilities().lookup == Lookup::Nothing && super::resolve::is_refusal(failure)
}

/// The platform works on it: a look by its handle will tell what becomes of it.
fn processing(work: &PublishWork, attempt: &AttemptFacts, handle: String, now: Time) -> Decision {
    let look = now + work.platform.capabilities().settle;
    Decision::new(Next::At(look), Outcome::Success)
        .evidence(Evidence::Processing {
            attempt: attempt.id,
            handle,
            at: now,
        })
        .event(Event::TargetProcessing {
            target: work.target,
            attempt: attempt.id,
        })
}

const fn is_about_content(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::ContentRejected { .. } | Failure::DuplicateContent
    )
}

pub(super) fn park(mut decision: Decision, until: Time, why: ParkReason) -> Decision {
    decision.next = Next::Park(Some(until), why);
    decision
}

/// The platform calls the token ended: from now on we do too, or the refresh would not be due.
pub(super) fn access_ended(decision: Decision, work: &PublishWork, now: Time) -> Decision {
    decision.change(Change::AccessEnded {
        grant: work.grant_id,
        token_version: work.grant.token_version,
        at: now,
    })
}

/// The evidence itself settles the attempt, lifts the target, wakes verify and tells the stream, fenced or not.
pub(super) fn accept(attempt: &AttemptFacts, accepted: Accepted, now: Time) -> Decision {
    Decision::new(Next::Done, Outcome::Success).evidence(Evidence::Accepted {
        attempt: attempt.id,
        accepted,
        at: now,
    })
}

/// The post is certainly not there: what the platform answered now decides.
pub(super) fn absent(
    work: &PublishWork,
    attempt: &AttemptFacts,
    failure: &Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    let decision = if failure.is_transient() || *failure == Failure::TokenExpired {
        send_again(work, failure, policy, now, jitter)
    } else {
        refused(work, failure, now)
    };
    decision.change(Change::AttemptSettled {
        attempt: attempt.id,
        settlement: Settlement::Absent,
    })
}

pub(super) fn send_again(
    work: &PublishWork,
    failure: &Failure,
    policy: &Policy,
    now: Time,
    jitter: Jitter,
) -> Decision {
    if work.too_late(policy, now) {
        return missed(work, policy);
    }
    // Counted in sends, not in runs: looks in between must not slow the next send down.
    let sent = work.attempts.iter().filter(|attempt| !attempt.forgotten);
    let sends = u16::try_from(sent.count()).unwrap_or(u16::MAX).max(1);
    match failure {
        Failure::TokenExpired => access_ended(await_token(work, policy, now), work, now),
        Failure::RateLimited { until, .. } => {
            let until = Schedule::pause(*until, sends, now, jitter);
            // Not beyond its time: then it must be missed, loudly.
            let until = until.min(work.deadline(policy).max(now + seconds(1)));
            let waiting = Outcome::Waiting(ParkReason::RateLimited);
            Decision::new(Next::Park(Some(until), ParkReason::RateLimited), waiting)
        }
        other => {
            let delay = Schedule::TRANSIENT
                .delay(sends, jitter)
                .unwrap_or(minutes(5));
            Decision::new(Next::Retry(now + delay), Outcome::Retry(other.clone()))
        }
    }
}

pub(super) fn refused(work: &PublishWork, failure: &Failure, now: Time) -> Decision {
    let class = failure.class().to_owned();
    let mut decision = Decision::new(Next::Done, Outcome::Failed(failure.clone()))
        .change(Change::TargetMoved {
            target: work.target,
            edition: work.progress.edition,
            stage: Stage::Failed,
            reason: Some(class.clone()),
        })
        .event(Event::TargetFailed {
            target: work.target,
            class,
        });
    if let Some(state) = AuthState::after(failure) {
        decision = decision.change(Change::GrantState {
            grant: work.grant_id,
            token_version: work.grant.token_version,
            state,
            why: failure.class(),
        });
        decision = decision.poke(Poke::ChecksOf(work.grant_id, now));
    }
    decision
}

pub(super) fn unconfirmed(
    work: &PublishWork,
    attempt: &AttemptFacts,
    failure: Failure,
) -> Decision {
    Decision::new(Next::Done, Outcome::Failed(failure))
        .change(Change::AttemptSettled {
            attempt: attempt.id,
            settlement: Settlement::Unsure,
        })
        .change(Change::TargetMoved {
            target: work.target,
            edition: attempt.edition,
            stage: Stage::Unconfirmed,
            reason: Some("outcome_unknown".to_owned()),
        })
        .event(Event::TargetUnconfirmed {
            target: work.target,
            attempt: attempt.id,
        })
}

pub(super) fn not_before(mut decision: Decision, earliest: Time) -> Decision {
    if let Next::Retry(at) = decision.next {
        decision.next = Next::Retry(at.max(earliest));
    }
    decision
}

fn missed(work: &PublishWork, policy: &Policy) -> Decision {
    let latest = work.deadline(policy) - seconds(1);
    let last = work
        .attempts
        .iter()
        .rev()
        .find_map(|a| a.call_ended.as_ref()?.1.as_ref());
    let reason = match last {
        Some(failure) => failure.class(),
        None if work.grant.state != AuthState::Connected => "connection_not_connected",
        None if work.preparation.as_ref().is_some_and(|one| !one.ready) => "media_processing",
        None if work.spacing.free_at().is_some_and(|free| free > latest) => "spacing",
        None => "too_late",
    };
    Decision::new(Next::Done, Outcome::Nothing)
        .change(Change::TargetMoved {
            target: work.target,
            edition: work.progress.edition,
            stage: Stage::Missed,
            reason: Some(reason.to_owned()),
        })
        .event(Event::TargetMissed {
            target: work.target,
            reason: reason.to_owned(),
        })
}

/// Its connection is gone: it is cancelled, as everything that was pending when the connection went.
fn removed(work: &PublishWork) -> Decision {
    Decision::new(Next::Done, Outcome::Nothing)
        .change(Change::TargetMoved {
            target: work.target,
            edition: work.progress.edition,
            stage: Stage::Cancelled,
            reason: Some(CONNECTION_REMOVED.to_owned()),
        })
        .event(Event::TargetCancelled {
            target: work.target,
            reason: CONNECTION_REMOVED.to_owned(),
        })
}

fn await_connection(work: &PublishWork, policy: &Policy) -> Decision {
    let until = Some(work.deadline(policy));
    Decision::new(
        Next::Park(until, ParkReason::AwaitingConnection),
        Outcome::Waiting(ParkReason::AwaitingConnection),
    )
}

pub(super) fn await_token(work: &PublishWork, policy: &Policy, now: Time) -> Decision {
    if !grant::can_refresh(&work.grant, work.platform, now) {
        let check = check_poke(work.connection, work.platform, now);
        return await_connection(work, policy).poke(check);
    }
    let until = Some(work.deadline(policy).max(now + minutes(1)));
    Decision::new(
        Next::Park(until, ParkReason::AwaitingRefresh),
        Outcome::Waiting(ParkReason::AwaitingRefresh),
    )
    .poke(grant::refresh_poke(work.grant_id, work.platform, now))
}

#[cfg(test)]
#[path = "publish_test.rs"]
pub(super) mod tests;

#[cfg(test)]
#[path = "publish_blind_test.rs"]
mod blind_tests;

#[cfg(test)]
#[path = "publish_account_test.rs"]
mod account_tests;
