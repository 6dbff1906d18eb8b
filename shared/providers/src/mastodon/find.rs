//! A lost post among the account's newest, and a known one by its id.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure,
    post::{Finding, Seen, text_digest},
};

use super::{
    Mastodon, accepted, map,
    wire::{Source, Status},
};
use crate::{
    provider::{Access, Lost},
    wire::Op,
};

/// Posts of a page; a server gives at most 40.
const PAGE: usize = 40;
const PAGES: usize = 5;
/// How many posts of the time in question are read at most.
const READ_AT_MOST: usize = 20;
/// How far the server's clock and ours may be apart. A post of that time with the same text may be ours or an earlier
/// one; who cannot tell says so.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

impl Mastodon {
    pub(super) async fn look_for(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let (mut candidates, complete) = self.since(access, lost).await?;
        // The oldest of several is ours: ours came first.
        candidates.reverse();
        let complete = complete && candidates.len() <= READ_AT_MOST;
        let digest = lost.content.digest();
        let mut doubtful = false;
        for status in candidates.into_iter().take(READ_AT_MOST) {
            if self.digest(access, &status.id).await?.as_ref() != Some(&digest) {
                continue;
            }
            // A post without a text says nothing that could be compared.
            if status.created_at >= lost.not_before && !lost.content.text.trim().is_empty() {
                return Ok(Finding::Found(accepted(status)));
            }
            doubtful = true;
        }
        Ok(if doubtful || !complete {
            Finding::Unsure
        } else {
            Finding::Absent
        })
    }

    /// The account's posts since the send, newest first, and whether these are all.
    async fn since(&self, access: &Access, lost: &Lost) -> Result<(Vec<Status>, bool), Failure> {
        let from = lost.not_before - CLOCK_SLACK;
        let (mut found, mut below): (Vec<Status>, Option<String>) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = self.page(access, below.as_deref()).await?;
            let full = page.len() >= PAGE;
            below = page.last().map(|last| last.id.clone());
            let older = page.iter().any(|status| status.created_at < from);
            let ours = page.into_iter().filter(|status| status.created_at >= from);
            found.extend(ours.filter(|status| !lost.owned.contains(&status.id)));
            if older || !full {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    async fn page(&self, access: &Access, below: Option<&str>) -> Result<Vec<Status>, Failure> {
        let template = "/api/v1/accounts/{id}/statuses";
        let segments = ["accounts", access.remote_id.as_str(), "statuses"];
        let call = self.call(access, Method::GET, template, &segments)?;
        let mut call = call
            .query("limit", &PAGE.to_string())
            .query("exclude_reblogs", "true");
        if let Some(below) = below {
            call = call.query("max_id", below);
        }
        self.answer(Op::Read, call, "list of posts").await
    }

    pub(super) async fn look_at(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        let template = "/api/v1/statuses/{id}";
        let call = self.call(access, Method::GET, template, &["statuses", remote_id])?;
        let reply = self.transport.send(Op::Read, call).await?;
        if map::is_missing(&reply) {
            return Ok(Seen::Gone);
        }
        if !reply.is_success() {
            return Err(map::failure(Op::Read, &reply, self.transport.now()));
        }
        let status: Status = reply.read("post")?;
        Ok(Seen::Live {
            permalink: status.permalink(),
            digest: self.digest(access, remote_id).await?,
        })
    }

    /// The fingerprint of a post's text as it was written; `None` when it has gone meanwhile.
    async fn digest(&self, access: &Access, remote_id: &str) -> Result<Option<String>, Failure> {
        let template = "/api/v1/statuses/{id}/source";
        let segments = ["statuses", remote_id, "source"];
        let call = self.call(access, Method::GET, template, &segments)?;
        let reply = self.transport.send(Op::Read, call).await?;
        if map::is_missing(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(map::failure(Op::Read, &reply, self.transport.now()));
        }
        reply
            .read::<Source>("source of a post")
            .map(|source| Some(text_digest(&source.text)))
    }
}
