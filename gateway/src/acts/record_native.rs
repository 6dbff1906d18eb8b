//! A post that a person published by hand, recorded by its address.

use mooring_domain::{Change, TargetId, WorkspaceId, acts, decision::NativePost};
use mooring_providers::PostAt;
use mooring_store::{Actor, Refusal, SyncTarget};
use url::Url;

use super::{
    ActError, Desk,
    access::access,
    posts::PostRefused,
    sync_post::{apply, display, look, patiently, read_back},
};

/// The longest address.
const URL_MAX: usize = 2_000;

/// Records a post by its address, once the platform has said that it is the account's own, and reads it back. Refused while
/// an attempt of ours dangles, unless that turns out to be this very post.
pub async fn record_native(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    target: TargetId,
    url: &str,
) -> Result<SyncTarget, ActError> {
    let url = address(url)?;
    let missing = || Refusal::NotFound {
        what: target.to_string(),
    };
    let job = desk
        .store
        .live_publish(workspace, target, desk.now())
        .await?
        .ok_or_else(missing)?;
    let (platform, connection) = (job.work.platform, job.work.connection);
    if job.work.removed {
        return Err(Refusal::ConnectionRemoved { connection }.into());
    }
    let not_let_in = |class| PostRefused::NotLetIn {
        platform: display(platform).to_owned(),
        class,
    };
    let Some(credentials) = &job.credentials else {
        return Err(not_let_in("token_revoked").into());
    };
    let leads_to = desk.provider(platform);
    let access = access(credentials);
    let remote_id = match patiently(leads_to.post_at(&access, &url)).await {
        Ok(PostAt::Ours { remote_id }) => remote_id,
        Ok(PostAt::NotOurs) => return Err(PostRefused::NotThisAccount(target).into()),
        Ok(PostAt::Unreadable) => return Err(unreadable(display(platform))),
        Err(failure) if failure.is_transient() => {
            return Err(PostRefused::Unreachable(display(platform).to_owned()).into());
        }
        Err(failure) => return Err(not_let_in(failure.class()).into()),
    };
    if let Some(dangling) = job.work.dangling() {
        look(desk, actor, workspace, target, dangling.id).await?;
    }
    let attempt = desk.store.mint(desk.now());
    let native = NativePost {
        target,
        attempt,
        remote_id,
        url: url.into(),
        at: desk.now(),
    };
    let decision = acts::act().change(Change::NativePublished(Box::new(native)));
    apply(desk, actor, workspace, &decision).await?;
    // Where the platform does not answer now, the verify job asks it again.
    read_back(desk, actor, workspace, attempt).await?;
    let after = desk.store.sync_target(workspace, target).await?;
    Ok(after.ok_or_else(missing)?)
}

fn address(text: &str) -> Result<Url, ActError> {
    let url: Option<Url> = text.trim().parse().ok();
    let url = url.filter(|url| matches!(url.scheme(), "https" | "http"));
    let fits = text.len() <= URL_MAX;
    url.filter(|_| fits).ok_or_else(|| {
        let problem = "must be the post's address, as the browser shows it (https://…)";
        ActError::invalid("url", problem)
    })
}

fn unreadable(platform: &str) -> ActError {
    let problem = format!(
        "does not name a post in a way that can be checked at {platform}: open the post itself and copy its own address"
    );
    ActError::invalid("url", problem)
}
