//! Error bodies, and the sentences in them.

use serde_json::{Value, json};

use super::{Chat, TelegramChatKind};
use crate::call::Answer;

/// What a proxy in front of the server answers.
const PROXY: &str = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

/// Any error.
pub(super) fn error(code: u16, description: &str) -> Answer {
    with(code, description, &json!({}))
}

fn with(code: u16, description: &str, more: &Value) -> Answer {
    let mut body = json!({ "ok": false, "error_code": code, "description": description });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    Answer::json(code, &body)
}

/// 400.
pub(super) fn bad_request(text: &str) -> Answer {
    error(400, &format!("Bad Request: {text}"))
}

/// 403.
pub(super) fn forbidden(text: &str) -> Answer {
    error(403, &format!("Forbidden: {text}"))
}

/// 429, in the body and in the header.
pub(super) fn too_many(seconds: u64) -> Answer {
    let text = format!("Too Many Requests: retry after {seconds}");
    let more = json!({ "parameters": { "retry_after": seconds } });
    with(429, &text, &more).with("Retry-After", seconds.to_string())
}

/// 400 of a group that lives on under another id.
pub(super) fn migrated(to: i64) -> Answer {
    let text = "Bad Request: group chat was upgraded to a supergroup chat";
    let more = json!({ "parameters": { "migrate_to_chat_id": to } });
    with(400, text, &more)
}

/// How the server names a kind of chat in its sentences.
pub(super) fn kind_of(chat: &Chat) -> &'static str {
    match chat.kind {
        TelegramChatKind::Channel => "channel chat",
        TelegramChatKind::Supergroup => "supergroup chat",
        TelegramChatKind::Group | TelegramChatKind::Private => "group chat",
    }
}

/// What usually stands in a body of this HTTP status.
pub(super) fn usual_for_status(status: u16) -> Answer {
    let text = match status {
        400 => "Bad Request: something is wrong",
        401 => "Unauthorized",
        403 => "Forbidden: bot was kicked from the channel chat",
        404 => "Not Found",
        409 => "Conflict: can't use getUpdates method while webhook is active",
        413 => "Request Entity Too Large",
        429 => return too_many(5),
        500 => "Internal Server Error",
        _ => return Answer::text(status, "text/html", PROXY),
    };
    error(status, text)
}
