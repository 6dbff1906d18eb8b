//! A post's address, as people see it.

use mooring_domain::{Failure, post::Seen};
use url::Url;

use super::TikTok;
use crate::{
    native::{PostAt, after, is_number, path_at},
    provider::Access,
};

impl TikTok {
    /// `tiktok.com/@{name}/video/{id}`. Only the account's own posts can be asked for.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let path = path_at(url, &["tiktok.com"]).unwrap_or_default();
        let id = after(&path, &["video", "photo"]).filter(|id| is_number(id));
        let Some(id) = id else {
            return Ok(PostAt::Unreadable);
        };
        Ok(match self.look_at(access, id).await? {
            Seen::Live { .. } => PostAt::ours(id),
            Seen::Gone | Seen::Unverifiable => PostAt::NotOurs,
        })
    }
}
