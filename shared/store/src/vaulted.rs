//! Where each secret lives, and its sealing.

use mooring_vault::{Place, Secret};
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
}

impl Column {
    fn place(self, row: Uuid) -> Place {
        match self {
            Self::GrantAccess => Place::new("grants", row, "access_token"),
            Self::GrantRefresh => Place::new("grants", row, "refresh_token"),
            Self::GrantBinding => Place::new("grants", row, "binding"),
            Self::ConnectionAccess => Place::new("connections", row, "access_token"),
            Self::AppSecret => Place::new("apps", row, "client_secret"),
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
}
