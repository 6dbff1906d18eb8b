//! Token and account, which one call tells.

use mooring_domain::{
    Failure,
    connection::{AccountSeen, AccountState, Observation, TokenSeen},
};

use super::{Mastodon, broken, wire::Account};
use crate::{provider::Access, wire::Op};

impl Mastodon {
    /// The server says nothing about a token but that it works; its permissions are those of the day it was given.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        // There is one account per token, and this one call is needed to see it.
        let token = if probe_token {
            TokenSeen::Alive {
                access_expires_at: None,
                scopes: None,
            }
        } else {
            TokenSeen::NotProbed
        };
        match self.account(Op::Check, host, &access.token).await {
            Ok(account) if account.id == access.remote_id => Ok(Observation {
                token,
                account: Some(seen(account)),
            }),
            Ok(_) => Err(broken("the token belongs to another account")),
            Err(Failure::AccountUnavailable) => Ok(barred(AccountState::Unavailable)),
            Err(Failure::Checkpoint) => Ok(barred(AccountState::Checkpoint)),
            Err(failure) if failure.ends_the_credential() => Ok(Observation {
                token: TokenSeen::Dead(failure),
                account: None,
            }),
            Err(failure) => Err(failure),
        }
    }
}

fn seen(account: Account) -> AccountSeen {
    let state = if account.suspended == Some(true) || account.moved.is_some() {
        AccountState::Unavailable
    } else if account.limited == Some(true) {
        AccountState::Hidden
    } else {
        AccountState::Accessible
    };
    let about = account.about();
    let name = Some(account.acct);
    AccountSeen { state, name, about }
}

/// The token was taken, and the account is in the way.
fn barred(state: AccountState) -> Observation {
    Observation {
        token: TokenSeen::NotProbed,
        account: Some(AccountSeen::new(state, None)),
    }
}
