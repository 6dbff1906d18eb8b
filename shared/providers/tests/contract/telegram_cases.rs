//! What only Telegram has: a token in the address, albums, posts that are sent later, and 48 hours to delete.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    connection::{AccountState, TokenSeen},
    post::{Finding, MediaKind, Sent},
};
use mooring_providers::{Attachment, Credentials, Draft};
use mooring_simulator::{
    LedgerFilter,
    telegram::{NewTelegramChats, TelegramChatKind, TelegramChatState, TelegramSettings},
};
use mooring_vault::Secret;

use crate::{arena::Arena, media};

async fn arena() -> Arena {
    Arena::new(Platform::Telegram).await
}

fn with_media(arena: &Arena, text: &str, kinds: &[MediaKind]) -> Draft {
    let row = &Platform::Telegram.capabilities().formats[0];
    let numbered = (0u8..).zip(kinds);
    let files: Vec<Attachment> = numbered
        .map(|(number, kind)| media::of_row(row, *kind, number))
        .collect();
    let mut draft = arena.draft(text);
    draft.content.media = files.iter().map(|one| one.media.clone()).collect();
    draft.media = files;
    draft
}

#[tokio::test]
async fn an_album_is_one_post_with_one_text_and_goes_as_one() {
    let arena = arena().await;
    let kinds = [MediaKind::Image, MediaKind::Video, MediaKind::Image];
    let draft = with_media(&arena, "three boats", &kinds);
    let accepted = arena.publish(&draft).await.expect("an album");
    let (_, messages) = accepted
        .remote_id
        .split_once('/')
        .expect("chat and messages");
    assert_eq!(messages.split(',').count(), 3, "{accepted:?}");
    let ledger = arena.admin.ledger(&LedgerFilter::default());
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "three boats"));
    assert_eq!(ledger[0].remote_id, accepted.remote_id);

    let access = arena.scene.access();
    let deleted = arena.provider.delete(&access, &accepted.remote_id).await;
    deleted.expect("all of it is deleted");
    assert_eq!(arena.admin.ledger_summary().live, 0);
}

#[tokio::test]
async fn what_is_too_old_to_be_deleted_is_said_to_stay() {
    let arena = arena().await;
    let draft = arena.draft("for good");
    let accepted = arena.publish(&draft).await.expect("a post");
    arena.advance(Duration::from_hours(48));
    let access = arena.scene.access();
    let deleted = arena.provider.delete(&access, &accepted.remote_id).await;
    let code = "message_cannot_be_deleted".to_owned();
    assert_eq!(deleted, Err(Failure::ContentRejected { code }));
    assert_eq!(arena.admin.ledger_summary().live, 1);
}

#[tokio::test]
async fn a_video_that_is_sent_later_is_no_post_yet_and_nobody_says_when_it_is() {
    let arena = arena().await;
    arena.admin.set_telegram_settings(TelegramSettings {
        schedules_videos_ms: Some(60_000),
        ..arena.admin.telegram_settings()
    });
    let draft = with_media(&arena, "later", &[MediaKind::Video]);
    let sent = arena.provider.publish(&arena.scene.access(), &draft).await;
    let Ok(Sent::Processing { handle }) = sent else {
        panic!("{sent:?}")
    };
    assert_eq!(arena.made(), 0);
    arena.advance(Duration::from_mins(2));
    assert_eq!(arena.made(), 1);
    let mut lost = arena.lost(&draft);
    lost.handle = Some(handle);
    let found = arena.provider.find(&arena.scene.access(), &lost).await;
    assert_eq!(found, Ok(Finding::Processing));
}

#[tokio::test]
async fn a_chat_that_moved_or_froze_or_is_a_person_is_no_destination() {
    let arena = arena().await;
    let access = arena.scene.access();
    let chat = access.remote_id.parse().expect("a chat's id");
    let bot = access.remote_user_id.parse().expect("a bot's id");
    let state = async || {
        let seen = arena.check().await.expect("a check");
        let alive = matches!(seen.token, TokenSeen::Alive { .. });
        (alive, seen.account.map(|account| account.state))
    };
    let becomes = |to| arena.admin.set_telegram_chat_state(chat, to);
    becomes(TelegramChatState::Migrated).expect("a chat");
    assert_eq!(state().await, (true, Some(AccountState::Unavailable)));
    let sent = arena.publish(&arena.draft("moved")).await;
    assert_eq!(sent, Err(Failure::AccountUnavailable));
    becomes(TelegramChatState::Open).expect("a chat");
    arena.admin.freeze_telegram_bot(bot, true).expect("a bot");
    assert_eq!(state().await, (true, Some(AccountState::Unavailable)));
    arena.admin.freeze_telegram_bot(bot, false).expect("a bot");

    let new = NewTelegramChats {
        bot,
        kind: TelegramChatKind::Private,
        public: false,
        ..NewTelegramChats::default()
    };
    let person = arena.admin.create_telegram_chats(&new).expect("a chat");
    let connected = arena.provider.connect(Credentials::Bot {
        host: None,
        token: access.token,
        chat: person[0].id.to_string(),
    });
    let refused = connected.await.expect_err("a person");
    assert!(matches!(refused, Failure::Contract { .. }), "{refused:?}");
}

/// A text that is no token never becomes a part of an address.
#[tokio::test]
async fn what_is_no_token_is_not_sent() {
    let arena = arena().await;
    let mut access = arena.scene.access();
    access.token = Secret::from("no-token/../../elsewhere");
    let seen = arena.provider.check(&access, true).await.expect("a check");
    assert_eq!(seen.token, TokenSeen::Dead(Failure::TokenRevoked));
    let sent = arena.provider.publish(&access, &arena.draft("x")).await;
    assert_eq!(sent, Err(Failure::TokenRevoked));
    assert_eq!(arena.admin.calls().total, 0);
}
