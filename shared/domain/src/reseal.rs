//! The keys that seal stored secrets: how far the values under older keys have been sealed anew, and what becomes of
//! a job whose secrets do not open.
//!
//! The database says which key is active. Re-sealing walks through every place where something sealed is kept, in
//! batches by primary key, as the house's job `reseal`; where it has come to is a row. A walk that ends looks back:
//! whoever sealed with an older key meanwhile (a process that had not heard of the new one) makes it walk again.

use uuid::Uuid;

use crate::{
    decision::{Change, Decision, Next, Outcome, ParkReason},
    event::Event,
    retry::Jitter,
    time::{Time, hours, minutes, seconds},
};

/// Where re-sealing under one activated key has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reseal {
    /// Which activation this is about; they are counted.
    pub number: i64,
    /// The active key.
    pub key: String,
    /// How far the walk is.
    pub walk: Walk,
    /// Values sealed anew since the activation.
    pub resealed: u64,
    /// Values that this walk could not open.
    pub unreadable: u64,
}

/// How far a walk through the sealed places is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// On its way: what comes next are the rows of `place` behind `after`.
    At {
        /// The place, `table.column`; `None` = the first one.
        place: Option<String>,
        /// The last row that was looked at.
        after: Option<Uuid>,
    },
    /// Through, and not compared yet with what is stored.
    Through,
    /// Through, and nothing is left that could be sealed anew.
    Done,
}

/// What a run of the job is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum ResealStep {
    /// Nothing more than this.
    Settled(Decision),
    /// Seal a batch anew.
    Batch,
}

/// What a batch was like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSeen {
    /// Its place.
    pub place: String,
    /// The place after it, where there is one.
    pub next_place: Option<String>,
    /// The last row that was looked at; `None` = there was none.
    pub last: Option<Uuid>,
    /// Whether the place has no more rows.
    pub exhausted: bool,
    /// Values that do not open, and the row of the first.
    pub unreadable: Option<(u64, Uuid)>,
}

/// How often a walk that is done looks whether something was sealed with an older key since, and again after a walk
/// that was overtaken.
const LOOK: i64 = 24;

/// Before the batch. `left`: how many stored values are not under the active key, where the walk is through or done.
/// `holds_key`: whether this process has the active key.
#[must_use]
pub fn before_reseal(
    reseal: Option<&Reseal>,
    left: u64,
    holds_key: bool,
    now: Time,
    jitter: Jitter,
) -> ResealStep {
    let nothing = |at| ResealStep::Settled(Decision::new(Next::At(at), Outcome::Nothing));
    let later = now + jitter.spread(hours(LOOK), 20);
    let Some(reseal) = reseal else {
        return nothing(later);
    };
    if !holds_key {
        // Another process has it, or will.
        return nothing(now + jitter.spread(seconds(30), 20));
    }
    let overtaken = left > reseal.unreadable;
    match reseal.walk {
        Walk::At { .. } => ResealStep::Batch,
        Walk::Through | Walk::Done if overtaken => {
            // Whoever seals with an older key has a minute to hear of the new one.
            let again = now + jitter.spread(minutes(1), 20);
            let anew = walked(reseal, start(), 0);
            let decision = Decision::new(Next::At(again), Outcome::Success).change(anew);
            ResealStep::Settled(decision)
        }
        Walk::Done => nothing(later),
        Walk::Through => {
            let done = walked(reseal, Walk::Done, reseal.unreadable);
            let event = Event::VaultResealed {
                key: reseal.key.clone(),
                resealed: reseal.resealed,
                unreadable: reseal.unreadable,
            };
            let decision = Decision::new(Next::At(later), Outcome::Success);
            ResealStep::Settled(decision.change(done).event(event))
        }
    }
}

/// After the batch: where the walk goes on, and what could not be opened.
#[must_use]
pub fn after_reseal(reseal: &Reseal, seen: &BatchSeen, now: Time) -> Decision {
    let walk = match (&seen.next_place, seen.exhausted) {
        (_, false) => Walk::At {
            place: Some(seen.place.clone()),
            after: seen.last,
        },
        (Some(next), true) => Walk::At {
            place: Some(next.clone()),
            after: None,
        },
        (None, true) => Walk::Through,
    };
    let (rows, first) = seen.unreadable.unwrap_or((0, Uuid::nil()));
    let change = walked(reseal, walk, reseal.unreadable + rows);
    let decision = Decision::new(Next::At(now), Outcome::Success).change(change);
    if rows == 0 {
        return decision;
    }
    decision.event(Event::SealedUnreadable {
        place: seen.place.clone(),
        rows,
        row: first,
    })
}

/// The beginning of a walk.
#[must_use]
pub const fn start() -> Walk {
    Walk::At {
        place: None,
        after: None,
    }
}

fn walked(reseal: &Reseal, walk: Walk, unreadable: u64) -> Change {
    Change::Resealed {
        number: reseal.number,
        walk,
        unreadable,
    }
}

/// Why a stored secret does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// This process lacks the key: it was added a moment ago, or is missing in the configuration.
    KeyUnknown,
    /// The value was changed, or moved from another place. Nobody can open it.
    Damaged,
}

/// A job that needs a secret which does not open. Nothing is concluded about the credential: the job waits.
///
/// A missing key is a matter of this process and of the next minutes; no lease is lost over it, so a fleet is not
/// poisoned by one process without its key. A damaged value is somebody's to look at, and a reconnect mends it.
#[must_use]
pub fn without_secret(
    why: Unopened,
    place: &str,
    row: Uuid,
    now: Time,
    jitter: Jitter,
) -> Decision {
    match why {
        Unopened::KeyUnknown => {
            let until = now + jitter.spread(minutes(1), 20);
            let reason = ParkReason::BackingOff;
            Decision::new(Next::Park(Some(until), reason), Outcome::Waiting(reason))
        }
        Unopened::Damaged => {
            let until = now + jitter.spread(hours(6), 20);
            let reason = ParkReason::AwaitingConnection;
            Decision::new(Next::Park(Some(until), reason), Outcome::Waiting(reason)).event(
                Event::SealedUnreadable {
                    place: place.to_owned(),
                    rows: 1,
                    row,
                },
            )
        }
    }
}

#[cfg(test)]
#[path = "reseal_test.rs"]
mod tests;
