//! The shell of every page, and its headers.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// The only style; the policy names it by its digest.
const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color:#1b2733}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0b5cad;color:#fff;cursor:pointer}";

/// A page: a heading, paragraphs, and where one is needed a form. Paragraphs are plain text.
pub(super) struct Sheet<'a> {
    pub(super) title: &'a str,
    pub(super) paragraphs: Vec<String>,
    /// The hidden field and the button's text of a form that is sent to the page's own address.
    pub(super) form: Option<(&'a str, &'a str)>,
}

impl Sheet<'_> {
    /// The answer. `secure`: whether browsers reach us over TLS.
    pub(super) fn answer(&self, status: StatusCode, secure: bool) -> Response {
        let mut response = (status, Html(self.html())).into_response();
        guard(&mut response, secure);
        response
    }

    fn html(&self) -> String {
        let title = escape(self.title);
        let mut paragraphs = String::new();
        for text in &self.paragraphs {
            paragraphs.push_str("<p>");
            paragraphs.push_str(&escape(text));
            paragraphs.push_str("</p>");
        }
        let form = self.form.map_or_else(String::new, |(field, button)| {
            format!(
                "<form method=\"post\"><input type=\"hidden\" name=\"form\" value=\"{}\"><button>{}</button></form>",
                escape(field),
                escape(button)
            )
        });
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{paragraphs}{form}</body></html>"
        )
    }
}

/// Headers of every answer to a browser: nothing is kept, framed, run, or told to the next site.
pub(super) fn guard(response: &mut Response, secure: bool) {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    // A form's answer sends the browser on to the platform, and browsers hold that against this rule, too.
    let on = if secure { "https:" } else { "https: http:" };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {on}; frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_platform_is_text_and_nothing_else() {
        let sheet = Sheet {
            title: "<b>",
            paragraphs: vec!["\"><script>alert(1)</script>".to_owned()],
            form: Some(("'x'", "Go & see")),
        };
        let html = sheet.html();
        assert!(
            !html.contains("<script>") && !html.contains("<b>"),
            "{html}"
        );
        assert!(html.contains("Go &amp; see") && html.contains("&#39;x&#39;"));
    }
}
