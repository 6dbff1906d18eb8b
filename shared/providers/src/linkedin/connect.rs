//! The consent page's address, the code, and the profile and pages behind it.

use http::Method;
use mooring_domain::{Failure, Platform};
use mooring_vault::Secret;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope, basic::BasicClient};
use url::Url;

use super::{
    client::LinkedIn,
    wire::{Acl, Batch, List, Organization, TokenAnswer, UserInfo, scopes},
};
use crate::{
    connect::{Authorize, Connected, Consent, Destination},
    provider::AppCredentials,
    wire::Op,
};

/// Rows of access control per part of the list, and most parts that are read.
const PART: usize = 100;
const PARTS: usize = 10;

impl LinkedIn {
    /// The consent page. PKCE is not part of the documented flow, so the secret and `state` protect it.
    pub(super) fn consent(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let page = self.oauth_url(None, "authorization");
        let client = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(page))
            .set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let scopes = self.wanted_scopes().into_iter();
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(request.state.to_owned()))
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .url();
        Ok(Some(Consent { url, kept: None }))
    }

    /// What to ask for. A consent to fewer permissions ends the tokens of the one before, so pages are never asked
    /// for without the profile; the profile is, because most apps may not ask for pages.
    fn wanted_scopes(&self) -> Vec<&'static str> {
        let mut wanted = Platform::LinkedIn.capabilities().required_scopes.to_vec();
        for scope in self.platform.capabilities().required_scopes {
            if !wanted.contains(scope) {
                wanted.push(scope);
            }
        }
        wanted
    }

    /// Code → tokens → who it is and where it reaches.
    pub(super) async fn open_grant(
        &self,
        app: &AppCredentials,
        code: &Secret,
        redirect_uri: &Url,
    ) -> Result<Connected, Failure> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        let call = self.token_call(None, app, fields);
        let answer: TokenAnswer = self.answer(Op::Connect, call, "token").await?;
        let person = self.person(Op::Connect, None, &answer.access_token).await?;
        let granted = scopes(answer.scope.as_deref());
        let has = |scope: &str| {
            let granted = granted.as_ref();
            granted.is_none_or(|granted| granted.iter().any(|one| one == scope))
        };
        let mut destinations = self.reach_of(None, &answer.access_token, &person).await?;
        for destination in &mut destinations {
            let scope = if destination.platform == Platform::LinkedInPage {
                "w_organization_social"
            } else {
                "w_member_social"
            };
            destination.may_publish &= has(scope);
        }
        let now = self.transport.now();
        let after = |seconds: Option<i64>| {
            let seconds = seconds.filter(|seconds| *seconds > 0);
            seconds.map(|seconds| now + chrono::TimeDelta::seconds(seconds))
        };
        let usual = self.platform.capabilities().access_lifetime;
        Ok(Connected {
            remote_user_id: person_urn(&person),
            grant_token: answer.access_token,
            refresh_token: answer.refresh_token,
            access_expires_at: after(answer.expires_in).or(usual.map(|life| now + life)),
            refresh_expires_at: after(answer.refresh_token_expires_in),
            scopes: granted,
            host: None,
            binding: None,
            app: None,
            destinations,
        })
    }

    /// The person behind a token.
    pub(super) async fn person(
        &self,
        op: Op,
        host: Option<&Url>,
        token: &Secret,
    ) -> Result<UserInfo, Failure> {
        let call = self.v2(host, token, "/v2/userinfo", "v2/userinfo");
        let person: UserInfo = self.answer(op, call, "profile").await?;
        if person.sub.is_empty() {
            return Err(Failure::Contract {
                detail: "a profile without an id".to_owned(),
            });
        }
        Ok(person)
    }

    /// The profile and the pages that a token reaches.
    pub(super) async fn reach(
        &self,
        host: Option<&Url>,
        token: &Secret,
    ) -> Result<Vec<Destination>, Failure> {
        let person = self.person(Op::Check, host, token).await?;
        self.reach_of(host, token, &person).await
    }

    async fn reach_of(
        &self,
        host: Option<&Url>,
        token: &Secret,
        person: &UserInfo,
    ) -> Result<Vec<Destination>, Failure> {
        let urn = person_urn(person);
        let mut reached = vec![Destination {
            platform: Platform::LinkedIn,
            name: person.full_name().unwrap_or_else(|| urn.clone()),
            remote_id: urn,
            token: None,
            may_publish: true,
        }];
        match self.roles(Op::Connect, host, token).await {
            Ok(rows) => reached.extend(self.pages(host, token, &rows).await?),
            // Without the permission for organizations there are none to reach.
            Err(Failure::ScopeMissing { .. }) => {}
            Err(failure) => return Err(failure),
        }
        Ok(reached)
    }

    /// The person's rows of access control that are in force.
    pub(super) async fn roles(
        &self,
        op: Op,
        host: Option<&Url>,
        token: &Secret,
    ) -> Result<Vec<Acl>, Failure> {
        let mut rows = Vec::new();
        for part in 0..PARTS {
            let query = format!(
                "q=roleAssignee&state=APPROVED&start={}&count={PART}",
                part * PART
            );
            let target = ("organizationAcls", Some(query.as_str()));
            let call = self.rest(host, token, "/rest/organizationAcls", Method::GET, target);
            let list: List<Acl> = self.answer(op, call, "list of roles").await?;
            let goes_on = list.goes_on();
            rows.extend(list.elements);
            if !goes_on {
                rows.retain(Acl::is_approved);
                return Ok(rows);
            }
        }
        Err(Failure::Contract {
            detail: format!(
                "a list of roles that does not end after {} of them",
                rows.len()
            ),
        })
    }

    async fn pages(
        &self,
        host: Option<&Url>,
        token: &Secret,
        rows: &[Acl],
    ) -> Result<Vec<Destination>, Failure> {
        let mut pages: Vec<Destination> = Vec::new();
        // A person may have several roles at one organization.
        for row in rows {
            let Some(urn) = row.organization() else {
                continue;
            };
            match pages.iter_mut().find(|page| page.remote_id == urn) {
                Some(page) => page.may_publish |= row.may_publish(),
                None => pages.push(Destination {
                    platform: Platform::LinkedInPage,
                    remote_id: urn.to_owned(),
                    name: urn.to_owned(),
                    token: None,
                    may_publish: row.may_publish(),
                }),
            }
        }
        for some in pages.chunks_mut(PART) {
            self.name(host, token, some).await?;
        }
        Ok(pages)
    }

    /// Puts the organizations' names on their pages. Reading several at once is not given to every app, and a page
    /// without a name is better than none.
    async fn name(
        &self,
        host: Option<&Url>,
        token: &Secret,
        pages: &mut [Destination],
    ) -> Result<(), Failure> {
        let ids: Vec<&str> = pages
            .iter()
            .filter_map(|page| number(&page.remote_id))
            .collect();
        let query = format!("ids=List({})", ids.join(","));
        let target = ("organizations", Some(query.as_str()));
        let call = self.rest(host, token, "/rest/organizations", Method::GET, target);
        let answer: Result<Batch<Organization>, Failure> = self
            .answer(Op::Connect, call, "list of organizations")
            .await;
        let mut batch = match answer {
            Ok(batch) => batch,
            Err(Failure::ScopeMissing { .. } | Failure::Contract { .. }) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        for page in pages {
            let id = number(&page.remote_id).map(str::to_owned);
            let found = id.and_then(|id| batch.results.remove(&id));
            page.name = found
                .and_then(|one| one.name)
                .unwrap_or_else(|| page.name.clone());
        }
        Ok(())
    }
}

/// `urn:li:person:…` of a profile.
fn person_urn(person: &UserInfo) -> String {
    format!("urn:li:person:{}", person.sub)
}

/// The number in `urn:li:organization:…`.
pub(super) fn number(urn: &str) -> Option<&str> {
    let id = urn.strip_prefix("urn:li:organization:")?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
}
