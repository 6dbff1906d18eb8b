//! `/connect` and `/connects`: connecting accounts.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use mooring_domain::{ConnectId, connection::Reason};
use mooring_vault::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, ByOperator, Problem, to_its_end};
use crate::{
    App,
    acts::{self, BeginConnect, BegunConnect, ConnectView, LiveCheck, PasswordLogin},
};

/// How to connect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HowToConnect {
    /// Whom the platform's page should suggest: a name, a handle.
    login_hint: Option<String>,
    /// The account's own server, where the platform has many: `https://mastodon.example`.
    host: Option<String>,
    /// Where the browser is sent on to in the end, with `connect` and `outcome` in its query. It must be one of
    /// `gateway.return_urls`, or below `gateway.public_url`.
    return_url: Option<String>,
    /// Platforms without a browser: handle, e-mail address or id; for Telegram the channel or group.
    identifier: Option<String>,
    /// Platforms without a browser: the app password, which is used for one call and stored nowhere; for Telegram the
    /// bot's token, which is what is stored, sealed.
    #[schema(value_type = Option<String>)]
    password: Option<Hidden>,
    /// Platforms without a browser: the code from the e-mail, where the account asks for one.
    #[schema(value_type = Option<String>)]
    factor: Option<Hidden>,
}

/// A secret in a request.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(crate) struct Hidden(Secret);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Secret::from(text))
    }
}

impl HowToConnect {
    /// Name and password, where both came.
    pub(super) fn login(&mut self) -> Option<PasswordLogin> {
        login(
            self.identifier.take(),
            self.password.take(),
            self.factor.take(),
        )
    }

    pub(super) fn hint(&mut self) -> Option<String> {
        self.login_hint.take()
    }

    pub(super) fn back_to(&mut self) -> Option<String> {
        self.return_url.take()
    }
}

/// Name and password, where both came.
pub(super) fn login(
    identifier: Option<String>,
    password: Option<Hidden>,
    factor: Option<Hidden>,
) -> Option<PasswordLogin> {
    Some(PasswordLogin {
        identifier: identifier?,
        password: password?.0,
        factor: factor.map(|hidden| hidden.0),
    })
}

/// A run that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct Begun {
    /// The run: ask `GET /connects/{id}` how it goes.
    pub(super) id: String,
    /// Where the person's browser must go; missing where the platform has answered already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authorize_url: Option<String>,
    /// Until when the person may come back, or choose.
    pub(super) expires_at: DateTime<Utc>,
}

/// What to connect of what the log-in reaches.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    /// The `remote_id` of each destination.
    destinations: Vec<String>,
}

/// What became of a choice.
#[derive(Serialize, ToSchema)]
pub(crate) struct Chosen {
    /// Each destination, with the result of a live look at it.
    connections: Vec<Looked>,
}

/// A connection that was just connected or reconnected, as a live look at the platform shows it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Looked {
    /// The connection.
    id: String,
    /// Its platform.
    platform: &'static str,
    /// Its name.
    name: String,
    /// connected (new here), or reconnected.
    outcome: &'static str,
    /// healthy, warning, critical or unknown.
    health: &'static str,
    /// Why it is not healthy, as stable codes, strongest first.
    reasons: Vec<&'static str>,
    /// Required permissions that are missing.
    missing_scopes: Vec<String>,
    /// Why the platform could not be asked, where it could not; a check follows within a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_failed: Option<&'static str>,
}

impl From<LiveCheck> for Looked {
    fn from(look: LiveCheck) -> Self {
        let missing = look.reasons.iter().find_map(|reason| match reason {
            Reason::ScopesMissing { scopes } => Some(scopes.clone()),
            _ => None,
        });
        Self {
            id: look.connection.to_string(),
            platform: look.platform,
            name: look.name,
            outcome: if look.is_new {
                "connected"
            } else {
                "reconnected"
            },
            health: look.health.as_str(),
            reasons: look.reasons.iter().map(Reason::code).collect(),
            missing_scopes: missing.unwrap_or_default(),
            check_failed: look.failure,
        }
    }
}

/// Begins to connect an account: answers with the platform's page for the person's browser, or, where the platform
/// takes a name and a password, with a run to choose from.
#[utoipa::path(post, path = "/connect/{platform}", params(("platform" = String, Path, description = "The way in: see `/platforms`.")), request_body = HowToConnect, responses((status = CREATED, body = Begun), (status = "default", body = Problem)))]
pub(crate) async fn begin(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(platform): Path<String>,
    Body(mut how): Body<HowToConnect>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let new = BeginConnect {
        platform,
        login_hint: how.hint(),
        host: how.host.take(),
        return_url: how.back_to(),
        password: how.login(),
    };
    let desk = app.desk();
    let begun = acts::begin_connect(&desk, &caller.actor(), caller.workspace, new).await?;
    Ok((StatusCode::CREATED, Json(begun.into())))
}

impl From<BegunConnect> for Begun {
    fn from(begun: BegunConnect) -> Self {
        match begun {
            BegunConnect::Consent {
                id,
                url,
                expires_at,
            } => Self {
                id: id.to_string(),
                authorize_url: Some(url.into()),
                expires_at,
            },
            BegunConnect::Offered { id, expires_at } => Self {
                id: id.to_string(),
                authorize_url: None,
                expires_at,
            },
        }
    }
}

/// Shows how a run stands, and what can be chosen. Never a token.
#[utoipa::path(get, path = "/connects/{connect}", params(("connect" = String, Path)), responses((status = OK, body = ConnectView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connect): Path<String>,
) -> Result<Json<ConnectView>, Problem> {
    let id: ConnectId = connect.parse().map_err(|_| Problem::not_found(&connect))?;
    let view = acts::show_connect(&app.desk(), caller.workspace, id).await?;
    view.map(Json).ok_or_else(|| Problem::not_found(id))
}

/// Connects what was chosen, all of it or nothing, and looks at each destination live. Only the key that began the run
/// may choose.
#[utoipa::path(post, path = "/connects/{connect}/choose", params(("connect" = String, Path)), request_body = Choice, responses((status = OK, body = Chosen), (status = "default", body = Problem)))]
pub(crate) async fn choose(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connect): Path<String>,
    Body(choice): Body<Choice>,
) -> Result<Json<Chosen>, Problem> {
    let id: ConnectId = connect.parse().map_err(|_| Problem::not_found(&connect))?;
    let at_work = app.clone();
    let looks = to_its_end(&app, async move {
        acts::choose_destinations(
            &at_work.desk(),
            &caller.actor(),
            caller.workspace,
            id,
            &choice.destinations,
        )
        .await
    });
    let looks = looks.await?;
    let connections = looks.into_iter().map(Looked::from).collect();
    Ok(Json(Chosen { connections }))
}
