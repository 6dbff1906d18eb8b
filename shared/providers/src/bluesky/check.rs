//! Session and account: what a check sees.

use http::Method;
use mooring_domain::{
    Failure,
    connection::{AccountSeen, AccountState, Observation, TokenSeen},
};

use super::{
    Bluesky, jwt, map, same_account,
    wire::{RepoStatus, SessionInfo},
};
use crate::{
    provider::Access,
    wire::{Op, Reply},
};

impl Bluesky {
    /// The session by its own word, the account by the public's.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        if !probe_token {
            return Ok(Observation {
                token: TokenSeen::NotProbed,
                account: Some(self.public_account(access).await?),
            });
        }
        let call = self.call(access, Method::GET, "com.atproto.server.getSession")?;
        let reply = self.send_as(Op::Check, access, call).await?;
        if reply.is_success() {
            return self.live_session(access, &reply).await;
        }
        self.refused_session(access, &reply).await
    }

    /// The session works; what remains is how the public sees the account.
    async fn live_session(&self, access: &Access, reply: &Reply) -> Result<Observation, Failure> {
        let session: SessionInfo = reply.read("session")?;
        same_account(access, &session.did)?;
        let claimed = account_state(session.active.unwrap_or(true), session.status.as_deref());
        let mut account = match self.public_account(access).await {
            // The account's own word counts where it is the worse one.
            Ok(public) if claimed == AccountState::Accessible => public,
            Ok(_) | Err(_) => AccountSeen::new(claimed, None),
        };
        account.name = Some(session.handle);
        let token = TokenSeen::Alive {
            access_expires_at: jwt::ends_at(&access.token),
            scopes: None,
        };
        Ok(Observation {
            token,
            account: Some(account),
        })
    }

    /// The session was refused: because of the token, or because of the account.
    async fn refused_session(
        &self,
        access: &Access,
        reply: &Reply,
    ) -> Result<Observation, Failure> {
        let failure = map::failure(Op::Check, reply, self.transport.now());
        let public = self.public_account(access).await;
        if failure.ends_the_credential() {
            return Ok(Observation {
                token: TokenSeen::Dead(failure),
                account: public.ok(),
            });
        }
        let unavailable = match failure {
            Failure::AccountUnavailable => true,
            // What a taken-down or deleted account gets here; its repository's status tells.
            Failure::Contract { .. } if map::is_invalid_request(reply) => {
                public.is_ok_and(|seen| seen.state == AccountState::Unavailable)
            }
            _ => false,
        };
        if !unavailable {
            return Err(failure);
        }
        // The tokens were not judged, so nothing is said about them.
        let account = AccountSeen::new(AccountState::Unavailable, None);
        Ok(Observation {
            token: TokenSeen::NotProbed,
            account: Some(account),
        })
    }

    /// How the public sees the account. Needs no token, so it tells even when the session does not work.
    pub(super) async fn public_account(&self, access: &Access) -> Result<AccountSeen, Failure> {
        let call = self.call(access, Method::GET, "com.atproto.sync.getRepoStatus")?;
        let answer = self.answer::<RepoStatus>(
            Op::Check,
            call.query("did", &access.remote_id),
            "repository status",
        );
        let state = match answer.await {
            Ok(status) => account_state(status.active, status.status.as_deref()),
            Err(Failure::AccountUnavailable) => AccountState::Unavailable,
            Err(failure) => return Err(failure),
        };
        Ok(AccountSeen::new(state, None))
    }
}

/// How an account stands by its `active` and `status`. Relays know two states that take nothing from the account
/// itself but its reach.
fn account_state(active: bool, status: Option<&str>) -> AccountState {
    match (active, status) {
        (true, _) => AccountState::Accessible,
        (false, Some("desynchronized" | "throttled")) => AccountState::Hidden,
        (false, _) => AccountState::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_not_active_is_unavailable_unless_only_a_relay_lags() {
        assert_eq!(account_state(true, None), AccountState::Accessible);
        for status in [
            "takendown",
            "suspended",
            "deleted",
            "deactivated",
            "something-new",
        ] {
            assert_eq!(
                account_state(false, Some(status)),
                AccountState::Unavailable,
                "{status}"
            );
        }
        assert_eq!(
            account_state(false, Some("throttled")),
            AccountState::Hidden
        );
    }
}
