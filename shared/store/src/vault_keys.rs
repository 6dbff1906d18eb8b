//! The keys in force: which one seals, who knows which, and what is sealed with what.
//!
//! These tables belong to the house and to no workspace.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mooring_domain::{
    ProcessId, Time,
    reseal::{Reseal, Walk, start},
    time::from_ms,
};
use mooring_vault::{Secret, Vault, key_id_of};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::{vault_holder, vault_key},
    vaulted::Column,
};

/// For how long after its last word a process counts as running.
pub(crate) const SILENCE: Duration = Duration::from_mins(1);

/// After how long without a word a process is no longer remembered, in milliseconds.
const FORGET_MS: i64 = 86_400_000;

/// What a proof says. It is no secret; that it opens is the proof.
const PROOF: &str = "mooring";

/// The key in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveKey {
    /// Since when.
    pub activated_at: Time,
    /// By whom.
    pub activated_by: String,
    /// How far older values have been sealed anew under it.
    pub reseal: Reseal,
    /// Whether this process has it. Without it, it seals with what it has, and that is sealed anew later.
    pub known_here: bool,
}

/// A running process that opens stored secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// Its role.
    pub role: String,
    /// Where it runs.
    pub host: String,
    /// The ids of the keys it knows.
    pub keys: BTreeSet<String>,
}

/// How many values are sealed with each key, by place (`table.column`). What names no key at all is under `""`.
pub type SealedCounts = BTreeMap<String, BTreeMap<String, u64>>;

impl Store {
    /// The ring of this process.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Asks which key is in force, and seals with it from now on. `None`: none was ever activated, so the first of the
    /// ring seals.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] where this process has another key of the same id: what it sealed, nobody else could
    /// open. Apart from that, when the database does not answer.
    pub async fn read_keys(&self) -> Result<Option<ActiveKey>, StoreError> {
        let Some(row) = self.newest_key(&self.db).await? else {
            return Ok(None);
        };
        let known_here = !self.vault.ring().is_ephemeral() && self.vault.activate(&row.key);
        if known_here {
            let place = Column::KeyProof.place(proof_row(row.number));
            let opened = self.vault.open(&place, &row.proof);
            opened.map_err(|_| StoreError::WrongKey {
                key: row.key.clone(),
            })?;
        }
        Ok(Some(ActiveKey {
            activated_at: from_ms(row.activated_at),
            activated_by: row.activated_by.clone(),
            known_here,
            reseal: reseal_of(&row)?,
        }))
    }

    pub(crate) async fn newest_key(
        &self,
        tx: &impl ConnectionTrait,
    ) -> Result<Option<vault_key::Model>, StoreError> {
        let newest = vault_key::Entity::find().order_by_desc(vault_key::Column::Number);
        Ok(newest.one(tx).await?)
    }

    /// The row of a fresh activation, or `None` where this process lacks the key.
    pub(crate) fn activation(
        &self,
        number: i64,
        key: &str,
        by: String,
        now: Time,
    ) -> Option<vault_key::ActiveModel> {
        let mut ring = self.vault.ring();
        if !ring.activate(key) {
            return None;
        }
        let place = Column::KeyProof.place(proof_row(number));
        let (walk, ..) = walk_columns(&start());
        Some(vault_key::ActiveModel {
            number: Set(number),
            key: Set(key.to_owned()),
            activated_at: Set(now.timestamp_millis()),
            activated_by: Set(by),
            proof: Set(ring.seal(&place, &Secret::from(PROOF))),
            walk: Set(walk.to_owned()),
            place: Set(None),
            after_row: Set(None),
            resealed: Set(0),
            unreadable: Set(0),
            done_at: Set(None),
        })
    }

    /// Says that this process runs, and which keys it knows.
    pub async fn note_holder(
        &self,
        process: ProcessId,
        role: &str,
        host: &str,
        now: Time,
    ) -> Result<(), StoreError> {
        let ring = self.vault.ring();
        let ids: Vec<&str> = ring.ids().collect();
        let row = vault_holder::ActiveModel {
            process_id: Set(process.uuid()),
            role: Set(role.to_owned()),
            host: Set(host.to_owned()),
            keys: Set(serde_json::json!(ids)),
            seen_at: Set(now.timestamp_millis()),
        };
        let again = OnConflict::column(vault_holder::Column::ProcessId)
            .update_columns([vault_holder::Column::Keys, vault_holder::Column::SeenAt])
            .to_owned();
        vault_holder::Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(&self.db)
            .await?;
        Ok(())
    }

    /// Says that this process ends; those that went without a word are forgotten with it.
    pub async fn forget_holder(&self, process: ProcessId, now: Time) -> Result<(), StoreError> {
        vault_holder::Entity::delete_many()
            .filter(
                vault_holder::Column::ProcessId
                    .eq(process.uuid())
                    .or(vault_holder::Column::SeenAt.lt(heard_since(now) - FORGET_MS)),
            )
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// The running processes that open stored secrets.
    pub async fn key_holders(&self, now: Time) -> Result<Vec<KeyHolder>, StoreError> {
        self.holders(&self.db, now).await
    }

    pub(crate) async fn holders(
        &self,
        tx: &impl ConnectionTrait,
        now: Time,
    ) -> Result<Vec<KeyHolder>, StoreError> {
        let rows = vault_holder::Entity::find()
            .filter(vault_holder::Column::SeenAt.gte(heard_since(now)))
            .order_by_asc(vault_holder::Column::ProcessId)
            .all(tx)
            .await?;
        let read = rows.into_iter().map(|row| {
            let keys = serde_json::from_value(row.keys);
            let keys = keys.map_err(|_| {
                StoreError::corrupt("vault_holders", row.process_id, "its keys are no list")
            })?;
            Ok(KeyHolder {
                role: row.role,
                host: row.host,
                keys,
            })
        });
        read.collect()
    }

    /// Every place that is sealed anew by a rotation, as `table.column`.
    #[must_use]
    pub fn sealed_places() -> Vec<String> {
        Column::RESEALED.map(Column::label).to_vec()
    }

    /// The keys that were ever activated, newest first.
    pub async fn activated_keys(&self) -> Result<Vec<String>, StoreError> {
        let rows = vault_key::Entity::find()
            .order_by_desc(vault_key::Column::Number)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }

    /// Counts what is sealed with what. Reads every sealed column once or twice: not for a loop.
    pub async fn sealed_counts(&self) -> Result<SealedCounts, StoreError> {
        let mut counts = SealedCounts::new();
        for column in Column::RESEALED {
            let (table, name) = column.name();
            let heads = format!(
                "SELECT substr({name}, 1, 2) AS head FROM {table} WHERE {name} IS NOT NULL GROUP BY 1"
            );
            for row in self.db.query_all_raw(self.statement(&heads, [])).await? {
                let head: Vec<u8> = row.try_get_by_index(0)?;
                // In front of a value: version, length of the key's id, the id.
                let length = head.get(1).copied().unwrap_or_default();
                let by_key = format!(
                    "SELECT substr({name}, 1, {}) AS front, count(*) AS n FROM {table} WHERE substr({name}, 1, 2) = $1 GROUP BY 1",
                    u32::from(length) + 2
                );
                let of_head = self.statement(&by_key, [head.into()]);
                for row in self.db.query_all_raw(of_head).await? {
                    let front: Vec<u8> = row.try_get_by_index(0)?;
                    let n: i64 = row.try_get_by_index(1)?;
                    let places = counts.entry(key_in(&front)).or_default();
                    *places.entry(column.label()).or_default() += n.unsigned_abs();
                }
            }
        }
        Ok(counts)
    }
}

/// The key's id in the front of a sealed value, which lacks the rest.
fn key_in(front: &[u8]) -> String {
    const REST: [u8; 28] = [0; 28];
    let whole = [front, &REST].concat();
    key_id_of(&whole).unwrap_or_default().to_owned()
}

fn heard_since(now: Time) -> i64 {
    (now - SILENCE).timestamp_millis()
}

fn proof_row(number: i64) -> Uuid {
    Uuid::from_u64_pair(0, number.unsigned_abs())
}

pub(crate) fn reseal_of(row: &vault_key::Model) -> Result<Reseal, StoreError> {
    let walk = match row.walk.as_str() {
        "at" => Walk::At {
            place: row.place.clone(),
            after: row.after_row,
        },
        "through" => Walk::Through,
        "done" => Walk::Done,
        other => {
            let what = format!("{other:?} is no walk");
            return Err(StoreError::corrupt("vault_keys", row.number, what));
        }
    };
    Ok(Reseal {
        number: row.number,
        key: row.key.clone(),
        walk,
        resealed: row.resealed.unsigned_abs(),
        unreadable: row.unreadable.unsigned_abs(),
    })
}

/// A walk as it is stored: its name, place and row.
pub(crate) fn walk_columns(walk: &Walk) -> (&'static str, Option<String>, Option<Uuid>) {
    match walk {
        Walk::At { place, after } => ("at", place.clone(), *after),
        Walk::Through => ("through", None, None),
        Walk::Done => ("done", None, None),
    }
}
