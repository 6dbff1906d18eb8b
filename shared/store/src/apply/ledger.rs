//! Writing the proof ledger. A chain goes on from the very end that the decision was made upon, or not at all.

use mooring_domain::{
    Time, WorkspaceId,
    proof::{Entry, Head, LedgerStep, Root, canonical},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use crate::{
    Store, StoreError,
    entity::{ledger_entry, ledger_head, ledger_key, ledger_pending, ledger_root},
};

/// Rows in one statement.
const PORTION: usize = 500;

impl Store {
    pub(super) async fn keep_ledger(
        &self,
        tx: &DatabaseTransaction,
        step: &LedgerStep,
        now: Time,
    ) -> Result<(), StoreError> {
        match step {
            LedgerStep::Appended {
                workspace,
                after,
                head,
                entries,
            } => {
                self.move_head(tx, *workspace, after.as_ref(), head).await?;
                self.append(tx, entries).await
            }
            LedgerStep::Sealed {
                before,
                head,
                root,
                public_key,
            } => {
                let workspace = root.statement.workspace;
                self.move_head(tx, workspace, Some(before), head).await?;
                self.note_ledger_key(tx, &root.statement.key, public_key, now)
                    .await?;
                self.keep_root(tx, root).await
            }
            LedgerStep::Looked { pending } => {
                for ids in pending.chunks(PORTION) {
                    ledger_pending::Entity::delete_many()
                        .filter(ledger_pending::Column::Id.is_in(ids.iter().copied()))
                        .exec(tx)
                        .await?;
                }
                Ok(())
            }
        }
    }

    /// Moves a chain's end, if it is still the one that was seen. The row is locked from here to the end of the
    /// transaction: of two that would go on from one end, the second finds another and writes nothing.
    async fn move_head(
        &self,
        tx: &DatabaseTransaction,
        workspace: WorkspaceId,
        seen: Option<&Head>,
        head: &Head,
    ) -> Result<(), StoreError> {
        let row = head_row(workspace, head);
        let moved = match seen {
            None => {
                let once = OnConflict::column(ledger_head::Column::WorkspaceId)
                    .do_nothing()
                    .to_owned();
                ledger_head::Entity::insert(row)
                    .on_conflict(once)
                    .exec_without_returning(tx)
                    .await?
            }
            Some(seen) => {
                let moved = ledger_head::Entity::update_many()
                    .set(row)
                    .filter(ledger_head::Column::WorkspaceId.eq(workspace.uuid()))
                    .filter(ledger_head::Column::Number.eq(signed(seen.number)))
                    .filter(ledger_head::Column::Hash.eq(seen.hash.to_string()))
                    .filter(ledger_head::Column::Sealed.eq(signed(seen.sealed)))
                    .exec(tx)
                    .await?;
                moved.rows_affected
            }
        };
        if moved == 0 {
            let why = format!("the ledger of {workspace} has grown meanwhile");
            return Err(StoreError::Contention(DbErr::Custom(why)));
        }
        Ok(())
    }

    async fn append(&self, tx: &DatabaseTransaction, entries: &[Entry]) -> Result<(), StoreError> {
        for portion in entries.chunks(PORTION) {
            let rows = portion.iter().map(|entry| ledger_entry::ActiveModel {
                workspace_id: Set(entry.workspace.uuid()),
                number: Set(signed(entry.number)),
                about: Set(entry.about.clone()),
                source: Set(entry.source.clone()),
                kind: Set(entry.body.kind().to_owned()),
                chained_at: Set(entry.chained_at),
                hash: Set(entry.hash().to_string()),
                entry: Set(entry.text()),
            });
            ledger_entry::Entity::insert_many(rows)
                .exec_without_returning(tx)
                .await?;
        }
        Ok(())
    }

    async fn keep_root(&self, tx: &DatabaseTransaction, root: &Root) -> Result<(), StoreError> {
        let statement = &root.statement;
        let row = ledger_root::ActiveModel {
            workspace_id: Set(statement.workspace.uuid()),
            day: Set(statement.day.to_string()),
            first: Set(signed(statement.first)),
            last: Set(signed(statement.last)),
            statement: Set(canonical::of(statement)),
            signature: Set(root.signature.clone()),
        };
        ledger_root::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Keeps the public key, so that a root stays checkable when its key is gone from the configuration. Two keys of one
    /// id would make roots that nobody can check: that is refused.
    async fn note_ledger_key(
        &self,
        tx: &DatabaseTransaction,
        id: &str,
        public: &[u8; 32],
        now: Time,
    ) -> Result<(), StoreError> {
        let public = hex::encode(public);
        let same = OnConflict::column(ledger_key::Column::Id)
            .value(ledger_key::Column::Id, Expr::value(id))
            .action_and_where(
                Expr::col((ledger_key::Entity, ledger_key::Column::PublicKey)).eq(public.as_str()),
            )
            .to_owned();
        let row = ledger_key::ActiveModel {
            id: Set(id.to_owned()),
            public_key: Set(public.clone()),
            first_used_at: Set(now.timestamp_millis()),
        };
        let noted = ledger_key::Entity::insert(row)
            .on_conflict(same)
            .exec_without_returning(tx)
            .await?;
        if noted == 0 {
            return Err(StoreError::corrupt(
                "ledger_keys",
                id,
                "is the id of another key: give the new one an id of its own in proof.signing_key",
            ));
        }
        Ok(())
    }
}

fn head_row(workspace: WorkspaceId, head: &Head) -> ledger_head::ActiveModel {
    ledger_head::ActiveModel {
        workspace_id: Set(workspace.uuid()),
        number: Set(signed(head.number)),
        hash: Set(head.hash.to_string()),
        chained_at: Set(head.chained_at.timestamp_millis()),
        sealed: Set(signed(head.sealed)),
        root_day: Set(head.last_root.map(|(day, _)| day.to_string())),
        root_hash: Set(head.last_root.map(|(_, hash)| hash.to_string())),
        open_since: Set(head.open_since.map(|at| at.timestamp_millis())),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
