//! Token, page and role: what they mean together. Pure.

use mooring_domain::{
    Failure, Platform,
    connection::{
        AccountFacts, AccountKind, AccountRole, AccountSeen, AccountState, Observation, TokenSeen,
        missing_scopes,
    },
};

use super::wire::Page;

/// What the user may do on the page, by the list of the user's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The page is there, with a task that publishes.
    Publishes,
    /// The page is there without such a task, or is not there.
    Lost,
    /// The list does not tell.
    Untold,
}

/// What the destination's own calls saw.
pub(super) struct Look {
    pub(super) role: Result<Role, Failure>,
    /// What the person is there, where the list tells.
    pub(super) held: Option<AccountRole>,
    pub(super) page: Result<Page, Failure>,
}

/// What the token's probe saw.
pub(super) struct Probe {
    pub(super) token: TokenSeen,
    /// The permission to publish was given, but not for this page.
    pub(super) page_left_out: bool,
}

/// A probe's failure is about the token, or it has told nothing.
pub(super) fn dead(failure: Failure) -> Result<Probe, Failure> {
    if failure.ends_the_credential() || failure == Failure::Checkpoint {
        return Ok(Probe {
            token: TokenSeen::Dead(failure),
            page_left_out: false,
        });
    }
    Err(failure)
}

/// Whether a failed look is news about token or page; everything else means that nothing was learnt.
pub(super) fn says_something(failure: &Failure) -> bool {
    failure.ends_the_credential()
        || matches!(
            failure,
            Failure::ScopeMissing { .. } | Failure::AccountUnavailable | Failure::Checkpoint
        )
}

/// What the calls mean together.
pub(super) fn judge(look: Look, probe: Option<Probe>) -> Observation {
    let (token, page_left_out) = match probe {
        Some(probe) => (probe.token, probe.page_left_out),
        None => (TokenSeen::NotProbed, false),
    };
    let state = account_state(&look, &token, page_left_out);
    let about = AccountFacts {
        kind: Some(AccountKind::Page),
        // Without the permission the list is empty, and says nothing about a role.
        role: look.held.filter(|_| list_tells(&token)),
        ..AccountFacts::default()
    };
    let name = look.page.ok().and_then(|page| page.name);
    Observation {
        token,
        account: state.map(|state| AccountSeen { state, name, about }),
    }
}

/// Whether the list of pages can be read: without its permission it is empty, whatever the roles are.
fn list_tells(token: &TokenSeen) -> bool {
    !missing(token)
        .iter()
        .any(|scope| scope == "pages_show_list")
}

fn missing(token: &TokenSeen) -> Vec<String> {
    match token {
        TokenSeen::Alive {
            scopes: Some(granted),
            ..
        } => missing_scopes(Platform::Facebook, granted),
        _ => Vec::new(),
    }
}

/// Where the page stands; `None` when a missing permission or a dead token hides it.
fn account_state(look: &Look, token: &TokenSeen, page_left_out: bool) -> Option<AccountState> {
    let dead = matches!(token, TokenSeen::Dead(_));
    let (missing, list_tells) = (missing(token), list_tells(token));
    if *token == TokenSeen::Dead(Failure::Checkpoint) {
        return Some(AccountState::Checkpoint);
    }
    match &look.page {
        Err(Failure::AccountUnavailable) => Some(AccountState::Unavailable),
        Err(Failure::Checkpoint) => Some(AccountState::Checkpoint),
        _ if !dead && (page_left_out || (list_tells && look.role == Ok(Role::Lost))) => {
            Some(AccountState::RoleLost)
        }
        Err(Failure::ScopeMissing { .. }) if missing.is_empty() && !dead => {
            Some(AccountState::RoleLost)
        }
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
        Page {
            id: "1".to_owned(),
            name: Some("Page".to_owned()),
            is_published: Some(published),
        }
    }

    fn alive(scopes: &[&str]) -> TokenSeen {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        TokenSeen::Alive {
            access_expires_at: None,
            scopes: Some(scopes),
        }
    }

    fn all() -> TokenSeen {
        alive(Platform::Facebook.capabilities().required_scopes)
    }

    fn scope_missing() -> Failure {
        Failure::ScopeMissing { scopes: Vec::new() }
    }

    /// What a probed check says about the account.
    fn state(
        page: Result<Page, Failure>,
        role: Result<Role, Failure>,
        token: TokenSeen,
    ) -> Option<AccountState> {
        let probe = Probe {
            token,
            page_left_out: false,
        };
        judge(
            Look {
                role,
                held: None,
                page,
            },
            Some(probe),
        )
        .account
        .map(|account| account.state)
    }

    #[test]
    fn with_a_living_token_page_and_role_tell_the_accounts_state() {
        use AccountState as A;
        assert_eq!(
            state(Ok(page(true)), Ok(Role::Publishes), all()),
            Some(A::Accessible)
        );
        assert_eq!(
            state(Ok(page(false)), Ok(Role::Publishes), all()),
            Some(A::Hidden)
        );
        assert_eq!(
            state(Ok(page(true)), Ok(Role::Lost), all()),
            Some(A::RoleLost)
        );
        assert_eq!(
            state(Ok(page(true)), Ok(Role::Untold), all()),
            Some(A::Accessible),
            "list cut off"
        );
        assert_eq!(
            state(Err(Failure::AccountUnavailable), Ok(Role::Lost), all()),
            Some(A::Unavailable)
        );
        assert_eq!(
            state(Err(scope_missing()), Ok(Role::Lost), all()),
            Some(A::RoleLost)
        );
        let page_token_dead = state(Err(Failure::TokenRevoked), Ok(Role::Publishes), all());
        assert_eq!(
            page_token_dead,
            Some(A::Unavailable),
            "the page's token alone is dead"
        );
        let left_out = Probe {
            token: all(),
            page_left_out: true,
        };
        let seen = judge(
            Look {
                role: Ok(Role::Publishes),
                held: None,
                page: Ok(page(true)),
            },
            Some(left_out),
        );
        assert_eq!(seen.account.map(|account| account.state), Some(A::RoleLost));
    }

    #[test]
    fn a_missing_permission_is_not_taken_for_a_lost_role() {
        let no_list = alive(&["pages_manage_posts", "pages_read_engagement"]);
        assert_eq!(
            state(Ok(page(true)), Ok(Role::Lost), no_list),
            Some(AccountState::Accessible)
        );
        let no_read = alive(&["pages_manage_posts", "pages_show_list"]);
        assert_eq!(
            state(Err(scope_missing()), Ok(Role::Publishes), no_read),
            None
        );
    }

    #[test]
    fn a_dead_token_hides_the_account_unless_the_pages_own_token_lives() {
        let dead = |failure| TokenSeen::Dead(failure);
        let refused = || Err(Failure::TokenRevoked);
        assert_eq!(
            state(
                refused(),
                Err(Failure::TokenRevoked),
                dead(Failure::TokenRevoked)
            ),
            None
        );
        let page_lives = state(
            Ok(page(true)),
            Err(Failure::TokenRevoked),
            dead(Failure::TokenRevoked),
        );
        assert_eq!(page_lives, Some(AccountState::Accessible));
        let checkpoint = state(
            Err(Failure::Checkpoint),
            Err(Failure::Checkpoint),
            dead(Failure::Checkpoint),
        );
        assert_eq!(checkpoint, Some(AccountState::Checkpoint));
    }

    #[test]
    fn a_check_without_a_probe_says_nothing_about_the_token() {
        let seen = judge(
            Look {
                role: Ok(Role::Publishes),
                held: None,
                page: Ok(page(true)),
            },
            None,
        );
        assert_eq!(seen.token, TokenSeen::NotProbed);
        assert_eq!(
            seen.account.and_then(|account| account.name).as_deref(),
            Some("Page")
        );
    }

    #[test]
    fn a_probe_that_fails_for_another_reason_says_nothing_about_the_token() {
        for failure in [
            Failure::ProviderDown,
            Failure::AppAccess,
            Failure::Contract {
                detail: String::new(),
            },
        ] {
            assert_eq!(dead(failure.clone()).err(), Some(failure));
        }
        assert!(dead(Failure::SecurityEvent).is_ok());
    }
}
