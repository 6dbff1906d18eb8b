//! The methods, each by GET and by POST. Fault rules and counters use the names that stand here.

use axum::http::Method;

use super::{chats, messages, updates};
use crate::call::Call;
use crate::calls::Operation::{Check, Connect, Delete, Publish, Unknown};
use crate::routes::{Route, route};

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(Method::GET, "*/getMe", is_bot, Check, "getMe", chats::me),
    route(Method::POST, "*/getMe", is_bot, Check, "getMe", chats::me),
    route(Method::GET, "*/getChat", is_bot, Check, "getChat", chats::show),
    route(Method::POST, "*/getChat", is_bot, Check, "getChat", chats::show),
    route(Method::GET, "*/getChatMember", is_bot, Check, "getChatMember", chats::member),
    route(Method::POST, "*/getChatMember", is_bot, Check, "getChatMember", chats::member),
    route(Method::GET, "*/sendMessage", is_bot, Publish, "sendMessage", messages::text),
    route(Method::POST, "*/sendMessage", is_bot, Publish, "sendMessage", messages::text),
    route(Method::POST, "*/sendPhoto", is_bot, Publish, "sendPhoto", messages::photo),
    route(Method::POST, "*/sendVideo", is_bot, Publish, "sendVideo", messages::video),
    route(Method::POST, "*/sendMediaGroup", is_bot, Publish, "sendMediaGroup", messages::album),
    route(Method::POST, "*/editMessageText", is_bot, Unknown, "editMessageText", messages::edit),
    route(Method::GET, "*/deleteMessage", is_bot, Delete, "deleteMessage", messages::delete),
    route(Method::POST, "*/deleteMessage", is_bot, Delete, "deleteMessage", messages::delete),
    route(Method::GET, "*/setWebhook", is_bot, Connect, "setWebhook", updates::set_webhook),
    route(Method::POST, "*/setWebhook", is_bot, Connect, "setWebhook", updates::set_webhook),
    route(Method::POST, "*/deleteWebhook", is_bot, Connect, "deleteWebhook", updates::delete_webhook),
    route(Method::GET, "*/getWebhookInfo", is_bot, Check, "getWebhookInfo", updates::webhook_info),
    route(Method::POST, "*/getWebhookInfo", is_bot, Check, "getWebhookInfo", updates::webhook_info),
];

/// `/bot<token>/…`.
fn is_bot(call: &Call) -> bool {
    call.segment(0).starts_with("bot")
}
