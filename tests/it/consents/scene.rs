//! Where a story plays: a server that is not ours, a world whose gateway its browsers come back to, and the people there.

use mooring_domain::{Platform, Role, connection::Health};
use mooring_providers::{Access, AppCredentials};
use mooring_runtime::{Clock as _, SystemClock};
use mooring_tests::{
    Account, Api, Browser, Oidc, Pds, PdsAccount, Says, Shown, World, WorldOptions,
};
use serde_json::{Value, json};
use url::Url;

/// A server and the platform that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// The real Bluesky server.
    Bluesky,
    /// `oidc-provider` with single-use refresh tokens and PKCE.
    X,
    /// `oidc-provider` with refresh tokens that stay.
    LinkedIn,
}

/// Each story is told at all of them.
pub(super) const SITES: [Site; 3] = [Site::Bluesky, Site::X, Site::LinkedIn];

enum Server {
    Pds(Pds),
    Oidc(Oidc),
}

/// Somebody with an account there.
pub(super) struct Person {
    /// The account's id, as the platform's API tells it.
    pub(super) remote_id: String,
    /// What the person logs in with.
    login: Login,
}

enum Login {
    Pds(PdsAccount),
    Oidc(String),
}

pub(super) struct Scene {
    pub(super) w: World,
    pub(super) api: Api,
    pub(super) site: Site,
    server: Server,
}

impl Scene {
    pub(super) async fn at(site: Site) -> Self {
        // The harness shows what a test has told only where it fails.
        eprintln!("at {site:?}");
        let mut server = match site {
            Site::Bluesky => Server::Pds(Pds::of_environment()),
            Site::X => Server::Oidc(Oidc::of_environment().await),
            Site::LinkedIn => Server::Oidc(Oidc::as_linkedin().await),
        };
        let elsewhere = match (&server, site) {
            (Server::Pds(pds), _) => {
                let urls = pds.base_urls();
                let directory = ("bluesky_directory", urls.bluesky_directory);
                vec![("bluesky", urls.bluesky), directory]
            }
            (Server::Oidc(oidc), Site::X) => both(["x", "x_dialog"], oidc.url()),
            (Server::Oidc(oidc), _) => both(["linkedin", "linkedin_oauth"], oidc.url()),
        };
        let w = World::with(WorldOptions {
            lanes: vec![mooring_domain::Lane::Check, mooring_domain::Lane::Refresh],
            elsewhere,
            begins: Some(SystemClock::new().now()),
            ..WorldOptions::default()
        })
        .await;
        let callback = format!("http://{}/connect/callback", w.gateway);
        let app = server.app(&callback.parse().expect("a URL")).await;
        w.register_app(site.platform(), &app).await;
        Self {
            api: w.api(Role::Operator).await,
            w,
            site,
            server,
        }
    }

    /// Somebody of whom nothing is known here.
    pub(super) async fn person(&self) -> Person {
        match &self.server {
            Server::Pds(pds) => {
                let account = pds.account().await;
                Person {
                    remote_id: account.did.clone(),
                    login: Login::Pds(account),
                }
            }
            Server::Oidc(_) => {
                let id = Oidc::person();
                let remote_id = match self.site {
                    Site::LinkedIn => format!("urn:li:person:{id}"),
                    Site::X | Site::Bluesky => id.clone(),
                };
                Person {
                    remote_id,
                    login: Login::Oidc(id),
                }
            }
        }
    }

    /// Begins to connect: the run, and the server's page.
    pub(super) async fn begin(&self, person: &Person) -> (String, Url) {
        let hint = match &person.login {
            Login::Pds(account) => json!({ "login_hint": account.handle }),
            Login::Oidc(_) => json!({}),
        };
        let path = format!("/connect/{}", self.site.platform());
        begun(&self.api.post(&path, hint).await.ok(201))
    }

    /// Begins to reconnect.
    pub(super) async fn begin_again(&self, account: &Account) -> (String, Url) {
        let path = format!("/connections/{}/reconnect", account.connection);
        begun(&self.api.post(&path, json!({})).await.ok(201))
    }

    /// Goes through the server's pages of log-in and consent; where it sends the browser back to.
    pub(super) async fn answer(&self, page: &Url, person: &Person, says: Says) -> String {
        let back = match (&self.server, &person.login) {
            (Server::Pds(pds), Login::Pds(account)) => {
                pds.consent(&self.w.context.http, page, account, says).await
            }
            (Server::Oidc(oidc), Login::Oidc(id)) => oidc.consent(page, id, says).await,
            _ => panic!("somebody of another server"),
        };
        let ours = format!("http://{}/connect/callback?", self.w.gateway);
        assert!(back.starts_with(&ours), "{back}");
        back
    }

    /// Answers at the server's pages, and comes back to us; what is shown there.
    pub(super) async fn go(&self, page: &Url, person: &Person, says: Says) -> Shown {
        let back = self.answer(page, person, says).await;
        Browser::default().open(&back).await
    }

    /// How a run stands.
    pub(super) async fn run(&self, id: &str) -> Value {
        self.api.get(&format!("/connects/{id}")).await.ok(200)
    }

    /// Asserts how a run has ended, or stands.
    pub(super) async fn assert_run(&self, id: &str, status: &str, code: &str) {
        let run = self.run(id).await;
        let seen = (run["status"].as_str(), run["code"].as_str());
        assert_eq!(seen, (Some(status), Some(code)), "{run}");
    }

    /// Chooses the person's account in a run that has offered it: the result of the live look, and the account.
    pub(super) async fn choose(&self, id: &str, person: &Person) -> (Account, Value) {
        let choice = json!({ "destinations": [person.remote_id] });
        let path = format!("/connects/{id}/choose");
        let chosen = self.api.post(&path, choice).await.ok(200);
        let look = chosen["connections"][0].clone();
        let account = Account {
            connection: look["id"].as_str().expect("an id").parse().expect("an id"),
            platform: self.site.platform(),
            remote_id: person.remote_id.clone(),
            user: person.remote_id.clone(),
        };
        (account, look)
    }

    /// The whole way.
    pub(super) async fn connected(&self, person: &Person) -> Account {
        let (id, page) = self.begin(person).await;
        let shown = self.go(&page, person, Says::Yes).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let (account, look) = self.choose(&id, person).await;
        assert_eq!(look["health"], "healthy", "{look}");
        self.w.settle().await;
        account
    }

    /// An account's tokens, as adapters take them.
    pub(super) async fn tokens(&self, account: &Account) -> Access {
        let opened = self.w.tokens_of(account).await;
        Access {
            app: opened.app.map(|(client_id, client_secret)| AppCredentials {
                client_id,
                client_secret,
            }),
            host: opened.host.map(|host| host.parse().expect("a URL")),
            remote_id: opened.remote_id,
            remote_user_id: opened.remote_user_id,
            token: opened.token,
            grant_token: opened.grant_token,
            refresh_token: opened.refresh_token,
            binding: opened.binding,
        }
    }

    /// Whether the server still keeps a person's session with these tokens, by its own word.
    pub(super) async fn lives(&self, person: &Person, tokens: &Access) -> bool {
        match (&self.server, &person.login) {
            (Server::Pds(pds), Login::Pds(account)) => pds.sessions(account).await.alive > 0,
            (Server::Oidc(oidc), _) => {
                let refresh = tokens.refresh_token.as_ref().expect("it renews itself");
                let (access, refresh) = (
                    oidc.lives(&tokens.grant_token).await,
                    oidc.lives(refresh).await,
                );
                assert_eq!(access, refresh, "both or none");
                access
            }
            (Server::Pds(_), Login::Oidc(_)) => panic!("somebody of another server"),
        }
    }

    /// How many refreshes the server has granted.
    pub(super) async fn refreshes(&self, person: &Person) -> u64 {
        match (&self.server, &person.login) {
            (Server::Pds(pds), Login::Pds(account)) => {
                let spent = pds.sessions(account).await.spent;
                spent.try_into().expect("a count")
            }
            (Server::Oidc(oidc), _) => oidc.refreshes().await,
            (Server::Pds(_), Login::Oidc(_)) => panic!("somebody of another server"),
        }
    }

    /// Whoever has the tokens ends the session at the server; our books learn of it when it is to be renewed.
    pub(super) async fn ended_by_its_owner(&self, account: &Account, person: &Person) {
        let tokens = self.tokens(account).await;
        let adapter = self.w.adapter(account.platform);
        adapter.revoke(&tokens).await.expect("the server ends it");
        assert!(!self.lives(person, &tokens).await);
        self.w.renew(account).await;
        let row = self.w.connection(account).await;
        let seen = (row.health, row.auth_state.as_str());
        assert_eq!(seen, (Health::Critical, "revoked"), "{:?}", row.reasons);
    }
}

impl Site {
    pub(super) const fn platform(self) -> Platform {
        match self {
            Self::Bluesky => Platform::BlueskyOAuth,
            Self::X => Platform::X,
            Self::LinkedIn => Platform::LinkedIn,
        }
    }
}

impl Server {
    /// Our app there, to which browsers come back at this address.
    async fn app(&mut self, callback: &Url) -> AppCredentials {
        match self {
            Self::Pds(_) => Pds::app_at(callback),
            Self::Oidc(oidc) => {
                oidc.send_back_to(callback).await;
                oidc.app.clone()
            }
        }
    }
}

fn both(names: [&'static str; 2], url: &Url) -> Vec<(&'static str, Url)> {
    names.map(|name| (name, url.clone())).to_vec()
}

fn begun(answer: &Value) -> (String, Url) {
    let text = |name: &str| answer[name].as_str().expect("a text");
    let page = text("authorize_url").parse().expect("a page");
    (text("id").to_owned(), page)
}

/// Asserts which code a page shows.
pub(super) fn says(shown: &Shown, code: &str) {
    let wanted = format!("Code: {code}");
    assert!(shown.text.contains(&wanted), "{code}: {}", shown.text);
}
