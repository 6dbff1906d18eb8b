//! Losing the database: it becomes what it was when its backup was taken. Platforms, queue and time go on.

use chrono::TimeDelta;
use mooring_vault::KeyRing;

use super::{World, fresh_context, serve};
use crate::database::Copy;

/// A copy of the database, taken while nothing ran.
pub struct Backup(Copy);

impl World {
    /// Takes a backup. Everything stops for it and starts again.
    pub async fn back_up(&mut self) -> Backup {
        self.shut_down().await;
        let copy = self.database.copy().await;
        self.open().await;
        self.resume();
        Backup(copy)
    }

    /// Stops everything and puts the database back to the backup. No job runs until [`World::resume`].
    pub async fn restore(&mut self, backup: &Backup) {
        self.shut_down().await;
        self.database.put_back(&backup.0).await;
        self.open().await;
    }

    /// Stops everything. No job runs until [`World::resume`].
    pub async fn pause(&mut self) {
        self.shut_down().await;
        self.open().await;
    }

    async fn shut_down(&mut self) {
        self.stop().await;
        self.hired.clear();
        let closed = self.store.connection().close_by_ref().await;
        closed.expect("the database closes");
    }

    /// Lets time pass while no job runs.
    pub fn pass(&self, span: TimeDelta) {
        self.set_clock(self.now() + span);
    }

    /// Starts everything again, as fresh processes.
    pub fn resume(&mut self) {
        self.run();
    }

    async fn open(&mut self) {
        let ring = KeyRing::parse(self.key.expose()).expect("a key ring");
        self.store = self.database.store_with(ring, self.policy.clone()).await;
        self.context = fresh_context(&self.clock, self.call_timeout);
        // The files outlive it all; only their addresses are new.
        let registry = self.registry();
        let files = self.media.clone();
        (self.media, self.gateway) = serve(&self.context, &self.store, registry, files).await;
    }
}
