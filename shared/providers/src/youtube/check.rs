//! The calls of a check: the channel (one unit), and the token (free of units).

use mooring_domain::{
    Failure,
    connection::{AccountSeen, AccountState, Observation, TokenSeen},
};

use super::{
    client::Youtube,
    wire::{Channel, TokenAnswer, scopes},
};
use crate::{
    provider::Access,
    wire::{Op, unix},
};

impl Youtube {
    /// A token that is not to be probed is probed all the same when the channel's call failed for it: only the probe
    /// tells an ended token from a missing permission.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let channel = self.own_channel(Op::Check, access).await;
        let account = match &channel {
            Ok(channel) => Some(seen(channel.as_ref(), &access.remote_id)),
            Err(Failure::AccountUnavailable) => Some(unavailable()),
            Err(failure) if is_about_token(failure) => None,
            Err(failure) => return Err(failure.clone()),
        };
        if account.is_some() && !probe_token {
            let token = TokenSeen::NotProbed;
            return Ok(Observation { token, account });
        }
        let token = self.probe(access).await?;
        // The probe and the channel's call may disagree for a moment after a revocation: the worse one counts.
        let token = match (token, channel) {
            (TokenSeen::Alive { .. }, Err(failure)) if failure.ends_the_credential() => {
                TokenSeen::Dead(failure)
            }
            (token, _) => token,
        };
        Ok(Observation { token, account })
    }

    async fn probe(&self, access: &Access) -> Result<TokenSeen, Failure> {
        let info = match self.token_info(access).await {
            Ok(info) => info,
            Err(failure) if failure.ends_the_credential() => return Ok(TokenSeen::Dead(failure)),
            Err(failure) => return Err(failure),
        };
        let by_span = TokenAnswer::end(self.transport.now(), info.expires_in);
        Ok(TokenSeen::Alive {
            access_expires_at: info.exp.and_then(unix).or(by_span),
            scopes: Some(scopes(&info.scope)),
        })
    }
}

fn is_about_token(failure: &Failure) -> bool {
    failure.ends_the_credential() || matches!(failure, Failure::ScopeMissing { .. })
}

/// Whether the grant's channel is the destination. Another one was chosen at another consent: ours is out of reach.
fn seen(channel: Option<&Channel>, wanted: &str) -> AccountSeen {
    let Some(channel) = channel.filter(|channel| channel.id == wanted) else {
        return unavailable();
    };
    let linked = channel.status.is_linked != Some(false);
    AccountSeen {
        state: if linked {
            AccountState::Accessible
        } else {
            AccountState::Unavailable
        },
        name: Some(channel.snippet.title.clone()),
        about: channel.about(),
    }
}

fn unavailable() -> AccountSeen {
    AccountSeen::new(AccountState::Unavailable, None)
}
