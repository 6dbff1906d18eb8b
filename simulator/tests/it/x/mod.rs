//! X on the wire.

mod limits;
mod media;
mod oauth;
mod posts;
mod webhooks;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mooring_simulator::x::{NewXApp, NewXUsers, XApp, XSettings, XUser};
use mooring_simulator::{Admin, RunningSimulator};
use serde_json::{Value, json};

use crate::client::{Reply, get, post_bytes, post_form, post_json, send, start};

pub(crate) const BACK: &str = "https://app.test/back";

pub(crate) struct X {
    pub(crate) simulator: RunningSimulator,
    pub(crate) admin: Admin,
    pub(crate) app: XApp,
    pub(crate) user: XUser,
}

impl X {
    pub(crate) async fn new() -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let app = admin.create_x_app(NewXApp::default()).unwrap();
        let new = NewXUsers {
            app: app.id.clone(),
            ..NewXUsers::default()
        };
        let user = admin.create_x_users(&new).unwrap().remove(0);
        Self {
            simulator,
            admin,
            app,
            user,
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.admin.clock().advance(by).unwrap();
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut XSettings)) {
        let mut settings = self.admin.x_settings();
        change(&mut settings);
        self.admin.set_x_settings(settings);
    }

    pub(crate) fn basic(&self) -> String {
        let secret = self.app.secret.as_ref().unwrap();
        let pair = format!("{}:{}", self.app.id, &**secret);
        format!("Basic {}", STANDARD.encode(pair))
    }

    pub(crate) async fn token_call(&self, path: &str, form: &str) -> Reply {
        let basic = self.basic();
        let call = post_form(format!("/x/2/oauth2/{path}"), form).header("authorization", &basic);
        send(&self.simulator, &call).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        let form = format!("grant_type=refresh_token&refresh_token={}", encoded(token));
        self.token_call("token", &form).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        send(&self.simulator, &get(format!("/x/2/{path}")).token(token)).await
    }

    pub(crate) async fn own(&self, path: &str) -> Reply {
        self.get(path, &self.user.access_token).await
    }

    pub(crate) async fn json(&self, path: &str, body: &Value) -> Reply {
        let call = post_json(format!("/x/2/{path}"), body).token(&self.user.access_token);
        send(&self.simulator, &call).await
    }

    pub(crate) async fn post(&self, text: &str) -> Reply {
        self.json("tweets", &json!({ "text": text })).await
    }

    pub(crate) async fn posted(&self, text: &str) -> String {
        let reply = self.post(text).await;
        assert_eq!(reply.status, 201, "{:?}", reply.json());
        id_of(&reply)
    }

    pub(crate) async fn authorize(&self, query: &str) -> Reply {
        let path = format!(
            "/x/i/oauth2/authorize?response_type=code&client_id={}&redirect_uri={}&state=s1&{query}",
            self.app.id,
            encoded(BACK)
        );
        send(&self.simulator, &get(path)).await
    }

    pub(crate) async fn upload(&self, category: &str, kind: &str, chunks: &[&[u8]]) -> Reply {
        let total: usize = chunks.iter().map(|c| c.len()).sum();
        let body = json!({ "media_type": kind, "media_category": category, "total_bytes": total });
        let begun = self.json("media/upload/initialize", &body).await;
        assert_eq!(begun.status, 200, "{:?}", begun.json());
        let id = id_of(&begun);
        for (index, chunk) in chunks.iter().enumerate() {
            assert_eq!(self.append(&id, index, chunk).await.status, 200);
        }
        self.json(&format!("media/upload/{id}/finalize"), &json!({}))
            .await
    }

    pub(crate) async fn append(&self, id: &str, index: usize, chunk: &[u8]) -> Reply {
        let head = format!(
            "--b\r\ncontent-disposition: form-data; name=\"segment_index\"\r\n\r\n{index}\r\n--b\r\n\
             content-disposition: form-data; name=\"media\"; filename=\"m\"\r\n\r\n"
        );
        let body = [head.as_bytes(), chunk, b"\r\n--b--\r\n"].concat();
        let path = format!("/x/2/media/upload/{id}/append");
        let call = post_bytes(path, "multipart/form-data; boundary=b", &body);
        send(&self.simulator, &call.token(&self.user.access_token)).await
    }
}

pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) fn id_of(reply: &Reply) -> String {
    reply.json()["data"]["id"].as_str().unwrap().to_owned()
}

/// Status and last segment of the problem's type.
pub(crate) fn problem(reply: &Reply) -> (u16, String) {
    let kind = reply.json()["type"].as_str().unwrap_or("").to_owned();
    (
        reply.status,
        kind.rsplit('/').next().unwrap_or("").to_owned(),
    )
}

pub(crate) fn detail(reply: &Reply) -> String {
    reply.json()["detail"].as_str().unwrap_or("").to_owned()
}

pub(crate) fn code_in(reply: &Reply) -> String {
    let location = url::Url::parse(&reply.headers["location"]).unwrap();
    let mut pairs = location.query_pairs();
    pairs.find(|(k, _)| k == "code").unwrap().1.into_owned()
}
