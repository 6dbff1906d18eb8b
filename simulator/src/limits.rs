//! The platforms' own rate limits: fixed windows on the platforms' clock.

use serde::{Deserialize, Serialize};

/// Limits that the platforms enforce. `None` means: not enforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Facebook: calls of one app per hour (error 4, header `X-App-Usage`).
    pub facebook_app_calls_per_hour: Option<u64>,
    /// Facebook: calls for one page per 24 hours (error 80001, header
    /// `X-Business-Use-Case-Usage`).
    pub facebook_page_calls_per_day: Option<u64>,
    /// Facebook: refuse a post that is identical to the page's last one (506).
    /// Switch it off to see every double that the platform would have caught.
    pub facebook_duplicate_guard: bool,
    /// Bluesky: requests per 5 minutes of everybody together (one IP address;
    /// bsky.social: 3000).
    pub bluesky_requests_per_5min: Option<u64>,
    /// Bluesky: write points per hour and account (create 3, put 2, delete 1).
    pub bluesky_write_points_per_hour: Option<u64>,
    /// Bluesky: log-ins per 5 minutes and account.
    pub bluesky_sessions_per_5min: Option<u64>,
}

impl Default for Limits {
    /// What the platforms enforce per account; the limits of an app or an
    /// address, which a whole fleet shares, are off until they are asked for.
    fn default() -> Self {
        Self {
            facebook_app_calls_per_hour: None,
            facebook_page_calls_per_day: None,
            facebook_duplicate_guard: true,
            bluesky_requests_per_5min: None,
            bluesky_write_points_per_hour: Some(5000),
            bluesky_sessions_per_5min: Some(30),
        }
    }
}

/// What one key has used up in its current window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    started_ms: Option<i64>,
    used: u64,
}

/// The state of a window after a call was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) window_s: u64,
    /// When the window ends, in milliseconds since the epoch.
    pub(crate) resets_at_ms: i64,
}

impl Window {
    /// Counts `points` more. A window begins with its first call.
    pub(crate) fn count(&mut self, now: i64, points: u64, limit: u64, window_s: u64) -> Usage {
        let length = i64::try_from(window_s).unwrap_or(i64::MAX / 2000) * 1000;
        let started = match self.started_ms {
            // A clock that was set back begins a new window, too.
            Some(started) if started <= now && now - started < length => started,
            _ => {
                self.used = 0;
                *self.started_ms.insert(now)
            }
        };
        self.used += points;
        Usage {
            limit,
            used: self.used,
            window_s,
            resets_at_ms: started + length,
        }
    }
}

impl Usage {
    pub(crate) fn exceeded(self) -> bool {
        self.used > self.limit
    }

    pub(crate) fn remaining(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Used share in percent, as Facebook's usage headers say it.
    pub(crate) fn percent(self) -> u64 {
        self.used * 100 / self.limit.max(1)
    }

    /// Whole seconds until the window ends, at least 1.
    pub(crate) fn seconds_left(self, now: i64) -> i64 {
        ((self.resets_at_ms - now) / 1000).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_by_the_clock_and_starts_with_the_next_call() {
        let mut window = Window::default();
        let mut last = window.count(1_000, 1, 2, 300);
        assert_eq!((last.remaining(), last.resets_at_ms), (1, 301_000));
        last = window.count(2_000, 2, 2, 300);
        assert!(last.exceeded());
        assert!(!window.count(301_000, 1, 2, 300).exceeded());
    }
}
