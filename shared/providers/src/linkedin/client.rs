//! How LinkedIn is called: bases, versions, headers, and how URNs are written.

use http::{HeaderName, Method};
use mooring_domain::{Failure, Platform};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::de::DeserializeOwned;
use url::Url;

use super::map;
use crate::{
    provider::Access,
    registry::{BaseUrls, Notice, Observer},
    transport::Transport,
    wire::{Op, Reply},
};

/// The adapter, for one of the two kinds of destinations.
pub(crate) struct LinkedIn {
    pub(super) transport: Transport,
    pub(super) platform: Platform,
    api: Url,
    oauth: Url,
    version: String,
    observer: Observer,
}

impl LinkedIn {
    pub(crate) fn new(
        transport: Transport,
        platform: Platform,
        urls: &BaseUrls,
        observer: Observer,
    ) -> Self {
        Self {
            transport,
            platform,
            api: urls.linkedin.clone(),
            oauth: urls.linkedin_oauth.clone(),
            version: urls.linkedin_version.clone(),
            observer,
        }
    }

    /// A versioned call. `path` and `query` are encoded already.
    pub(super) fn rest(
        &self,
        host: Option<&Url>,
        token: &Secret,
        template: &'static str,
        method: Method,
        (path, query): (&str, Option<&str>),
    ) -> Call {
        let url = below(host.unwrap_or(&self.api), &format!("rest/{path}"), query);
        Call::new(self.platform.as_str(), template, method, url)
            .bearer(token.expose())
            .header(HeaderName::from_static("linkedin-version"), &self.version)
            .header(
                HeaderName::from_static("x-restli-protocol-version"),
                "2.0.0",
            )
    }

    /// A call below `/v2`, which has no versions.
    pub(super) fn v2(
        &self,
        host: Option<&Url>,
        token: &Secret,
        template: &'static str,
        path: &str,
    ) -> Call {
        let url = below(host.unwrap_or(&self.api), path, None);
        Call::new(self.platform.as_str(), template, Method::GET, url).bearer(token.expose())
    }

    /// A call of the OAuth endpoints.
    pub(super) fn oauth(&self, host: Option<&Url>, template: &'static str, endpoint: &str) -> Call {
        let url = self.oauth_url(host, endpoint);
        Call::new(self.platform.as_str(), template, Method::POST, url)
    }

    /// The address of an OAuth endpoint.
    pub(super) fn oauth_url(&self, host: Option<&Url>, endpoint: &str) -> Url {
        below(
            host.unwrap_or(&self.oauth),
            &format!("oauth/v2/{endpoint}"),
            None,
        )
    }

    /// Makes the call, and tells of a version that is retired.
    pub(super) async fn reply(&self, op: Op, call: Call) -> Result<Reply, Failure> {
        let reply = self.transport.send(op, call).await?;
        if map::is_retired_version(&reply) {
            let asked = self.version.as_str();
            tracing::error!(
                event.name = "provider.version_retired",
                mooring.provider = self.platform.as_str(),
                asked,
                "the platform has retired this version: change linkedin_version"
            );
            (self.observer)(Notice::VersionChanged {
                platform: self.platform,
                asked,
                answered: "none",
            });
        }
        Ok(reply)
    }

    /// The destination's URN. Imports may give a bare id.
    pub(super) fn author(&self, access: &Access) -> String {
        let id = access.remote_id.as_str();
        if id.starts_with("urn:li:") {
            id.to_owned()
        } else if self.is_page() {
            format!("urn:li:organization:{id}")
        } else {
            format!("urn:li:person:{id}")
        }
    }

    /// Whether this is the adapter of organizations' pages.
    pub(super) fn is_page(&self) -> bool {
        self.platform == Platform::LinkedInPage
    }

    /// What an answer other than a success means.
    pub(super) fn failure(&self, op: Op, reply: &Reply) -> Failure {
        map::failure(op, reply, self.transport.now())
    }

    /// The body of a success, or what the error means.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.reply(op, call).await?;
        if reply.is_success() {
            reply.read(what)
        } else {
            Err(self.failure(op, &reply))
        }
    }

    /// Whether bytes and tokens may be sent to an address that the platform gave us: only to the platform.
    pub(super) fn is_own(&self, host: Option<&Url>, address: &Url) -> bool {
        let base = host.unwrap_or(&self.api);
        let same = address.origin() == base.origin() || address.origin() == self.oauth.origin();
        let name = address.host_str().unwrap_or_default();
        let known = ["linkedin.com", "licdn.com"]
            .iter()
            .any(|domain| name == *domain || name.ends_with(&format!(".{domain}")));
        same || (known && address.scheme() == "https")
    }
}

/// `base` with a path below its own.
fn below(base: &Url, path: &str, query: Option<&str>) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url.set_fragment(None);
    url
}

/// A URN as it stands in a path, in a query or in a list: everything but letters and digits escaped.
pub(super) fn encoded(urn: &str) -> String {
    url::form_urlencoded::byte_serialize(urn.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urns_keep_their_path_and_cannot_leave_it() {
        let base = Url::parse("http://127.0.0.1:1/linkedin/?x=1").expect("a URL");
        let path = format!("rest/posts/{}", encoded("urn:li:share:1/../2?a=b"));
        let url = below(&base, &path, Some("ids=List(1,2)"));
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:1/linkedin/rest/posts/urn%3Ali%3Ashare%3A1%2F..%2F2%3Fa%3Db?ids=List(1,2)"
        );
    }
}
