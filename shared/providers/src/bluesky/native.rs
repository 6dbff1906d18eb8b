//! A post's address, as people see it.

use mooring_domain::Failure;
use url::Url;

use super::{Bluesky, post};
use crate::{
    native::{PostAt, after, path_at},
    provider::Access,
};

impl Bluesky {
    /// `bsky.app/profile/{did or handle}/post/{key}`. A handle is no proof, so the account's own repository is asked.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let Some(path) = path_at(url, &["bsky.app"]) else {
            return Ok(PostAt::Unreadable);
        };
        let (Some(profile), Some(rkey)) = (after(&path, &["profile"]), after(&path, &["post"]))
        else {
            return Ok(PostAt::Unreadable);
        };
        if profile.starts_with("did:") && profile != access.remote_id {
            return Ok(PostAt::NotOurs);
        }
        let found = self.record(access, rkey).await?;
        Ok(match found {
            Some(_) => PostAt::ours(post::uri(&access.remote_id, rkey)),
            None => PostAt::NotOurs,
        })
    }
}
