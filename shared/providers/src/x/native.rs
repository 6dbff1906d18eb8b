//! A post's address, as people see it.

use mooring_domain::Failure;
use url::Url;

use super::{client::X, words};
use crate::{
    native::{PostAt, after, path_at},
    provider::Access,
};

impl X {
    /// `x.com/{name}/status/{id}`. The name is of no weight: whose the post is, the API says.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let path = path_at(url, &["x.com", "twitter.com"]).unwrap_or_default();
        let id = after(&path, &["status", "statuses"]).filter(|id| words::is_id(id));
        let Some(id) = id else {
            return Ok(PostAt::Unreadable);
        };
        let post = self.post(access, id).await?;
        let ours = post.filter(|post| post.author_id.as_deref() == Some(&*access.remote_id));
        Ok(ours.map_or(PostAt::NotOurs, |post| PostAt::ours(post.id)))
    }
}
