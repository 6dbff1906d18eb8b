//! The beginning of a run: a state that works once, and the platform's page, or a password for one call.

use mooring_domain::{
    ConnectId, ConnectionId, LinkId, Platform, Time, WorkspaceId,
    connecting::{self, CONSENT_LIFE, NewConnect},
    platform::ConnectsBy,
};
use mooring_providers::{Authorize, Connected, Credentials};
use mooring_store::{Actor, ConnectApp, Secrets};
use mooring_vault::Secret;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    super::{ActError, PasswordLogin},
    ConnectRefused, Desk, credentials_of, exchange, fail, outcome_of,
};
use crate::bearer;

/// A run to begin.
pub(in crate::acts) struct Start<'a> {
    pub(in crate::acts) platform: Platform,
    pub(in crate::acts) connection: Option<ConnectionId>,
    pub(in crate::acts) copied_from: Option<ConnectionId>,
    pub(in crate::acts) link: Option<LinkId>,
    pub(in crate::acts) host: Option<String>,
    pub(in crate::acts) login_hint: Option<&'a str>,
    pub(in crate::acts) return_url: Option<String>,
    /// The digest of what the browser that begins must show again at the end; `None` where whoever begins is no
    /// browser.
    pub(in crate::acts) browser: Option<String>,
}

/// What is kept, sealed, until the code comes back.
#[derive(Serialize, Deserialize)]
pub(in crate::acts) struct Kept {
    /// The digest of the browser's cookie, where the run is bound to a browser.
    pub(in crate::acts) browser: Option<String>,
    /// What the adapter keeps.
    pub(in crate::acts) consent: Option<String>,
}

/// Begins a run in a browser: its id, the platform's page, and until when the person may come back.
pub(in crate::acts) async fn start(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    order: Start<'_>,
) -> Result<(ConnectId, Url, Time), ActError> {
    let redirect_uri = desk.site.callback().ok_or_else(|| {
        ConnectRefused::NotConfigured(
            "nobody has said where browsers reach this installation: set gateway.public_url"
                .to_owned(),
        )
    })?;
    check_return(desk, order.return_url.as_deref())?;
    let app = app(desk, workspace, &order).await?;
    let host = order
        .host
        .clone()
        .or_else(|| app.as_ref().and_then(|app| app.base_url.clone()));
    let at = host.as_deref().map(server).transpose()?;
    let credentials = app.as_ref().map(credentials_of);
    let state = bearer::mint("st_");
    let request = Authorize {
        app: credentials.as_ref(),
        redirect_uri: &redirect_uri,
        state: state.expose(),
        host: at.as_ref(),
        login_hint: order.login_hint,
    };
    let asked = desk.provider(order.platform).authorize(&request).await;
    let consent = asked.map_err(|failure| no_page(&failure, &order, app.is_some()))?;
    let consent = consent.ok_or_else(|| {
        let problem = "is missing; this platform connects with `identifier` and `password`";
        ActError::invalid("password", problem)
    })?;
    let now = desk.now();
    let new = NewConnect {
        connect: desk.store.mint(now),
        platform: order.platform,
        state_digest: bearer::digest(state.expose()),
        connection: order.connection,
        copied_from: order.copied_from,
        link: order.link,
        app: app.map(|app| app.id),
        redirect_uri: redirect_uri.to_string(),
        host,
        return_url: order.return_url,
    };
    let kept = Kept {
        browser: order.browser,
        consent: consent.kept.map(|kept| kept.expose().to_owned()),
    };
    let id = new.connect;
    begin(desk, actor, workspace, new, Some(&kept), now).await?;
    Ok((id, consent.url, now + CONSENT_LIFE))
}

async fn begin(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    new: NewConnect,
    kept: Option<&Kept>,
    now: Time,
) -> Result<(), ActError> {
    let kept = kept.and_then(|kept| serde_json::to_string(kept).ok());
    let secrets = Secrets {
        connects: kept
            .map(|kept| (new.connect, Secret::from(kept)))
            .into_iter()
            .collect(),
        ..Secrets::default()
    };
    let decision = connecting::begin(new);
    desk.store
        .apply_act(actor, workspace, &decision, &secrets, now)
        .await?;
    Ok(())
}

/// Opens a grant with a password, which goes into one call and nowhere else. The run counts as an attempt before it
/// is made, so that passwords cannot be guessed through us.
pub(in crate::acts) async fn by_password(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    order: &Start<'_>,
    login: PasswordLogin,
) -> Result<(ConnectId, Connected), ActError> {
    if order.platform.connects_by() == ConnectsBy::Browser {
        let problem = "is not asked for; this platform connects at its own page, in a browser";
        return Err(ActError::invalid("password", problem));
    }
    let host = order.host.as_deref().map(server).transpose()?;
    let now = desk.now();
    let new = NewConnect {
        connect: desk.store.mint(now),
        platform: order.platform,
        state_digest: bearer::digest(bearer::mint("st_").expose()),
        connection: order.connection,
        copied_from: order.copied_from,
        link: None,
        app: None,
        redirect_uri: String::new(),
        host: order.host.clone(),
        return_url: None,
    };
    let id = new.connect;
    begin(desk, actor, workspace, new, None, now).await?;
    desk.store
        .apply_act(
            actor,
            workspace,
            &connecting::call_back(id),
            &Secrets::default(),
            now,
        )
        .await?;
    let credentials = match order.platform.connects_by() {
        ConnectsBy::Bot => Credentials::Bot {
            host,
            token: login.password,
            chat: login.identifier,
        },
        ConnectsBy::Password | ConnectsBy::Browser => Credentials::Password {
            host,
            identifier: login.identifier,
            password: login.password,
            factor: login.factor,
        },
    };
    match exchange(desk, order.platform, credentials).await {
        Ok(connected) => Ok((id, connected)),
        Err(failure) => {
            let outcome = outcome_of(&failure);
            fail(desk, actor, (workspace, id), outcome, None).await?;
            Err(if failure.ends_the_credential() {
                ConnectRefused::Credentials(order.platform).into()
            } else {
                ConnectRefused::of(&failure, order.platform).into()
            })
        }
    }
}

/// The app of a run: of a reconnect the one that its account is registered with.
async fn app(
    desk: &Desk<'_>,
    workspace: WorkspaceId,
    order: &Start<'_>,
) -> Result<Option<ConnectApp>, ActError> {
    let host = order.host.as_deref();
    Ok(desk
        .store
        .connect_app(workspace, order.platform, host)
        .await?)
}

fn no_page(failure: &mooring_domain::Failure, order: &Start<'_>, has_app: bool) -> ConnectRefused {
    let platform = order.platform;
    if matches!(failure, mooring_domain::Failure::AppAccess) && !has_app {
        return ConnectRefused::NotConfigured(format!(
            "no app is registered for {platform}: register it with `mooring app add`"
        ));
    }
    ConnectRefused::of(failure, platform)
}

fn check_return(desk: &Desk<'_>, url: Option<&str>) -> Result<(), ActError> {
    let Some(text) = url else { return Ok(()) };
    let allowed = Url::parse(text).is_ok_and(|url| desk.site.allows(&url));
    if allowed {
        return Ok(());
    }
    Err(ActError::invalid(
        "return_url",
        "is no place that browsers may be sent on to; allow it in gateway.return_urls",
    ))
}

fn server(text: &str) -> Result<Url, ActError> {
    let wrong = || ActError::invalid("host", "is no address; write it as https://server");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if plain && matches!(url.scheme(), "https" | "http") && url.has_host() {
        Ok(url)
    } else {
        Err(wrong())
    }
}
