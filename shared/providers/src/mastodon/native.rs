//! A post's address, as people see it.

use http::Method;
use mooring_domain::Failure;
use url::Url;

use super::{Mastodon, map, wire::Status};
use crate::{
    native::{PostAt, is_number, segments},
    provider::Access,
    wire::Op,
};

impl Mastodon {
    /// `{server}/@{name}/{id}`, of the account's own server.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        let path = segments(url);
        let id = path.last().filter(|id| is_number(id));
        let of_server = host.host_str() == url.host_str();
        let (true, Some(id)) = (of_server, id) else {
            return Ok(PostAt::Unreadable);
        };
        let template = "/api/v1/statuses/{id}";
        let call = self.call(access, Method::GET, template, &["statuses", id])?;
        let reply = self.transport.send(Op::Read, call).await?;
        if map::is_missing(&reply) {
            return Ok(PostAt::NotOurs);
        }
        if !reply.is_success() {
            return Err(map::failure(Op::Read, &reply, self.transport.now()));
        }
        let status: Status = reply.read("post")?;
        let ours = status.account.id == access.remote_id;
        Ok(if ours {
            PostAt::ours(status.id)
        } else {
            PostAt::NotOurs
        })
    }
}
