//! The one call that publishes: a text, a photo, a video, or an album, its files within it.

use bytes::{BufMut as _, BytesMut};
use mooring_domain::{
    Failure, Platform,
    post::{Accepted, MediaKind, Sent},
};
use mooring_runtime::Call;
use serde_json::{Value, json};
use url::Url;

use super::{
    Telegram, broken,
    wire::{Chat, Message},
};
use crate::{
    media::Attachment,
    native::{PostAt, is_number, path_at},
    provider::{Access, Draft},
    wire::Op,
};

impl Telegram {
    pub(super) async fn send(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let (template, method) = method(&draft.media);
        let call = self.call(access.host.as_ref(), &access.token, template, method)?;
        let timeout = Platform::Telegram.capabilities().publish_timeout;
        let call = filled(call, access, draft)
            .await?
            .send_by(draft.send_by)
            .timeout(timeout.to_std().unwrap_or_default());
        let reply = self.transport.send(Op::Publish, call).await?;
        let messages: Vec<Message> = if draft.media.len() > 1 {
            self.result(Op::Publish, &reply, "list of messages")?
        } else {
            vec![self.result(Op::Publish, &reply, "message")?]
        };
        sent(&messages, &access.remote_id)
    }
}

/// The method for so many files of which kind, and its template.
fn method(media: &[Attachment]) -> (&'static str, &'static str) {
    match media {
        [] => ("/bot{token}/sendMessage", "sendMessage"),
        [one] if one.media.kind == MediaKind::Image => ("/bot{token}/sendPhoto", "sendPhoto"),
        [_] => ("/bot{token}/sendVideo", "sendVideo"),
        _ => ("/bot{token}/sendMediaGroup", "sendMediaGroup"),
    }
}

/// The call with its body. Texts go without markup: what was written is what is read.
async fn filled(call: Call, access: &Access, draft: &Draft) -> Result<Call, Failure> {
    let (chat, text) = (access.remote_id.as_str(), draft.content.text.as_str());
    let Some(first) = draft.media.first() else {
        let body = json!({ "chat_id": chat, "text": text });
        return call
            .json(&body)
            .map_err(|_| broken("a body that is no JSON"));
    };
    // Long, and derived from a file: nothing in the files' bytes ends a part by chance.
    let mut form = Form::new(format!("mooring-{}", first.media.sha256));
    form.field("chat_id", chat);
    if let [one] = draft.media.as_slice() {
        form.field("caption", text);
        let name = kind(one);
        if one.media.kind == MediaKind::Video {
            for (name, value) in video(one) {
                form.field(name, &value.to_string());
            }
        }
        form.file(name, one).await?;
        return Ok(form.into(call));
    }
    let items: Vec<Value> = draft.media.iter().enumerate().map(item).collect();
    let mut items = Value::from(items);
    // The first one's caption is the album's.
    items[0]["caption"] = text.into();
    form.field("media", &items.to_string());
    for (number, file) in draft.media.iter().enumerate() {
        form.file(&format!("file{number}"), file).await?;
    }
    Ok(form.into(call))
}

const fn kind(file: &Attachment) -> &'static str {
    match file.media.kind {
        MediaKind::Image => "photo",
        MediaKind::Video => "video",
    }
}

/// One file of an album.
fn item((number, file): (usize, &Attachment)) -> Value {
    let mut item = json!({ "type": kind(file), "media": format!("attach://file{number}") });
    if file.media.kind == MediaKind::Video {
        for (name, value) in video(file) {
            item[name] = value;
        }
    }
    item
}

/// What people's apps would otherwise have to guess: shape and length (in seconds).
fn video(file: &Attachment) -> Vec<(&'static str, Value)> {
    let media = &file.media;
    let mut told = vec![
        ("width", media.width.into()),
        ("height", media.height.into()),
        ("supports_streaming", true.into()),
    ];
    let seconds = media.duration_ms.map(|ms| ms.div_ceil(1_000));
    told.extend(seconds.map(|seconds| ("duration", seconds.into())));
    told
}

/// What the messages of an answer are to us.
fn sent(messages: &[Message], chat: &str) -> Result<Sent, Failure> {
    let Some(first) = messages.first() else {
        return Err(broken("a success without a message"));
    };
    if messages.iter().any(|one| one.chat.id.to_string() != chat) {
        return Err(broken("the post went to another chat"));
    }
    if messages.iter().any(|one| one.message_id <= 0) {
        return Ok(Sent::Processing {
            handle: format!("{chat}/scheduled"),
        });
    }
    let ids: Vec<String> = messages
        .iter()
        .map(|one| one.message_id.to_string())
        .collect();
    Ok(Sent::Accepted(Accepted {
        remote_id: format!("{chat}/{}", ids.join(",")),
        permalink: permalink(&first.chat, first.message_id),
    }))
}

/// Where people see a message: everybody in a public chat, its members in another; basic groups have no addresses.
fn permalink(chat: &Chat, message: i64) -> Option<String> {
    if let Some(name) = &chat.username {
        return Some(format!("https://t.me/{name}/{message}"));
    }
    let id = chat.id.to_string();
    let bare = id.strip_prefix("-100")?;
    matches!(chat.kind.as_str(), "channel" | "supergroup")
        .then(|| format!("https://t.me/c/{bare}/{message}"))
}

/// `t.me/c/{chat}/{message}`. A public chat's name is not its id, and no message can be asked for.
pub(super) fn at(access: &Access, url: &Url) -> PostAt {
    let path = path_at(url, &["t.me"]).unwrap_or_default();
    let [c, chat, .., message] = &path[..] else {
        return PostAt::Unreadable;
    };
    if c != "c" || !is_number(chat) || !is_number(message) {
        return PostAt::Unreadable;
    }
    if format!("-100{chat}") != access.remote_id {
        return PostAt::NotOurs;
    }
    PostAt::ours(format!("{}/{message}", access.remote_id))
}

/// A form with files in it (RFC 7578).
struct Form {
    boundary: String,
    body: BytesMut,
}

impl Form {
    fn new(boundary: String) -> Self {
        Self {
            boundary,
            body: BytesMut::new(),
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let part = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{value}\r\n",
            self.boundary
        );
        self.body.put(part.as_bytes());
    }

    async fn file(&mut self, name: &str, file: &Attachment) -> Result<(), Failure> {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            self.boundary, file.media.id, file.media.mime
        );
        self.body.put(head.as_bytes());
        self.body.put(file.bytes().await?);
        self.body.put(&b"\r\n"[..]);
        Ok(())
    }

    fn into(mut self, call: Call) -> Call {
        self.body
            .put(format!("--{}--\r\n", self.boundary).as_bytes());
        let kind = format!("multipart/form-data; boundary={}", self.boundary);
        call.bytes(kind, self.body.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(chat: &Value, ids: &[i64]) -> Vec<Message> {
        let message = |id: &i64| {
            serde_json::from_value(json!({"message_id": id, "chat": chat, "date": 1}))
                .expect("a message")
        };
        ids.iter().map(message).collect()
    }

    #[test]
    fn an_answer_is_a_post_with_its_address_or_an_order() {
        let open = json!({"id": -1_001_234, "type": "channel", "username": "harbour"});
        let accepted = |chat: &Value, ids: &[i64], at: &str| match sent(&messages(chat, ids), at) {
            Ok(Sent::Accepted(accepted)) => (accepted.remote_id, accepted.permalink),
            other => panic!("{other:?}"),
        };
        let (id, link) = accepted(&open, &[16], "-1001234");
        assert_eq!(id, "-1001234/16");
        assert_eq!(link.as_deref(), Some("https://t.me/harbour/16"));
        let hidden = json!({"id": -1_001_234, "type": "channel"});
        let (id, link) = accepted(&hidden, &[16, 17, 18], "-1001234");
        assert_eq!(id, "-1001234/16,17,18");
        assert_eq!(link.as_deref(), Some("https://t.me/c/1234/16"));
        let group = json!({"id": -4_512, "type": "group"});
        assert_eq!(accepted(&group, &[1], "-4512").1, None);

        let later = sent(&messages(&open, &[0]), "-1001234");
        assert!(matches!(later, Ok(Sent::Processing { .. })), "{later:?}");
        for wrong in [sent(&messages(&open, &[16]), "-2"), sent(&[], "-2")] {
            assert!(matches!(wrong, Err(Failure::Contract { .. })), "{wrong:?}");
        }
    }
}
