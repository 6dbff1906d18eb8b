//! What people say about connections, and when they want them looked at.

use std::collections::HashSet;

use chrono::TimeDelta;
use mooring_domain::{
    BrandId, Change, ConnectionId, Time, WorkspaceId, acts,
    connection::life::{self, Edit},
    time::days,
};
use mooring_store::{Actor, ConnectionFilter, ConnectionView, Refusal, Secrets, Store};

use super::ActError;

/// The longest name of an owner, and of a label.
const NAME_MAX: usize = 200;
/// The longest note.
const NOTE_MAX: usize = 5_000;
/// Labels of one connection.
const LABELS_MAX: usize = 30;

/// What to write about a connection; `None` = as it is, `Some(None)` = nothing any more.
#[derive(Debug, Clone, Default)]
pub struct ConnectionEdit {
    /// Who answers for it.
    pub owner: Option<Option<String>>,
    /// For admins only: how to get at it.
    pub admin_note: Option<Option<String>>,
    /// What to do, and whom to call, when it fails.
    pub escalation: Option<Option<String>>,
    /// Whether the user behind it is no person.
    pub service_account: Option<bool>,
    /// Words to find it by.
    pub labels: Option<Vec<String>>,
    /// The client label, by name; created where it does not exist.
    pub brand: Option<Option<String>>,
    /// The least time between two sends; `Some(None)` = as the policy says.
    pub spacing: Option<Option<TimeDelta>>,
}

/// What a look at every connection answers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refreshing {
    /// How many are being looked at.
    pub connections: u64,
    /// How many need a reconnect, by what is known now.
    pub need_reconnect: u64,
}

/// Writes what a person says about a connection.
pub async fn edit_connection(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    connection: ConnectionId,
    told: ConnectionEdit,
    now: Time,
) -> Result<(), ActError> {
    let mut decision = acts::act();
    let brand = match told.brand {
        None => None,
        Some(None) => Some(None),
        Some(Some(name)) => {
            let name = words("brand", &name, NAME_MAX)?;
            let (brand, created) = brand(store, workspace, &name, now).await?;
            if let Some(change) = created {
                decision = decision.change(change);
            }
            Some(Some(brand))
        }
    };
    let edit = Edit {
        owner: text("owner", told.owner, NAME_MAX)?,
        admin_note: text("admin_note", told.admin_note, NOTE_MAX)?,
        escalation: text("escalation", told.escalation, NOTE_MAX)?,
        service_account: told.service_account,
        labels: told.labels.map(labels).transpose()?,
        brand,
        spacing: told.spacing.map(spacing).transpose()?,
    };
    if edit.fields().is_empty() {
        let problem = "says nothing; name at least one field";
        return Err(ActError::invalid("body", problem));
    }
    let decision = life::edit(decision, connection, edit);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(())
}

/// Makes a connection the main one of its platform.
pub async fn set_main(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Time,
) -> Result<(), ActError> {
    let decision = life::set_main(connection);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(())
}

/// Has a connection looked at now.
pub async fn check_connection(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Time,
) -> Result<(), ActError> {
    let view = connection_view(store, workspace, connection, now).await?;
    if view.removed.is_some() {
        return Err(Refusal::ConnectionRemoved { connection }.into());
    }
    let decision = life::check_now(connection, view.platform, now);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(())
}

/// Has every connection of the workspace looked at now.
pub async fn check_connections(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    now: Time,
) -> Result<Refreshing, ActError> {
    let filter = ConnectionFilter {
        removed: Some(false),
        ..ConnectionFilter::default()
    };
    let views = store.connection_views(workspace, &filter, now).await?;
    let waiting = views
        .iter()
        .filter(|view| view.standing().needs_reconnect());
    let refreshing = Refreshing {
        connections: views.len() as u64,
        need_reconnect: waiting.count() as u64,
    };
    let decision = life::check_all(workspace, refreshing.connections, now);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(refreshing)
}

/// One connection, judged now.
pub async fn connection_view(
    store: &Store,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Time,
) -> Result<ConnectionView, ActError> {
    let filter = ConnectionFilter {
        id: Some(connection),
        ..ConnectionFilter::default()
    };
    let views = store.connection_views(workspace, &filter, now).await?;
    views.into_iter().next().ok_or_else(|| {
        let what = connection.to_string();
        Refusal::NotFound { what }.into()
    })
}

async fn brand(
    store: &Store,
    workspace: WorkspaceId,
    name: &str,
    now: Time,
) -> Result<(BrandId, Option<Change>), ActError> {
    if let Some(known) = store.brands(workspace).await?.get(name) {
        return Ok((*known, None));
    }
    let brand = store.mint(now);
    let created = Change::BrandCreated {
        brand,
        name: name.to_owned(),
    };
    Ok((brand, Some(created)))
}

/// An empty text says nothing.
#[expect(
    clippy::option_option,
    reason = "left out, null and a text are three things"
)]
fn text(
    field: &'static str,
    told: Option<Option<String>>,
    max: usize,
) -> Result<Option<Option<String>>, ActError> {
    match told {
        None => Ok(None),
        Some(Some(text)) if !text.trim().is_empty() => Ok(Some(Some(words(field, &text, max)?))),
        Some(_) => Ok(Some(None)),
    }
}

/// Posts of one connection keep at most a day apart.
fn spacing(told: Option<TimeDelta>) -> Result<Option<TimeDelta>, ActError> {
    if told.is_some_and(|span| span < TimeDelta::zero() || span > days(1)) {
        let problem = "must be 0 to 86400 seconds";
        return Err(ActError::invalid("spacing_s", problem));
    }
    Ok(told)
}

fn words(field: &'static str, text: &str, max: usize) -> Result<String, ActError> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > max {
        let problem = format!("must have 1 to {max} characters, and has {length}");
        return Err(ActError::invalid(field, problem));
    }
    Ok(text.to_owned())
}

fn labels(told: Vec<String>) -> Result<Vec<String>, ActError> {
    if told.len() > LABELS_MAX {
        let problem = format!("are {}; at most {LABELS_MAX} fit a connection", told.len());
        return Err(ActError::invalid("labels", problem));
    }
    let mut seen = HashSet::new();
    let mut labels = Vec::with_capacity(told.len());
    for label in told {
        let label = words("labels", &label, NAME_MAX)?;
        if seen.insert(label.clone()) {
            labels.push(label);
        }
    }
    Ok(labels)
}
