//! Telegram's Bot API on the wire.

use std::time::Duration;

use mooring_simulator::telegram::{
    NewTelegramChats, TelegramBot, TelegramChat, TelegramChatKind, TelegramChatState, TelegramRole,
    TelegramSettings,
};
use mooring_simulator::{Admin, LedgerFilter, RunningSimulator};
use serde_json::{Value, json};

use crate::client::start;
use crate::web::{Back, ask};

struct Telegram {
    simulator: RunningSimulator,
    admin: Admin,
    bot: TelegramBot,
    chat: TelegramChat,
}

impl Telegram {
    async fn new() -> Self {
        let simulator = start().await;
        let admin = simulator.admin();
        let bot = admin.create_telegram_bot();
        let new = NewTelegramChats {
            bot: bot.id,
            ..NewTelegramChats::default()
        };
        let chat = admin.create_telegram_chats(&new).unwrap().remove(0);
        Self {
            simulator,
            admin,
            bot,
            chat,
        }
    }

    fn path(&self, method: &str) -> String {
        format!("/telegram/bot{}/{method}", &*self.bot.token)
    }

    async fn call(&self, method: &str, parameters: Value) -> Back {
        let request = ask(&self.simulator, "POST", &self.path(method));
        request.json(&parameters).send().await
    }

    async fn say(&self, text: &str) -> Back {
        self.call(
            "sendMessage",
            json!({"chat_id": self.chat.id, "text": text}),
        )
        .await
    }

    async fn member(&self) -> Back {
        let about = json!({"chat_id": self.chat.id, "user_id": self.bot.id});
        self.call("getChatMember", about).await
    }

    fn role(&self, role: TelegramRole) {
        self.admin
            .set_telegram_role(self.chat.id, self.bot.id, role)
            .unwrap();
    }

    fn set(&self, change: impl FnOnce(&mut TelegramSettings)) {
        let mut settings = self.admin.telegram_settings();
        change(&mut settings);
        self.admin.set_telegram_settings(settings);
    }
}

fn error(back: &Back) -> (u16, String) {
    let body = back.json();
    assert_eq!(body["ok"], false, "{body}");
    assert_eq!(body["error_code"], back.status, "{body}");
    let text = body["description"].as_str().unwrap_or("").to_owned();
    (back.status, text)
}

fn is(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[tokio::test]
async fn a_token_is_a_part_of_the_path_and_works_until_it_is_revoked() {
    let t = Telegram::new().await;
    let me = ask(&t.simulator, "GET", &t.path("getMe"))
        .send()
        .await
        .json();
    assert_eq!(me["result"]["id"], t.bot.id);
    assert_eq!(me["result"]["is_bot"], true);
    let unknown = ask(&t.simulator, "GET", "/telegram/bot1:x/getMe").send();
    assert_eq!(error(&unknown.await), is(401, "Unauthorized"));
    let none = ask(&t.simulator, "GET", "/telegram/botx/getMe").send();
    assert_eq!(error(&none.await), is(404, "Not Found"));
    let method = t.call("getEverything", json!({})).await;
    assert_eq!(error(&method), is(404, "Not Found: method not found"));
    let new = t.admin.revoke_telegram_token(t.bot.id).unwrap();
    assert_eq!(error(&t.say("hello").await), is(401, "Unauthorized"));
    assert!(new.starts_with(&format!("{}:", t.bot.id)));
}

#[tokio::test]
async fn a_text_is_one_message_whichever_way_its_parameters_come() {
    let t = Telegram::new().await;
    let sent = t.say(" hello ").await.json()["result"].clone();
    assert_eq!(sent["text"], "hello");
    assert_eq!(sent["chat"]["id"], t.chat.id);
    assert_eq!(sent["chat"]["type"], "channel");
    assert_eq!(sent["date"], 1_795_446_000);
    let name = format!("@{}", t.chat.username.as_deref().unwrap());
    let form = ask(&t.simulator, "POST", &t.path("sendMessage"))
        .form(&[("chat_id", &name), ("text", "again")]);
    let again = form.send().await.json()["result"].clone();
    let number = |message: &Value| message["message_id"].as_i64().unwrap();
    assert_eq!(number(&again), number(&sent) + 1);
    let ledger = t.admin.ledger(&LedgerFilter::default());
    let wanted = format!("{}/{}", t.chat.id, number(&sent));
    assert_eq!((ledger.len(), &ledger[0].remote_id), (2, &wanted));

    let most = "🛥".repeat(2_048);
    assert_eq!(t.say(&most).await.status, 200);
    let long = error(&t.say(&format!("{most}a")).await);
    assert_eq!(long, is(400, "Bad Request: message is too long"));
    let empty = error(&t.say("  ").await);
    assert_eq!(empty, is(400, "Bad Request: message text is empty"));
}

#[tokio::test]
async fn a_photo_has_a_caption_and_an_album_is_one_post() {
    let t = Telegram::new().await;
    let chat = t.chat.id.to_string();
    let post = async |method: &str, file: &[u8], fields: &[(&str, &str)]| {
        let request = ask(&t.simulator, "POST", &t.path(method));
        let mut all = vec![("chat_id", chat.as_str())];
        all.extend(fields);
        request.multipart("image/png", file, &all).send().await
    };
    // The file of these tests is called `file`, and a parameter may lead to it.
    let album = json!([
        {"type": "photo", "media": "attach://file", "caption": "boats"},
        {"type": "photo", "media": "attach://file"},
    ]);
    let png = b"\x89PNG\r\n\x1a\nx";
    let sent = post("sendMediaGroup", png, &[("media", &album.to_string())]).await;
    let sent = sent.json()["result"].clone();
    assert_eq!(sent.as_array().map(Vec::len), Some(2), "{sent}");
    assert_eq!(sent[0]["caption"], "boats");
    assert_eq!(sent[0]["media_group_id"], sent[1]["media_group_id"]);
    let ledger = t.admin.ledger(&LedgerFilter::default());
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "boats"));
    let one = json!([{"type": "photo", "media": "attach://file"}]);
    let few = post("sendMediaGroup", png, &[("media", &one.to_string())]).await;
    assert_eq!(few.status, 400);
    let none = error(&post("sendPhoto", png, &[]).await);
    assert_eq!(
        none,
        is(400, "Bad Request: there is no photo in the request")
    );
}

#[tokio::test]
async fn what_a_bot_may_do_is_its_role_in_the_chat() {
    let t = Telegram::new().await;
    let seen = t.member().await.json()["result"].clone();
    assert_eq!(seen["status"], "administrator");
    assert_eq!(seen["can_post_messages"], true);
    t.role(TelegramRole::Administrator {
        can_post: false,
        can_delete: false,
    });
    let text = "Bad Request: not enough rights to send text messages to the chat";
    assert_eq!(error(&t.say("x").await), is(400, text));
    t.role(TelegramRole::Member);
    let text = "Bad Request: need administrator rights in the channel chat";
    assert_eq!(error(&t.say("x").await), is(400, text));
    t.role(TelegramRole::Kicked);
    let text = "Forbidden: bot was kicked from the channel chat";
    assert_eq!(error(&t.member().await), is(403, text));
    t.role(TelegramRole::Left);
    let text = "Forbidden: bot is not a member of the channel chat";
    assert_eq!(error(&t.say("x").await), is(403, text));
    let state = |state| t.admin.set_telegram_chat_state(t.chat.id, state).unwrap();
    state(TelegramChatState::Deleted);
    let text = "Bad Request: chat not found";
    assert_eq!(error(&t.say("x").await), is(400, text));
    state(TelegramChatState::Migrated);
    let moved = t.say("x").await;
    assert!(moved.json()["parameters"]["migrate_to_chat_id"].is_i64());
    t.admin.freeze_telegram_bot(t.bot.id, true).unwrap();
    let text = "Bad Request: FROZEN_METHOD_INVALID";
    assert_eq!(error(&t.say("x").await), is(400, text));
    assert_eq!(t.admin.ledger_summary().posts, 0);
}

#[tokio::test]
async fn too_many_messages_of_a_minute_are_told_when_to_come_back() {
    let t = Telegram::new().await;
    t.set(|settings| settings.messages_per_minute = Some(1));
    assert_eq!(t.say("one").await.status, 200);
    let more = t.say("two").await;
    assert_eq!(more.status, 429);
    assert_eq!(more.json()["parameters"]["retry_after"], 60);
    assert_eq!(more.headers["retry-after"], "60");
    t.admin.clock().advance(Duration::from_mins(1)).unwrap();
    assert_eq!(t.say("two").await.status, 200);
}

#[tokio::test]
async fn a_message_can_be_deleted_for_48_hours() {
    let t = Telegram::new().await;
    let sent = t.say("first").await.json()["result"]["message_id"].clone();
    let delete = async |id: &Value| {
        let about = json!({"chat_id": t.chat.id, "message_id": id});
        t.call("deleteMessage", about).await
    };
    assert_eq!(delete(&sent).await.json()["result"], true);
    let text = "Bad Request: message to delete not found";
    assert_eq!(error(&delete(&sent).await), is(400, text));
    let sent = t.say("second").await.json()["result"]["message_id"].clone();
    t.admin.clock().advance(Duration::from_hours(48)).unwrap();
    let text = "Bad Request: message can't be deleted";
    assert_eq!(error(&delete(&sent).await), is(400, text));
    assert_eq!(t.admin.ledger_summary().live, 1);
}

#[tokio::test]
async fn a_webhook_hears_of_roles_and_posts_with_the_word_that_was_given() {
    let t = Telegram::new().await;
    let bad = json!({"url": "http://127.0.0.1:9/hook", "secret_token": "not allowed!"});
    assert_eq!(t.call("setWebhook", bad).await.status, 400);
    let hook = json!({"url": "http://127.0.0.1:9/hook", "secret_token": "word-1"});
    assert_eq!(t.call("setWebhook", hook).await.json()["result"], true);
    let info = t.call("getWebhookInfo", json!({})).await.json();
    assert_eq!(info["result"]["url"], "http://127.0.0.1:9/hook");
    t.say("a bot's own is not told").await;
    let post = t.admin.post_on_telegram(t.chat.id, "by hand").unwrap();
    t.admin
        .edit_post(mooring_simulator::Platform::Telegram, &post, "edited")
        .unwrap();
    t.admin
        .delete_post(mooring_simulator::Platform::Telegram, &post)
        .unwrap();
    t.role(TelegramRole::Kicked);
    t.set(|settings| settings.echoes = true);
    let sent = t.admin.deliveries();
    let kinds = ["channel_post", "edited_channel_post", "my_chat_member"];
    assert_eq!(sent.len(), kinds.len(), "deletions are told to nobody");
    for (number, (delivery, kind)) in (1..).zip(sent.iter().zip(kinds)) {
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(body["update_id"], number);
        assert_eq!(body[kind]["chat"]["id"], t.chat.id, "{body}");
        let word = ("X-Telegram-Bot-Api-Secret-Token", "word-1");
        let told = delivery.headers.iter();
        let mut told = told.map(|(name, value)| (name.as_str(), value.as_str()));
        assert!(told.any(|header| header == word));
    }
}

#[tokio::test]
async fn a_private_channel_is_unknown_to_a_bot_that_never_met_it() {
    let t = Telegram::new().await;
    let other = t.admin.create_telegram_bot();
    let new = NewTelegramChats {
        bot: other.id,
        kind: TelegramChatKind::Supergroup,
        public: false,
        ..NewTelegramChats::default()
    };
    let hidden = t.admin.create_telegram_chats(&new).unwrap().remove(0);
    let seen = t.call("getChat", json!({"chat_id": hidden.id})).await;
    assert_eq!(error(&seen), is(400, "Bad Request: chat not found"));
}
