//! Telegram's side of the suite.

use std::pin::Pin;

use mooring_domain::{Failure, Platform, connection::AccountState, failure::RateScope};
use mooring_providers::{
    Access, AppCredentials, Credentials, InboundKind, Provider, telegram_webhook_secret,
};
use mooring_runtime::Http;
use mooring_simulator::{
    Admin,
    telegram::{
        NewTelegramChats, TelegramBot, TelegramChat, TelegramChatState, TelegramRole,
        TelegramSettings,
    },
};
use mooring_vault::Secret;

use crate::{
    arena::{Act, Declining, Scene, Shown},
    hooks::Provoked,
};

pub(crate) struct Telegram {
    admin: Admin,
    bot: TelegramBot,
    chat: TelegramChat,
}

impl Telegram {
    pub(crate) fn new(admin: Admin) -> Self {
        let bot = admin.create_telegram_bot();
        let new = NewTelegramChats {
            bot: bot.id,
            ..NewTelegramChats::default()
        };
        let chat = admin.create_telegram_chats(&new).expect("a chat").remove(0);
        Self { admin, bot, chat }
    }

    fn token(&self) -> Secret {
        Secret::from(&*self.bot.token)
    }

    fn role(&self, role: TelegramRole) {
        self.admin
            .set_telegram_role(self.chat.id, self.bot.id, role)
            .expect("a chat");
    }
}

/// What an operator registered for all bots: Telegram knows no apps.
fn app() -> AppCredentials {
    AppCredentials {
        client_id: "harbour".to_owned(),
        client_secret: Secret::from("an-operators-secret-for-webhooks"),
    }
}

impl Scene for Telegram {
    fn platform(&self) -> Platform {
        Platform::Telegram
    }

    fn simulated(&self) -> mooring_simulator::Platform {
        mooring_simulator::Platform::Telegram
    }

    fn account(&self) -> String {
        self.chat.id.to_string()
    }

    fn access(&self) -> Access {
        Access {
            app: None,
            host: None,
            remote_id: self.chat.id.to_string(),
            remote_user_id: self.bot.id.to_string(),
            token: self.token(),
            grant_token: self.token(),
            refresh_token: None,
            binding: None,
        }
    }

    fn strangers_access(&self) -> Access {
        let stranger = Self::new(self.admin.clone());
        crate::arena::remember(stranger.secrets());
        Access {
            remote_id: self.chat.id.to_string(),
            remote_user_id: stranger.bot.id.to_string(),
            ..stranger.access()
        }
    }

    /// The token is in every address: whole, and without the bot's id, it must be nowhere else.
    fn secrets(&self) -> Vec<String> {
        let token = self.bot.token.to_string();
        let (_, secret) = token.split_once(':').expect("a token");
        let word = telegram_webhook_secret(&app());
        vec![secret.to_owned(), word.expose().to_owned(), token]
    }

    fn credentials<'a>(
        &'a self,
        _http: &'a Http,
        _provider: &'a dyn Provider,
    ) -> Pin<Box<dyn Future<Output = Credentials> + Send + 'a>> {
        let name = self.chat.username.as_deref().expect("a public channel");
        Box::pin(async move {
            Credentials::Bot {
                host: None,
                token: self.token(),
                chat: format!("@{name}"),
            }
        })
    }

    fn wrong_credentials(&self) -> Credentials {
        Credentials::Bot {
            host: None,
            token: Secret::from("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"),
            chat: self.chat.id.to_string(),
        }
    }

    fn act(&self, act: Act) -> Shown {
        match act {
            Act::Expire => Shown::Nowhere("a bot's token does not end by itself"),
            Act::Revoke => {
                let new = self.admin.revoke_telegram_token(self.bot.id);
                crate::arena::remember([new.expect("a bot").to_string()]);
                Shown::Token(Failure::TokenRevoked)
            }
            Act::ChangePassword => Shown::Nowhere("a bot has no password"),
            Act::DropScope => {
                self.role(TelegramRole::Administrator {
                    can_post: false,
                    can_delete: false,
                });
                Shown::Account(AccountState::RoleLost)
            }
            Act::LoseRole => {
                self.role(TelegramRole::Kicked);
                Shown::Account(AccountState::RoleLost)
            }
            Act::Checkpoint => Shown::Nowhere("a bot passes no checkpoint"),
            Act::Suspend => {
                self.admin
                    .set_telegram_chat_state(self.chat.id, TelegramChatState::Deleted)
                    .expect("a chat");
                Shown::Account(AccountState::Unavailable)
            }
            Act::Hide => Shown::Nowhere("a channel without a public name is no hidden one"),
        }
    }

    fn too_long(&self) -> String {
        "a".repeat(4_097)
    }

    fn declining<'a>(&'a self, _http: &'a Http, _provider: &'a dyn Provider) -> Declining<'a> {
        Box::pin(async { Err("a bot's rights belong to the channel: nothing is asked for") })
    }

    fn provoke(&self) -> Result<Vec<Provoked>, &'static str> {
        let word = telegram_webhook_secret(&app());
        let url = "https://mooring.example/hooks/telegram";
        self.admin
            .set_telegram_webhook(self.bot.id, url, word.expose())
            .expect("a bot");
        self.role(TelegramRole::Administrator {
            can_post: true,
            can_delete: true,
        });
        let post = self.admin.post_on_telegram(self.chat.id, "by hand");
        let post = post.expect("a post");
        self.admin
            .edit_post(self.simulated(), &post, "by another hand")
            .expect("a post");
        let provoked = || Provoked {
            kind: InboundKind::Notification,
            app: app(),
            verify_token: None,
        };
        Ok(vec![provoked(), provoked(), provoked()])
    }

    fn signs_body(&self) -> bool {
        false
    }

    fn refuse_twins(&self) -> Result<(), &'static str> {
        Err("the platform takes the same words twice")
    }

    fn revokes(&self) -> bool {
        false
    }

    fn one_more(&self, admin: &Admin, whose: RateScope) -> Result<(), &'static str> {
        match whose {
            RateScope::Account => {
                admin.set_telegram_settings(TelegramSettings {
                    messages_per_minute: Some(1),
                    ..admin.telegram_settings()
                });
                Ok(())
            }
            RateScope::App | RateScope::Provider => {
                Err("a refusal does not say whether the chat or the bot is over its limit")
            }
        }
    }
}
