//! `/hooks/{platform}/{app}`: what platforms send us on their own.
//!
//! Signatures are over bytes, so the body is taken as it came, up to a bound. What the platform's adapter has verified is
//! written to the inbox, and answered; a job merges it. Whatever else comes here is refused, counted by its reason, logged
//! once, and changes nothing.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use mooring_domain::{AppId, ProcessId};
use mooring_providers::{Inbound, InboundKind, InboundRefused, Received, Reply};
use mooring_runtime::lifecycle::chain;
use mooring_store::{Actor, HookApp};

use crate::{App, acts, acts::ActError};

/// The longest body, in bytes. Meta's largest batch has a thousand changes.
const BODY_MAX: usize = 256 * 1024;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route(
            "/hooks/{platform}/{app}",
            get(notification).post(notification),
        )
        .route("/hooks/{platform}/{app}/deauthorize", post(deauthorize))
        .route("/hooks/{platform}/{app}/deletion", post(deletion))
        .with_state(app)
}

type Pairs = Query<Vec<(String, String)>>;

async fn notification(
    State(app): State<App>,
    Path(place): Path<(String, String)>,
    Query(query): Pairs,
    request: Request,
) -> Response {
    receive(&app, InboundKind::Notification, place, query, request).await
}

async fn deauthorize(
    State(app): State<App>,
    Path(place): Path<(String, String)>,
    Query(query): Pairs,
    request: Request,
) -> Response {
    receive(&app, InboundKind::Deauthorize, place, query, request).await
}

async fn deletion(
    State(app): State<App>,
    Path(place): Path<(String, String)>,
    Query(query): Pairs,
    request: Request,
) -> Response {
    receive(&app, InboundKind::DataDeletion, place, query, request).await
}

/// Why a call is turned away.
#[derive(Debug, thiserror::Error)]
enum Turned {
    #[error("no app of ours has this address")]
    Nobody,
    #[error("the body is longer than {BODY_MAX} bytes, or broke off")]
    TooLong,
    #[error(transparent)]
    Refused(#[from] InboundRefused),
    #[error("it could not be written down: the platform will send it again")]
    NotKept(#[source] ActError),
}

impl Turned {
    /// The metric's label, and the status.
    const fn told(&self) -> (&'static str, StatusCode) {
        match self {
            Self::Nobody => ("nobody", StatusCode::NOT_FOUND),
            Self::TooLong => ("too_long", StatusCode::PAYLOAD_TOO_LARGE),
            Self::Refused(InboundRefused::NoneExpected) => ("unexpected", StatusCode::NOT_FOUND),
            Self::Refused(InboundRefused::Unsigned) => ("unsigned", StatusCode::UNAUTHORIZED),
            Self::Refused(InboundRefused::Forged) => ("forged", StatusCode::FORBIDDEN),
            Self::Refused(InboundRefused::Stale) => ("stale", StatusCode::FORBIDDEN),
            Self::Refused(InboundRefused::Unreadable(_)) => ("unreadable", StatusCode::BAD_REQUEST),
            Self::NotKept(_) => ("not_kept", StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

async fn receive(
    app: &App,
    kind: InboundKind,
    (platform, id): (String, String),
    query: Vec<(String, String)>,
    request: Request,
) -> Response {
    let ours = match known(app, &platform, &id).await {
        Ok(ours) => ours,
        Err(turned) => return refuse(app, "unknown", &id, &turned),
    };
    let name = ours.platform.as_str();
    let handshake = request.method() == Method::GET;
    match keep(app, &ours, kind, query, request).await {
        Ok(Received { reply, news }) => {
            let outcome = match (handshake, news.is_empty()) {
                (true, _) => "handshake",
                (false, true) => "nothing",
                (false, false) => "kept",
            };
            app.context.metrics.hook(name, outcome);
            answer(reply)
        }
        Err(turned) => refuse(app, name, &id, &turned),
    }
}

/// The app whose address this is.
async fn known(app: &App, platform: &str, id: &str) -> Result<HookApp, Turned> {
    let id: AppId = id.parse().map_err(|_| Turned::Nobody)?;
    let found = app.store.hook_app(id).await;
    let found = found.map_err(|error| Turned::NotKept(error.into()))?;
    found
        .filter(|ours| ours.platform.as_str() == platform)
        .ok_or(Turned::Nobody)
}

/// Verifies a call and writes down what it tells. Nothing is kept of what is not verified.
async fn keep(
    app: &App,
    ours: &HookApp,
    kind: InboundKind,
    query: Vec<(String, String)>,
    request: Request,
) -> Result<Received, Turned> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX)
        .await
        .map_err(|_| Turned::TooLong)?;
    let now = app.context.clock.now();
    let provider = app.registry.of(ours.platform);
    let credentials = acts::credentials_of(&ours.app);
    let word = ours.webhook_secret.clone();
    let word = word.or_else(|| provider.webhook_word(&credentials));
    let status_url = app.site.deletions();
    let received = provider.receive(&Inbound {
        kind,
        method: &parts.method,
        query: &query,
        headers: &plain(parts.headers),
        body: &body,
        app: &credentials,
        verify_token: word.as_ref(),
        status_url: status_url.as_ref(),
        now,
    })?;
    if !received.news.is_empty() {
        let actor = Actor::Process(ProcessId::from_uuid(app.context.process));
        let news = received.news.clone();
        acts::receive_news(&app.store, &actor, (ours.app.id, ours.platform), news, now)
            .await
            .map_err(Turned::NotKept)?;
    }
    Ok(received)
}

/// The headers without what belongs to somebody else's log.
fn plain(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::COOKIE);
    headers
}

fn answer(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let kind = HeaderValue::from_static(reply.content_type);
    let mut response = (status, Body::from(reply.body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // A challenge that is echoed is a text and nothing else.
    let sniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, sniff);
    response
}

fn refuse(app: &App, platform: &'static str, id: &str, turned: &Turned) -> Response {
    let (reason, status) = turned.told();
    app.context.metrics.hook(platform, reason);
    match turned {
        // Whoever knocks at every door of the internet is no news.
        Turned::Nobody => {
            tracing::debug!(
                event.name = "hook.refused",
                reason,
                "no app of ours has this address"
            );
        }
        Turned::NotKept(error) => {
            tracing::error!(
                event.name = "hook.not_kept",
                platform,
                error = chain(error),
                "a webhook could not be written down; its platform sends it again"
            );
        }
        Turned::TooLong | Turned::Refused(_) => {
            tracing::warn!(
                event.name = "hook.refused",
                platform,
                app.id = id,
                reason,
                "a call to a webhook's address was refused, and nothing was changed"
            );
        }
    }
    (status, turned.to_string()).into_response()
}
