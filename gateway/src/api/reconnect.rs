//! `/connections/{connection}/reconnect` and `…/reconnect-link`.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use mooring_domain::ConnectionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Body, ByOperator, Problem,
    connect::{HowToConnect, Looked},
    to_its_end,
};
use crate::{
    App,
    acts::{self, BegunConnect, Reconnect, Reconnecting},
};

/// A reconnect, or a copy, that has begun or is done.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReconnectBegun {
    /// The run: ask `GET /connects/{id}` how it goes.
    id: String,
    /// Where the person's browser must go; missing where it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorize_url: Option<String>,
    /// Until when the person may come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// How the connection is now, where it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Looked>,
}

/// How long a link should work.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HowLong {
    /// Hours, 1 to 720; 72 where left out.
    hours: Option<u32>,
}

/// A link that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewLink {
    /// Its id, as the audit names it.
    id: String,
    /// The address to send to whoever can log in at the platform. It is shown this once, and works once.
    url: String,
    /// When it ends.
    expires_at: DateTime<Utc>,
}

/// Begins to reconnect a connection. It keeps its id, its settings and its posts; another account is refused.
#[utoipa::path(post, path = "/connections/{connection}/reconnect", params(("connection" = String, Path)), request_body = HowToConnect, responses((status = CREATED, body = ReconnectBegun), (status = "default", body = Problem)))]
pub(crate) async fn begin(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
    Body(mut how): Body<HowToConnect>,
) -> Result<(StatusCode, Json<ReconnectBegun>), Problem> {
    let id = of(&connection)?;
    let how = Reconnect {
        login_hint: how.hint(),
        return_url: how.back_to(),
        password: how.login(),
    };
    let at_work = app.clone();
    let begun = to_its_end(&app, async move {
        acts::reconnect(&at_work.desk(), &caller.actor(), caller.workspace, id, how).await
    });
    Ok((StatusCode::CREATED, Json(begun.await?.into())))
}

impl From<Reconnecting> for ReconnectBegun {
    fn from(begun: Reconnecting) -> Self {
        match begun {
            Reconnecting::Consent(BegunConnect::Consent {
                id,
                url,
                expires_at,
            }) => Self {
                id: id.to_string(),
                authorize_url: Some(url.into()),
                expires_at: Some(expires_at),
                connection: None,
            },
            Reconnecting::Consent(BegunConnect::Offered { id, expires_at }) => Self {
                id: id.to_string(),
                authorize_url: None,
                expires_at: Some(expires_at),
                connection: None,
            },
            Reconnecting::Done(run, look) => Self {
                id: run.to_string(),
                authorize_url: None,
                expires_at: None,
                connection: Some(look.into()),
            },
        }
    }
}

/// Makes a link by which somebody without a key can reconnect this one connection, once.
#[utoipa::path(post, path = "/connections/{connection}/reconnect-link", params(("connection" = String, Path)), request_body = HowLong, responses((status = CREATED, body = NewLink), (status = "default", body = Problem)))]
pub(crate) async fn link(
    ByOperator(caller): ByOperator,
    State(app): State<App>,
    Path(connection): Path<String>,
    Body(how_long): Body<HowLong>,
) -> Result<(StatusCode, Json<NewLink>), Problem> {
    let id = of(&connection)?;
    let made = acts::make_reconnect_link(
        &app.desk(),
        &caller.actor(),
        caller.workspace,
        id,
        how_long.hours,
    )
    .await?;
    let body = NewLink {
        id: made.id.to_string(),
        url: made.url.into(),
        expires_at: made.expires_at,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

fn of(text: &str) -> Result<ConnectionId, Problem> {
    text.parse().map_err(|_| Problem::not_found(text))
}
