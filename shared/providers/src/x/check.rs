//! What a check sees. One call tells about token and account alike, and is billed; the scopes and the token's end
//! are known from the last refresh.

use mooring_domain::{
    Failure,
    connection::{AccountFacts, AccountSeen, AccountState, Observation, TokenSeen},
};

use super::client::{X, broken};
use crate::{provider::Access, wire::Op};

impl X {
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let user = match self
            .me(Op::Check, access.host.as_ref(), &access.token)
            .await
        {
            Ok(user) => user,
            Err(failure) => return refused(failure),
        };
        if user.id != access.remote_id {
            return Err(broken("the token belongs to another account"));
        }
        let token = if probe_token {
            TokenSeen::Alive {
                access_expires_at: None,
                scopes: None,
            }
        } else {
            TokenSeen::NotProbed
        };
        // What a protected account posts is seen by its followers alone.
        let state = if user.protected == Some(true) {
            AccountState::Hidden
        } else {
            AccountState::Accessible
        };
        let about = user.about();
        Ok(seen(token, state, Some(user.username), about))
    }
}

/// A refusal is news about the token or about the account, or nothing was learnt.
fn refused(failure: Failure) -> Result<Observation, Failure> {
    let state = match failure {
        Failure::AccountUnavailable => AccountState::Unavailable,
        Failure::Checkpoint => AccountState::Checkpoint,
        dead if dead.ends_the_credential() => {
            return Ok(Observation {
                token: TokenSeen::Dead(dead),
                account: None,
            });
        }
        other => return Err(other),
    };
    let about = AccountFacts::default();
    Ok(seen(TokenSeen::NotProbed, state, None, about))
}

fn seen(
    token: TokenSeen,
    state: AccountState,
    name: Option<String>,
    about: AccountFacts,
) -> Observation {
    Observation {
        token,
        account: Some(AccountSeen { state, name, about }),
    }
}
