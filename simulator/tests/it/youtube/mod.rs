//! `YouTube` on the wire.

mod accounts;
mod hub;
mod reads;
mod tokens;
mod uploads;

use std::time::Duration;

use mooring_simulator::youtube::{NewYoutubeApp, NewYoutubeUsers, YoutubeApp, YoutubeUser};
use mooring_simulator::{Admin, RunningSimulator};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::start;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Longer than a video is processed.
const PROCESSED: Duration = Duration::from_mins(1);
const GRAIN: usize = 256 * 1024;
const UPLOADS: &str = "upload/youtube/v3/videos?uploadType=resumable&part=snippet,status";

struct Youtube {
    simulator: RunningSimulator,
    admin: Admin,
    app: YoutubeApp,
    user: YoutubeUser,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}): {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Status and reason of an error of the Data API.
    fn reason(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["error"]["code"], self.status);
        let reason = body["error"]["errors"][0]["reason"].as_str();
        (self.status, reason.unwrap_or("").to_owned())
    }

    /// Status and word of an error of the token endpoint.
    fn oauth_error(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error"].as_str().unwrap_or("").to_owned(),
        )
    }
}

impl Youtube {
    async fn new() -> Self {
        Self::with(NewYoutubeApp::default()).await
    }

    async fn with(app: NewYoutubeApp) -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let app = admin.create_youtube_app(app).unwrap();
        let new = NewYoutubeUsers {
            app: app.client_id.clone(),
            ..NewYoutubeUsers::default()
        };
        let user = admin.create_youtube_users(&new).unwrap().remove(0);
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            simulator,
            admin,
            app,
            user,
            http,
        }
    }

    fn channel(&self) -> &str {
        &self.user.channels[0].id
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.simulator.site_url("youtube"))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        #[expect(clippy::disallowed_methods, reason = "a test's own client")]
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await.unwrap();
        Reply {
            status,
            headers,
            body,
        }
    }

    async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(self.http.get(self.url(path)).bearer_auth(token))
            .await
    }

    async fn own(&self, path: &str) -> Reply {
        self.get(path, &self.user.access_token).await
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.http.post(self.url(path)).form(fields)).await
    }

    /// A call of the token endpoint, with the client's id and secret.
    async fn token(&self, fields: &[(&str, &str)]) -> Reply {
        let client = [
            ("client_id", self.app.client_id.as_str()),
            ("client_secret", &*self.app.secret),
        ];
        self.form("token", &[&client[..], fields].concat()).await
    }

    async fn refresh(&self, token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    async fn start_upload(&self, metadata: &Value) -> Reply {
        let request = self.http.post(self.url(UPLOADS)).json(metadata);
        self.send(request.bearer_auth(&*self.user.access_token))
            .await
    }

    /// Begins an upload; the address of its session.
    async fn session(&self, title: &str) -> String {
        let reply = self.start_upload(&draft(title)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.header("location").unwrap().to_owned()
    }

    async fn put(&self, session: &str, range: Option<String>, bytes: Vec<u8>) -> Reply {
        let mut request = self.http.put(session).body(bytes);
        if let Some(range) = range {
            request = request.header("content-range", range);
        }
        self.send(request).await
    }

    /// Uploads a video in one piece; its resource.
    async fn upload(&self, title: &str) -> Value {
        let session = self.session(title).await;
        let reply = self.put(&session, None, title.as_bytes().to_vec()).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()
    }

    /// A video as its owner reads it; null when it is gone.
    async fn video(&self, id: &str) -> Value {
        let path = format!("youtube/v3/videos?part=id,snippet,status,processingDetails&id={id}");
        let reply = self.own(&path).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["items"][0].clone()
    }
}

fn draft(title: &str) -> Value {
    json!({
        "snippet": { "title": title, "description": format!("About {title}"), "categoryId": "22" },
        "status": { "privacyStatus": "public", "selfDeclaredMadeForKids": false },
    })
}
