//! A recording of every exchange, for judges that read it afterwards: specifications of the
//! platforms (`OpenAPI`, discovery documents, lexicons) against what the adapters sent and what was
//! answered.
//!
//! When [`VARIABLE`] names a file, each exchange is appended to it as one line of JSON:
//! `{site, method, path, query, request_headers, request_body, status, response_headers,
//! response_body}`. `path` stands below the platform's root and begins with a slash, `query` is the
//! raw text without its question mark, header names are in lower case. A body is a JSON value, a
//! text (forms and XML), `{"bytes": n}` when it is neither, or null when it is empty. `status` and
//! what follows are null when the connection was dropped. Several processes may write to one file.
//! No token and no secret is written: see [`is_secret`].

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use url::Url;
use url::form_urlencoded::{Serializer, parse};

use crate::call::Answer;

/// The environment variable that names the file.
pub const VARIABLE: &str = "MOORING_SIM_RECORD";

const MASK: &str = "[masked]";

/// Writes exchanges, or nothing when no file is named.
#[derive(Clone)]
pub(crate) struct Recorder(Option<Arc<File>>);

/// A request before it is served.
pub(crate) struct Asked(Value);

impl Recorder {
    /// Opens the file that the environment names; the error carries its path.
    pub(crate) fn from_env() -> Result<Self, (PathBuf, io::Error)> {
        let Some(path) = std::env::var_os(VARIABLE).filter(|p| !p.is_empty()) else {
            return Ok(Self(None));
        };
        let path = PathBuf::from(path);
        match OpenOptions::new().append(true).create(true).open(&path) {
            Ok(file) => Ok(Self(Some(Arc::new(file)))),
            Err(source) => Err((path, source)),
        }
    }

    /// Takes down a request; `None` when nothing is recorded.
    pub(crate) fn ask(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Option<Asked> {
        self.0.as_ref()?;
        let (site, path) = uri
            .path()
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or_default();
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let kind = text("content-type").unwrap_or("");
        let pairs = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (
                name.as_str().to_owned(),
                masked_header(name.as_str(), &value),
            )
        });
        Some(Asked(json!({
            "site": site,
            "method": method.as_str(),
            "path": masked_path(path),
            "query": masked_form(uri.query().unwrap_or("").as_bytes()),
            "request_headers": pairs.collect::<Map<_, _>>(),
            "request_body": masked_body(kind, body),
        })))
    }

    /// Writes an exchange; `None` = the connection was dropped.
    ///
    /// # Panics
    /// When the file cannot be written: a recording with holes would let a judge pass what it did
    /// not see.
    pub(crate) fn write(&self, asked: Option<Asked>, answer: Option<&Answer>) {
        let (Some(file), Some(Asked(mut line))) = (&self.0, asked) else {
            return;
        };
        line["status"] = answer.map(|a| a.status).into();
        line["response_headers"] = answer.map_or(Value::Null, |a| {
            let pair = |(name, value): &(&'static str, String)| {
                (name.to_ascii_lowercase(), masked_header(name, value))
            };
            let mut headers: Map<_, _> = a.headers.iter().map(pair).collect();
            headers.insert("content-type".to_owned(), a.content_type.into());
            headers.into()
        });
        line["response_body"] =
            answer.map_or(Value::Null, |a| masked_body(a.content_type, &a.body));
        // One write, so that lines of other processes stay whole.
        let written = (&**file).write_all(format!("{line}\n").as_bytes());
        written.expect("the file of the recording can be written");
    }
}

/// Whether a field of this name holds what nobody may read.
fn is_secret(name: &str) -> bool {
    const MARKS: [&str; 9] = [
        "token",
        "secret",
        "jwt",
        "password",
        "proof",
        "verifier",
        "assertion",
        "upload_id",
        "uploadid",
    ];
    const HARMLESS: [&str; 6] = [
        "token_type",
        "page",
        "next",
        "previous",
        "pagination",
        "token_uri",
    ];
    let name = name.to_ascii_lowercase();
    MARKS.iter().any(|m| name.contains(m)) && !HARMLESS.iter().any(|h| name.starts_with(h))
}

/// A path keeps everything but a Telegram bot's token, which is a part of it.
fn masked_path(path: &str) -> String {
    let masked = |segment: &str| match segment.split_once(':') {
        Some((bot, _)) if bot.starts_with("bot") => format!("{bot}:{MASK}"),
        _ => segment.to_owned(),
    };
    let segments: Vec<String> = path.split('/').map(masked).collect();
    format!("/{}", segments.join("/"))
}

fn masked_header(name: &str, value: &str) -> Value {
    match name.to_ascii_lowercase().as_str() {
        "authorization" => {
            let scheme = value.split(' ').next().unwrap_or("");
            format!("{scheme} {MASK}").into()
        }
        "cookie" | "set-cookie" | "dpop" => MASK.into(),
        name if is_secret(name) => MASK.into(),
        _ => masked_text(value).into(),
    }
}

fn masked_body(kind: &str, body: &Bytes) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        return masked_form(body).into();
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(body)
        && kind.contains("json")
    {
        let is_grant = value.get("grant_type").is_some();
        mask_json(&mut value, is_grant);
        return value;
    }
    let is_text = kind.starts_with("text/") || kind.contains("xml") || kind.contains("json");
    match std::str::from_utf8(body) {
        Ok(text) if is_text => masked_text(text).into(),
        _ => json!({ "bytes": body.len() }),
    }
}

/// `code` is a secret in a query, a form and a token request, and a number or a word in an error.
fn mask_json(value: &mut Value, is_grant: bool) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if value.is_string() && (is_secret(name) || is_grant && name == "code") {
                    *value = MASK.into();
                } else {
                    mask_json(value, is_grant);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask_json(item, is_grant)),
        Value::String(text) => *text = masked_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn masked_form(form: &[u8]) -> String {
    let mut masked = Serializer::new(String::new());
    for (name, value) in parse(form) {
        let hide = is_secret(&name) || name == "code";
        masked.append_pair(&name, if hide { MASK } else { &value });
    }
    masked.finish()
}

/// An address keeps everything but the secrets of its query (links to next pages carry tokens).
fn masked_text(text: &str) -> String {
    let address = Url::parse(text)
        .ok()
        .filter(|u| u.scheme().starts_with("http"));
    match address {
        Some(mut address) if address.query().is_some() => {
            let query = masked_form(address.query().unwrap_or("").as_bytes());
            address.set_query(Some(&query));
            address.into()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand_and_nothing_else_is() {
        let form = masked_form(b"grant_type=refresh_token&refresh_token=1//x&code=y&token_type=b");
        let want =
            "grant_type=refresh_token&refresh_token=%5Bmasked%5D&code=%5Bmasked%5D&token_type=b";
        assert_eq!(form, want);
        let body = Bytes::from(
            json!({"error": {"code": "ok"}, "accessJwt": "s", "nextPageToken": "CAU",
                   "data": [{"access_token": "s", "expires_in": 3599}],
                   "next": "https://h/p?access_token=s&after=2"})
            .to_string(),
        );
        let body = masked_body("application/json; charset=utf-8", &body);
        assert_eq!(body["error"]["code"], "ok");
        assert_eq!(body["nextPageToken"], "CAU");
        assert_eq!(body["accessJwt"], MASK);
        assert_eq!(
            body["data"][0],
            json!({"access_token": MASK, "expires_in": 3599})
        );
        assert_eq!(
            body["next"],
            "https://h/p?access_token=%5Bmasked%5D&after=2"
        );
        assert_eq!(masked_path("bot12:s/getMe"), "/bot12:[masked]/getMe");
        assert_eq!(masked_path("xrpc/a:b"), "/xrpc/a:b");
        let grant = Bytes::from(r#"{"grant_type":"authorization_code","code":"s"}"#);
        assert_eq!(masked_body("application/json", &grant)["code"], MASK);
        assert_eq!(
            masked_header("Authorization", "Bearer s"),
            "Bearer [masked]"
        );
        assert_eq!(
            masked_body("video/mp4", &Bytes::from_static(b"abc")),
            json!({"bytes": 3})
        );
    }

    #[test]
    fn an_exchange_is_one_line_and_a_dropped_one_has_no_answer() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let recorder = Recorder(Some(Arc::new(file)));
        let uri: Uri = "/x/2/tweets?a=1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer s".parse().unwrap());
        let ask = || recorder.ask(&Method::GET, &uri, &headers, &Bytes::new());
        recorder.write(
            ask(),
            Some(&Answer::ok(&json!({"data": []})).with("X-Limit", "3")),
        );
        recorder.write(ask(), None);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        let want = json!({
            "site": "x", "method": "GET", "path": "/2/tweets", "query": "a=1",
            "request_headers": {"authorization": "Bearer [masked]"}, "request_body": null,
            "status": 200, "response_body": {"data": []},
            "response_headers": {"x-limit": "3", "content-type": "application/json; charset=utf-8"},
        });
        assert_eq!(lines[0], want);
        assert_eq!(lines[1]["status"], Value::Null);
        assert_eq!(lines.len(), 2);
    }
}
