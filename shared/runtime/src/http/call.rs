//! One call to a platform, before it is made.

use std::fmt;
use std::time::Duration;

use ::http::header::{AUTHORIZATION, HeaderName, InvalidHeaderValue};
use ::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use url::Url;

use super::error::Cause;

/// What a call sends.
#[derive(Clone, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// `application/json`.
    Json(serde_json::Value),
    /// Anything else, with its content type.
    Bytes {
        /// The content type, such as `image/png`.
        content_type: String,
        /// The bytes.
        bytes: Bytes,
    },
}

impl Body {
    /// True when there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Form(fields) => fields.is_empty(),
            Self::Json(_) => false,
            Self::Bytes { bytes, .. } => bytes.is_empty(),
        }
    }

    /// Content type and bytes, or `None` when there is nothing to send.
    pub(super) fn encode(self) -> Result<Option<(HeaderValue, Bytes)>, Cause> {
        if self.is_empty() {
            return Ok(None);
        }
        let known = HeaderValue::from_static;
        Ok(match self {
            Self::Empty => None,
            Self::Form(fields) => {
                let text = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish();
                Some((known("application/x-www-form-urlencoded"), text.into()))
            }
            Self::Json(value) => Some((known("application/json"), value.to_string().into())),
            Self::Bytes {
                content_type,
                bytes,
            } => Some((
                HeaderValue::from_str(&content_type).map_err(|_| Cause::Header)?,
                bytes,
            )),
        })
    }
}

/// One call. Secrets may be in the URL's query, in headers and in the body; none of them is ever printed.
#[derive(Clone)]
pub struct Call {
    /// The platform, as a label: `bluesky`, `facebook`.
    pub provider: &'static str,
    /// The endpoint's template without ids, such as `/{page-id}/feed`: a span name and a metric label.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// Time for the whole call; `http.timeout_ms` when absent.
    pub timeout: Option<Duration>,
    /// The body leaves at or before this moment or not at all. Such a call has a body, unless it is a GET.
    pub send_by: Option<DateTime<Utc>>,
    /// A header was given that cannot be sent.
    pub(super) bad_header: bool,
}

impl Call {
    /// A call with no headers and no body.
    #[must_use]
    pub fn new(provider: &'static str, operation: &'static str, method: Method, url: Url) -> Self {
        Self {
            provider,
            operation,
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            timeout: None,
            send_by: None,
            bad_header: false,
        }
    }

    /// Adds a header. A value that cannot stand in a header makes the call fail unsent.
    #[must_use]
    pub fn header(self, name: HeaderName, value: &str) -> Self {
        self.put(name, HeaderValue::from_str(value))
    }

    /// Adds `Authorization: Bearer …`, marked as sensitive.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.authorization("Bearer", token)
    }

    /// Adds an `Authorization` header of any scheme, marked as sensitive.
    #[must_use]
    pub fn authorization(self, scheme: &str, credential: &str) -> Self {
        let value = HeaderValue::from_str(&format!("{scheme} {credential}"));
        self.put(
            AUTHORIZATION,
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            }),
        )
    }

    fn put(mut self, name: HeaderName, value: Result<HeaderValue, InvalidHeaderValue>) -> Self {
        match value {
            Ok(value) => drop(self.headers.insert(name, value)),
            Err(_) => self.bad_header = true,
        }
        self
    }

    /// Adds a pair to the URL's query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Sends a form.
    #[must_use]
    pub fn form<N: Into<String>, V: Into<String>>(
        mut self,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.body = Body::Form(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        );
        self
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(mut self, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.body = Body::Json(serde_json::to_value(value)?);
        Ok(self)
    }

    /// Sends bytes of a content type.
    #[must_use]
    pub fn bytes(mut self, content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes {
            content_type: content_type.into(),
            bytes: bytes.into(),
        };
        self
    }

    /// Sets the time for the whole call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gates the call: its body leaves at or before this moment or not at all.
    #[must_use]
    pub fn send_by(mut self, at: DateTime<Utc>) -> Self {
        self.send_by = Some(at);
        self
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("provider", &self.provider)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
