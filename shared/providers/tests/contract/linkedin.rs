//! LinkedIn's side of the suite: a member, and an organization's page.

use std::pin::Pin;

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time, connection::AccountState, failure::RateScope, time::from_ms,
};
use mooring_providers::{Access, AppCredentials, Authorize, Credentials, Provider};
use mooring_runtime::{Call, Http};
use mooring_simulator::{
    Admin,
    linkedin::{
        LinkedInApp, LinkedInMember, LinkedInRevokeReason, LinkedInTokenScope, MemberState,
        NewLinkedInApp, NewLinkedInMembers,
    },
};
use mooring_vault::Secret;
use url::Url;

use crate::{
    arena::{Act, Scene, Shown},
    hooks::Provoked,
};

/// What a person gives who declines a permission.
type Declining<'a> =
    Pin<Box<dyn Future<Output = Result<(Credentials, String), &'static str>> + Send + 'a>>;

pub(crate) struct LinkedIn {
    platform: Platform,
    admin: Admin,
    app: LinkedInApp,
    member: LinkedInMember,
}

impl LinkedIn {
    pub(crate) fn new(platform: Platform, admin: Admin) -> Self {
        Self::among(platform, admin, 3)
    }

    /// A person who administers so many organizations; the destination is the last of them.
    pub(crate) fn among(platform: Platform, admin: Admin, organizations: usize) -> Self {
        let new = NewLinkedInApp {
            redirect_uris: vec![Self::redirect_uri().to_string()],
            ..NewLinkedInApp::default()
        };
        let app = admin.create_linkedin_app(new).expect("an app");
        let people = NewLinkedInMembers {
            app: app.id.clone(),
            organizations,
            ..NewLinkedInMembers::default()
        };
        let mut made = admin.create_linkedin_members(&people).expect("a person");
        Self {
            platform,
            admin,
            app,
            member: made.remove(0),
        }
    }

    pub(crate) fn app(&self) -> AppCredentials {
        AppCredentials {
            client_id: self.app.id.clone(),
            client_secret: Secret::from(&*self.app.secret),
        }
    }

    fn is_page(&self) -> bool {
        self.platform == Platform::LinkedInPage
    }

    fn organization(&self) -> &str {
        &self.member.organizations.last().expect("one").id
    }

    fn redirect_uri() -> Url {
        Url::parse("https://mooring.example/oauth/linkedin").expect("a URL")
    }

    fn kill(&self, reason: LinkedInRevokeReason) {
        let all = LinkedInTokenScope::All;
        let killed = self
            .admin
            .revoke_linkedin_tokens(&self.member.id, reason, all);
        killed.expect("a person");
    }

    fn state(&self, state: MemberState) {
        let set = self.admin.set_linkedin_member_state(&self.member.id, state);
        set.expect("a person");
    }
}

impl Scene for LinkedIn {
    fn platform(&self) -> Platform {
        self.platform
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::LinkedIn
    }

    fn account(&self) -> String {
        if self.is_page() {
            format!("urn:li:organization:{}", self.organization())
        } else {
            self.member.urn.clone()
        }
    }

    fn access(&self) -> Access {
        let token = Secret::from(&*self.member.access_token);
        Access {
            app: Some(self.app()),
            host: None,
            remote_id: self.account(),
            remote_user_id: self.member.urn.clone(),
            token: token.clone(),
            grant_token: token,
            refresh_token: self.member.refresh_token.as_deref().map(Secret::from),
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.platform, self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.account(),
            remote_user_id: self.member.urn.clone(),
            ..stranger.access()
        }
    }

    fn secrets(&self) -> Vec<String> {
        let refresh = self
            .member
            .refresh_token
            .iter()
            .map(|token| token.to_string());
        let own = [
            self.member.access_token.to_string(),
            self.app.secret.to_string(),
        ];
        refresh.chain(own).collect()
    }

    fn credentials<'a>(
        &'a self,
        http: &'a Http,
        provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        Box::pin(async move {
            let (app, redirect_uri) = (self.app(), Self::redirect_uri());
            let request = Authorize {
                app: Some(&app),
                redirect_uri: &redirect_uri,
                state: "state-1",
                host: None,
                login_hint: None,
            };
            let consent = provider.authorize(&request).await.expect("a request");
            let url = consent.expect("a consent page").url;
            // The person's browser: the simulated page consents in the name of its login_hint.
            let call = Call::new("browser", "/authorization", Method::GET, url)
                .query("login_hint", &self.member.id);
            let answer = http.send(call).await.expect("an answer of the page");
            let back = Url::parse(answer.header("location").expect("a redirect")).expect("a URL");
            let value = |name: &str| {
                let mut pairs = back.query_pairs();
                pairs
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            };
            assert_eq!(value("state").as_deref(), Some("state-1"), "{back}");
            let code = Secret::from(value("code").expect("a code"));
            crate::arena::remember([code.expose().to_owned()]);
            Credentials::Code {
                app: Some(app),
                code,
                redirect_uri,
                kept: None,
                issuer: None,
            }
        })
    }

    fn wrong_credentials(&self) -> Credentials {
        Credentials::Code {
            app: Some(self.app()),
            code: Secret::from("AQ-a-code-that-was-never-given"),
            redirect_uri: Self::redirect_uri(),
            kept: None,
            issuer: None,
        }
    }

    fn act(&self, act: Act) -> Shown {
        match act {
            Act::Expire => {
                self.kill(LinkedInRevokeReason::Expired);
                Shown::Token(Failure::TokenExpired)
            }
            Act::Revoke => {
                self.kill(LinkedInRevokeReason::Removed);
                Shown::Token(Failure::TokenRevoked)
            }
            Act::ChangePassword => {
                Shown::Nowhere("LinkedIn tells of no password, only of tokens that are revoked")
            }
            Act::DropScope => {
                let scope = if self.is_page() {
                    "w_organization_social"
                } else {
                    "w_member_social"
                };
                let dropped = self.admin.set_linkedin_scope(&self.member.id, scope, false);
                dropped.expect("a person");
                Shown::Scope(scope)
            }
            Act::LoseRole if self.is_page() => {
                let (page, member) = (self.organization(), &self.member.id);
                let ended = self.admin.set_linkedin_role(page, member, None);
                ended.expect("an organization");
                Shown::Account(AccountState::RoleLost)
            }
            Act::LoseRole => Shown::Nowhere("nobody can lose the role on a profile of their own"),
            Act::Checkpoint => {
                self.state(MemberState::Restricted);
                Shown::Account(AccountState::Checkpoint)
            }
            Act::Suspend if self.is_page() => {
                let taken = self
                    .admin
                    .set_linkedin_organization(self.organization(), false);
                taken.expect("an organization");
                Shown::Account(AccountState::Unavailable)
            }
            Act::Suspend => {
                self.state(MemberState::Closed);
                Shown::Token(Failure::TokenRevoked)
            }
            Act::Hide => {
                Shown::Nowhere("LinkedIn has no destinations that apps see and people do not")
            }
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(3_001)
    }

    fn declining<'a>(&'a self, _http: &'a Http, _provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async { Err("LinkedIn's consent is all or nothing") })
    }

    fn spoil_media(&self) -> Result<(), &'static str> {
        let mut settings = self.admin.linkedin_settings();
        settings.fail_processing = 1;
        self.admin.set_linkedin_settings(settings);
        Ok(())
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        Err(
            "LinkedIn tells of likes and comments, which are no news of ours; tests of its own hold the signatures",
        )
    }

    /// Quotas end at midnight UTC, whatever else is said.
    fn limited_until(&self, now: Time, _for_so_long: TimeDelta) -> Time {
        let day_ms = 24 * 3_600 * 1_000;
        from_ms((now.timestamp_millis() / day_ms + 1) * day_ms)
    }

    fn one_more(&self, _admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        let mut settings = self.admin.linkedin_settings();
        let (member, app) = match whose {
            RateScope::Account => (Some(1), None),
            RateScope::App | RateScope::Provider => (None, Some(1)),
        };
        settings.member_calls_per_day = member;
        settings.app_calls_per_day = app;
        self.admin.set_linkedin_settings(settings);
        Ok(())
    }
}
