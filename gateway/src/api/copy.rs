//! `/connections/{connection}/copy`: the same account in another workspace, by a consent of its own.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use mooring_domain::WorkspaceId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Body, ByOperator, OtherKey, Problem,
    connect::{Hidden, login},
    connections::connection_id,
    reconnect::ReconnectBegun,
    to_its_end,
};
use crate::{
    App,
    acts::{self, ActError, Copier, Reconnect},
};

/// Where to, and how the person connects there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyTo {
    /// The other workspace.
    workspace: String,
    /// Whom the platform's page should suggest: a name, a handle.
    login_hint: Option<String>,
    /// Where the browser is sent on to in the end, with `connect` and `outcome` in its query. It must be one of
    /// `gateway.return_urls`, or below `gateway.public_url`.
    return_url: Option<String>,
    /// Platforms without a browser: handle, e-mail address or id; for Telegram the channel or group.
    identifier: Option<String>,
    /// Platforms without a browser: the app password, or the bot's token.
    #[schema(value_type = Option<String>)]
    password: Option<Hidden>,
    /// Platforms without a browser: the code from the e-mail, where the account asks for one.
    #[schema(value_type = Option<String>)]
    factor: Option<Hidden>,
}

/// Begins to copy a connection to another workspace, where its account then has a connection and a credential of its
/// own; another account is refused, and this connection stays as it is. The caller must be operator in both
/// workspaces: by one key that opens both, or by a key of the other one in `Mooring-Other-Key`, which then owns the run
/// (`GET /connects/{id}` there).
#[utoipa::path(post, path = "/connections/{connection}/copy", params(("connection" = String, Path), ("Mooring-Other-Key" = Option<String>, Header, description = "A key of the other workspace, where yours does not open it.")), request_body = CopyTo, responses((status = CREATED, body = ReconnectBegun), (status = "default", body = Problem)))]
pub(crate) async fn copy(
    ByOperator(caller): ByOperator,
    OtherKey(other): OtherKey,
    State(app): State<App>,
    Path(connection): Path<String>,
    Body(to): Body<CopyTo>,
) -> Result<(StatusCode, Json<ReconnectBegun>), Problem> {
    let id = connection_id(&caller, &connection)?;
    let there: WorkspaceId = to
        .workspace
        .parse()
        .map_err(|error| ActError::invalid("workspace", format!("{error}")))?;
    let how = Reconnect {
        login_hint: to.login_hint,
        return_url: to.return_url,
        password: login(to.identifier, to.password, to.factor),
    };
    let here = caller.actor();
    // Here the caller's own key counts, and it alone.
    let mut roles = vec![(caller.workspace, caller.role)];
    let (who, theirs) = other.unwrap_or_else(|| (here.clone(), caller.roles.clone()));
    roles.extend(theirs.into_iter().filter(|(opens, _)| *opens == there));
    let by = Copier {
        roles,
        here,
        there: who,
    };
    let from = (caller.workspace, id);
    let at_work = app.clone();
    let begun = to_its_end(&app, async move {
        acts::copy_connection(&at_work.desk(), &by, from, there, how).await
    });
    Ok((StatusCode::CREATED, Json(begun.await?.into())))
}
