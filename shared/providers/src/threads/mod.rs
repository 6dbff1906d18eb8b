//! Threads profiles.
//!
//! Facts (developers.facebook.com: Threads API, and `fbsamples/threads_api`): the log-in is like Instagram's (tokens of
//! 60 days, renewed once they are a day old, while they live); permissions last 90 days and are extended by renewal
//! for public profiles, while the pages contradict each other about private ones, so a forced reconnect is to be
//! expected there. A post is a container that a second call publishes; it publishes at most once, tells whether it
//! has, and expires after a day. Posts can be deleted, 100 a day. Apps with Advanced Access are told of publishing and
//! deletion. The error numbers are documented nowhere; those of Instagram are what clients see.
//!
//! `auto_publish_text`, which publishes words in one call, is not used: its answer can be lost.

use async_trait::async_trait;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, MediaKind, Prepared, Seen, Sent},
};
use mooring_vault::Secret;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    connect::{Authorize, Connected, Consent, Credentials, Destination},
    inbound::{Inbound, InboundRefused, News, NewsKind, Received, word_of},
    instagram::{self, Field, Forms, Graph, Login, address, alt, rejected},
    native::PostAt,
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    registry::{BaseUrls, Observer},
    transport::Transport,
    wire::{Op, unix},
};

/// The only version there is.
const VERSION: &str = "v1.0";

/// The adapter.
pub(crate) struct Threads {
    graph: Graph,
    login: Login,
}

impl Threads {
    pub(crate) fn new(transport: Transport, urls: &BaseUrls, observer: &Observer) -> Self {
        let words = &instagram::THREADS;
        let login = words.login.as_ref().expect("its words have a log-in");
        Self {
            graph: Graph::new(transport, words, &urls.threads, VERSION, observer),
            login: Login {
                dialog: urls.threads_dialog.clone(),
                codes: urls.threads.clone(),
                words: login,
            },
        }
    }
}

#[async_trait]
impl Provider for Threads {
    fn platform(&self) -> Platform {
        Platform::Threads
    }

    fn reference(&self, _now: Time, _entropy: u64) -> Option<String> {
        None
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.login.observe(&self.graph, access, probe_token).await
    }

    async fn refresh(&self, access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        self.login.renew(&self.graph, access).await
    }

    async fn prepare(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        instagram::step(&self.graph, &ThreadsForms, access, draft, so_far).await
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        instagram::publish(&self.graph, access, draft).await
    }

    async fn find(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        instagram::find(&self.graph, access, lost).await
    }

    async fn read_back(&self, access: &Access, remote_id: &str) -> Result<Seen, Failure> {
        instagram::read_back(&self.graph, access, remote_id).await
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        instagram::delete(&self.graph, access, remote_id).await
    }

    /// There is no call for it: the person removes the app in the settings, and the uninstall callback tells. Then
    /// nothing is left to be done here.
    async fn revoke(&self, _access: &Access) -> Result<(), Failure> {
        Ok(())
    }

    async fn authorize(&self, request: &Authorize<'_>) -> Result<Option<Consent>, Failure> {
        let row = Platform::Threads.capabilities();
        let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
        let scopes: Vec<&str> = row
            .required_scopes
            .iter()
            .copied()
            .chain(optional)
            .collect();
        let path = ["oauth", "authorize"];
        instagram::consent(&self.login.dialog, &path, &scopes, request)
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
                detail: "Threads connects with a code of its dialog, for an app".to_owned(),
            });
        };
        self.login
            .open_grant(&self.graph, &app, &code, &redirect_uri)
            .await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        instagram::post_at(&self.graph, access, url, &["threads.net", "threads.com"]).await
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let (host, token) = (access.host.as_ref(), &access.grant_token);
        let me = self.login.me(&self.graph, Op::Connect, host, token).await?;
        Ok(vec![instagram::destination(&self.graph, &me)])
    }

    fn webhook_word(&self, app: &AppCredentials) -> Option<Secret> {
        Some(word_of(app))
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        instagram::answer(call, news)
    }
}

/// Threads' containers.
struct ThreadsForms;

impl Forms for ThreadsForms {
    fn single(&self, draft: &Draft) -> Result<Vec<Field>, Failure> {
        let content = &draft.content;
        let Some(only) = draft.media.first() else {
            // The platform wants words with a link.
            if content.text.trim().is_empty() {
                return Err(rejected("text_required"));
            }
            let mut form = vec![
                ("media_type", "TEXT".to_owned()),
                ("text", content.text.clone()),
            ];
            form.extend(content.link.clone().map(|link| ("link_attachment", link)));
            return Ok(form);
        };
        if content.link.is_some() {
            return Err(rejected("link_with_media"));
        }
        let mut form = part(draft, 0)?;
        form.extend(alt(only));
        form.push(("text", content.text.clone()));
        Ok(form)
    }

    fn part(&self, draft: &Draft, index: usize) -> Result<Vec<Field>, Failure> {
        let mut form = part(draft, index)?;
        form.push(("is_carousel_item", "true".to_owned()));
        form.extend(draft.media.get(index).and_then(alt));
        Ok(form)
    }

    fn around(&self, draft: &Draft) -> Result<Vec<Field>, Failure> {
        if draft.content.link.is_some() {
            return Err(rejected("link_with_media"));
        }
        Ok(vec![
            ("media_type", "CAROUSEL".to_owned()),
            ("text", draft.content.text.clone()),
        ])
    }
}

fn part(draft: &Draft, index: usize) -> Result<Vec<Field>, Failure> {
    let one = draft.media.get(index).ok_or_else(|| rejected("no_media"))?;
    let kind = match one.media.kind {
        MediaKind::Image => "IMAGE",
        MediaKind::Video => "VIDEO",
    };
    Ok(vec![("media_type", kind.to_owned()), address(one)?])
}

/// `publish` and `delete`; the other fields are about people's replies.
fn news(body: &Value) -> Vec<News> {
    let values = &body["values"];
    let value = &values["value"];
    let remote_id = instagram::text(&value["id"]);
    let account = instagram::text(&body["target_id"]);
    let what = match values["field"].as_str() {
        Some("publish") => NewsKind::PostAppeared {
            remote_id: remote_id.clone(),
        },
        Some("delete") => NewsKind::PostRemoved {
            remote_id: remote_id.clone(),
        },
        _ => return Vec::new(),
    };
    if remote_id.is_empty() || account.is_empty() {
        return Vec::new();
    }
    // The time is that of the sending: a repetition has another one.
    let key = format!("{}:{}:{remote_id}", body["topic"], values["field"]);
    vec![News {
        account,
        what,
        at: body["time"].as_i64().and_then(unix),
        key: hex::encode(Sha256::digest(key.as_bytes())),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishing_and_deletion_are_news_with_a_key_of_their_own() {
        let publish = serde_json::json!({
            "app_id": "1", "topic": "interaction", "target_id": "78901", "time": 1_723_226_877,
            "values": { "value": { "id": "8901234", "media_type": "TEXT_POST" }, "field": "publish" },
        });
        let mut later = publish.clone();
        later["time"] = 1_723_226_999.into();
        let first = news(&publish).remove(0);
        assert_eq!(first.account, "78901");
        let remote_id = "8901234".to_owned();
        assert_eq!(
            first.what,
            NewsKind::PostAppeared {
                remote_id: remote_id.clone()
            }
        );
        assert_eq!(news(&later)[0].key, first.key, "sent again");
        let mut delete = publish;
        delete["values"]["field"] = "delete".into();
        let second = news(&delete).remove(0);
        assert_eq!(second.what, NewsKind::PostRemoved { remote_id });
        assert_ne!(second.key, first.key);
        delete["values"]["field"] = "replies".into();
        assert!(news(&delete).is_empty());
    }
}
