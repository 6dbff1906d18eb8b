//! Publishing a target once more: a new edition, which a person wants.

use mooring_domain::{TargetId, Time, WorkspaceId, acts, post::plan::PublishAgain};
use mooring_store::{Actor, Refusal, Secrets, Store};

use super::{
    ActError,
    schedule_post::{check_everywhere, not_past},
};

/// How a target is published once more.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublishAgainOrder {
    /// When; `None` = now.
    pub due: Option<Time>,
    /// Also where the edition before is out, or may be.
    pub even_if_published: bool,
    /// It may say what another post says on the same connection within a day.
    pub allow_duplicate: bool,
}

/// Begins a target's next edition; refused while an attempt dangles, and where it is out unless that is wanted.
pub async fn publish_again(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    target: TargetId,
    order: PublishAgainOrder,
    now: Time,
) -> Result<(), ActError> {
    let not_found = || Refusal::NotFound {
        what: target.to_string(),
    };
    let post = store.post_of(workspace, target).await?;
    let view = store
        .post_view(workspace, post.ok_or_else(not_found)?)
        .await?;
    let view = view.ok_or_else(not_found)?;
    let one = view.targets.iter().find(|one| one.id == target);
    let one = one.ok_or_else(not_found)?;
    let due = order.due.unwrap_or(now);
    not_past(store, due, view.max_lateness, now)?;
    // What a platform takes may have changed since.
    let place = [(one.connection, one.platform)];
    check_everywhere(store, workspace, &view.content, &view.overrides, &place).await?;
    let again = PublishAgain {
        target,
        due,
        even_if_published: order.even_if_published,
        allow_duplicate: order.allow_duplicate,
    };
    let place = (target, one.connection, one.platform);
    let decision = acts::publish_again(again, place, view.critical, store.policy(), now);
    store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?;
    Ok(())
}
