//! Reconnecting inside a process: to Redis, to the database, to anything that comes back by itself.
//!
//! Work is never retried here. A failed job is a state with a next time, written by its decision (design §1.4).
//!
//! The delays come from the `backoff` crate. It is on the project's list of required libraries and it is
//! unmaintained (RUSTSEC-2025-0012; it also brings `instant`, RUSTSEC-2024-0384). It computes durations from
//! numbers of ours, reads no input from outside, and is used in this module alone, so replacing it changes one file.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use tokio_util::sync::CancellationToken;

/// An endless sequence of growing, jittered pauses.
pub struct Delays {
    inner: ExponentialBackoff,
    longest: Duration,
}

impl Delays {
    /// Pauses that start around `first`, double, and stay around `longest`; each is varied by half.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        let mut inner = ExponentialBackoff {
            initial_interval: first,
            current_interval: first,
            max_interval: longest,
            randomization_factor: 0.5,
            multiplier: 2.0,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        inner.reset();
        Self { inner, longest }
    }

    /// The house's usual pauses for a connection: 100 ms, growing to 2 s.
    #[must_use]
    pub fn reconnect() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(2))
    }

    /// The next pause.
    pub fn next_pause(&mut self) -> Duration {
        self.inner.next_backoff().unwrap_or(self.longest)
    }

    /// Starts again with the shortest pause, after a success.
    pub fn reset(&mut self) {
        self.inner.reset();
    }
}

/// The wait for a connection was ended by the stop token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped while reconnecting to {what}")]
pub struct Stopped {
    /// What was being connected.
    pub what: &'static str,
}

/// Calls `connect` until it succeeds or `stop` is cancelled. The first failure is logged as a warning and the
/// later ones quietly, because a warning each second says nothing new.
///
/// # Errors
/// [`Stopped`] once `stop` is cancelled, also in the middle of a connect.
pub async fn reconnect<T, E: Display, F: Future<Output = Result<T, E>>>(
    what: &'static str,
    stop: &CancellationToken,
    mut delays: Delays,
    mut connect: impl FnMut() -> F,
) -> Result<T, Stopped> {
    let mut failures = 0_u64;
    loop {
        let outcome = stop
            .run_until_cancelled(connect())
            .await
            .ok_or(Stopped { what })?;
        let error = match outcome {
            Ok(value) => {
                if failures > 0 {
                    tracing::info!(
                        event.name = "connection.restored",
                        what,
                        failures,
                        "reconnected"
                    );
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        failures += 1;
        if failures == 1 {
            tracing::warn!(event.name = "connection.lost", what, %error, "cannot connect, trying again");
        } else {
            tracing::debug!(event.name = "connection.lost", what, %error, failures, "still cannot connect");
        }
        let pause = delays.next_pause();
        stop.run_until_cancelled(tokio::time::sleep(pause))
            .await
            .ok_or(Stopped { what })?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Delays {
        Delays::new(Duration::from_millis(1), Duration::from_millis(2))
    }

    #[test]
    fn pauses_grow_stay_within_their_jitter_and_start_again() {
        let mut delays = Delays::reconnect();
        let first = delays.next_pause();
        assert!((50..=151).contains(&first.as_millis()), "{first:?}");
        for _ in 0..20 {
            let pause = delays.next_pause();
            assert!(pause <= Duration::from_millis(3_001), "{pause:?}");
        }
        assert!(delays.next_pause() >= Duration::from_secs(1));
        delays.reset();
        assert!(delays.next_pause() <= Duration::from_millis(151));
    }

    #[tokio::test]
    async fn it_connects_after_failures() {
        let mut left = 3;
        let stop = CancellationToken::new();
        let connected = reconnect("redis", &stop, quick(), || {
            left -= 1;
            std::future::ready(if left == 0 {
                Ok("connected")
            } else {
                Err("refused")
            })
        });
        assert_eq!(connected.await, Ok("connected"));
    }

    #[tokio::test]
    async fn a_stop_ends_a_connect_that_hangs() {
        let stop = CancellationToken::new();
        stop.cancel();
        let ended = reconnect(
            "redis",
            &stop,
            quick(),
            std::future::pending::<Result<(), &str>>,
        );
        assert_eq!(ended.await, Err(Stopped { what: "redis" }));
    }

    #[tokio::test]
    async fn a_stop_ends_the_pause() {
        let stop = CancellationToken::new();
        let long = Delays::new(Duration::from_mins(10), Duration::from_mins(10));
        let ended = reconnect("redis", &stop, long, || {
            stop.cancel();
            std::future::ready(Err::<(), _>("refused"))
        });
        assert_eq!(ended.await, Err(Stopped { what: "redis" }));
    }
}
