//! What is under a case: a simulator of its own, or a real server. The cases know neither.

use std::{ops::Deref, sync::Arc, time::Duration};

use chrono::TimeDelta;
use mooring_domain::{Time, failure::RateScope};
use mooring_providers::BaseUrls;
use mooring_runtime::Clock;
use mooring_simulator::{Admin, Delivery, Fault, FaultKind, LedgerFilter, SimClock};
use url::Url;

use crate::arena::{Scene, shared};

/// Where a case stands.
pub(crate) trait Ground: Send + Sync {
    /// The platform's time, which is ours, too.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Where adapters find the platform.
    fn urls(&self) -> BaseUrls;
    /// Host and port of the platform.
    fn address(&self) -> String;
    /// How far two readings of the clock in one moment may be apart: nothing, where time stands still.
    fn tolerance(&self) -> TimeDelta;
    /// Lets time pass.
    fn advance(&self, by: Duration);
    /// Puts a fault on the next calls of this kind.
    fn fault(&self, scene: &dyn Scene, operation: &str, kind: FaultKind, times: u64);
    /// Takes all faults away.
    fn clear_faults(&self);
    /// How many calls the platform has had.
    fn calls(&self) -> u64;
    /// How many of one kind, for an account.
    fn calls_of(&self, account: &str, operation: &str) -> u64;
    /// How many posts of the account were made.
    fn made(&self, scene: &dyn Scene) -> usize;
    /// How many posts of anybody exist twice.
    fn doubled(&self, scene: &dyn Scene) -> usize;
    /// Deletes a post as its owner does.
    fn delete_post(&self, scene: &dyn Scene, remote_id: &str) -> Result<(), String>;
    /// Changes a post's words as its owner does.
    fn edit_post(&self, scene: &dyn Scene, remote_id: &str, text: &str) -> Result<(), String>;
    /// Brings about that one more post is within a limit and the next over it; why not.
    fn one_more(&self, scene: &dyn Scene, whose: RateScope) -> Result<(), &'static str>;
    /// Until when the refusal of the last call too many holds, when the fault said `for_so_long`.
    fn limited_until(&self, scene: &dyn Scene, for_so_long: TimeDelta) -> Time;
    /// What the platform has sent to our addresses.
    fn deliveries(&self) -> Vec<Delivery>;
}

/// A simulator, by its hidden side.
pub(crate) struct Simulated {
    pub(crate) admin: Admin,
    pub(crate) clock: SimClock,
    pub(crate) address: String,
    pub(crate) base: Url,
}

impl Ground for Simulated {
    fn clock(&self) -> Arc<dyn Clock> {
        shared(&self.clock)
    }

    fn urls(&self) -> BaseUrls {
        BaseUrls::simulated(&self.base)
    }

    fn address(&self) -> String {
        self.address.clone()
    }

    fn tolerance(&self) -> TimeDelta {
        TimeDelta::zero()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by).expect("a manual clock");
    }

    fn fault(&self, scene: &dyn Scene, operation: &str, kind: FaultKind, times: u64) {
        let fault = Fault::new(scene.simulated(), operation, kind);
        self.admin
            .add_fault(fault.times(times))
            .expect("a fault rule");
    }

    fn clear_faults(&self) {
        self.admin.clear_faults();
    }

    fn calls(&self) -> u64 {
        self.admin.calls().total
    }

    fn calls_of(&self, account: &str, operation: &str) -> u64 {
        self.admin.calls_of(account, operation)
    }

    fn made(&self, scene: &dyn Scene) -> usize {
        let filter = LedgerFilter {
            account: Some(scene.account()),
            ..LedgerFilter::default()
        };
        self.admin.ledger(&filter).len()
    }

    fn doubled(&self, _scene: &dyn Scene) -> usize {
        self.admin.ledger_summary().doubled
    }

    fn delete_post(&self, scene: &dyn Scene, remote_id: &str) -> Result<(), String> {
        let deleted = self.admin.delete_post(scene.simulated(), remote_id);
        deleted.map(drop).map_err(|error| error.to_string())
    }

    fn edit_post(&self, scene: &dyn Scene, remote_id: &str, text: &str) -> Result<(), String> {
        let edited = self.admin.edit_post(scene.simulated(), remote_id, text);
        edited.map(drop).map_err(|error| error.to_string())
    }

    fn one_more(&self, scene: &dyn Scene, whose: RateScope) -> Result<(), &'static str> {
        scene.one_more(&self.admin, whose)
    }

    fn limited_until(&self, scene: &dyn Scene, for_so_long: TimeDelta) -> Time {
        scene.limited_until(self.clock().now(), for_so_long)
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.admin.deliveries()
    }
}

/// A part that only a simulator has: a test that reaches for it on a real server fails.
pub(crate) struct Only<T>(pub(crate) Option<T>);

impl<T> Deref for Only<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("only the simulator has this")
    }
}
