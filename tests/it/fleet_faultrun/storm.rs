//! The course of a run: the crew works while everything is done to it, then it works in peace until everything has
//! come to its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use mooring_domain::{
    Lane,
    time::{minutes, seconds},
};

use super::{books, crew::Crew, lab::Lab};

/// The rounds, one kill each, in which something more happens.
const FREEZE: usize = 1;
const FLUSH: usize = 3;
const RESTART: usize = 5;
const LEAST_ROUNDS: usize = 8;

/// How long after the last post was due the killing ends, whether everything was tried or not: on a slow machine it may
/// be all that ever happens.
const AFTER: TimeDelta = minutes(3);

/// The lanes that must come to rest; the house looks around for ever.
const LANES: [Lane; 4] = [Lane::Check, Lane::Refresh, Lane::Publish, Lane::Verify];

/// How long the time stands when something is due and does not get done: then a lease must run out.
const STANDSTILL: Duration = Duration::from_secs(2);
/// … and by how much it moves then: a third of the shortest lease.
const THIRD: TimeDelta = seconds(10);

/// How far time jumps at least while the first looks at what is out are due, and afterwards; and at most.
const SHORT: TimeDelta = seconds(20);
const EARLY: TimeDelta = minutes(20);
const LONG: TimeDelta = minutes(5);
const LONGEST: TimeDelta = minutes(15);

/// How often the books are asked whether anything is due.
const LOOK: Duration = Duration::from_millis(25);

/// The time that the rest may take: so much, and so much more for each publish.
const PATIENCE: Duration = Duration::from_mins(4);
const MORE: Duration = Duration::from_millis(200);

/// The crew works while it is killed, frozen and robbed. Returns it when every post has been tried.
pub(super) async fn rage(lab: &mut Lab) -> Crew {
    let (pace, store) = (Arc::clone(&lab.pace), lab.store.clone());
    let raging = async {
        let mut crew = Crew::start(lab).await;
        // First of all, because of who was killed before it, a restarted server could tell nobody that he has ended.
        crew.crash_postgres(lab).await;
        let began = Instant::now();
        let mut round = 0;
        loop {
            match round {
                FREEZE => crew.freeze_worker(lab).await,
                FLUSH => crew.flush_redis(lab).await,
                RESTART => crew.restart_redis(lab).await,
                _ => {}
            }
            crew.kill_worker(lab).await;
            crew.tend(lab).await;
            let thawed = crew.thaw(lab).await;
            if thawed && crew.overtaken == 0 && round > FREEZE {
                crew.freeze_worker(lab).await;
            }
            round += 1;
            let late = lab.pace.now() - lab.last_due();
            let tried = late > seconds(0) && books::untried(&lab.store).await == 0;
            let over = tried || late > AFTER;
            assert!(began.elapsed() < patience(lab), "the storm does not end");
            if round >= LEAST_ROUNDS && thawed && over {
                break;
            }
        }
        // Nobody is killed any more; the platforms go on until they have had every post in their hands.
        let mut looks = tokio::time::interval(LOOK);
        while books::untried(&lab.store).await > 0 {
            looks.tick().await;
            crew.tend(lab).await;
            assert!(began.elapsed() < patience(lab), "not everything is tried");
        }
        crew
    };
    pace.run_during(&store, Box::pin(raging)).await
}

/// In peace, until every post has its end and its verdict. Time jumps to what is due next, in ever longer steps; where
/// something is due and nothing gets done, a lease must run out first.
pub(super) async fn settle(lab: &Lab, crew: &mut Crew) {
    let (began, calm) = (Instant::now(), lab.pace.now());
    let (mut moved, mut least) = (Instant::now(), u64::MAX);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        crew.tend(lab).await;
        let now = lab.pace.now();
        let due = books::due(&lab.store, &LANES, now).await;
        if due < least {
            (moved, least) = (Instant::now(), due);
        }
        if due == 0 {
            if books::unfinished(&lab.store).await == 0 {
                return;
            }
            let step = if now < calm + EARLY { SHORT } else { LONG };
            let next = lab.store.next_due(&LANES, now).await;
            let next = next.expect("the books answer").unwrap_or(now);
            lab.pace.set(next.max(now + step).min(now + LONGEST));
            (moved, least) = (Instant::now(), u64::MAX);
        } else if moved.elapsed() > STANDSTILL {
            lab.pace.set(now + THIRD);
            (moved, least) = (Instant::now(), u64::MAX);
        }
        if began.elapsed() > patience(lab) {
            eprintln!("not at rest by {now}: {due} jobs are due");
            return;
        }
    }
}

fn patience(lab: &Lab) -> Duration {
    PATIENCE + MORE * u32::try_from(lab.size.publishes).expect("some thousands")
}
