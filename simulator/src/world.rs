//! Everything that the simulated platforms know, behind one lock.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::calls::Calls;
use crate::clock::SimClock;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::sites::SITES;
use crate::{
    bluesky, facebook, instagram, linkedin, mastodon, telegram, threads, tiktok, x, youtube,
};

/// The state of all platforms. Handlers are plain functions of `(&mut World,
/// &Call)`: they never wait, so one lock serves thousands of calls a second.
pub(crate) struct World {
    pub(crate) clock: SimClock,
    /// The time of the call that is being served.
    pub(crate) now: i64,
    pub(crate) rng: StdRng,
    pub(crate) facebook: facebook::State,
    pub(crate) instagram: instagram::State,
    pub(crate) threads: threads::State,
    pub(crate) linkedin: linkedin::State,
    pub(crate) x: x::State,
    pub(crate) tiktok: tiktok::State,
    pub(crate) youtube: youtube::State,
    pub(crate) bluesky: bluesky::State,
    pub(crate) mastodon: mastodon::State,
    pub(crate) telegram: telegram::State,
    pub(crate) outbox: Outbox,
    pub(crate) ledger: Ledger,
    pub(crate) calls: Calls,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
}

/// The world as tasks and handles share it.
pub(crate) struct Shared(Mutex<World>);

impl Shared {
    pub(crate) fn new(clock: SimClock, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Self(Mutex::new(World {
            now: clock.now_ms(),
            clock,
            facebook: facebook::State::default(),
            instagram: instagram::State::default(),
            threads: threads::State::default(),
            linkedin: linkedin::State::default(),
            x: x::State::default(),
            tiktok: tiktok::State::default(),
            youtube: youtube::State::default(),
            bluesky: bluesky::State::new(&mut rng),
            mastodon: mastodon::State::default(),
            telegram: telegram::State::default(),
            outbox: Outbox::default(),
            rng,
            ledger: Ledger::default(),
            calls: Calls::default(),
            faults: Faults::new(seed),
            limits: Limits::default(),
        }))
    }

    /// Runs `act` on the world at the time of its clock. A panic in a handler
    /// is that call's fault alone, so a poisoned lock is taken all the same.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = world.clock.now_ms();
        for site in SITES {
            (site.tick)(&mut world);
        }
        act(&mut world)
    }
}

impl World {
    /// A random word over an alphabet.
    pub(crate) fn word(&mut self, alphabet: &[u8], length: usize) -> String {
        word(&mut self.rng, alphabet, length)
    }
}

/// A random word over an alphabet of ASCII characters.
pub(crate) fn word(rng: &mut StdRng, alphabet: &[u8], length: usize) -> String {
    let letter = |_| char::from(alphabet[rng.random_range(0..alphabet.len())]);
    (0..length).map(letter).collect()
}

/// Letters and digits.
pub(crate) const ALPHANUMERIC: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Base 32 as AT Protocol writes it in identifiers.
pub(crate) const BASE32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
