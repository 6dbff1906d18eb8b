//! Telegram channels and groups, over the Bot API: a bot posts where it may.
//!
//! Facts (Bot API 10.1, June 2026; `tdlib/telegram-bot-api`, `Client.cpp`, `HttpConnection.cpp`, `WebhookActor.cpp`):
//! there is no OAuth. A bot's token, `<bot id>:<35 characters>`, is part of every address (`/bot<token>/<method>`),
//! has neither end nor permissions, and is taken back at `@BotFather` alone. What a bot may do is its role in each
//! chat. `ok` in the body decides, whatever the status. A text has 4,096 UTF-16 units after its entities, a caption
//! 1,024; files travel in the call that publishes, an album's two to ten in one call.
//!
//! A message takes no key of ours, and no method reads one or lists them: a lost answer is nobody's to find, and the
//! answer with chat, number and date is the proof. Deletions of channel posts are told to nobody. That `t.me` shows
//! public channels without a token is not built on.
//!
//! A post's id here is `<chat>/<message>`, an album's `<chat>/<message>,<message>,…`: a message's number alone says
//! nothing outside its chat. The token is in the path: it is put into an address by [`Telegram::call`] alone, and the
//! HTTP client traces no path.

mod check;
mod map;
mod send;
mod webhook;
mod wire;

use async_trait::async_trait;
use http::Method;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Seen, Sent},
};
use mooring_runtime::Call;
use mooring_vault::Secret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::{
    connect::{Connected, Credentials, Destination},
    inbound::{Inbound, InboundRefused, Received},
    native::PostAt,
    provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider},
    transport::Transport,
    wire::{Op, Reply},
};
use wire::Envelope;

pub use webhook::telegram_webhook_secret;

/// The adapter.
pub(crate) struct Telegram {
    transport: Transport,
    base: Url,
}

#[async_trait]
impl Provider for Telegram {
    fn platform(&self) -> Platform {
        Platform::Telegram
    }

    fn reference(&self, _now: Time, _entropy: u64) -> Option<String> {
        None
    }

    async fn check(&self, access: &Access, probe_token: bool) -> Result<Observation, Failure> {
        self.observe(access, probe_token).await
    }

    async fn refresh(&self, _access: &Access) -> Result<(Renewed, NewTokens), Failure> {
        // Nothing to refresh with: whoever asks holds a token that is over.
        Err(Failure::TokenRevoked)
    }

    async fn publish(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        self.send(access, draft).await
    }

    async fn find(&self, _access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        // A video that the server took and sends later: nothing tells when it has.
        Ok(match lost.handle {
            Some(_) => Finding::Processing,
            None => Finding::Unsure,
        })
    }

    async fn read_back(&self, _access: &Access, _remote_id: &str) -> Result<Seen, Failure> {
        Ok(Seen::Unverifiable)
    }

    async fn delete(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        self.remove(access, remote_id).await
    }

    async fn revoke(&self, _access: &Access) -> Result<(), Failure> {
        // No method ends a token: its owner does, at @BotFather.
        Ok(())
    }

    async fn connect(&self, credentials: Credentials) -> Result<Connected, Failure> {
        let Credentials::Bot { host, token, chat } = credentials else {
            return Err(broken("Telegram connects with a bot's token and a chat"));
        };
        self.open_grant(host, token, &chat).await
    }

    async fn post_at(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        Ok(send::at(access, url))
    }

    async fn destinations(&self, access: &Access) -> Result<Vec<Destination>, Failure> {
        let (host, token) = (access.host.as_ref(), &access.grant_token);
        // A bot cannot list its chats: the one that is known is looked at.
        let destination = self.destination(host, token, &access.remote_id).await?;
        Ok(vec![destination])
    }

    fn webhook_word(&self, app: &AppCredentials) -> Option<Secret> {
        Some(telegram_webhook_secret(app))
    }

    fn receive(&self, call: &Inbound<'_>) -> Result<Received, InboundRefused> {
        webhook::receive(call)
    }
}

impl Telegram {
    pub(crate) fn new(transport: Transport, base: Url) -> Self {
        Self { transport, base }
    }

    /// A call of a method. The one place where a token becomes part of an address; `template` is what spans show.
    fn call(
        &self,
        host: Option<&Url>,
        token: &Secret,
        template: &'static str,
        method: &str,
    ) -> Result<Call, Failure> {
        if bot_id(token).is_none() {
            return Err(Failure::TokenRevoked);
        }
        let bot = format!("bot{}", token.expose());
        let host = host.unwrap_or(&self.base);
        self.transport
            .call(template, Method::POST, host, &[bot.as_str(), method])
    }

    /// A call with its parameters as JSON, for everything that does not publish.
    async fn ask<T: DeserializeOwned>(
        &self,
        op: Op,
        call: Call,
        parameters: &Value,
        what: &str,
    ) -> Result<T, Failure> {
        let call = call
            .json(parameters)
            .map_err(|_| broken("a body that is no JSON"))?;
        let reply = self.transport.send(op, call).await?;
        self.result(op, &reply, what)
    }

    /// What stands in the envelope of a success.
    fn result<T: DeserializeOwned>(&self, op: Op, reply: &Reply, what: &str) -> Result<T, Failure> {
        if !reply.is_success() {
            return Err(map::failure(op, reply, self.transport.now()));
        }
        let envelope: Envelope<T> = reply.read(what)?;
        match (envelope.ok, envelope.result) {
            (true, Some(result)) => Ok(result),
            (true, None) => Err(broken("a success without a result")),
            (false, _) => Err(map::failure(op, reply, self.transport.now())),
        }
    }

    /// Deletes a post's messages, one after the other: the method for several at once says nothing of those that
    /// it left.
    async fn remove(&self, access: &Access, remote_id: &str) -> Result<(), Failure> {
        let unknown = || broken("a remote id that is no Telegram message");
        let (chat, messages) = remote_id.split_once('/').ok_or_else(unknown)?;
        for message in messages.split(',') {
            let message: i64 = message.parse().map_err(|_| unknown())?;
            let (host, method) = (access.host.as_ref(), "deleteMessage");
            let call = self.call(host, &access.token, "/bot{token}/deleteMessage", method)?;
            let parameters = json!({ "chat_id": chat, "message_id": message });
            let call = call
                .json(&parameters)
                .map_err(|_| broken("a body that is no JSON"))?;
            let reply = self.transport.send(Op::Delete, call).await?;
            if !map::is_missing(&reply) {
                self.result::<bool>(Op::Delete, &reply, "deletion")?;
            }
        }
        Ok(())
    }
}

/// The bot's id, which its token begins with; `None` = this is no token.
fn bot_id(token: &Secret) -> Option<&str> {
    let (id, secret) = token.expose().split_once(':')?;
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (digits && secret.len() >= 20 && secret.bytes().all(letter)).then_some(id)
}

fn broken(detail: &str) -> Failure {
    Failure::Contract {
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_bot_and_nothing_else_is_taken_for_one() {
        let token = Secret::from("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw");
        assert_eq!(bot_id(&token), Some("110201543"));
        for text in [
            "",
            ":",
            "110201543",
            "110201543:short",
            "x1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
            "1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/../getMe",
        ] {
            assert_eq!(bot_id(&Secret::from(text)), None, "{text:?}");
        }
    }
}
