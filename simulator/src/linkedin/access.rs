//! Who calls, and for whom they may act.

use super::tokens::{self, Kind, Token};
use super::{Role, errors, gateway};
use crate::call::{Answer, Call};
use crate::world::World;

pub(super) const WRITE_MEMBER: &str = "w_member_social";
pub(super) const READ_MEMBER: &str = "r_member_social";
pub(super) const WRITE_ORGANIZATION: &str = "w_organization_social";
pub(super) const READ_ORGANIZATION: &str = "r_organization_social";
/// Either of them shows organizations and roles.
pub(super) const ADMIN_SCOPES: [&str; 2] = ["rw_organization_admin", "r_organization_admin"];
/// Roles that may post for an organization; both spellings of the second are in use.
const POSTING_ROLES: [&str; 4] = [
    "ADMINISTRATOR",
    "CONTENT_ADMIN",
    "CONTENT_ADMINISTRATOR",
    "DIRECT_SPONSORED_CONTENT_POSTER",
];

/// Whose page or profile it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Author<'a> {
    Member(&'a str),
    Organization(&'a str),
}

impl<'a> Author<'a> {
    /// Reads `urn:li:person:…` or `urn:li:organization:…`.
    pub(super) fn parse(urn: &'a str) -> Option<Self> {
        let member = urn.strip_prefix("urn:li:person:").map(Author::Member);
        let organization = || urn.strip_prefix("urn:li:organization:");
        member.or_else(|| organization().map(Author::Organization))
    }
}

/// The person who calls; refuses dead tokens.
pub(super) fn caller(world: &World, call: &Call) -> Result<Token, Answer> {
    let text = call.header_token.as_deref().filter(|text| !text.is_empty());
    let text = text.ok_or_else(errors::no_token)?;
    let token = world.linkedin.tokens.get(text);
    let token = token
        .filter(|token| token.kind == Kind::Access)
        .ok_or_else(errors::invalid_token)?;
    match tokens::refusal(world, token) {
        Some(refusal) => Err(refusal),
        None => Ok(token.clone()),
    }
}

/// Whether the token has one of these permissions, and its app still has the product behind it.
pub(super) fn has_one(world: &World, token: &Token, scopes: &[&str]) -> bool {
    let app = world.linkedin.apps.get(&token.app);
    scopes.iter().any(|scope| {
        let granted = token.scopes.iter().any(|own| own == scope);
        granted && app.is_some_and(|app| app.scopes.contains(*scope))
    })
}

/// Refuses a token without one of these permissions.
pub(super) fn need_one(
    world: &World,
    call: &Call,
    token: &Token,
    scopes: &[&str],
    resource: &str,
) -> Result<(), Answer> {
    if has_one(world, token, scopes) {
        return Ok(());
    }
    Err(errors::access_denied(&gateway::resource(call, resource)))
}

/// Whether this token may post, upload or delete as that author. `field` names the author in errors.
pub(super) fn may_write(
    world: &World,
    call: &Call,
    token: &Token,
    urn: &str,
    (field, resource): (&str, &str),
) -> Result<(), Answer> {
    match Author::parse(urn) {
        Some(Author::Member(member)) => {
            need_one(world, call, token, &[WRITE_MEMBER], resource)?;
            if member == token.member {
                return Ok(());
            }
        }
        Some(Author::Organization(organization)) => {
            if !has_one(world, token, &[WRITE_ORGANIZATION]) {
                return Err(errors::organization_permissions(field));
            }
            let role = role(world, token, organization);
            if role.is_some_and(|role| POSTING_ROLES.contains(&role.name.as_str())) {
                return Ok(());
            }
        }
        None => {
            let text = format!("{field} value {urn} must be a person or organization URN");
            return Err(errors::field("INVALID_URN_TYPE", field, &text));
        }
    }
    Err(errors::may_not_act_for(field))
}

/// Whether this token may read that author's posts.
pub(super) fn may_read(
    world: &World,
    call: &Call,
    token: &Token,
    urn: &str,
    resource: &str,
) -> Result<(), Answer> {
    let denied = || Err(errors::access_denied(&gateway::resource(call, resource)));
    match Author::parse(urn) {
        Some(Author::Member(member)) => {
            need_one(world, call, token, &[READ_MEMBER], resource)?;
            if member == token.member {
                Ok(())
            } else {
                denied()
            }
        }
        Some(Author::Organization(organization)) => {
            need_one(world, call, token, &[READ_ORGANIZATION], resource)?;
            if role(world, token, organization).is_some() {
                Ok(())
            } else {
                denied()
            }
        }
        None => denied(),
    }
}

/// The person's role at an organization that is there.
pub(super) fn role<'w>(world: &'w World, token: &Token, organization: &str) -> Option<&'w Role> {
    let organization = world.linkedin.organizations.get(organization);
    let there = organization.filter(|organization| !organization.unavailable);
    let role = there.and_then(|organization| organization.roles.get(&token.member));
    role.filter(|role| role.state == "APPROVED")
}
