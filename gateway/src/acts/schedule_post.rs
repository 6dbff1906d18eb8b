//! Scheduling a post on some connections.

use mooring_domain::{
    ConnectionId, MediaId, Platform, PostId, TargetId, Time, WorkspaceId, acts, decision::NewPost,
    post::Content,
};
use mooring_runtime::trace::{self, KeyValue};
use mooring_store::{Actor, Addressee, Refusal, Secrets, Store};

use super::{ActError, add_media::attached};

/// A post to schedule.
#[derive(Debug, Clone)]
pub struct SchedulePost {
    /// Where it goes; each connection once.
    pub connections: Vec<ConnectionId>,
    /// What it says. Its media are those of [`SchedulePost::media`].
    pub content: Content,
    /// What it shows, in this order.
    pub media: Vec<MediaId>,
    /// When it is due.
    pub due: Time,
    /// Critical posts go before all others.
    pub critical: bool,
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
    let max_lateness = store.policy().max_lateness;
    if order.due + max_lateness < now {
        let problem = format!("{} is past; choose a time to come", order.due.to_rfc3339());
        return Err(ActError::invalid("due", problem));
    }
    let mut content = order.content;
    content.media = attached(store, workspace, &order.media).await?;
    let addressees = store.addressees(workspace, &order.connections).await?;
    let mut targets = Vec::with_capacity(order.connections.len());
    for connection in &order.connections {
        let addressee = addressees.get(connection);
        let addressee = addressee.ok_or_else(|| Refusal::NotFound {
            what: connection.to_string(),
        })?;
        check_content(store, addressee, &content)?;
        if targets.iter().any(|(_, known, _)| known == connection) {
            return Err(ActError::invalid(
                "connections",
                format!("{connection} is named twice"),
            ));
        }
        targets.push((store.mint(now), *connection, addressee.platform));
    }
    let new = NewPost {
        post: store.mint(now),
        content,
        due: order.due,
        critical: order.critical,
        targets,
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
pub(super) fn check_content(
    store: &Store,
    to: &Addressee,
    content: &Content,
) -> Result<(), ActError> {
    let public = store.policy().public_media;
    to.platform
        .check_content_of(content, &to.about)
        .and_then(|()| to.platform.check_reach(content, public))
        .map_err(|error| {
            let problem = format!("{} [account: {}]", error.problem(), to.name);
            ActError::invalid(error.field(), problem)
        })
}
