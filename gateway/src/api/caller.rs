//! Who calls: an API key, the workspace that it opens, and what it may do there.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use mooring_domain::{KeyId, Role, WorkspaceId};
use mooring_store::Actor;

use super::{Kind, Problem};
use crate::{App, bearer};

/// Names the workspace, for keys that open several.
const WORKSPACE: &str = "mooring-workspace";
/// A key of another workspace, where an act needs rights there too.
const OTHER_KEY: &str = "mooring-other-key";

/// Somebody whose key is good.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Their key.
    pub(crate) key: KeyId,
    /// The key's name.
    pub(crate) name: String,
    /// The workspace that this call is about.
    pub(crate) workspace: WorkspaceId,
    /// What they may do there.
    pub(crate) role: Role,
    /// What they may do everywhere.
    pub(crate) roles: Vec<(WorkspaceId, Role)>,
    /// The address that they came from.
    pub(crate) from: String,
}

impl Caller {
    /// How the stream names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Key {
            key: self.key,
            from: self.from.clone(),
        }
    }

    fn may(self, needed: Role) -> Result<Self, Problem> {
        if self.role >= needed {
            return Ok(self);
        }
        tracing::warn!(
            event.name = "api.refused",
            key = %self.key,
            workspace = %self.workspace,
            role = self.role.as_str(),
            needed = needed.as_str(),
            "a key tried what its role does not allow"
        );
        let detail = format!(
            "this needs the role {needed}, and the key is {}'s",
            self.role
        );
        Err(Problem::new(Kind::RoleTooLow, detail))
    }
}

/// Anybody with a key to the workspace.
pub(crate) struct ByViewer(pub(crate) Caller);
/// Somebody who may connect, disconnect and post.
pub(crate) struct ByOperator(pub(crate) Caller);
/// Somebody who may do everything in the workspace.
pub(crate) struct ByAdmin(pub(crate) Caller);

impl FromRequestParts<App> for ByViewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app).await?.may(Role::Viewer).map(Self)
    }
}

impl FromRequestParts<App> for ByOperator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app).await?.may(Role::Operator).map(Self)
    }
}

impl FromRequestParts<App> for ByAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app).await?.may(Role::Admin).map(Self)
    }
}

/// A second key of whoever calls, for an act that needs rights in two workspaces: whom the other workspace's stream
/// names, and what it may do.
pub(crate) struct OtherKey(pub(crate) Option<(Actor, Vec<(WorkspaceId, Role)>)>);

impl FromRequestParts<App> for OtherKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(text) = other_key(&parts.headers) else {
            return Ok(Self(None));
        };
        let from = address(parts, app);
        let Some(key) = app.store.open_key(&bearer::digest(text)).await? else {
            tracing::warn!(
                event.name = "api.refused",
                from,
                "an unknown second key was tried"
            );
            return Err(Problem::new(
                Kind::UnknownKey,
                "Mooring-Other-Key: check it, or ask an admin of the other workspace for a new one",
            ));
        };
        let actor = Actor::Key { key: key.id, from };
        Ok(Self(Some((actor, key.roles))))
    }
}

/// The second key, as it was sent.
pub(super) fn other_key(headers: &HeaderMap) -> Option<&str> {
    told(headers, OTHER_KEY).map(str::trim)
}

/// Reads the key; a handler and the layers around it share one look-up.
pub(super) async fn caller(parts: &mut Parts, app: &App) -> Result<Caller, Problem> {
    if let Some(known) = parts.extensions.get::<Caller>() {
        return Ok(known.clone());
    }
    let text = told(&parts.headers, header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| Problem::new(Kind::NoKey, "send it as `Authorization: Bearer mk_…`"))?;
    let from = address(parts, app);
    let digest = bearer::digest(text.trim());
    let Some(key) = app.store.open_key(&digest).await? else {
        tracing::warn!(event.name = "api.refused", from, "an unknown key was tried");
        return Err(Problem::new(
            Kind::UnknownKey,
            "check it, or ask an admin for a new one",
        ));
    };
    let (workspace, role) = which(&parts.headers, &key.roles)?;
    let caller = Caller {
        key: key.id,
        name: key.name,
        workspace,
        role,
        roles: key.roles,
        from,
    };
    parts.extensions.insert(caller.clone());
    Ok(caller)
}

fn which(
    headers: &HeaderMap,
    roles: &[(WorkspaceId, Role)],
) -> Result<(WorkspaceId, Role), Problem> {
    match (told(headers, WORKSPACE), roles) {
        (None, [only]) => Ok(*only),
        (None, _) => Err(Problem::new(
            Kind::WorkspaceUnclear,
            "say which one with the header `Mooring-Workspace: ws_…`",
        )),
        (Some(text), _) => {
            let wanted: WorkspaceId = text.parse().map_err(|error| {
                Problem::new(Kind::Malformed, format!("Mooring-Workspace: {error}"))
            })?;
            let found = roles.iter().find(|(id, _)| *id == wanted);
            found
                .copied()
                .ok_or_else(|| Problem::new(Kind::WorkspaceForeign, "use a key of that workspace"))
        }
    }
}

fn told<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The caller's address: the connection's, or where a proxy of ours stands before us, the one that it noted last.
pub(crate) fn address(parts: &Parts, app: &App) -> String {
    if app.context.config.gateway.behind_proxy
        && let Some(noted) = told(&parts.headers, "x-forwarded-for")
        && let Some(last) = noted.rsplit(',').next()
    {
        return last.trim().chars().take(64).collect();
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(|| "unknown".to_owned(), |peer| peer.0.ip().to_string())
}
