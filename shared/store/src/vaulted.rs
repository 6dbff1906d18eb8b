//! Where each secret lives, and its sealing.

use mooring_vault::{Place, Secret};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Store, StoreError};

/// A sealed column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    GrantAccess,
    GrantRefresh,
    GrantBinding,
    ConnectionAccess,
    AppSecret,
    /// What a platform signs webhooks with, or asks for at the handshake.
    AppWebhook,
    /// What an adapter keeps until the code comes back.
    ConnectKept,
    /// A new grant until its destinations are chosen.
    ConnectOffered,
    /// An upload's address lets whoever knows it feed that upload.
    TargetPrepared,
    AttemptPrepared,
    /// A request may hold a password, which must not be guessed by its digest.
    RequestDigest,
    /// An answer may hold a key that is shown once only.
    AnswerBody,
    /// Proves that a process has the right key of a name; it stays under that very key.
    KeyProof,
}

impl Column {
    /// Whatever is sealed anew when another key is activated: a new sealed column is a variant and a line here.
    pub(crate) const RESEALED: [Self; 12] = [
        Self::AppSecret,
        Self::AppWebhook,
        Self::GrantAccess,
        Self::GrantRefresh,
        Self::GrantBinding,
        Self::ConnectionAccess,
        Self::TargetPrepared,
        Self::AttemptPrepared,
        Self::RequestDigest,
        Self::AnswerBody,
        Self::ConnectKept,
        Self::ConnectOffered,
    ];

    /// Its table, whose rows are told apart by `id`, and its name.
    pub(crate) const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::GrantAccess => ("grants", "access_token"),
            Self::GrantRefresh => ("grants", "refresh_token"),
            Self::GrantBinding => ("grants", "binding"),
            Self::ConnectionAccess => ("connections", "access_token"),
            Self::AppSecret => ("apps", "client_secret"),
            Self::AppWebhook => ("apps", "webhook_secret"),
            Self::TargetPrepared => ("post_targets", "prepared"),
            Self::AttemptPrepared => ("publish_attempts", "prepared"),
            Self::RequestDigest => ("idempotency_keys", "digest"),
            Self::AnswerBody => ("idempotency_keys", "body"),
            Self::ConnectKept => ("connects", "kept"),
            Self::ConnectOffered => ("connects", "offered"),
            Self::KeyProof => ("vault_keys", "proof"),
        }
    }

    /// `table.column`.
    pub(crate) fn label(self) -> String {
        let (table, column) = self.name();
        format!("{table}.{column}")
    }

    pub(crate) fn place(self, row: Uuid) -> Place {
        let (table, column) = self.name();
        Place::new(table, row, column)
    }
}

impl Store {
    pub(crate) fn seal(&self, column: Column, row: Uuid, secret: &Secret) -> Vec<u8> {
        self.vault.seal(&column.place(row), secret)
    }

    pub(crate) fn unseal(
        &self,
        column: Column,
        row: Uuid,
        sealed: Option<&[u8]>,
    ) -> Result<Option<Secret>, StoreError> {
        let Some(bytes) = sealed else { return Ok(None) };
        let opened = self.vault.open(&column.place(row), bytes);
        let refused = |source| StoreError::Sealed {
            place: column.label(),
            row,
            source,
        };
        opened.map(Some).map_err(refused)
    }

    /// Seals a value as JSON.
    pub(crate) fn seal_json(&self, column: Column, row: Uuid, value: &impl Serialize) -> Vec<u8> {
        let text = serde_json::to_string(value).expect("a value of ours is JSON");
        self.seal(column, row, &Secret::from(text))
    }

    /// Opens what [`Self::seal_json`] sealed.
    pub(crate) fn unseal_json<T: DeserializeOwned>(
        &self,
        column: Column,
        row: Uuid,
        sealed: Option<&[u8]>,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.unseal(column, row, sealed)? else {
            return Ok(None);
        };
        // The parser's message may quote what was sealed, so it stays out.
        let read = serde_json::from_str(text.expose());
        let read = read.map_err(|_| StoreError::corrupt("prepared", row, "is no preparation"))?;
        Ok(Some(read))
    }
}
