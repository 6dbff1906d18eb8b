//! Acts on the simulated LinkedIn.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::tokens::{
    self, ACCESS_LIFE_S, Consent, Kind, LinkedInRevokeReason, LinkedInTokenScope, REFRESH_LIFE_S,
};
use super::{
    App, LinkedInSettings, Member, MemberState, Organization, Role, organization_urn, person_urn,
    posts, webhooks,
};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;
use crate::world::{ALPHANUMERIC, World};

/// Permissions of the products that a new app has; `r_member_social` is closed.
const PRODUCTS: [&str; 9] = [
    "openid",
    "profile",
    "email",
    "r_basicprofile",
    "w_member_social",
    "w_organization_social",
    "r_organization_social",
    "rw_organization_admin",
    "r_organization_admin",
];
/// What a new person has consented to.
pub(super) const CONSENTED: [&str; 6] = [
    "openid",
    "profile",
    "w_member_social",
    "w_organization_social",
    "r_organization_social",
    "rw_organization_admin",
];
const GIVEN_NAMES: [&str; 6] = ["Ada", "Ben", "Chidi", "Dana", "Emre", "Fatima"];
const FAMILY_NAMES: [&str; 5] = ["Adler", "Brandt", "Okafor", "Silva", "Yilmaz"];
const APP_NUMBERS: u64 = 221_400_000;
const ORGANIZATION_NUMBERS: u64 = 98_400_000;

/// An app to be registered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewLinkedInApp {
    /// Its client id; chosen when absent.
    pub id: Option<String>,
    /// Its secret; chosen when absent.
    pub secret: Option<String>,
    /// Where its consent page may lead back to; empty: everywhere.
    pub redirect_uris: Vec<String>,
    /// Whether its tokens come with refresh tokens (approved partners only).
    pub refresh_tokens: bool,
    /// Permissions of its products; `None`: all but `r_member_social`.
    pub scopes: Option<Vec<String>>,
}

impl Default for NewLinkedInApp {
    /// An approved partner's app.
    fn default() -> Self {
        Self {
            id: None,
            secret: None,
            redirect_uris: Vec::new(),
            refresh_tokens: true,
            scopes: None,
        }
    }
}

/// An app that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct LinkedInApp {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; it signs webhooks, too.
    pub secret: SimSecret,
    /// Number of `urn:li:developerApplication:…`.
    pub number: u64,
}

/// People to be created, with organizations and tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewLinkedInMembers {
    /// The app that their tokens belong to.
    pub app: String,
    /// How many people.
    pub count: usize,
    /// How many organizations each of them administers.
    pub organizations: usize,
    /// What they have consented to; `None`: everything that posting for both needs.
    pub scopes: Option<Vec<String>>,
    /// Remaining life of their access tokens, in seconds.
    pub access_life_s: i64,
    /// Remaining life of their refresh tokens, in seconds.
    pub refresh_life_s: i64,
}

impl Default for NewLinkedInMembers {
    /// One person with one organization and fresh tokens: 60 and 365 days.
    fn default() -> Self {
        Self {
            app: String::new(),
            count: 1,
            organizations: 1,
            scopes: None,
            access_life_s: ACCESS_LIFE_S,
            refresh_life_s: REFRESH_LIFE_S,
        }
    }
}

/// A person with tokens.
#[derive(Clone, Debug, Serialize)]
pub struct LinkedInMember {
    /// `sub` of the person's claims.
    pub id: String,
    /// `urn:li:person:…`, the account's name in fault rules and in the ledger.
    pub urn: String,
    /// Name.
    pub name: String,
    /// Access token.
    pub access_token: SimSecret,
    /// Its end, as RFC 3339.
    pub access_expires_at: String,
    /// Refresh token, if the app is given them.
    pub refresh_token: Option<SimSecret>,
    /// Its end, as RFC 3339.
    pub refresh_expires_at: Option<String>,
    /// Organizations that the person administers.
    pub organizations: Vec<LinkedInOrganization>,
}

/// An organization.
#[derive(Clone, Debug, Serialize)]
pub struct LinkedInOrganization {
    /// Number.
    pub id: String,
    /// `urn:li:organization:…`, the account's name in fault rules and in the ledger.
    pub urn: String,
    /// Name.
    pub name: String,
}

impl Admin {
    /// Registers an app.
    pub fn create_linkedin_app(&self, new: NewLinkedInApp) -> Result<LinkedInApp, AdminError> {
        self.with(|w| {
            let letters = b"0123456789abcdefghijklmnopqrstuvwxyz";
            let id = new
                .id
                .unwrap_or_else(|| format!("86{}", w.word(letters, 12)));
            if w.linkedin.apps.contains_key(&id) {
                return Err(AdminError::Taken { what: "app", id });
            }
            let secret = new
                .secret
                .unwrap_or_else(|| format!("WPL_AP1.{}", w.word(ALPHANUMERIC, 24)));
            let number = w.linkedin.number(APP_NUMBERS);
            let app = App {
                number,
                secret: secret.clone(),
                redirect_uris: new.redirect_uris,
                refresh_tokens: new.refresh_tokens,
                scopes: new
                    .scopes
                    .map_or_else(|| set(&PRODUCTS), BTreeSet::from_iter),
            };
            w.linkedin.apps.insert(id.clone(), app);
            let secret = SimSecret(secret);
            Ok(LinkedInApp { id, secret, number })
        })
    }

    /// Gives an app a new secret; the old one stops working.
    pub fn rotate_linkedin_secret(&self, app: &str) -> Result<SimSecret, AdminError> {
        let secret = self.with(|w| format!("WPL_AP1.{}", w.word(ALPHANUMERIC, 24)));
        self.linkedin_app(app, |a| a.secret.clone_from(&secret))?;
        Ok(SimSecret(secret))
    }

    /// Takes a product's permission away from an app, or gives it back. Tokens still name it.
    pub fn set_linkedin_product(
        &self,
        app: &str,
        scope: &str,
        granted: bool,
    ) -> Result<(), AdminError> {
        self.linkedin_app(app, |a| {
            if granted {
                a.scopes.insert(scope.to_owned());
            } else {
                a.scopes.remove(scope);
            }
        })
    }

    /// Creates people with organizations and tokens.
    pub fn create_linkedin_members(
        &self,
        new: &NewLinkedInMembers,
    ) -> Result<Vec<LinkedInMember>, AdminError> {
        self.with(|w| {
            if !w.linkedin.apps.contains_key(&new.app) {
                return Err(AdminError::not_found("app", &new.app));
            }
            Ok((0..new.count).map(|_| create_member(w, new)).collect())
        })
    }

    /// Ends tokens of a person. Tokens that are issued later live.
    pub fn revoke_linkedin_tokens(
        &self,
        member: &str,
        reason: LinkedInRevokeReason,
        which: LinkedInTokenScope,
    ) -> Result<(), AdminError> {
        self.linkedin_member(member, |_| ())?;
        self.with(|w| tokens::kill(w, member, None, which, reason));
        Ok(())
    }

    /// Takes a permission out of a person's tokens, or puts it back in.
    pub fn set_linkedin_scope(
        &self,
        member: &str,
        scope: &str,
        granted: bool,
    ) -> Result<(), AdminError> {
        let texts = self.linkedin_member(member, |m| m.tokens.clone())?;
        self.with(|w| {
            for text in texts {
                if let Some(token) = w.linkedin.tokens.get_mut(&text) {
                    token.scopes.retain(|own| own != scope);
                    if granted {
                        token.scopes.push(scope.to_owned());
                    }
                }
            }
        });
        Ok(())
    }

    /// Restricts a person or closes the account, or lifts that again. The posts of a closed account
    /// are deleted, and do not come back.
    pub fn set_linkedin_member_state(
        &self,
        member: &str,
        state: MemberState,
    ) -> Result<(), AdminError> {
        self.linkedin_member(member, |m| m.state = state)?;
        if state == MemberState::Closed {
            self.with(|w| delete_posts(w, &person_urn(member)));
        }
        Ok(())
    }

    /// Takes an organization's page down, or brings it back without its posts.
    pub fn set_linkedin_organization(
        &self,
        organization: &str,
        available: bool,
    ) -> Result<(), AdminError> {
        self.linkedin_organization(organization, |o| o.unavailable = !available)?;
        if !available {
            self.with(|w| delete_posts(w, &organization_urn(organization)));
        }
        Ok(())
    }

    /// What a person is at an organization: `(role, state)`, such as `("ANALYST", "APPROVED")`;
    /// `None` ends the role.
    pub fn set_linkedin_role(
        &self,
        organization: &str,
        member: &str,
        role: Option<(&str, &str)>,
    ) -> Result<(), AdminError> {
        self.linkedin_member(member, |_| ())?;
        self.linkedin_organization(organization, |o| match role {
            Some((name, state)) => {
                let (name, state) = (name.to_owned(), state.to_owned());
                o.roles.insert(member.to_owned(), Role { name, state });
            }
            None => {
                o.roles.remove(member);
            }
        })
    }

    /// Delays, versions and quotas.
    #[must_use]
    pub fn linkedin_settings(&self) -> LinkedInSettings {
        self.with(|w| w.linkedin.settings.clone())
    }

    /// Sets delays, versions and quotas.
    pub fn set_linkedin_settings(&self, settings: LinkedInSettings) {
        self.with(|w| w.linkedin.settings = settings);
    }

    /// Registers a webhook in the developer portal, which challenges it.
    pub fn register_linkedin_webhook(&self, app: &str, url: &str) -> Result<(), AdminError> {
        self.linkedin_app(app, |_| ())?;
        self.with(|w| webhooks::register(w, app, url));
        Ok(())
    }

    /// Subscribes a person to an organization's social actions, and challenges the receiver.
    pub fn subscribe_linkedin(
        &self,
        app: &str,
        member: &str,
        organization: &str,
        url: &str,
    ) -> Result<(), AdminError> {
        self.linkedin_app(app, |_| ())?;
        self.linkedin_member(member, |_| ())?;
        self.linkedin_organization(organization, |_| ())?;
        self.with(|w| webhooks::subscribe_for(w, app, member, organization, url));
        Ok(())
    }

    /// Lets somebody like, comment or share an organization's post. How many receivers are told.
    #[must_use]
    pub fn act_on_linkedin_post(&self, urn: &str, action: &str) -> usize {
        self.with(|w| webhooks::notify(w, urn, action))
    }

    fn linkedin_app<T>(&self, id: &str, act: impl FnOnce(&mut App) -> T) -> Result<T, AdminError> {
        let done = self.with(|w| w.linkedin.apps.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("app", id))
    }

    fn linkedin_member<T>(
        &self,
        id: &str,
        act: impl FnOnce(&mut Member) -> T,
    ) -> Result<T, AdminError> {
        let done = self.with(|w| w.linkedin.members.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("member", id))
    }

    fn linkedin_organization<T>(
        &self,
        id: &str,
        act: impl FnOnce(&mut Organization) -> T,
    ) -> Result<T, AdminError> {
        let done = self.with(|w| w.linkedin.organizations.get_mut(id).map(act));
        done.ok_or_else(|| AdminError::not_found("organization", id))
    }
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn create_member(world: &mut World, new: &NewLinkedInMembers) -> LinkedInMember {
    let id = world.word(ALPHANUMERIC, 10);
    let place = world.linkedin.members.len();
    let given_name = GIVEN_NAMES[place % GIVEN_NAMES.len()].to_owned();
    let family_name = FAMILY_NAMES[place % FAMILY_NAMES.len()].to_owned();
    let name = format!("{given_name} {family_name}");
    let scopes = new
        .scopes
        .clone()
        .unwrap_or_else(|| CONSENTED.map(str::to_owned).into());
    let member = Member {
        given_name,
        family_name,
        state: MemberState::Active,
        consents: HashMap::from([(new.app.clone(), scopes.iter().cloned().collect())]),
        tokens: Vec::new(),
    };
    world.linkedin.members.insert(id.clone(), member);
    let organizations = (0..new.organizations)
        .map(|_| create_organization(world, &id))
        .collect();
    let consent = Consent {
        app: &new.app,
        member: &id,
        scopes: &scopes,
        at: world.now,
    };
    let access_end = world.now + new.access_life_s * 1000;
    let refresh_end = world.now + new.refresh_life_s * 1000;
    let access = tokens::issue(world, &consent, Kind::Access, access_end);
    let refreshable = world
        .linkedin
        .apps
        .get(&new.app)
        .is_some_and(|app| app.refresh_tokens);
    let refresh = refreshable.then(|| tokens::issue(world, &consent, Kind::Refresh, refresh_end));
    LinkedInMember {
        urn: person_urn(&id),
        id,
        name,
        access_token: SimSecret(access),
        access_expires_at: rfc3339(access_end),
        refresh_expires_at: refreshable.then(|| rfc3339(refresh_end)),
        refresh_token: refresh.map(SimSecret),
        organizations,
    }
}

fn create_organization(world: &mut World, administrator: &str) -> LinkedInOrganization {
    let id = world.linkedin.number(ORGANIZATION_NUMBERS).to_string();
    let name = format!("Company {id}");
    let role = Role {
        name: "ADMINISTRATOR".to_owned(),
        state: "APPROVED".to_owned(),
    };
    let organization = Organization {
        name: name.clone(),
        vanity_name: format!("company-{id}"),
        unavailable: false,
        roles: BTreeMap::from([(administrator.to_owned(), role)]),
    };
    world
        .linkedin
        .organizations
        .insert(id.clone(), organization);
    LinkedInOrganization {
        urn: organization_urn(&id),
        id,
        name,
    }
}

fn delete_posts(world: &mut World, author: &str) {
    let urns = world.linkedin.timelines.get(author).cloned();
    for urn in urns.unwrap_or_default() {
        posts::remove(world, &urn);
    }
}
