//! A post's address, as people see it.

use mooring_domain::Failure;
use url::Url;

use super::LinkedIn;
use crate::{
    native::{PostAt, path_at},
    provider::Access,
};

impl LinkedIn {
    /// `linkedin.com/feed/update/urn:li:share:{id}`. Whose it is, only a page may ask.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let path = path_at(url, &["linkedin.com"]).unwrap_or_default();
        let named = path.iter().find_map(|part| urn(part));
        let Some(urn) = named.filter(|_| self.platform.capabilities().reads_back) else {
            return Ok(PostAt::Unreadable);
        };
        Ok(match self.author_of(access, &urn).await? {
            Some(author) if author == self.author(access) => PostAt::ours(urn),
            Some(_) | None => PostAt::NotOurs,
        })
    }
}

fn urn(part: &str) -> Option<String> {
    let part = part.replace("%3A", ":").replace("%3a", ":");
    let (_, rest) = part.split_once("urn:li:")?;
    let (kind, id) = rest.split_once(':')?;
    let fits = matches!(kind, "share" | "ugcPost") && id.bytes().all(|b| b.is_ascii_digit());
    (fits && !id.is_empty()).then(|| format!("urn:li:{kind}:{id}"))
}
