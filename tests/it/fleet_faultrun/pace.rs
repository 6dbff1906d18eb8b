//! The time of a run: one file that all processes and the platforms read. While calls may be under way it runs ten times
//! as fast as the real one, so that a lease of a minute takes six seconds, and slower where the machine is slow: a lease
//! must not run out because its holder gets no processor. When nothing is due, it jumps.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use mooring_domain::{Time, time::from_ms};
use mooring_store::Store;
use tempfile::TempDir;

/// How often the time moves, and by how much at most.
const BEAT: Duration = Duration::from_millis(200);
const STEP_MS: u128 = 2_000;
/// … and at least, however slow the machine is.
const LEAST_MS: u128 = 500;

/// How long the books may take to answer a question before the time slows down.
const PROMPT: Duration = Duration::from_millis(40);

pub(super) struct Pace {
    file: PathBuf,
    now_ms: AtomicI64,
    _folder: TempDir,
}

impl Pace {
    pub(super) fn starting(at: Time) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let pace = Self {
            file: folder.path().join("clock"),
            now_ms: AtomicI64::new(0),
            _folder: folder,
        };
        pace.set(at);
        pace
    }

    /// For `MOORING_CLOCK_FILE`, and for the simulator.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn now(&self) -> Time {
        from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    /// Replaced in one step, so that no reader sees half a time.
    pub(super) fn set(&self, to: Time) {
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, to.timestamp_millis().to_string()).expect("a clock file");
        std::fs::rename(&fresh, &self.file).expect("a clock file");
        self.now_ms.store(to.timestamp_millis(), Ordering::SeqCst);
    }

    /// Lets time run while something is done.
    pub(super) async fn run_during<T>(&self, store: &Store, doing: impl Future<Output = T>) -> T {
        let running = async {
            let mut beat = tokio::time::interval(BEAT);
            // Time that was missed is missed: a jump would end leases whose holders live.
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                beat.tick().await;
                self.set(self.now() + step(store).await);
            }
        };
        tokio::select! {
            done = doing => done,
            never = running => never,
        }
    }
}

/// The next step: shorter where the books are slow to answer, as they are where everybody waits for a processor.
async fn step(store: &Store) -> TimeDelta {
    let asked = Instant::now();
    // While the server restarts there is no answer, and time goes on.
    let answered = store.database_ms().await.is_ok();
    let took = asked.elapsed().max(PROMPT).as_micros();
    let share = if answered {
        STEP_MS * PROMPT.as_micros() / took
    } else {
        STEP_MS
    };
    TimeDelta::milliseconds(i64::try_from(share.max(LEAST_MS)).expect("two seconds at most"))
}
