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
    /// An upload's address lets whoever knows it feed that upload.
    TargetPrepared,
    AttemptPrepared,
    /// An answer may hold a key that is shown once only.
    AnswerBody,
}

impl Column {
    fn place(self, row: Uuid) -> Place {
        match self {
            Self::GrantAccess => Place::new("grants", row, "access_token"),
            Self::GrantRefresh => Place::new("grants", row, "refresh_token"),
            Self::GrantBinding => Place::new("grants", row, "binding"),
            Self::ConnectionAccess => Place::new("connections", row, "access_token"),
            Self::AppSecret => Place::new("apps", row, "client_secret"),
            Self::TargetPrepared => Place::new("post_targets", row, "prepared"),
            Self::AttemptPrepared => Place::new("publish_attempts", row, "prepared"),
            Self::AnswerBody => Place::new("idempotency_keys", row, "body"),
        }
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
        let open = |bytes: &[u8]| self.vault.open(&column.place(row), bytes);
        Ok(sealed.map(open).transpose()?)
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
