//! One HTTP call as the platforms' handlers see it, and their answer.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::Value;

/// A request, read whole. Parameters of the query come before those of a form
/// or JSON body, as the Graph API merges them.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path below the platform's root, without version and outer slashes.
    pub(crate) path: String,
    /// Path and query as they were sent, for platforms that care how a key is encoded.
    pub(crate) target: String,
    /// `(26, 0)` when the path began with `/v26.0`.
    pub(crate) version: Option<(u32, u32)>,
    pub(crate) host: String,
    pub(crate) content_type: String,
    /// Token of the `Authorization` header, `Bearer` or `OAuth`.
    pub(crate) header_token: Option<String>,
    pub(crate) json: Option<Value>,
    pub(crate) body: Bytes,
    headers: HeaderMap,
    params: Vec<(String, String)>,
}

impl Call {
    /// Reads the parts of one request to `/{platform}/…`.
    pub(crate) fn new(method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or("")
        };
        let content_type = text(CONTENT_TYPE).to_owned();
        let below_root = uri
            .path()
            .trim_matches('/')
            .split_once('/')
            .map_or("", |(_, p)| p);
        let (version, path) = split_version(below_root);
        let mut params = parse_form(uri.query().unwrap_or("").as_bytes());
        let mut json = None;
        if content_type.starts_with("application/x-www-form-urlencoded") {
            params.extend(parse_form(&body));
        } else if content_type.starts_with("application/json") {
            json = serde_json::from_slice(&body).ok();
            params.extend(json.as_ref().map(json_params).unwrap_or_default());
        }
        Self {
            method,
            path: decode_path(path),
            target: uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            version,
            host: text(HOST).to_owned(),
            content_type,
            header_token: header_token(text(AUTHORIZATION)),
            json,
            body,
            headers: headers.clone(),
            params,
        }
    }

    /// The first parameter of that name, from query, form or JSON.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    }

    /// A header's text, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or("")
    }

    /// The n-th segment of the path, empty when there is none.
    pub(crate) fn segment(&self, n: usize) -> &str {
        self.path.split('/').nth(n).unwrap_or("")
    }

    /// Every parameter except those named, for links to a next page.
    pub(crate) fn params_except(&self, names: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        self.params
            .iter()
            .filter(move |(k, _)| !names.contains(k))
            .map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

fn parse_form(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

fn json_params(value: &Value) -> Vec<(String, String)> {
    let Value::Object(map) = value else {
        return Vec::new();
    };
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    map.iter().map(|(k, v)| (k.clone(), text(v))).collect()
}

fn header_token(value: &str) -> Option<String> {
    let (scheme, token) = value.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    known.then(|| token.trim().to_owned())
}

/// `v26.0/me/accounts` → `((26, 0), "me/accounts")`.
fn split_version(path: &str) -> (Option<(u32, u32)>, &str) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let parsed = first.strip_prefix('v').and_then(|v| v.split_once('.'));
    match parsed.map(|(major, minor)| (major.parse(), minor.parse())) {
        Some((Ok(major), Ok(minor))) => (Some((major, minor)), rest),
        _ => (None, path),
    }
}

fn decode_path(path: &str) -> String {
    if !path.contains('%') {
        return path.trim_matches('/').to_owned();
    }
    // A plus sign stands for itself in a path, and only there.
    let escaped = format!("p={}", path.replace('+', "%2B").replace('&', "%26"));
    let decoded = parse_form(escaped.as_bytes());
    decoded
        .into_iter()
        .next()
        .map_or_else(String::new, |(_, v)| v.trim_matches('/').to_owned())
}

/// What a platform answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: "application/json; charset=utf-8",
            body: Bytes::from(body.to_string()),
        }
    }

    /// 200 with a JSON body.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// Any other body.
    pub(crate) fn text(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type,
            body: body.into(),
        }
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status < 400
    }
}

/// An opaque paging cursor that means "after the n-th item".
pub(crate) fn cursor(n: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("c:{n}"))
}

/// The position inside a cursor made by [`cursor`].
pub(crate) fn parse_cursor(text: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    std::str::from_utf8(&bytes)
        .ok()?
        .strip_prefix("c:")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_token_and_parameters_are_found_wherever_they_stand() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "OAuth EAAx".parse().unwrap());
        headers.insert(
            CONTENT_TYPE,
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        let uri: Uri = "/facebook/v26.0/111/feed?a=1".parse().unwrap();
        let call = Call::new(
            Method::POST,
            &uri,
            &headers,
            Bytes::from_static(b"message=h%20i"),
        );
        assert_eq!(call.version, Some((26, 0)));
        assert_eq!(call.path, "111/feed");
        assert_eq!(call.header_token.as_deref(), Some("EAAx"));
        assert_eq!(
            (call.param("a"), call.param("message")),
            (Some("1"), Some("h i"))
        );
    }
}
