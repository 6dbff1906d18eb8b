//! Scheduling a post on some connections.

use chrono::TimeDelta;
use mooring_domain::{
    ConnectionId, MediaId, Platform, PostId, TargetId, Time, WorkspaceId, acts,
    post::{
        Content, Overrides,
        plan::{Due, LATENESS_MOST, NewPost},
    },
    time::minutes,
    zoned::Zoned,
};
use mooring_runtime::trace::{self, KeyValue};
use mooring_store::{Actor, Addressee, Refusal, Secrets, Store};

use super::{
    ActError,
    add_media::attached,
    overrides::{NewOverrides, overrides},
};

/// A post to schedule.
#[derive(Debug, Clone, Default)]
pub struct SchedulePost {
    /// Where it goes; each connection once.
    pub connections: Vec<ConnectionId>,
    /// What it says. Its media are those of [`SchedulePost::media`].
    pub content: Content,
    /// What it shows, in this order.
    pub media: Vec<MediaId>,
    /// What it says otherwise on a platform or a connection.
    pub overrides: NewOverrides,
    /// When it is due.
    pub due: Time,
    /// What the person said, where they named a zone; its instant is [`SchedulePost::due`].
    pub zoned: Option<Zoned>,
    /// Critical posts go before all others.
    pub critical: bool,
    /// How late it may begin; `None` = as the policy says.
    pub max_lateness: Option<TimeDelta>,
    /// It may say what another post says on the same connection within a day.
    pub allow_duplicate: bool,
}

/// A scheduled post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The post.
    pub post: PostId,
    /// One target per connection. A target's id is also the id of the trace that tells its story.
    pub targets: Vec<TargetId>,
}

/// Schedules a post: all of its targets or none.
pub async fn schedule_post(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    order: SchedulePost,
    now: Time,
) -> Result<Scheduled, ActError> {
    if order.connections.is_empty() {
        return Err(ActError::invalid(
            "connections",
            "is empty; name at least one connection",
        ));
    }
    let max_lateness = order.max_lateness.map(lateness).transpose()?;
    not_past(store, order.due, max_lateness, now)?;
    let mut content = order.content;
    content.media = attached(store, workspace, &order.media).await?;
    let places = places(store, workspace, &order.connections).await?;
    let overrides = overrides(store, workspace, order.overrides, &places).await?;
    check_everywhere(store, workspace, &content, &overrides, &places).await?;
    // Ids of one moment have no order of their own: people see targets in the order in which they named them.
    let mut ids: Vec<TargetId> = places.iter().map(|_| store.mint(now)).collect();
    ids.sort();
    let targets = ids.into_iter().zip(places);
    let targets = targets.map(|(id, (connection, platform))| (id, connection, platform));
    let new = NewPost {
        post: store.mint(now),
        content,
        overrides,
        due: Due {
            at: order.due,
            zoned: order.zoned,
        },
        max_lateness,
        critical: order.critical,
        allow_duplicate: order.allow_duplicate,
        targets: targets.collect(),
    };
    let scheduled = Scheduled {
        post: new.post,
        targets: new.targets.iter().map(|(target, ..)| *target).collect(),
    };
    let stories: Vec<_> = new.targets.clone();
    let decision = acts::schedule_post(new, store.policy(), now);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    for (target, _, platform) in stories {
        begin_story(workspace, target, platform);
    }
    Ok(scheduled)
}

/// The connections with their platforms, in their order; each must be there, and once.
async fn places(
    store: &Store,
    workspace: WorkspaceId,
    connections: &[ConnectionId],
) -> Result<Vec<(ConnectionId, Platform)>, ActError> {
    let addressees = store.addressees(workspace, connections).await?;
    let mut places: Vec<(ConnectionId, Platform)> = Vec::with_capacity(connections.len());
    for connection in connections {
        let addressee = addressees.get(connection);
        let platform = addressee.map(|one| one.platform);
        let platform = platform.ok_or_else(|| Refusal::NotFound {
            what: connection.to_string(),
        })?;
        if places.iter().any(|(known, _)| known == connection) {
            let problem = format!("{connection} is named twice");
            return Err(ActError::invalid("connections", problem));
        }
        places.push((*connection, platform));
    }
    Ok(places)
}

/// Refuses a due time that is too long ago to be kept.
pub(super) fn not_past(
    store: &Store,
    due: Time,
    max_lateness: Option<TimeDelta>,
    now: Time,
) -> Result<(), ActError> {
    if due + max_lateness.unwrap_or(store.policy().max_lateness) < now {
        let problem = format!("{} is past; choose a time to come", due.to_rfc3339());
        return Err(ActError::invalid("due", problem));
    }
    Ok(())
}

/// How late a post may be: a minute to a day.
pub(super) fn lateness(span: TimeDelta) -> Result<TimeDelta, ActError> {
    if span < minutes(1) || span > LATENESS_MOST {
        let problem = "must be a minute to a day (60 to 86400 seconds)";
        return Err(ActError::invalid("max_lateness_s", problem));
    }
    Ok(span)
}

/// Refuses a post that any of its platforms would refuse, by what it says there.
pub(super) async fn check_everywhere(
    store: &Store,
    workspace: WorkspaceId,
    content: &Content,
    overrides: &Overrides,
    places: &[(ConnectionId, Platform)],
) -> Result<(), ActError> {
    let connections: Vec<ConnectionId> = places.iter().map(|(connection, _)| *connection).collect();
    let addressees = store.addressees(workspace, &connections).await?;
    for (connection, platform) in places {
        let addressee = addressees
            .get(connection)
            .ok_or_else(|| Refusal::NotFound {
                what: connection.to_string(),
            })?;
        let resolved = overrides.resolve(content, *platform, *connection);
        check_content(store, addressee, &resolved)?;
    }
    Ok(())
}

/// Exports the root span of the target's story; everything that happens to it is told under this trace.
fn begin_story(workspace: WorkspaceId, target: TargetId, platform: Platform) {
    let attributes = vec![
        KeyValue::new("messaging.system", "mooring"),
        KeyValue::new("messaging.operation.name", "create"),
        KeyValue::new("messaging.operation.type", "create"),
        KeyValue::new("messaging.destination.name", "publish"),
        KeyValue::new("mooring.workspace.id", workspace.to_string()),
        KeyValue::new("mooring.target.id", target.to_string()),
        KeyValue::new("mooring.platform", platform.as_str()),
    ];
    trace::start_story(
        "create publish",
        target.uuid(),
        attributes,
        &[("act", trace::current())],
    );
}

/// Refuses a content that the platform would refuse of this account, or could not fetch from us, with the names of the
/// field and the account.
fn check_content(store: &Store, to: &Addressee, content: &Content) -> Result<(), ActError> {
    let public = store.policy().public_media;
    to.platform
        .check_content_of(content, &to.about)
        .and_then(|()| to.platform.check_reach(content, public))
        .map_err(|error| {
            let problem = format!("{} [account: {}]", error.problem(), to.name);
            ActError::invalid(error.field(), problem)
        })
}
