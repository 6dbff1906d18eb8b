//! LinkedIn on the wire.

mod media;
mod oauth;
mod posts;
mod webhooks;

use std::time::Duration;

use mooring_simulator::linkedin::{
    LinkedInApp, LinkedInMember, LinkedInSettings, NewLinkedInApp, NewLinkedInMembers,
};
use mooring_simulator::{Admin, RunningSimulator};
use serde_json::{Value, json};

use crate::client::{Reply, Request, delete, get, post_form, post_json, send, start};

const DAY: Duration = Duration::from_hours(24);
const VERSION: &str = "202609";

struct LinkedIn {
    simulator: RunningSimulator,
    admin: Admin,
    app: LinkedInApp,
    member: LinkedInMember,
}

impl LinkedIn {
    async fn new() -> Self {
        Self::with(NewLinkedInApp::default()).await
    }

    async fn with(new: NewLinkedInApp) -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let app = admin.create_linkedin_app(new).unwrap();
        let people = NewLinkedInMembers {
            app: app.id.clone(),
            organizations: 3,
            ..NewLinkedInMembers::default()
        };
        let member = admin.create_linkedin_members(&people).unwrap().remove(0);
        Self {
            simulator,
            admin,
            app,
            member,
        }
    }

    fn page(&self) -> &str {
        &self.member.organizations[0].urn
    }

    fn set(&self, change: impl FnOnce(&mut LinkedInSettings)) {
        let mut settings = self.admin.linkedin_settings();
        change(&mut settings);
        self.admin.set_linkedin_settings(settings);
    }

    /// A call with the usual headers.
    async fn call(&self, request: Request<'_>) -> Reply {
        let request = request
            .token(&self.member.access_token)
            .header("linkedin-version", VERSION)
            .header("x-restli-protocol-version", "2.0.0");
        send(&self.simulator, &request).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call(get(format!("/linkedin/{path}"))).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(post_json(format!("/linkedin/{path}"), body))
            .await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.call(delete(format!("/linkedin/{path}"))).await
    }

    /// A call of the OAuth endpoints, with the app's credentials.
    async fn oauth(&self, endpoint: &str, form: &str) -> Reply {
        let (id, secret) = (&self.app.id, &*self.app.secret);
        let form = format!("{form}&client_id={id}&client_secret={secret}");
        let path = format!("/linkedin/oauth/v2/{endpoint}");
        send(&self.simulator, &post_form(path, &form)).await
    }

    async fn introspect(&self, token: &str) -> Value {
        self.oauth("introspectToken", &format!("token={token}"))
            .await
            .json()
    }

    async fn publish(&self, author: &str, text: &str) -> Reply {
        self.post("rest/posts", &post(author, text)).await
    }

    fn texts(&self) -> Vec<String> {
        let everything = mooring_simulator::LedgerFilter::default();
        self.admin
            .ledger(&everything)
            .into_iter()
            .map(|entry| entry.text)
            .collect()
    }
}

/// A plain post.
fn post(author: &str, text: &str) -> Value {
    json!({
        "author": author,
        "commentary": text,
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": false,
    })
}

/// The same with `content`.
fn post_with(author: &str, text: &str, content: Value) -> Value {
    let mut post = post(author, text);
    post["content"] = content;
    post
}

fn encoded(urn: &str) -> String {
    urn.replace(':', "%3A")
}

/// Status and the platform's code.
fn code(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    let inner = &body["errorDetails"]["inputErrors"][0]["code"];
    let code = body["code"]
        .as_str()
        .or(inner.as_str())
        .or(body["error"].as_str());
    (reply.status, code.unwrap_or("").to_owned())
}

fn is(reply: &Reply, status: u16, wanted: &str) {
    assert_eq!(code(reply), (status, wanted.to_owned()), "{}", reply.json());
}
