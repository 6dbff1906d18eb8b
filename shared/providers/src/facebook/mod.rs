//! Facebook Pages, over the Graph API.
//!
//! Facts (developers.facebook.com: Pages API, Access Tokens, Debug Token, Handle Errors, Rate Limiting): a page's
//! token publishes and, made from a long-lived user token, does not end; the user's token lives 60 days and can be
//! exchanged while it lives, never after; `debug_token` answers 200 for dead tokens; a post carries nothing of ours
//! and is recognised by its text and its time; "deleted" and "not yours any more" are the same answer (100/33), which
//! only the page's own health tells apart; a retired version does not fail but is answered by a later one.
//!
//! Not documented, and relied on: `Authorization: Bearer` for ordinary calls, and the exchange of a user token that
//! is long-lived already (both are what the schedulers in the field do).

mod check;
mod client;
mod connect;
mod find;
mod health;
mod map;
mod table;
mod wire;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Accepted, Finding, Seen, Sent, text_digest},
};

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    provider::{Access, Draft, Lost, NewTokens, Provider},
    wire::Op,
};

pub(crate) use client::{Facebook, signed};
// Instagram and Threads are the same API behind other names.
pub(crate) use map::reset;
pub(crate) use table::{Class, class_of};
pub(crate) use wire::{GraphError, graph_time};
use wire::{Post, Success};

#[async_trait]
impl Provider for Facebook {
    fn platform(&self) -> Platform {
        Platform::Facebook
    }

    fn reference(&self, _now: Time, _entropy: u64) -> Option<String> {
        None
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let (access_expires_at, token) = self
            .exchange(Op::Refresh, access.host.as_ref(), app, &access.grant_token)
            .await?;
        let renewed = Renewed {
            access_expires_at,
            refresh_expires_at: None,
            scopes: None,
        };
        Ok((
            renewed,
            NewTokens {
                access: token,
                refresh: None,
            },
        ))
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let mut form = vec![
            ("published", "true".to_owned()),
            ("fields", "id,permalink_url".to_owned()),
        ];
        if !draft.content.text.is_empty() {
            form.push(("message", draft.content.text.clone()));
        }
        form.extend(draft.content.link.clone().map(|link| ("link", link)));
        form.extend(client::proof(access.app.as_ref(), &access.token));
        let call = self.call(
            access.host.as_ref(),
            "/{page-id}/feed",
            Method::POST,
            &[&access.remote_id, "feed"],
        )?;
        let timeout = Platform::Facebook
            .capabilities()
            .publish_timeout
            .to_std()
            .unwrap_or_default();
        let call = call
            .bearer(access.token.expose())
            .form(form)
            .send_by(draft.send_by)
            .timeout(timeout);
        let post: Post = self.answer(Op::Publish, call, "post").await?;
        if post.id.is_empty() {
            return Err(Failure::Contract {
                detail: "a post without an id".to_owned(),
            });
        }
        Ok(Sent::Accepted(Accepted {
            remote_id: post.id,
            permalink: post.permalink_url,
        }))
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        self.search(access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        let call = self.page_call(access, "/{page-post-id}", Method::GET, &[remote_id])?;
        let call = call.query(
            "fields",
            "id,created_time,message,permalink_url,is_published,is_hidden",
        );
        let reply = self.reply(Op::Read, call).await?;
        if map::is_gone(&reply) {
            return Ok(Seen::Gone);
        }
        let post: Post = self.read(Op::Read, &reply, "post")?;
        if post.id != remote_id {
            return Err(Failure::Contract {
                detail: "another post than the one asked for".to_owned(),
            });
        }
        if post.is_published == Some(false) {
            // It exists, but nobody sees it: for a proof that is the same as gone.
            return Ok(Seen::Gone);
        }
        // A post without a message has an empty text, which has a fingerprint, too.
        let digest = text_digest(post.message.as_deref().unwrap_or_default());
        let permalink = post
            .permalink_url
            .unwrap_or_else(|| format!("https://www.facebook.com/{remote_id}"));
        Ok(Seen::Live {
            permalink: Some(permalink),
            digest: Some(digest),
        })
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let call = self.page_call(access, "/{page-post-id}", Method::DELETE, &[remote_id])?;
        let reply = self.reply(Op::Delete, call).await?;
        if map::is_gone(&reply) {
            Ok(())
        } else {
            succeeded(self.read(Op::Delete, &reply, "deletion")?)
        }
    }

    async fn revoke(&self, access: &Access) -> Result<(), Failure> {
        let path = [access.remote_user_id.as_str(), "permissions"];
        let call = self.user_call(access, "/{user-id}/permissions", Method::DELETE, &path)?;
        match self.answer::<Success>(Op::Revoke, call, "revocation").await {
            Ok(answer) => succeeded(answer),
            Err(Failure::TokenRevoked) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        let app = request.app.ok_or(Failure::AppAccess)?;
        let url = self.dialog_url(app, request.redirect_uri, request.state);
        Ok(url.map(|url| Consent { url, kept: None }))
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Code {
            app: Some(app),
            code,
            redirect_uri,
            ..
        } = credentials
        else {
            return Err(Failure::Contract {
                detail: "Facebook connects with a code of its dialog, for an app".to_owned(),
            });
        };
        self.open_grant(&app, &code, &redirect_uri).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        self.pages(app, &access.grant_token).await
    }
}

fn succeeded(answer: Success) -> Result<(), Failure> {
    if answer.success {
        return Ok(());
    }
    Err(Failure::Contract {
        detail: "a success that says it is none".to_owned(),
    })
}
