//! What people are asked to do: open tasks, and alerts with the way to reconnect.
//!
//! Nothing here is stored: tasks are judged now, alerts are read from the stream, and both say what is to be done about
//! each connection as it stands. No address in them opens anything by itself: whoever follows it shows a key.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use mooring_domain::{
    ConnectionId, Event, GrantId, Time, WorkspaceId,
    connection::advice::{Act, Advice},
    event::Severity,
    tasks::{Task, TaskFacts, TaskWhy, tasks},
};
use mooring_store::{ConnectionFilter, ConnectionView, EventRow, Store, StreamPlace};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ActError;
use crate::site::Site;

/// What a person should do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdviceView {
    /// reconnect, `clear_up`, wait or support.
    pub code: &'static str,
    /// One sentence for people.
    pub words: &'static str,
    /// Wait: when it is looked at again at the latest. Reconnect: when the credential ends, while it has not. Else missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl From<Advice> for AdviceView {
    fn from(advice: Advice) -> Self {
        Self {
            until: advice.until,
            ..advice.act.into()
        }
    }
}

impl From<Act> for AdviceView {
    fn from(act: Act) -> Self {
        Self {
            code: act.code(),
            words: act.words(),
            until: None,
        }
    }
}

/// Where a reconnect begins. Whoever follows an address shows their own key: it holds no secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Links {
    /// `POST` here begins to reconnect the connection (operators). Missing while `gateway.public_url` is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<String>,
    /// `POST` here makes a link for somebody without a key, which works once (operators).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<String>,
}

/// A connection that something is to be done about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Concerned {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its platform, by the way in.
    pub platform: &'static str,
    /// The client label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Whether a person has given the consent anew since, so that nothing is to be done for this any more.
    pub settled: bool,
    /// What is to be done; missing where it is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<AdviceView>,
    /// Where a reconnect begins.
    pub links: Links,
}

/// Something that somebody has to do, open now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskView {
    /// reauthorize: give the consent anew at the platform's page.
    pub kind: &'static str,
    /// Why: revoked, refused, ended, `refresh_exhausted`, `permission_missing` or `ends_soon`.
    pub why: &'static str,
    /// The grant: one consent serves all of its connections.
    pub grant: String,
    /// The client labels of its connections.
    pub brands: Vec<String>,
    /// Since when it is open.
    pub opened_at: DateTime<Utc>,
    /// By when it wants doing: the end of the credential; where it does not work any more, at once.
    pub due: DateTime<Utc>,
    /// The connections that hang on it. Reconnecting one of them heals all.
    pub connections: Vec<Concerned>,
    #[serde(skip)]
    #[schema(ignore)]
    id: Uuid,
}

impl TaskView {
    /// Its place in the order of what is due first.
    #[must_use]
    pub const fn place(&self) -> StreamPlace {
        StreamPlace {
            at: self.due.timestamp_millis(),
            id: self.id,
        }
    }
}

/// Something that happened and asks a person to act.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertView {
    /// When.
    pub at: DateTime<Utc>,
    /// What, as the stable name of the event.
    pub event: String,
    /// warning or critical.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// What it is about: connections that are not disconnected, and what to do about each.
    pub connections: Vec<Concerned>,
}

/// The open tasks of a workspace, the first due first.
pub async fn open_tasks(
    store: &Store,
    site: &Site,
    workspace: WorkspaceId,
    now: Time,
) -> Result<Vec<TaskView>, ActError> {
    let filter = ConnectionFilter {
        removed: Some(false),
        ..ConnectionFilter::default()
    };
    let views = store.connection_views(workspace, &filter, now).await?;
    let mut facts: Vec<TaskFacts> = views.iter().map(|view| task_facts(view, None)).collect();
    let open = tasks(&facts, store.policy(), now);
    let wanted: HashSet<ConnectionId> = open
        .iter()
        .flat_map(|task| &task.connections)
        .copied()
        .collect();
    facts.retain(|one| wanted.contains(&one.connection));
    since(store, workspace, &mut facts).await?;
    let views: HashMap<ConnectionId, &ConnectionView> =
        views.iter().map(|view| (view.id, view)).collect();
    let open = tasks(&facts, store.policy(), now);
    Ok(open
        .iter()
        .map(|task| task_view(task, &views, site))
        .collect())
}

/// Since when each of these is broken, as the stream tells it.
async fn since(
    store: &Store,
    workspace: WorkspaceId,
    facts: &mut [TaskFacts],
) -> Result<(), ActError> {
    let grants: Vec<Uuid> = facts.iter().map(|one| one.grant.uuid()).collect();
    let connections: Vec<Uuid> = facts.iter().map(|one| one.connection.uuid()).collect();
    let verdicts = ["auth_state_changed", "refresh_exhausted", "profile_gone"];
    let of_grants = store.last_told(workspace, &verdicts, &grants).await?;
    let of_connections = store
        .last_told(workspace, &["health_changed"], &connections)
        .await?;
    for one in facts {
        let told = of_grants.get(&one.grant.uuid());
        let told = told.filter(|at| **at >= one.connected_at);
        let told = told.or_else(|| of_connections.get(&one.connection.uuid()));
        one.broken_since = told.copied().map(|at| at.max(one.connected_at));
    }
    Ok(())
}

fn task_facts(view: &ConnectionView, broken_since: Option<Time>) -> TaskFacts {
    TaskFacts {
        connection: view.id,
        grant: view.grant,
        facts: view.facts.clone(),
        connected_at: view.consented_at,
        broken_since,
    }
}

fn task_view(task: &Task, views: &HashMap<ConnectionId, &ConnectionView>, site: &Site) -> TaskView {
    let of_it = || task.connections.iter().filter_map(|id| views.get(id));
    let mut brands: Vec<String> = of_it()
        .filter_map(|view| view.brand.as_ref().map(|(_, name)| name.clone()))
        .collect();
    brands.sort_unstable();
    brands.dedup();
    let action = AdviceView {
        until: (task.why == TaskWhy::EndsSoon).then_some(task.due),
        ..Act::Reconnect.into()
    };
    TaskView {
        kind: task.kind.code(),
        why: task.why.code(),
        grant: task.grant.to_string(),
        brands,
        opened_at: task.opened_at,
        due: task.due,
        connections: of_it()
            .map(|view| concerned(view, Some(action.clone()), site))
            .collect(),
        id: task.grant.uuid(),
    }
}

/// Events before a place in the stream that ask a person to act, newest first, and the place of the last that was looked
/// at, where there may be more. Of `limit` events, those that ask nothing are left out.
pub async fn alerts(
    store: &Store,
    site: &Site,
    workspace: WorkspaceId,
    before: Option<StreamPlace>,
    limit: u64,
    now: Time,
) -> Result<(Vec<AlertView>, Option<StreamPlace>), ActError> {
    let rows = store
        .events_before(workspace, Some(Event::ASKING), None, before, limit)
        .await?;
    let next = rows
        .last()
        .filter(|_| rows.len() as u64 == limit)
        .map(|row| row.place);
    let asking: Vec<(EventRow, Event, Act)> = rows
        .into_iter()
        .filter_map(|row| {
            let event: Event = serde_json::from_value(row.data.clone()).ok()?;
            let act = event.asks()?;
            Some((row, event, act))
        })
        .collect();
    let named: Vec<ConnectionId> = asking
        .iter()
        .flat_map(|(_, event, _)| event.names())
        .collect();
    let grants: Vec<GrantId> = asking
        .iter()
        .filter_map(|(_, event, _)| event.of_grant())
        .collect();
    let views = store.living_views(workspace, &named, &grants, now).await?;
    let alerts = asking
        .into_iter()
        .map(|(row, event, act)| AlertView {
            at: row.at,
            severity: event.severity(),
            connections: affected(&event, &views)
                .map(|view| {
                    let settled = event.is_settled(row.at, view.consented_at, &view.facts);
                    concerned(view, (!settled).then(|| act.into()), site)
                })
                .collect(),
            event: row.name,
        })
        .collect();
    Ok((alerts, next))
}

/// The connections that an event is about: those that it names, else all of its grant's.
fn affected<'a>(
    event: &Event,
    views: &'a [ConnectionView],
) -> impl Iterator<Item = &'a ConnectionView> {
    let named = event.names();
    let grant = event.of_grant().filter(|_| named.is_empty());
    views
        .iter()
        .filter(move |view| named.contains(&view.id) || grant == Some(view.grant))
}

fn concerned(view: &ConnectionView, action: Option<AdviceView>, site: &Site) -> Concerned {
    let id = view.id.to_string();
    let link = |what: &str| site.api(&["connections", &id, what]).map(String::from);
    Concerned {
        name: view.name.clone(),
        platform: view.platform.as_str(),
        brand: view.brand.as_ref().map(|(_, name)| name.clone()),
        settled: action.is_none(),
        action,
        links: Links {
            reconnect: link("reconnect"),
            share: link("reconnect-link"),
        },
        id,
    }
}
