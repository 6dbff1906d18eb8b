//! `/reconnect/{token}`: a link for somebody without a key. Looking at it uses nothing up; its button does.

use axum::{
    Form,
    extract::{FromRequest, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use mooring_domain::connecting::CONSENT_LIFE;
use mooring_store::Refusal;
use serde::Deserialize;

use super::{CONSENT, FORM, cookie, page, page::Sheet, set_cookie};
use crate::{
    App,
    acts::{self, ActError},
    api::{Problem, address},
    bearer,
};

/// How long the form of a page that was opened may be sent.
const FORM_LIFE_S: i64 = 3_600;

/// What the form sends.
#[derive(Deserialize)]
struct Sent {
    form: String,
}

pub(super) async fn show(State(app): State<App>, Path(token): Path<String>) -> Response {
    let looked = acts::look_at_link(&app.desk(), &token).await;
    let face = match looked {
        Ok(Some((_, face))) => face,
        Ok(None) => return over(&app),
        Err(error) => return stumbled(&app, error),
    };
    let nonce = bearer::mint("");
    let field = bound(nonce.expose(), &token);
    let sheet = Sheet {
        title: "Reconnect an account",
        paragraphs: vec![
            format!(
                "{} on {} has lost its connection, or will lose it soon.",
                face.name, face.platform
            ),
            format!(
                "Log in at {} as somebody who may publish as {}, and allow what it asks. This link works once.",
                face.platform, face.name
            ),
        ],
        form: Some((&field, "Reconnect")),
    };
    let cookie = set_cookie(
        &app,
        FORM,
        nonce.expose(),
        "/reconnect",
        "Strict",
        FORM_LIFE_S,
    );
    with_cookie(sheet.answer(StatusCode::OK, app.site.is_secure()), &cookie)
}

pub(super) async fn go(
    State(app): State<App>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let (headers, from) = (parts.headers.clone(), address(&parts, &app));
    if !is_our_form(&app, &token, &headers, parts, body).await {
        return forged(&app);
    }
    let found = match acts::look_at_link(&app.desk(), &token).await {
        Ok(Some((link, _))) => link,
        Ok(None) => return over(&app),
        Err(error) => return stumbled(&app, error),
    };
    let browser = bearer::mint("");
    let url = match acts::go_by_link(&app.desk(), &found, &from, browser.expose()).await {
        Ok(url) => url,
        Err(ActError::Refused(Refusal::Over)) => return over(&app),
        Err(error) => return stumbled(&app, error),
    };
    let mut response =
        (StatusCode::SEE_OTHER, [(header::LOCATION, url.to_string())]).into_response();
    page::guard(&mut response, app.site.is_secure());
    let life_s = CONSENT_LIFE.num_seconds();
    // Lax: the platform sends the browser back from another site.
    let cookie = set_cookie(&app, CONSENT, browser.expose(), "/connect", "Lax", life_s);
    with_cookie(response, &cookie)
}

/// Whether the form is one of ours, sent by the browser that we gave it to: its field goes with a cookie that no other
/// site can set or send.
async fn is_our_form(
    app: &App,
    token: &str,
    headers: &HeaderMap,
    parts: Parts,
    body: axum::body::Body,
) -> bool {
    let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if told("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(nonce) = cookie(headers, FORM) else {
        return false;
    };
    let request = Request::from_parts(parts, body);
    let sent = Form::<Sent>::from_request(request, app).await;
    sent.is_ok_and(|Form(sent)| sent.form == bound(&nonce, token))
}

/// What a form's field must be for this cookie and this link.
fn bound(nonce: &str, token: &str) -> String {
    bearer::digest(format!("{nonce} {token}"))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

fn over(app: &App) -> Response {
    let sheet = Sheet {
        title: "This link is over",
        paragraphs: vec![
            "It was used already, its time is over, or it is mistyped. Ask whoever sent it for a new one."
                .to_owned(),
        ],
        form: None,
    };
    sheet.answer(StatusCode::GONE, app.site.is_secure())
}

fn forged(app: &App) -> Response {
    let sheet = Sheet {
        title: "Open the link again",
        paragraphs: vec![
            "The button was not pressed on a page that we have shown in this browser. Open the link again, and press it there; cookies must be allowed."
                .to_owned(),
        ],
        form: None,
    };
    sheet.answer(StatusCode::FORBIDDEN, app.site.is_secure())
}

fn stumbled(app: &App, error: ActError) -> Response {
    let problem = Problem::from(error);
    let sheet = Sheet {
        title: "Not now",
        paragraphs: vec![
            "The platform or our side does not answer well, and nothing was changed. Try again later."
                .to_owned(),
        ],
        form: None,
    };
    sheet.answer(problem.status(), app.site.is_secure())
}
