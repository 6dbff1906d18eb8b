//! `GET /connect/callback`: a browser comes back from the platform.

use std::collections::HashMap;

use axum::{
    extract::{Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mooring_domain::connecting::ConnectOutcome;
use mooring_vault::Secret;
use url::Url;

use super::{CONSENT, cookie, page, page::Sheet};
use crate::{
    App,
    acts::{self, ActError, CallBack, Landing},
    api::{Problem, address},
};

pub(super) async fn back(
    State(app): State<App>,
    Query(mut query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let back = CallBack {
        state: Secret::from(query.remove("state").unwrap_or_default()),
        code: query.remove("code").map(Secret::from),
        issuer: query.remove("iss"),
        error: query.remove("error"),
        browser: cookie(&parts.headers, CONSENT),
        from: address(&parts, &app),
    };
    drop(query);
    // A code works once: what has begun with it is ended, also when the browser goes away meanwhile.
    let at_work = app.clone();
    let work = async move { acts::finish_consent(&at_work.desk(), back).await };
    let finished = app.context.lifecycle.spawn_short(work).await;
    match finished {
        Ok(Ok(landing)) => land(&app, &landing),
        Ok(Err(error)) => stumbled(&app, error),
        Err(_) => stumbled(
            &app,
            ActError::invalid("callback", "did not come to its end"),
        ),
    }
}

/// Sends the browser on, or tells it how things stand.
fn land(app: &App, landing: &Landing) -> Response {
    let on = landing.return_url.as_deref().and_then(|to| on(to, landing));
    let Some(on) = on else {
        return told(app, landing);
    };
    let mut response =
        (StatusCode::SEE_OTHER, [(header::LOCATION, on.to_string())]).into_response();
    page::guard(&mut response, app.site.is_secure());
    response
}

fn on(to: &str, landing: &Landing) -> Option<Url> {
    let mut url = Url::parse(to).ok()?;
    let id = landing.run?.to_string();
    url.query_pairs_mut()
        .append_pair("connect", &id)
        .append_pair("outcome", landing.outcome.as_str());
    Some(url)
}

fn told(app: &App, landing: &Landing) -> Response {
    let good = landing.outcome.is_success() || landing.outcome == ConnectOutcome::Offered;
    let mut paragraphs = vec![words(landing)];
    if let Some(look) = &landing.look {
        let health = look.health.as_str();
        paragraphs.push(format!("A look at it just now says: {health}."));
        let reasons: Vec<&str> = look
            .reasons
            .iter()
            .map(mooring_domain::connection::Reason::code)
            .collect();
        if !reasons.is_empty() {
            paragraphs.push(format!("Still to clear up: {}.", reasons.join(", ")));
        }
    }
    paragraphs.push(format!("Code: {}", landing.outcome.as_str()));
    let sheet = Sheet {
        title: if good { "Done" } else { "Not connected" },
        paragraphs,
        form: None,
    };
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::CONFLICT
    };
    sheet.answer(status, app.site.is_secure())
}

fn words(landing: &Landing) -> String {
    let wanted = landing.wanted.as_deref().unwrap_or("the account");
    let got = landing.got.as_deref().unwrap_or("another account");
    match landing.outcome {
        ConnectOutcome::Offered => "The platform has answered. Close this window, and choose what to connect where you began.".to_owned(),
        ConnectOutcome::Connected => "The accounts are connected.".to_owned(),
        ConnectOutcome::Reconnected => format!("{wanted} is connected again. You may close this window."),
        ConnectOutcome::Denied => "You said no at the platform, and nothing was changed. You can try again.".to_owned(),
        ConnectOutcome::Expired => "This took too long, and nothing was changed. Begin anew.".to_owned(),
        ConnectOutcome::StateUnknown => "This does not belong to anything that was begun here. Begin anew.".to_owned(),
        ConnectOutcome::StateUsed => "This was used already. Begin anew if it did not work.".to_owned(),
        ConnectOutcome::WrongBrowser => "This was begun in another browser. Open the link and finish it there.".to_owned(),
        ConnectOutcome::CodeRefused => "The platform did not accept its own answer any more, and nothing was changed. Begin anew.".to_owned(),
        ConnectOutcome::AppRefused => "The platform does not accept our app, and nothing was changed. Tell whoever runs this service.".to_owned(),
        ConnectOutcome::ProviderError => "The platform answered with an error, and nothing was changed. Try again later.".to_owned(),
        ConnectOutcome::NoDestination => "This log-in reaches no page or account that can be connected. Personal profiles cannot be.".to_owned(),
        ConnectOutcome::AccountMismatch => format!("You logged in as {got}, and {wanted} was meant. Nothing was changed. Log in as {wanted}; or connect {got} as a new account instead."),
        ConnectOutcome::AccountGone => format!("{wanted} is not among what this log-in reaches ({got}): it was deleted, or the role there is lost. Nothing was changed."),
        ConnectOutcome::ConnectedElsewhere => format!("{wanted} is connected in another workspace. Nothing was changed."),
        ConnectOutcome::PlanRefused => "The workspace's plan does not allow this account. Nothing was changed.".to_owned(),
    }
}

/// Something is wrong on our side.
fn stumbled(app: &App, error: ActError) -> Response {
    let problem = Problem::from(error);
    let sheet = Sheet {
        title: "Not connected",
        paragraphs: vec![
            "Something went wrong on our side, and nothing was changed. Try again in a moment."
                .to_owned(),
        ],
        form: None,
    };
    sheet.answer(problem.status(), app.site.is_secure())
}
