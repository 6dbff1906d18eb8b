//! The only place that reads the system's time.
//!
//! Time is database time (design rule 4.10): the store measures how far the database's clock is ahead of
//! [`Clock::raw_now`] and notes it with [`Clock::note_offset_ms`]. A small offset is added to every reading; a
//! large one makes the clock [untrusted](Clock::trusted), and the process stops claiming, beginning and sending.
//!
//! All readings are whole milliseconds, so a time survives the way through either database unchanged.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta, Utc};

/// The largest measured offset, in milliseconds, with which a process still acts.
pub const TRUSTED_OFFSET_MS: i64 = 500;

/// How often a simulated clock is looked at while something waits for it, in real time.
const SIMULATED_POLL: Duration = Duration::from_millis(20);

/// The longest single sleep on the system clock, so that a corrected offset is noticed while waiting.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A source of the present moment.
pub trait Clock: Send + Sync {
    /// The present, in database time as far as it is known, in whole milliseconds.
    fn now(&self) -> DateTime<Utc>;

    /// The present as milliseconds since the Unix epoch.
    fn ms(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// The present before any correction: what an offset is measured against.
    fn raw_now(&self) -> DateTime<Utc> {
        self.now()
    }

    /// Notes that the database's clock is `ms` milliseconds ahead of [`Clock::raw_now`]. Simulated clocks are
    /// right by definition and ignore it.
    fn note_offset_ms(&self, _ms: i64) {}

    /// False while the measured offset is too large to claim, begin or send by this clock.
    fn trusted(&self) -> bool {
        true
    }

    /// True when time is moved by hand, so that waiting has to look at the clock instead of sleeping.
    fn simulated(&self) -> bool {
        false
    }
}

/// Waits until the clock reads `at` or later. Cancel it by dropping it.
pub async fn wait_until(clock: &dyn Clock, at: DateTime<Utc>) {
    loop {
        let left = at - clock.now();
        let Ok(left) = left.to_std() else { return };
        if left.is_zero() {
            return;
        }
        let pause = if clock.simulated() {
            SIMULATED_POLL
        } else {
            left.min(LONGEST_SLEEP)
        };
        tokio::time::sleep(pause).await;
    }
}

/// The machine's clock, corrected by the measured offset to the database.
#[derive(Debug, Default)]
pub struct SystemClock {
    offset_ms: AtomicI64,
}

impl SystemClock {
    /// A clock with no offset.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The last noted offset to the database's clock in milliseconds.
    #[must_use]
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        let offset = if self.trusted() { self.offset_ms() } else { 0 };
        from_ms(system_ms().saturating_add(offset))
    }

    fn raw_now(&self) -> DateTime<Utc> {
        from_ms(system_ms())
    }

    fn note_offset_ms(&self, ms: i64) {
        self.offset_ms.store(ms, Ordering::Relaxed);
    }

    fn trusted(&self) -> bool {
        self.offset_ms().unsigned_abs() <= TRUSTED_OFFSET_MS.unsigned_abs()
    }
}

/// A clock that stands still until it is moved: for tests in one process. Clones share the time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that reads `at`.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self {
            ms: Arc::new(AtomicI64::new(at.timestamp_millis())),
        }
    }

    /// Moves the clock forward, or back with a negative amount.
    pub fn advance(&self, by: TimeDelta) {
        self.ms.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, at: DateTime<Utc>) {
        self.ms.store(at.timestamp_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        from_ms(self.ms.load(Ordering::SeqCst))
    }

    fn simulated(&self) -> bool {
        true
    }
}

/// A clock read from a file on every call, so that several processes of a test live in one time.
///
/// The file holds milliseconds since the Unix epoch or an RFC 3339 time. While it is missing or half written the
/// last good reading holds. Configuration refuses such a clock unless every URL is loopback.
#[derive(Debug)]
pub struct FileClock {
    path: PathBuf,
    last_ms: AtomicI64,
}

/// Why a clock file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a time from the clock file {}: write epoch milliseconds or an RFC 3339 time into it", path.display())]
pub struct ClockFileError {
    /// The file that was asked for.
    pub path: PathBuf,
}

impl FileClock {
    /// Opens a clock file, which has to hold a time.
    ///
    /// # Errors
    /// [`ClockFileError`] when there is no readable time in the file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ClockFileError> {
        let clock = Self {
            path: path.into(),
            last_ms: AtomicI64::new(0),
        };
        match clock.read() {
            Some(ms) => {
                clock.last_ms.store(ms, Ordering::SeqCst);
                Ok(clock)
            }
            None => Err(ClockFileError { path: clock.path }),
        }
    }

    fn read(&self) -> Option<i64> {
        parse_time(&std::fs::read_to_string(&self.path).ok()?)
    }
}

impl Clock for FileClock {
    fn now(&self) -> DateTime<Utc> {
        if let Some(ms) = self.read() {
            self.last_ms.store(ms, Ordering::SeqCst);
        }
        from_ms(self.last_ms.load(Ordering::SeqCst))
    }

    fn simulated(&self) -> bool {
        true
    }
}

/// Reads epoch milliseconds or an RFC 3339 time.
fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        return DateTime::from_timestamp_millis(ms).map(|_| ms);
    }
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.timestamp_millis())
}

/// Milliseconds since the Unix epoch on the machine's clock; 0 on a machine that believes it is before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's time"
)]
pub(crate) fn system_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn from_ms(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
