//! Activating a key, and storing what was sealed anew.

use mooring_domain::{Event, Time, reseal::Walk};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    sea_query::Expr,
};

use super::{Actor, ApplyError, Refusal};
use crate::{Resealed, Store, StoreError, entity::vault_key, vault_keys::walk_columns};

impl Store {
    /// Puts a key in force. Nothing happens where it is already.
    pub(super) async fn activate_vault_key(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        key: &str,
        now: Time,
    ) -> Result<Vec<Event>, ApplyError> {
        let before = self.newest_key(tx).await?;
        if before.as_ref().is_some_and(|row| row.key == key) {
            return Ok(Vec::new());
        }
        let holders = self.holders(tx, now).await?;
        let without = holders.iter().filter(|one| !one.keys.contains(key)).count();
        if without > 0 {
            return Err(Refusal::VaultKeyNotEverywhere {
                key: key.to_owned(),
                without,
                processes: holders.len(),
            }
            .into());
        }
        let number = before.as_ref().map_or(1, |row| row.number + 1);
        let row = self.activation(number, key, actor.text(), now);
        let row = row.ok_or_else(|| Refusal::NotFound {
            what: format!("key {key} in vault.keys"),
        })?;
        vault_key::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(vec![Event::VaultKeyActivated {
            key: key.to_owned(),
            before: before.map(|row| row.key),
        }])
    }

    /// Stores what was sealed anew where what was read still stands, and notes where the walk is. It waits for
    /// nobody: a row that somebody is writing is looked at again by the next walk.
    pub(super) async fn keep_resealed(
        &self,
        tx: &DatabaseTransaction,
        number: i64,
        walk: &Walk,
        unreadable: u64,
        values: &[Resealed],
        now: Time,
    ) -> Result<(), StoreError> {
        let mut stored = 0;
        for value in values {
            let (table, column) = value.column.name();
            let locked = if self.is_postgres() {
                "FOR UPDATE SKIP LOCKED"
            } else {
                ""
            };
            let sql = format!(
                "UPDATE {table} SET {column} = $1 WHERE id IN \
                 (SELECT id FROM {table} WHERE id = $2 AND {column} = $3 {locked})"
            );
            let values = [
                value.sealed.clone().into(),
                value.row.into(),
                value.read.clone().into(),
            ];
            let done = tx.execute_raw(self.statement(&sql, values)).await?;
            stored += i64::try_from(done.rows_affected()).unwrap_or(i64::MAX);
        }
        let (name, place, after) = walk_columns(walk);
        let done_at = (*walk == Walk::Done).then(|| now.timestamp_millis());
        let unreadable = i64::try_from(unreadable).unwrap_or(i64::MAX);
        vault_key::Entity::update_many()
            .col_expr(vault_key::Column::Walk, name.into())
            .col_expr(vault_key::Column::Place, Expr::value(place))
            .col_expr(vault_key::Column::AfterRow, Expr::value(after))
            .col_expr(vault_key::Column::DoneAt, Expr::value(done_at))
            .col_expr(vault_key::Column::Unreadable, unreadable.into())
            .col_expr(
                vault_key::Column::Resealed,
                Expr::col(vault_key::Column::Resealed).add(stored),
            )
            .filter(vault_key::Column::Number.eq(number))
            .exec(tx)
            .await?;
        Ok(())
    }
}
