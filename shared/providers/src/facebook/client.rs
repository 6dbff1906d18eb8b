//! How the Graph API is called: base and version, tokens, the proof of the app's secret, and the watch on versions.

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use mooring_domain::{Failure, Platform};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use url::Url;

use super::{map, wire::List};
use crate::{
    provider::{Access, AppCredentials},
    registry::{BaseUrls, Notice, Observer},
    transport::Transport,
    wire::{Op, Reply},
};

/// The adapter.
pub(crate) struct Facebook {
    pub(super) transport: Transport,
    base: Url,
    /// The host for uploads of reels and stories.
    pub(super) upload: Url,
    pub(super) dialog: Url,
    pub(super) version: String,
    observer: Observer,
}

impl Facebook {
    pub(crate) fn new(transport: Transport, urls: &BaseUrls, observer: Observer) -> Self {
        Self {
            transport,
            base: urls.facebook.clone(),
            upload: urls.facebook_upload.clone(),
            dialog: urls.facebook_dialog.clone(),
            version: urls.facebook_version.clone(),
            observer,
        }
    }

    /// A call below the version, without a token.
    pub(super) fn call(
        &self,
        host: Option<&Url>,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let mut segments = vec![self.version.as_str()];
        segments.extend(path);
        self.transport
            .call(template, method, host.unwrap_or(&self.base), &segments)
    }

    /// A call with the page's token.
    pub(super) fn page_call(
        &self,
        access: &Access,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let call = self.call(access.host.as_ref(), template, method, path)?;
        Ok(signed(call, access.app.as_ref(), &access.token))
    }

    /// A call with the user's token.
    pub(super) fn user_call(
        &self,
        access: &Access,
        template: &'static str,
        method: Method,
        path: &[&str],
    ) -> Result<Call, Failure> {
        let call = self.call(access.host.as_ref(), template, method, path)?;
        Ok(signed(call, access.app.as_ref(), &access.grant_token))
    }

    /// Makes the call, and looks which version answered.
    pub(super) async fn reply(&self, op: Op, call: Call) -> Result<Reply, Failure> {
        let reply = self.transport.send(op, call).await?;
        let answered = reply
            .header("facebook-api-version")
            .filter(|answered| *answered != self.version);
        if let Some(answered) = answered {
            let asked = self.version.as_str();
            tracing::warn!(
                event.name = "provider.version_changed",
                mooring.provider = Platform::Facebook.as_str(),
                asked,
                answered,
                "the platform answers with another version: test it, then change facebook_version"
            );
            (self.observer)(Notice::VersionChanged {
                platform: Platform::Facebook,
                asked,
                answered,
            });
        }
        Ok(reply)
    }

    /// The body of a success, or what the error means.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        op: Op,
        reply: &Reply,
        what: &str,
    ) -> Result<T, Failure> {
        if map::is_error(reply) {
            Err(map::failure(op, reply, self.transport.now()))
        } else {
            reply.read(what)
        }
    }

    /// Both of the above.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        what: &str,
    ) -> Result<T, Failure> {
        let reply = self.reply(op, call).await?;
        self.read(op, &reply, what)
    }

    /// A part of a list: the first one, or the one after a cursor.
    pub(super) async fn part<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        after: Option<&str>,
    ) -> Result<List<T>, Failure> {
        let call = call.query("limit", PART);
        let call = match after {
            Some(after) => call.query("after", after),
            None => call,
        };
        self.answer(op, call, "list").await
    }
}

/// Entries per part of a list; the most that Graph gives.
const PART: &str = "100";

/// The call with a token in its header and, where we know the app, the proof in its query.
pub(super) fn signed(call: Call, app: Option<&AppCredentials>, token: &Secret) -> Call {
    let call = call.bearer(token.expose());
    match proof(app, token) {
        Some((name, value)) => call.query(name, &value),
        None => call,
    }
}

/// `appsecret_proof`: HMAC-SHA256 of the token under the app's secret, in hex. It shows that the call comes from the
/// app's own server, and the app's setting "Require app secret" demands it.
pub(super) fn proof(
    app: Option<&AppCredentials>,
    token: &Secret,
) -> Option<(&'static str, String)> {
    let app = app?;
    let mut mac = Hmac::<Sha256>::new_from_slice(app.client_secret.expose().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(token.expose().as_bytes());
    Some(("appsecret_proof", hex::encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_documented_one() {
        let app = AppCredentials {
            client_id: "1".to_owned(),
            client_secret: Secret::from("key"),
        };
        let token = Secret::from("The quick brown fox jumps over the lazy dog");
        // The well-known test vector of HMAC-SHA256.
        let known = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        assert_eq!(
            proof(Some(&app), &token),
            Some(("appsecret_proof", known.to_owned()))
        );
        assert_eq!(proof(None, &token), None);
    }
}
