//! What re-sealing needs, and the sealing itself: secrets are in clear for no longer than one value takes.

use std::fmt;

use mooring_domain::reseal::{BatchSeen, Reseal, Walk};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{Store, StoreError, vaulted::Column};

/// Rows per look, and values sealed anew per transaction: a refresh that wants one of the rows waits for milliseconds.
const ROWS: usize = 1_000;
const VALUES: usize = 200;

/// The state of re-sealing.
#[derive(Debug)]
pub struct ResealJob {
    /// The newest activation; `None` = no key was ever activated.
    pub reseal: Option<Reseal>,
    /// How many values are not under the active key; counted only where the walk is through.
    pub left: u64,
    /// Whether this process has the active key.
    pub holds_key: bool,
}

/// A value sealed anew, and what was read before. It is stored only where that still stands.
#[derive(Clone)]
pub struct Resealed {
    pub(crate) column: Column,
    pub(crate) row: Uuid,
    pub(crate) read: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

impl fmt::Debug for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resealed({} of {})", self.column.label(), self.row)
    }
}

/// A batch that was sealed anew in memory.
#[derive(Debug)]
pub struct ResealedBatch {
    /// What it was like.
    pub seen: BatchSeen,
    /// The rows whose value does not open, and why.
    pub unreadable: Vec<(Uuid, StoreError)>,
    /// The values to store.
    pub values: Vec<Resealed>,
}

impl Store {
    /// Loads the state of re-sealing, and seals with the active key from now on.
    pub async fn reseal_job(&self) -> Result<ResealJob, StoreError> {
        let Some(active) = self.read_keys().await? else {
            return Ok(ResealJob {
                reseal: None,
                left: 0,
                holds_key: false,
            });
        };
        let left = match active.reseal.walk {
            Walk::At { .. } => 0,
            Walk::Through | Walk::Done => {
                let mut counts = self.sealed_counts().await?;
                counts.remove(&active.reseal.key);
                counts.values().flat_map(|places| places.values()).sum()
            }
        };
        Ok(ResealJob {
            left,
            holds_key: active.known_here,
            reseal: Some(active.reseal),
        })
    }

    /// Seals the next batch of a walk anew, in memory.
    pub async fn reseal_batch(&self, walk: &Walk) -> Result<ResealedBatch, StoreError> {
        let (place, after) = match walk {
            Walk::At { place, after } => (place.as_deref(), *after),
            Walk::Through | Walk::Done => (None, None),
        };
        let all = Column::RESEALED;
        // A place that this version does not know: begin anew, nothing is sealed twice.
        let known = place.and_then(|place| all.iter().position(|one| one.label() == place));
        let (at, after) = known.map_or((0, None), |at| (at, after));
        let column = all[at];
        let mut batch = ResealedBatch {
            seen: BatchSeen {
                place: column.label(),
                next_place: all.get(at + 1).map(|next| next.label()),
                last: after,
                exhausted: true,
                unreadable: None,
            },
            unreadable: Vec::new(),
            values: Vec::new(),
        };
        let rows = self.sealed_rows(column, after.unwrap_or_default()).await?;
        batch.seen.exhausted = rows.len() < ROWS;
        for (row, value) in rows {
            if batch.values.len() == VALUES {
                batch.seen.exhausted = false;
                break;
            }
            batch.seen.last = Some(row);
            if let Some(read) = value {
                self.reseal_one(&mut batch, column, row, read);
            }
        }
        Ok(batch)
    }

    fn reseal_one(&self, batch: &mut ResealedBatch, column: Column, row: Uuid, read: Vec<u8>) {
        if self.vault.ring().needs_resealing(&read) == Ok(false) {
            return;
        }
        match self.unseal(column, row, Some(&read)) {
            Ok(secret) => batch.values.extend(secret.map(|secret| Resealed {
                column,
                row,
                sealed: self.seal(column, row, &secret),
                read,
            })),
            Err(error) => {
                let unreadable = batch.seen.unreadable.get_or_insert((0, row));
                unreadable.0 += 1;
                batch.unreadable.push((row, error));
            }
        }
    }

    async fn sealed_rows(
        &self,
        column: Column,
        after: Uuid,
    ) -> Result<Vec<(Uuid, Option<Vec<u8>>)>, StoreError> {
        let (table, name) = column.name();
        let sql = format!("SELECT id, {name} FROM {table} WHERE id > $1 ORDER BY id LIMIT {ROWS}");
        let rows = self.db.query_all_raw(self.statement(&sql, [after.into()]));
        let read = rows.await?.into_iter();
        read.map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }
}
