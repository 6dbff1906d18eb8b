//! Token, page and role: what a check sees, and what it means together.

use http::Method;
use mooring_domain::{
    Failure, Platform,
    connection::{AccountSeen, AccountState, Observation, TokenSeen, missing_scopes},
};

use super::{
    client::Facebook,
    connect::PARTS,
    map,
    wire::{Account, List, NextPart, Page, Permission},
};
use crate::{
    provider::Access,
    wire::{Op, unix},
};

/// What the user may do on the page, by the list of the user's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The page is there, with a task that publishes.
    Publishes,
    /// The page is there without such a task, or is not there.
    Lost,
    /// The list does not tell.
    Untold,
}

/// What the destination's own calls saw.
struct Look {
    role: Result<Role, Failure>,
    page: Result<Page, Failure>,
}

/// What the token's probe saw.
struct Probe {
    token: TokenSeen,
    /// The permission to publish was given, but not for this page.
    page_left_out: bool,
}

impl Facebook {
    /// A token that is not to be probed is probed all the same when something looks wrong: only the probe tells a
    /// dead page token from a dead grant.
    pub(super) async fn observe(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        let look = Look { page: self.page(access).await, role: self.role(access).await };
        for failure in [look.page.as_ref().err(), look.role.as_ref().err()].into_iter().flatten() {
            if !says_something(failure) {
                return Err(failure.clone());
            }
        }
        let well = look.page.is_ok() && look.role == Ok(Role::Publishes);
        let probe = if probe_token || !well { Some(self.probe(access).await?) } else { None };
        Ok(judge(look, probe))
    }

    /// The page by its own token.
    async fn page(&self, access: &Access) -> Result<Page, Failure> {
        let call = self.page_call(access, "/{page-id}", Method::GET, &[&access.remote_id])?;
        let page: Page = self.answer(Op::Check, call.query("fields", "id,name,is_published"), "page").await?;
        if page.id == access.remote_id {
            return Ok(page);
        }
        Err(Failure::Contract { detail: "another page than the one asked for".to_owned() })
    }

    /// The user's role on the page, by the user's token.
    async fn role(&self, access: &Access) -> Result<Role, Failure> {
        let mut after: Option<String> = None;
        for _ in 0..PARTS {
            let call = self.user_call(access, "/me/accounts", Method::GET, &["me", "accounts"])?;
            let call = call.query("fields", "id,tasks");
            let list: List<Account> = self.part(Op::Check, call, after.as_deref()).await?;
            if let Some(page) = list.data.iter().find(|page| page.id == access.remote_id) {
                return Ok(if page.may_publish() { Role::Publishes } else { Role::Lost });
            }
            match list.next() {
                NextPart::None => return Ok(Role::Lost),
                NextPart::After(cursor) => after = Some(cursor.to_owned()),
                NextPart::Unreachable => break,
            }
        }
        Ok(Role::Untold)
    }

    async fn probe(&self, access: &Access) -> Result<Probe, Failure> {
        let Some(app) = &access.app else { return self.probe_by_permissions(access).await };
        let debug = self.debug_token(Op::Check, access.host.as_ref(), app, &access.grant_token).await?;
        if !debug.is_valid {
            return dead(map::dead_token(debug.error.as_ref()));
        }
        let page_left_out = debug.excludes("pages_manage_posts", &access.remote_id);
        let access_expires_at = debug.expires_at.and_then(unix);
        let token = TokenSeen::Alive { access_expires_at, scopes: Some(debug.scopes) };
        Ok(Probe { token, page_left_out })
    }

    /// The poorer probe, for a grant whose app we do not know: permissions, but no end.
    async fn probe_by_permissions(&self, access: &Access) -> Result<Probe, Failure> {
        let call = self.user_call(access, "/me/permissions", Method::GET, &["me", "permissions"])?;
        let list: List<Permission> = match self.answer(Op::Check, call, "list of permissions").await {
            Ok(list) => list,
            Err(failure) => return dead(failure),
        };
        let granted = list.data.into_iter().filter(|entry| entry.status == "granted");
        let scopes = Some(granted.map(|entry| entry.permission).collect());
        Ok(Probe { token: TokenSeen::Alive { access_expires_at: None, scopes }, page_left_out: false })
    }
}

/// A probe's failure is about the token, or it has told nothing.
fn dead(failure: Failure) -> Result<Probe, Failure> {
    if failure.ends_the_credential() || failure == Failure::Checkpoint {
        return Ok(Probe { token: TokenSeen::Dead(failure), page_left_out: false });
    }
    Err(failure)
}

/// Whether a failed look is news about token or page; everything else means that nothing was learnt.
fn says_something(failure: &Failure) -> bool {
    failure.ends_the_credential()
        || matches!(
            failure,
            Failure::ScopeMissing { .. } | Failure::AccountUnavailable | Failure::Checkpoint
        )
}

fn judge(look: Look, probe: Option<Probe>) -> Observation {
    let (token, page_left_out) = match probe {
        Some(probe) => (probe.token, probe.page_left_out),
        None => (TokenSeen::NotProbed, false),
    };
    let state = account_state(&look, &token, page_left_out);
    let name = look.page.ok().and_then(|page| page.name);
    Observation { token, account: state.map(|state| AccountSeen { state, name }) }
}

/// Where the page stands; `None` when a missing permission or a dead token hides it.
fn account_state(look: &Look, token: &TokenSeen, page_left_out: bool) -> Option<AccountState> {
    let dead = matches!(token, TokenSeen::Dead(_));
    let missing = match token {
        TokenSeen::Alive { scopes: Some(granted), .. } => missing_scopes(Platform::Facebook, granted),
        _ => Vec::new(),
    };
    // Without this permission the list of pages is empty, whatever the roles are.
    let list_tells = !missing.iter().any(|scope| scope == "pages_show_list");
    if *token == TokenSeen::Dead(Failure::Checkpoint) {
        return Some(AccountState::Checkpoint);
    }
    match &look.page {
        Err(Failure::AccountUnavailable) => Some(AccountState::Unavailable),
        Err(Failure::Checkpoint) => Some(AccountState::Checkpoint),
        _ if !dead && (page_left_out || (list_tells && look.role == Ok(Role::Lost))) => Some(AccountState::RoleLost),
        Err(Failure::ScopeMissing { .. }) if missing.is_empty() && !dead => Some(AccountState::RoleLost),
        Err(Failure::ScopeMissing { .. }) => None,
        // The page's own token is dead and the user's is not: out of reach, and no verdict on the grant.
        Err(_) if !dead => Some(AccountState::Unavailable),
        Err(_) => None,
        Ok(page) if page.is_published == Some(false) => Some(AccountState::Hidden),
        Ok(_) => Some(AccountState::Accessible),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(published: bool) -> Page {
        Page { id: "1".to_owned(), name: Some("Page".to_owned()), is_published: Some(published) }
    }

    fn alive(scopes: &[&str]) -> TokenSeen {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        TokenSeen::Alive { access_expires_at: None, scopes: Some(scopes) }
    }

    fn all() -> TokenSeen {
        alive(Platform::Facebook.capabilities().required_scopes)
    }

    fn scope_missing() -> Failure {
        Failure::ScopeMissing { scopes: Vec::new() }
    }

    #[test]
    fn what_the_three_calls_mean_together() {
        use AccountState as A;
        let dead = || TokenSeen::Dead(Failure::TokenRevoked);
        let no_list = || alive(&["pages_manage_posts", "pages_read_engagement"]);
        let no_read = || alive(&["pages_manage_posts", "pages_show_list"]);
        let table = [
            ("well", Ok(page(true)), Ok(Role::Publishes), all(), false, Some(A::Accessible)),
            ("well, not probed", Ok(page(true)), Ok(Role::Publishes), TokenSeen::NotProbed, false, Some(A::Accessible)),
            ("unpublished", Ok(page(false)), Ok(Role::Publishes), all(), false, Some(A::Hidden)),
            ("role lost", Ok(page(true)), Ok(Role::Lost), all(), false, Some(A::RoleLost)),
            ("list cut off", Ok(page(true)), Ok(Role::Untold), all(), false, Some(A::Accessible)),
            ("list not permitted", Ok(page(true)), Ok(Role::Lost), no_list(), false, Some(A::Accessible)),
            ("page left out", Ok(page(true)), Ok(Role::Publishes), all(), true, Some(A::RoleLost)),
            ("page gone", Err(Failure::AccountUnavailable), Ok(Role::Lost), all(), false, Some(A::Unavailable)),
            ("page token dead", Err(Failure::TokenRevoked), Ok(Role::Publishes), all(), false, Some(A::Unavailable)),
            ("page token without role", Err(scope_missing()), Ok(Role::Lost), all(), false, Some(A::RoleLost)),
            ("permission missing", Err(scope_missing()), Ok(Role::Publishes), no_read(), false, None),
            ("grant dead", Err(Failure::TokenRevoked), Err(Failure::TokenRevoked), dead(), false, None),
            ("grant dead, page token lives", Ok(page(true)), Err(Failure::TokenRevoked), dead(), false, Some(A::Accessible)),
            (
                "checkpoint",
                Err(Failure::Checkpoint),
                Err(Failure::Checkpoint),
                TokenSeen::Dead(Failure::Checkpoint),
                false,
                Some(A::Checkpoint),
            ),
        ];
        for (case, page, role, token, page_left_out, expected) in table {
            let seen = judge(Look { role, page }, Some(Probe { token, page_left_out }));
            assert_eq!(seen.account.map(|account| account.state), expected, "{case}");
        }
    }

    #[test]
    fn a_probe_that_fails_for_another_reason_says_nothing_about_the_token() {
        for failure in [Failure::ProviderDown, Failure::AppAccess, Failure::Contract { detail: String::new() }] {
            assert_eq!(dead(failure.clone()).err(), Some(failure));
        }
        assert!(dead(Failure::SecurityEvent).is_ok());
    }
}
