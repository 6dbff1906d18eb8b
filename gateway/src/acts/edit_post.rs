//! Changing a post's words before it begins anywhere.

use mooring_domain::{MediaId, PostId, Time, WorkspaceId, acts, post::Content};
use mooring_store::{Actor, Secrets, Store};

use super::{ActError, add_media::attached, schedule_post::check_content};

/// Replaces a post's content; refused once any of its targets has begun. What it shows afterwards, `media` says, in
/// this order.
pub async fn edit_post(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    post: PostId,
    mut content: Content,
    media: &[MediaId],
    now: Time,
) -> Result<(), ActError> {
    content.media = attached(store, workspace, media).await?;
    let targets = store.targets(workspace).await?;
    let connections: Vec<_> = targets
        .iter()
        .filter(|target| target.post == post)
        .map(|target| target.connection)
        .collect();
    for addressee in store.addressees(workspace, &connections).await?.values() {
        check_content(store, addressee, &content)?;
    }
    let decision = acts::edit_post(post, content);
    Ok(store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await?)
}
