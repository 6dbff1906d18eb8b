//! The platforms' own time. Every token lifetime, rate-limit window and
//! creation time goes by it, so that a test can move a month in one call.
//! This file alone reads the system clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

/// Environment variable that names a file holding the time, as RFC 3339 or as
/// milliseconds since the epoch. A whole fleet of processes may follow it.
pub const CLOCK_FILE_VARIABLE: &str = "MOORING_CLOCK_FILE";

/// Where the simulator takes its time from. Clones share the same time.
#[derive(Clone, Debug)]
pub struct SimClock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
    File(Arc<FileSource>),
}

#[derive(Debug)]
struct FileSource {
    path: PathBuf,
    /// The last time that could be read: a writer may be replacing the file
    /// at the very moment we look.
    last_ms: AtomicI64,
}

/// Why a clock could not be made or moved.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The clock file cannot be read.
    #[error("cannot read the clock file {path}: write the time into it first")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The clock file holds no time.
    #[error("the clock file {path} holds no time: write RFC 3339 or milliseconds since the epoch")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Only a manual clock can be moved from inside.
    #[error("this clock is not moved by the simulator: start it with a manual clock")]
    NotManual,
}

impl SimClock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `start_ms` (milliseconds since the epoch)
    /// until [`advance`](Self::advance) or [`set`](Self::set) moves it.
    #[must_use]
    pub fn manual(start_ms: i64) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start_ms))))
    }

    /// A clock that reads `path` at every call (RFC 3339, or milliseconds
    /// since the epoch). The file must hold a time already.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, ClockError> {
        let path = path.as_ref().to_owned();
        let text = std::fs::read_to_string(&path).map_err(|source| ClockError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let Some(now) = parse_time(&text) else {
            return Err(ClockError::Malformed { path });
        };
        let last_ms = AtomicI64::new(now);
        Ok(Self(Source::File(Arc::new(FileSource { path, last_ms }))))
    }

    /// The file named by `MOORING_CLOCK_FILE`, else the system's time.
    pub fn from_env() -> Result<Self, ClockError> {
        match std::env::var_os(CLOCK_FILE_VARIABLE) {
            Some(path) => Self::file(PathBuf::from(path)),
            None => Ok(Self::system()),
        }
    }

    /// Milliseconds since the epoch, now.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System => system_ms(),
            Source::Manual(ms) => ms.load(Ordering::SeqCst),
            Source::File(file) => file.now_ms(),
        }
    }

    /// Moves a manual clock forward.
    pub fn advance(&self, by: Duration) -> Result<(), ClockError> {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.manual_source()?.fetch_add(by, Ordering::SeqCst);
        Ok(())
    }

    /// Sets a manual clock to `ms` since the epoch.
    pub fn set(&self, ms: i64) -> Result<(), ClockError> {
        self.manual_source()?.store(ms, Ordering::SeqCst);
        Ok(())
    }

    fn manual_source(&self) -> Result<&AtomicI64, ClockError> {
        match &self.0 {
            Source::Manual(ms) => Ok(ms),
            Source::System | Source::File(_) => Err(ClockError::NotManual),
        }
    }
}

impl FileSource {
    fn now_ms(&self) -> i64 {
        let read = std::fs::read_to_string(&self.path).ok();
        match read.as_deref().and_then(parse_time) {
            Some(now) => {
                self.last_ms.store(now, Ordering::SeqCst);
                now
            }
            None => self.last_ms.load(Ordering::SeqCst),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulator reads the system clock"
)]
fn system_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|t| t.timestamp_millis())
    })
}

fn date(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::UNIX_EPOCH)
}

/// `2026-11-23T15:00:00.000Z`, the form of AT Protocol and of our admin API.
pub(crate) fn rfc3339(ms: i64) -> String {
    date(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `2026-11-23T15:00:00+0000`, the form of the Graph API.
pub(crate) fn graph_time(ms: i64) -> String {
    date(ms).format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// `Wednesday, 16-Nov-22 07:45:51 PST`, the form inside Graph error texts.
pub(crate) fn pacific_time(ms: i64) -> String {
    let zone = FixedOffset::west_opt(8 * 3600).expect("eight hours is a valid offset");
    date(ms)
        .with_timezone(&zone)
        .format("%A, %d-%b-%y %H:%M:%S PST")
        .to_string()
}

/// A time given by a caller: unix seconds or RFC 3339, as milliseconds.
pub(crate) fn parse_caller_time(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(seconds) => seconds.checked_mul(1000),
        Err(_) => parse_time(text).or_else(|| parse_graph_time(text)),
    }
}

fn parse_graph_time(text: &str) -> Option<i64> {
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z")
        .ok()
        .map(|t| t.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_clock_follows_its_file_and_survives_a_half_written_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("now");
        std::fs::write(&path, "1700000000123").unwrap();
        let clock = SimClock::file(&path).unwrap();
        assert_eq!(clock.now_ms(), 1_700_000_000_123);
        std::fs::write(&path, "2026-11-23T15:00:00Z\n").unwrap();
        assert_eq!(clock.now_ms(), 1_795_446_000_000);
        std::fs::write(&path, "").unwrap();
        assert_eq!(clock.now_ms(), 1_795_446_000_000);
    }

    #[test]
    fn a_file_without_a_time_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("now");
        assert!(matches!(
            SimClock::file(&path),
            Err(ClockError::Unreadable { .. })
        ));
        std::fs::write(&path, "noon").unwrap();
        assert!(matches!(
            SimClock::file(&path),
            Err(ClockError::Malformed { .. })
        ));
    }

    #[test]
    fn times_are_written_as_the_platforms_write_them() {
        assert_eq!(rfc3339(1_795_446_000_000), "2026-11-23T15:00:00.000Z");
        assert_eq!(graph_time(1_795_446_000_000), "2026-11-23T15:00:00+0000");
        assert_eq!(
            pacific_time(1_668_613_551_000),
            "Wednesday, 16-Nov-22 07:45:51 PST"
        );
        assert_eq!(
            parse_caller_time("2026-11-23T15:00:00+0000"),
            Some(1_795_446_000_000)
        );
        assert_eq!(parse_caller_time("1795446000"), Some(1_795_446_000_000));
    }
}
