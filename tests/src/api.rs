//! The API, as somebody with a key to it sees it.

use std::net::SocketAddr;

use mooring_domain::{Role, WorkspaceId};
use mooring_gateway::acts;
use mooring_store::Actor;
use reqwest::{Client, Method, redirect::Policy};
use serde_json::Value;

use crate::World;

/// A caller of the API.
#[derive(Clone)]
pub struct Api {
    client: Client,
    address: SocketAddr,
    key: Option<String>,
    workspace: Option<WorkspaceId>,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Media type.
    pub content_type: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Body, where it is JSON; else null.
    pub json: Value,
    /// Body as text.
    pub text: String,
}

impl Answer {
    /// The body, after asserting the status.
    #[track_caller]
    #[must_use]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    /// Asserts that it is a problem with this status and code; its detail.
    #[track_caller]
    #[must_use]
    pub fn problem(self, status: u16, code: &str) -> String {
        assert_eq!(
            (self.status, self.json["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.content_type, "application/problem+json");
        self.json["detail"].as_str().unwrap_or_default().to_owned()
    }
}

impl Api {
    /// A caller without a key.
    #[must_use]
    pub fn stranger(address: SocketAddr) -> Self {
        mooring_runtime::boot::install_tls();
        let client = Client::builder().no_proxy().redirect(Policy::none());
        Self {
            client: client.build().expect("a client"),
            address,
            key: None,
            workspace: None,
        }
    }

    /// The same caller with this key.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The same caller, who names the workspace.
    #[must_use]
    pub fn in_workspace(mut self, workspace: WorkspaceId) -> Self {
        self.workspace = Some(workspace);
        self
    }

    /// `GET /api/v1{path}`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    /// `POST /api/v1{path}`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    /// `PATCH /api/v1{path}`.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), &[]).await
    }

    /// `DELETE /api/v1{path}`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// Any request below `/api/v1`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = format!("http://{}/api/v1{path}", self.address);
        let mut request = self.client.request(method, url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(workspace) = self.workspace {
            request = request.header("mooring-workspace", workspace.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    /// A page for browsers, at any path of the gateway; redirects are not followed.
    pub async fn browse(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a caller from outside, who does not use our client"
)]
async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.expect("the gateway answers");
    let told = |name: &str| {
        let value = answer.headers().get(name).and_then(|v| v.to_str().ok());
        value.map(str::to_owned)
    };
    let (content_type, location) = (told("content-type"), told("location"));
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    Answer {
        status,
        content_type: content_type.unwrap_or_default(),
        location,
        json: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

impl World {
    /// Somebody with a new key that has this role in the world's workspace.
    pub async fn api(&self, role: Role) -> Api {
        let workspaces = [self.workspace];
        let created = acts::create_key(
            &self.store,
            &Actor::Cli,
            "a test",
            &workspaces,
            role,
            self.now(),
        )
        .await
        .expect("a key");
        Api::stranger(self.gateway).with_key(created.text.expose())
    }
}
