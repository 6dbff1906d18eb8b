//! The bot, the chat, and what the bot may do there.

use mooring_domain::{
    Failure, Platform,
    connection::{AccountSeen, AccountState, Observation, TokenSeen},
};
use mooring_vault::Secret;
use serde_json::json;
use url::Url;

use super::{
    Telegram, bot_id, broken,
    wire::{Chat, Member, User},
};
use crate::{
    connect::{Connected, Destination},
    provider::Access,
    wire::Op,
};

impl Telegram {
    /// Both calls are needed for the chat, and every answer but 401 shows that the token is one.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let ours = bot_id(&access.token).is_none_or(|bot| {
            // Whoever was imported without the bot's id has the chat's in its place.
            bot == access.remote_user_id || access.remote_id == access.remote_user_id
        });
        if !ours {
            return Err(broken("the token belongs to another bot"));
        }
        let token = if probe_token {
            TokenSeen::Alive {
                access_expires_at: None,
                scopes: None,
            }
        } else {
            TokenSeen::NotProbed
        };
        let seen = |state, name| {
            let account = Some(AccountSeen::new(state, name));
            Ok(Observation { token, account })
        };
        let host = access.host.as_ref();
        match self
            .look_at(Op::Check, host, &access.token, &access.remote_id)
            .await
        {
            Ok((chat, true)) => seen(AccountState::Accessible, Some(name(&chat))),
            Ok((chat, false)) => seen(AccountState::RoleLost, Some(name(&chat))),
            Err(Failure::ScopeMissing { .. }) => seen(AccountState::RoleLost, None),
            Err(Failure::AccountUnavailable) => seen(AccountState::Unavailable, None),
            Err(failure) if failure.ends_the_credential() => Ok(Observation {
                token: TokenSeen::Dead(failure),
                account: None,
            }),
            Err(failure) => Err(failure),
        }
    }

    /// Opens a grant from a bot's token, for one chat.
    pub(super) async fn open_grant(
        &self,
        host: Option<Url>,
        token: Secret,
        chat: &str,
    ) -> Result<Connected, Failure> {
        let call = self.call(host.as_ref(), &token, "/bot{token}/getMe", "getMe")?;
        let me: User = self.ask(Op::Connect, call, &json!({}), "bot").await?;
        let remote_user_id = me.id.to_string();
        if !me.is_bot || bot_id(&token) != Some(remote_user_id.as_str()) {
            return Err(broken("the token belongs to another bot"));
        }
        let chat = chat_id(chat);
        let destination = self.destination(host.as_ref(), &token, &chat).await?;
        Ok(Connected {
            remote_user_id,
            grant_token: token,
            refresh_token: None,
            access_expires_at: None,
            refresh_expires_at: None,
            scopes: None,
            host,
            binding: None,
            app: None,
            destinations: vec![destination],
        })
    }

    /// A chat as a destination. A talk with one person is none.
    pub(super) async fn destination(
        &self,
        host: Option<&Url>,
        token: &Secret,
        chat: &str,
    ) -> Result<Destination, Failure> {
        let (chat, may_publish) = self.look_at(Op::Connect, host, token, chat).await?;
        if chat.kind == "private" {
            return Err(broken(
                "a person is no destination: name a channel or a group",
            ));
        }
        Ok(Destination {
            platform: Platform::Telegram,
            remote_id: chat.id.to_string(),
            name: name(&chat),
            token: None,
            may_publish,
        })
    }

    /// A chat, and whether the bot may publish there.
    async fn look_at(
        &self,
        op: Op,
        host: Option<&Url>,
        token: &Secret,
        chat: &str,
    ) -> Result<(Chat, bool), Failure> {
        let call = self.call(host, token, "/bot{token}/getChat", "getChat")?;
        let about = json!({ "chat_id": chat });
        let chat: Chat = self.ask(op, call, &about, "chat").await?;
        let call = self.call(host, token, "/bot{token}/getChatMember", "getChatMember")?;
        // Itself, whatever bot is written beside the token.
        let about = json!({ "chat_id": chat.id, "user_id": bot_id(token) });
        let member: Member = self.ask(op, call, &about, "member").await?;
        let may_publish = may_publish(&chat, &member);
        Ok((chat, may_publish))
    }
}

/// In a channel administrators with that right, in a group everybody who may write.
fn may_publish(chat: &Chat, member: &Member) -> bool {
    match (chat.kind.as_str(), member.status.as_str()) {
        (_, "creator") | ("group" | "supergroup", "administrator") => true,
        ("channel", "administrator") => member.can_post_messages == Some(true),
        ("group" | "supergroup", "member") => {
            let everybody = chat.permissions.as_ref();
            everybody.and_then(|all| all.can_send_messages) != Some(false)
        }
        ("supergroup", "restricted") => member.can_send_messages == Some(true),
        _ => false,
    }
}

fn name(chat: &Chat) -> String {
    let public = chat.username.as_ref().map(|name| format!("@{name}"));
    let title = chat.title.clone().filter(|title| !title.is_empty());
    title.or(public).unwrap_or_else(|| chat.id.to_string())
}

/// A chat as people write it: its id, its public name with or without `@`, or its address.
fn chat_id(text: &str) -> String {
    let text = text.trim();
    let bare = ["https://t.me/", "http://t.me/", "t.me/", "@"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text)
        .trim_end_matches('/');
    let digits = bare.strip_prefix('-').unwrap_or(bare);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        bare.to_owned()
    } else {
        format!("@{bare}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_chat_is_named_as_people_name_it() {
        for text in [
            "@harbour",
            "harbour",
            " https://t.me/harbour/ ",
            "t.me/harbour",
        ] {
            assert_eq!(chat_id(text), "@harbour", "{text}");
        }
        assert_eq!(chat_id("-1001234567890"), "-1001234567890");
        assert_eq!(chat_id("-4512"), "-4512");
    }

    #[test]
    fn the_right_to_publish_is_that_of_the_kind_of_chat() {
        let may = |chat: Value, member: Value| {
            let chat = serde_json::from_value(chat).expect("a chat");
            let member = serde_json::from_value(member).expect("a member");
            may_publish(&chat, &member)
        };
        let channel = || json!({"id": -1, "type": "channel"});
        let admin = |may: bool| json!({"status": "administrator", "can_post_messages": may});
        assert!(may(channel(), admin(true)));
        assert!(!may(channel(), admin(false)));
        assert!(!may(channel(), json!({"status": "administrator"})));
        assert!(!may(channel(), json!({"status": "member"})));
        let group = |may: bool| json!({"id": -1, "type": "supergroup", "permissions": {"can_send_messages": may}});
        assert!(may(group(true), json!({"status": "member"})));
        assert!(!may(group(false), json!({"status": "member"})));
        assert!(may(group(false), json!({"status": "administrator"})));
        let restricted = |may: bool| json!({"status": "restricted", "can_send_messages": may});
        assert!(may(group(false), restricted(true)));
        assert!(!may(group(true), restricted(false)));
        for gone in ["left", "kicked", "something new"] {
            assert!(!may(group(true), json!({ "status": gone })), "{gone}");
        }
    }
}
