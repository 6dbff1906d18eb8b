//! The two ways in: a token of Instagram Login for its own account, or a token of Facebook Login for the account
//! that is linked to a page.

use super::FLAVOR;
use super::realm::access::{self, Actor};
use super::realm::graph;
use crate::call::{Answer, Call};
use crate::facebook;
use crate::facebook::tokens::Token;
use crate::world::World;

/// Through which log-in a call comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    InstagramLogin,
    FacebookLogin,
}

/// What a call wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Read,
    Publish,
    /// Taking a post away: with Facebook Login alone.
    Manage,
}

impl Door {
    /// The site through which it goes.
    pub(super) fn site(self) -> &'static str {
        match self {
            Self::InstagramLogin => "instagram",
            Self::FacebookLogin => "facebook",
        }
    }

    /// The caller as an actor on the account that a path names.
    pub(super) fn actor(
        self,
        world: &World,
        call: &Call,
        account: &str,
        right: Right,
    ) -> Result<Actor, Answer> {
        match self {
            Self::InstagramLogin => {
                let scopes: &[&str] = match right {
                    Right::Read => &[FLAVOR.basic],
                    Right::Publish | Right::Manage => &[FLAVOR.basic, FLAVOR.publish],
                };
                access::actor(&FLAVOR, world, call, account, scopes)
            }
            Self::FacebookLogin => through_page(world, call, account, right),
        }
    }

    /// The same for a container or a post.
    pub(super) fn owner(
        self,
        world: &World,
        call: &Call,
        id: &str,
        right: Right,
    ) -> Result<Actor, Answer> {
        // A dead token is told before an unknown object.
        match self {
            Self::InstagramLogin => drop(access::holder(&FLAVOR, world, call)?),
            Self::FacebookLogin => drop(facebook::access::holder(world, call)?),
        }
        let owner = world.instagram.owner_of(id).filter(|owner| *owner != id);
        let unknown = || facebook::errors::no_such_object(&access::method(call), id);
        let owner = owner.ok_or_else(unknown)?;
        self.actor(world, call, owner, right).map_err(|refused| {
            // Somebody else's post looks like none.
            match refused.status {
                400 if is_unknown_object(&refused) => unknown(),
                _ => refused,
            }
        })
    }
}

fn is_unknown_object(answer: &Answer) -> bool {
    let body = serde_json::from_slice::<serde_json::Value>(&answer.body);
    body.is_ok_and(|b| b["error"]["error_subcode"] == 33)
}

/// A user or page token of Facebook, for the account that is linked to a page on which the person has a role.
fn through_page(world: &World, call: &Call, account: &str, right: Right) -> Result<Actor, Answer> {
    let token = facebook::access::holder(world, call)?;
    let unknown = || facebook::errors::no_such_object(&access::method(call), account);
    let page_id = linked_page(world, &token, account).ok_or_else(unknown)?;
    world.instagram.account(call, account)?;
    let page = facebook::access::page(world, &access::method(call), page_id)?;
    let user = world.facebook.users.get(&token.user).ok_or_else(unknown)?;
    let on_account = |scope| user.has(scope, Some(account));
    let on_page = |scope| user.has(scope, Some(page_id));
    let mut allowed = on_account("instagram_basic")
        && (on_page("pages_read_engagement") || on_page("pages_show_list"));
    let tasks = page.tasks.get(&token.user);
    let may_post = tasks.is_some_and(|t| t.iter().any(|t| t == "CREATE_CONTENT" || t == "MANAGE"));
    match right {
        Right::Read => {}
        Right::Publish => allowed &= on_account("instagram_content_publish") && may_post,
        Right::Manage => allowed &= on_account("instagram_manage_contents") && may_post,
    }
    if !allowed {
        return Err(graph::permission_missing());
    }
    Ok(Actor {
        account: account.to_owned(),
        app: token.app,
    })
}

fn linked_page<'w>(world: &'w World, token: &Token, account: &str) -> Option<&'w str> {
    let is_linked = |id: &&String| {
        let page = world.facebook.pages.get(*id);
        page.is_some_and(|p| {
            p.instagram.as_deref() == Some(account) && p.tasks.contains_key(&token.user)
        })
    };
    let pages = &world.facebook.users.get(&token.user)?.pages;
    let fits = |id: &&String| token.page.as_ref().is_none_or(|p| p == *id) && is_linked(id);
    pages.iter().find(fits).map(String::as_str)
}
