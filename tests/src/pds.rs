//! The real Bluesky server of the tests, as the people on it and its operator see it.

use std::net::SocketAddr;

use mooring_providers::{AppCredentials, BaseUrls, Credentials, Provider};
use mooring_runtime::{Http, boot::install_tls};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use url::Url;

mod pages;

use crate::browser;

/// Where posts are kept.
const POSTS: &str = "app.bsky.feed.post";

/// A server that `dev/bluesky` (or `dev/test`) has started.
pub struct Pds {
    client: Client,
    url: String,
    directory: String,
    data: String,
    admin_password: String,
}

/// What the server's own books say about the sessions of OAuth of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PdsSessions {
    /// Sessions that live.
    pub alive: i64,
    /// Refresh tokens that were spent in them, each by one refresh that the server has granted.
    pub spent: i64,
}

/// An account on it. Nothing of it is a secret outside of the tests.
pub struct PdsAccount {
    /// DID.
    pub did: String,
    /// Handle.
    pub handle: String,
    /// An app password.
    pub app_password: String,
    /// The account's own password, for the server's own pages.
    password: String,
    /// The owner's own session, for what the owner does at the platform.
    access: String,
}

impl Pds {
    /// The server that the environment names.
    #[must_use]
    pub fn of_environment() -> Self {
        let read = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run the tests with dev/test, or start the server with dev/bluesky start and read its address with eval \"$(dev/bluesky env)\"")
            })
        };
        let url = read("MOORING_TEST_PDS_URL");
        install_tls();
        // The harness makes many accounts from one address; the code under test never gets this header.
        let mut headers = HeaderMap::new();
        let bypass = read("MOORING_TEST_PDS_RATE_LIMIT_BYPASS")
            .parse()
            .expect("a header's value");
        headers.insert("x-ratelimit-bypass", bypass);
        let client = Client::builder()
            .no_proxy()
            .default_headers(headers)
            .build()
            .expect("a client");
        Self {
            client,
            url,
            directory: read("MOORING_TEST_PLC_URL"),
            data: read("MOORING_TEST_PDS_DATA"),
            admin_password: read("MOORING_TEST_PDS_ADMIN_PASSWORD"),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let address = self.url.trim_start_matches("http://").parse();
        address.expect("dev/bluesky names an address and a port")
    }

    /// Where adapters find it, by the name that it has for itself: proofs of possession name it.
    #[must_use]
    pub fn base_urls(&self) -> BaseUrls {
        let port = self.address().port();
        let own = format!("http://localhost:{port}");
        BaseUrls {
            bluesky: own.parse().expect("a URL"),
            bluesky_directory: self.directory.parse().expect("a URL"),
            ..BaseUrls::default()
        }
    }

    /// Our registration there: a client on this machine registers nowhere.
    #[must_use]
    pub fn app() -> AppCredentials {
        browser::app()
    }

    /// Our registration there, where browsers come back to this address.
    #[must_use]
    pub fn app_at(redirect_uri: &Url) -> AppCredentials {
        browser::app_at(redirect_uri)
    }

    /// The code that an account's owner has consented to, in a browser.
    pub async fn consented(
        &self,
        http: &Http,
        provider: &dyn Provider,
        account: &PdsAccount,
    ) -> Credentials {
        let person = browser::Person {
            did: &account.did,
            handle: &account.handle,
            password: &account.password,
            grants: None,
        };
        browser::consented(http, provider, &person).await
    }

    /// What the server knows about an account's sessions of OAuth. A session that it has ended is not in its books any
    /// more, and neither are the tokens that were spent in it.
    pub async fn sessions(&self, account: &PdsAccount) -> PdsSessions {
        let books = self.books().await;
        let count = async |sql: &str| {
            let sql = Statement::from_sql_and_values(
                DbBackend::Sqlite,
                sql,
                [account.did.as_str().into()],
            );
            let row = books.query_one_raw(sql).await.expect("the books answer");
            row.expect("a row")
                .try_get_by_index::<i64>(0)
                .expect("a number")
        };
        PdsSessions {
            alive: count("SELECT count(*) FROM token WHERE did = $1").await,
            spent: count(
                "SELECT count(*) FROM used_refresh_token AS used JOIN token ON token.id = used.tokenId \
                 WHERE token.did = $1",
            )
            .await,
        }
    }

    async fn books(&self) -> DatabaseConnection {
        let mut options =
            ConnectOptions::new(format!("sqlite://{}/account.sqlite?mode=ro", self.data));
        options.max_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options)
            .await
            .expect("the server's books open")
    }

    /// A fresh account with an app password.
    pub async fn account(&self) -> PdsAccount {
        let unique = uuid::Uuid::now_v7().simple().to_string();
        // A handle's first part has at most 18 characters; the last ones of the id are the random ones.
        let name = format!("t{}", &unique[16..]);
        let handle = format!("{name}.test");
        let new =
            json!({"handle": handle, "email": format!("{name}@mail.test"), "password": unique});
        let session = self
            .post("com.atproto.server.createAccount", &new, None)
            .await;
        let access = text(&session["accessJwt"]);
        let named = json!({"name": "mooring"});
        let password = self
            .post(
                "com.atproto.server.createAppPassword",
                &named,
                Some(&access),
            )
            .await;
        PdsAccount {
            did: text(&session["did"]),
            handle,
            app_password: text(&password["password"]),
            password: unique,
            access,
        }
    }

    /// Every post in an account's repository, as the public sees it.
    pub async fn posts(&self, account: &PdsAccount) -> Vec<Value> {
        let request = self.request(Method::GET, "com.atproto.repo.listRecords");
        let query = [
            ("repo", account.did.as_str()),
            ("collection", POSTS),
            ("limit", "100"),
        ];
        let listed = answer(request.query(&query)).await;
        listed["records"].as_array().expect("a list").clone()
    }

    /// Deletes a post as its owner does in the app.
    pub async fn delete_post(&self, account: &PdsAccount, uri: &str) {
        let rkey = uri.rsplit('/').next().expect("a URI with a key");
        let body = json!({"repo": account.did, "collection": POSTS, "rkey": rkey});
        self.post(
            "com.atproto.repo.deleteRecord",
            &body,
            Some(&account.access),
        )
        .await;
    }

    /// Takes an account down, as a moderator does.
    pub async fn take_down(&self, account: &PdsAccount) {
        let subject = json!({"$type": "com.atproto.admin.defs#repoRef", "did": account.did});
        let body = json!({"subject": subject, "takedown": {"applied": true, "ref": "test"}});
        let request = self.request(Method::POST, "com.atproto.admin.updateSubjectStatus");
        answer(
            request
                .basic_auth("admin", Some(&self.admin_password))
                .json(&body),
        )
        .await;
    }

    async fn post(&self, method: &str, body: &Value, token: Option<&str>) -> Value {
        let mut request = self.request(Method::POST, method).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    fn request(&self, verb: Method, method: &str) -> RequestBuilder {
        self.client
            .request(verb, format!("{}/xrpc/{method}", self.url))
    }
}

async fn answer(request: RequestBuilder) -> Value {
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness acts as other people do, not through the code under test"
    )]
    let answer = request.send().await.expect("the server answers");
    let (status, path) = (answer.status(), answer.url().path().to_owned());
    let body = answer.text().await.expect("the server answers");
    assert!(status.is_success(), "{path}: {status} {body}");
    if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&body).expect("JSON")
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
