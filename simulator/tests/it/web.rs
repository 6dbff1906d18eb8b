//! A client for requests with headers of their own, and other methods than the raw one writes.

use std::collections::HashMap;
use std::time::Duration;

use mooring_simulator::RunningSimulator;
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub(crate) struct Back {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
}

impl Back {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("no JSON ({e}): {}", self.text))
    }

    /// A parameter in the address that the answer leads to.
    pub(crate) fn redirected(&self, name: &str) -> Option<String> {
        let target = url::Url::parse(self.headers.get("location")?).ok()?;
        let found = target.query_pairs().find(|(k, _)| k == name);
        found.map(|(_, v)| v.into_owned())
    }
}

/// A request in the making.
pub(crate) struct Ask {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

pub(crate) fn ask(simulator: &RunningSimulator, method: &'static str, path: &str) -> Ask {
    let url = if path.starts_with("http") {
        path.to_owned()
    } else {
        format!("{}{path}", simulator.base_url())
    };
    Ask {
        method,
        url,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

impl Ask {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json; charset=UTF-8", body.to_string())
    }

    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(pairs).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// One file, and fields beside it.
    pub(crate) fn multipart(self, mime: &str, file: &[u8], fields: &[(&str, &str)]) -> Self {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend(part.as_bytes());
        }
        let head = format!(
            "--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\
             Content-Type: {mime}\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(file);
        body.extend(b"\r\n--b0undary--\r\n");
        self.body("multipart/form-data; boundary=b0undary", body)
    }

    pub(crate) async fn send(self) -> Back {
        let none = reqwest::redirect::Policy::none();
        let patience = Duration::from_secs(20);
        let client = reqwest::Client::builder().redirect(none).timeout(patience);
        let method: reqwest::Method = self.method.parse().unwrap();
        let mut request = client.build().unwrap().request(method, &self.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's client, not the product's"
        )]
        let answer = request.body(self.body).send().await.unwrap();
        let headers = answer.headers().iter();
        let headers = headers.map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned()));
        Back {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            text: answer.text().await.unwrap(),
        }
    }
}
