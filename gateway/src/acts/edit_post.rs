//! Changing a post's words before it begins anywhere.

use mooring_domain::{PostId, Time, WorkspaceId, acts, post::Content};
use mooring_store::{Actor, Secrets, Store};

use super::{ActError, schedule_post::check_content};

/// Replaces a post's content; refused once any of its targets has begun.
pub async fn edit_post(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    post: PostId,
    content: Content,
    now: Time,
) -> Result<(), ActError> {
    let targets = store.targets(workspace).await?;
    let connections: Vec<_> = targets
        .iter()
        .filter(|target| target.post == post)
        .map(|target| target.connection)
        .collect();
    for platform in store
        .platforms_of(workspace, &connections)
        .await?
        .into_values()
    {
        check_content(platform, &content)?;
    }
    let decision = acts::edit_post(post, content);
    Ok(store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?)
}
