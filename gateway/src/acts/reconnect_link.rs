//! Links that let somebody without a key reconnect one connection.

use std::fmt;

use mooring_domain::{
    ConnectionId, LinkId, Time, WorkspaceId,
    connecting::{self, LINK_LIFE, NewLink},
    time::hours,
};
use mooring_store::{Actor, LinkRow, Secrets};
use url::Url;

use super::{
    ActError,
    connecting::{ConnectRefused, Desk, Start, start},
    reconnect::brief,
};
use crate::bearer;

/// The longest life of a link.
const HOURS_MAX: u32 = 24 * 30;

/// A link that was just made. Its address is shown once, and in no `Debug`.
pub struct MadeLink {
    /// Its id.
    pub id: LinkId,
    /// Where it leads.
    pub url: Url,
    /// When it ends.
    pub expires_at: Time,
}

impl fmt::Debug for MadeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeLink")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Makes a link for one connection; `for_hours` where another life than three days is wanted.
pub async fn make_reconnect_link(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    connection: ConnectionId,
    for_hours: Option<u32>,
) -> Result<MadeLink, ActError> {
    let wanted = brief(desk, workspace, connection).await?;
    let life = match for_hours {
        None => LINK_LIFE,
        Some(n @ 1..=HOURS_MAX) => hours(i64::from(n)),
        Some(_) => {
            let problem = format!("must be 1 to {HOURS_MAX}");
            return Err(ActError::invalid("hours", problem));
        }
    };
    let token = bearer::mint("rl_");
    let url = desk.site.reconnect_link(token.expose()).ok_or_else(|| {
        ConnectRefused::NotConfigured(
            "nobody has said where browsers reach this installation: set gateway.public_url"
                .to_owned(),
        )
    })?;
    let now = desk.now();
    let new = NewLink {
        link: desk.store.mint(now),
        connection: wanted.id,
        digest: bearer::digest(token.expose()),
        expires_at: now + life,
    };
    let made = MadeLink {
        id: new.link,
        url,
        expires_at: new.expires_at,
    };
    let decision = connecting::make_link(new);
    desk.store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(made)
}

/// What the page behind a link shows.
#[derive(Debug)]
pub struct LinkFace {
    /// The connection's name.
    pub name: String,
    /// What people call its platform.
    pub platform: &'static str,
}

/// Finds a link that still works; `None` for anything else.
pub async fn look_at_link(
    desk: &Desk<'_>,
    token: &str,
) -> Result<Option<(LinkRow, LinkFace)>, ActError> {
    let link = desk.store.link_by_digest(&bearer::digest(token)).await?;
    let Some(link) = link.filter(|link| link.expires_at > desk.now()) else {
        return Ok(None);
    };
    let found = desk
        .store
        .connection_brief(link.workspace, link.connection)
        .await?;
    Ok(found.map(|wanted| {
        let face = LinkFace {
            name: wanted.name,
            platform: wanted.platform.capabilities().display_name,
        };
        (link, face)
    }))
}

/// Goes by a link: uses it up, and begins the consent in this one browser, which must show the same cookie at the
/// end.
pub async fn go_by_link(
    desk: &Desk<'_>,
    link: &LinkRow,
    from: &str,
    browser: &str,
) -> Result<Url, ActError> {
    let actor = Actor::Link {
        link: link.id,
        from: from.to_owned(),
    };
    let wanted = brief(desk, link.workspace, link.connection).await?;
    let order = Start {
        platform: wanted.way,
        connection: Some(wanted.id),
        copied_from: None,
        link: Some(link.id),
        host: wanted.host.clone(),
        login_hint: None,
        return_url: None,
        browser: Some(bearer::digest(browser)),
    };
    let (_, url, _) = start(desk, &actor, link.workspace, order).await?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;

    use super::*;

    #[test]
    fn a_links_address_shows_in_no_debug() {
        let at = from_ms(1_800_000_000_000);
        let made = MadeLink {
            id: LinkId::mint(at, [1; 10]),
            url: "https://mooring.example/reconnect/rl_hidden"
                .parse()
                .unwrap(),
            expires_at: at,
        };
        let shown = format!("{made:?}");
        assert!(
            shown.contains("expires_at") && !shown.contains("rl_hidden"),
            "{shown}"
        );
    }
}
