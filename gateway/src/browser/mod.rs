//! Pages for people's browsers: where platforms send them back to, and where reconnect links lead.
//!
//! Plain pages without scripts. Nothing here shows or logs a code, a state or a token, and no answer may be kept,
//! framed, or told about by a `Referer`.

mod callback;
mod deletion;
mod link;
mod metadata;
mod page;

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::get,
};

use crate::App;

/// The cookie that binds a consent to the browser that began it.
const CONSENT: &str = "mooring_consent";
/// The cookie that a reconnect page's form must come with.
const FORM: &str = "mooring_form";

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route("/connect/callback", get(callback::back))
        .route("/reconnect/{token}", get(link::show).post(link::go))
        .route("/client-metadata.json", get(metadata::document))
        .route("/hooks/deletions", get(deletion::show))
        .with_state(app)
}

/// A cookie of ours, as the browser sent it.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// A cookie that scripts cannot read, for one path.
fn set_cookie(
    app: &App,
    name: &str,
    value: &str,
    path: &str,
    same_site: &str,
    life_s: i64,
) -> String {
    let secure = if app.site.is_secure() { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={life_s}; HttpOnly; SameSite={same_site}{secure}")
}
