//! The calls of a check, and what they mean together.
//!
//! The token is probed by introspection. The account of a member is the profile; the account of a page is the
//! person's role there and, where that does not tell, the organization itself.

use http::Method;
use mooring_domain::{
    Failure, Platform,
    connection::{
        AccountFacts, AccountKind, AccountRole, AccountSeen, AccountState, Observation, TokenSeen,
        missing_scopes,
    },
};

use super::{
    client::LinkedIn,
    connect::number,
    wire::{Acl, Organization},
};
use crate::{provider::Access, wire::Op};

/// What the account's own calls saw.
type Account = Result<AccountSeen, Failure>;

impl LinkedIn {
    /// A token that is not to be probed is probed all the same when something looks wrong: only the probe tells a
    /// missing permission from a lost role.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let account = if self.is_page() {
            self.page_account(access).await
        } else {
            self.member_account(access).await
        };
        if let Err(failure) = &account
            && !says_something(failure)
        {
            // A day's calls for profiles may be used up; the probe needs none of them.
            return match self.probe_if(access, probe_token, failure).await {
                Some(seen) => seen.map(|token| judge(self.platform, token, account)),
                None => Err(failure.clone()),
            };
        }
        let token = match &access.app {
            _ if !probe_token && account.is_ok() => TokenSeen::NotProbed,
            // Without the app nobody can introspect; what the account's call said has to do.
            None => unprobed(&account),
            Some(app) => match self.probe(access, app).await {
                Ok(token) => token,
                Err(_) if is_dead(&account) => unprobed(&account),
                Err(failure) => return Err(failure),
            },
        };
        Ok(judge(self.platform, token, account))
    }

    async fn probe_if(
        &self,
        access: &Access,
        wanted: bool,
        failure: &Failure,
    ) -> Option<Result<TokenSeen, Failure>> {
        let throttled = matches!(failure, Failure::RateLimited { .. });
        let app = access.app.as_ref().filter(|_| wanted && throttled)?;
        Some(self.probe(access, app).await)
    }

    async fn member_account(&self, access: &Access) -> Account {
        let host = access.host.as_ref();
        let person = self.person(Op::Check, host, &access.grant_token).await?;
        let state = if format!("urn:li:person:{}", person.sub) == self.author(access) {
            AccountState::Accessible
        } else {
            // Somebody else's token: it cannot post in this person's name.
            AccountState::RoleLost
        };
        let (name, about) = (person.full_name(), person.about());
        Ok(AccountSeen { state, name, about })
    }

    async fn page_account(&self, access: &Access) -> Account {
        let host = access.host.as_ref();
        let rows = self.roles(Op::Check, host, &access.grant_token).await?;
        let author = self.author(access);
        let own = |row: &&Acl| row.organization() == Some(author.as_str());
        let publishes = rows.iter().filter(own).any(Acl::may_publish);
        // The strongest of the person's roles counts.
        let role = rows.iter().filter(own).map(Acl::held).min();
        let about = AccountFacts {
            kind: Some(AccountKind::Page),
            role: Some(role.unwrap_or(AccountRole::None)),
            ..AccountFacts::default()
        };
        let state = if publishes {
            AccountState::Accessible
        } else {
            AccountState::RoleLost
        };
        let name = match self.organization(access).await {
            Ok(organization) => organization.name,
            // Only administrators may look at it whole.
            Err(Failure::ScopeMissing { .. }) => None,
            Err(failure) => return Err(failure),
        };
        Ok(AccountSeen { state, name, about })
    }

    async fn organization(&self, access: &Access) -> Result<Organization, Failure> {
        let author = self.author(access);
        let id = number(&author).ok_or_else(|| Failure::Contract {
            detail: "the destination is no organization's URN".to_owned(),
        })?;
        let path = format!("organizations/{id}");
        let target = (path.as_str(), None);
        let template = "/rest/organizations/{id}";
        let host = access.host.as_ref();
        let call = self.rest(host, &access.grant_token, template, Method::GET, target);
        self.answer(Op::Check, call, "organization").await
    }
}

/// Whether a failed look is news about token or account; everything else means that nothing was learnt.
fn says_something(failure: &Failure) -> bool {
    failure.ends_the_credential()
        || matches!(
            failure,
            Failure::ScopeMissing { .. } | Failure::AccountUnavailable | Failure::Checkpoint
        )
}

fn is_dead(account: &Account) -> bool {
    account.as_ref().is_err_and(Failure::ends_the_credential)
}

/// The token, as far as the account's call tells.
fn unprobed(account: &Account) -> TokenSeen {
    match account {
        Err(failure) if failure.ends_the_credential() => TokenSeen::Dead(failure.clone()),
        _ => TokenSeen::Alive {
            access_expires_at: None,
            scopes: None,
        },
    }
}

/// What the calls mean together. Pure.
fn judge(platform: Platform, token: TokenSeen, account: Account) -> Observation {
    // The API's word about a token counts when introspection could not be asked, or is behind.
    let token = match (&token, &account) {
        (TokenSeen::Alive { .. }, Err(failure)) if failure.ends_the_credential() => {
            TokenSeen::Dead(failure.clone())
        }
        _ => token,
    };
    let missing = match &token {
        TokenSeen::Alive {
            scopes: Some(granted),
            ..
        } => missing_scopes(platform, granted),
        _ => Vec::new(),
    };
    let dead = matches!(token, TokenSeen::Dead(_));
    let at = |state| Some(AccountSeen::new(state, None));
    let account = match account {
        Ok(account) if dead => Some(account).filter(|seen| seen.state == AccountState::Accessible),
        Ok(account) => Some(account),
        Err(Failure::AccountUnavailable) if !dead => at(AccountState::Unavailable),
        Err(Failure::Checkpoint) => at(AccountState::Checkpoint),
        // Every permission is there, and yet the account is not to be seen: the role is gone.
        Err(Failure::ScopeMissing { .. }) if missing.is_empty() && !dead => {
            at(AccountState::RoleLost)
        }
        Err(_) => None,
    };
    Observation { token, account }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(platform: Platform, without: &str) -> TokenSeen {
        let scopes = platform.capabilities().required_scopes.iter();
        let scopes = scopes.filter(|scope| **scope != without);
        TokenSeen::Alive {
            access_expires_at: None,
            scopes: Some(scopes.map(|scope| (*scope).to_owned()).collect()),
        }
    }

    fn state(token: TokenSeen, account: Account) -> Option<AccountState> {
        let seen = judge(Platform::LinkedInPage, token, account);
        seen.account.map(|account| account.state)
    }

    #[test]
    fn a_missing_permission_is_not_taken_for_a_lost_role() {
        let denied = || Err(Failure::ScopeMissing { scopes: Vec::new() });
        let all = alive(Platform::LinkedInPage, "");
        assert_eq!(state(all, denied()), Some(AccountState::RoleLost));
        let some = alive(Platform::LinkedInPage, "rw_organization_admin");
        assert_eq!(state(some, denied()), None);
    }

    #[test]
    fn a_dead_token_is_not_blamed_on_the_account() {
        let dead = || TokenSeen::Dead(Failure::TokenRevoked);
        assert_eq!(state(dead(), Err(Failure::TokenRevoked)), None);
        assert_eq!(state(dead(), Err(Failure::AccountUnavailable)), None);
        let lost = Ok(AccountSeen::new(AccountState::RoleLost, None));
        assert_eq!(state(dead(), lost), None);
    }

    #[test]
    fn the_apis_word_beats_an_introspection_that_is_behind() {
        let all = alive(Platform::LinkedInPage, "");
        let seen = judge(Platform::LinkedInPage, all, Err(Failure::TokenExpired));
        assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenExpired));
        let restricted = state(alive(Platform::LinkedInPage, ""), Err(Failure::Checkpoint));
        assert_eq!(restricted, Some(AccountState::Checkpoint));
        let well = Ok(AccountSeen::new(AccountState::Accessible, None));
        let seen = state(TokenSeen::NotProbed, well);
        assert_eq!(seen, Some(AccountState::Accessible));
    }
}
