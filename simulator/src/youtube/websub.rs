//! The hub (`WebSub`): who subscribed to a channel's feed hears of new, changed and deleted videos,
//! as Atom, signed with the subscriber's secret.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use url::Url;

use crate::call::{Answer, Call};
use crate::clock::rfc3339;
use crate::ledger::Platform;
use crate::outbox::Delivery;
use crate::world::World;

/// The feed of a channel, without the channel's id.
const TOPIC: &str = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=";
const HUB: &str = "https://pubsubhubbub.appspot.com/";
/// Lease when none is asked for, and the longest: five and ten days.
const USUAL_LEASE_S: i64 = 432_000;
const LONGEST_LEASE_S: i64 = 864_000;

/// A subscription, or the wish for one.
pub(crate) struct Subscription {
    pub(super) channel: String,
    pub(super) callback: String,
    pub(super) secret: String,
    /// When its lease ends, in milliseconds since the epoch.
    pub(super) ends_at: i64,
    /// The handshake that must have been answered: its delivery, and what the answer must be. `None` = agreed.
    handshake: Option<(usize, String)>,
}

/// `POST /subscribe` with `hub.mode`, `hub.topic`, `hub.callback`, `hub.secret?`,
/// `hub.lease_seconds?`: 202, then the callback is asked with `hub.challenge`, which it must
/// repeat. Only then is the subscription in force, or ended.
pub(crate) fn subscribe(world: &mut World, call: &Call) -> Answer {
    let text = |name: &str| call.param(name).unwrap_or("");
    let bad = |text: &str| Answer::text(400, "text/plain; charset=utf-8", text.to_owned());
    let callback = match Url::parse(text("hub.callback")) {
        Ok(url) if url.scheme().starts_with("http") => url,
        _ => return bad("Invalid parameter: hub.callback"),
    };
    let topic = text("hub.topic");
    let Some(channel) = topic.split_once("videos.xml?channel_id=").map(|(_, id)| id) else {
        return bad("Invalid parameter: hub.topic");
    };
    let mode = text("hub.mode");
    if mode != "subscribe" && mode != "unsubscribe" {
        return bad("Invalid parameter: hub.mode");
    }
    let lease_s = text("hub.lease_seconds").parse().unwrap_or(USUAL_LEASE_S);
    let lease_s = lease_s.clamp(1, LONGEST_LEASE_S);
    let verify_token = call.param("hub.verify_token");
    let handshake = shake_hands(world, &callback, mode, topic, lease_s, verify_token);
    let (channel, callback) = (channel.to_owned(), callback.to_string());
    let same = |s: &Subscription| s.channel == channel && s.callback == callback;
    if mode == "unsubscribe" {
        world.youtube.subscriptions.retain(|s| !same(s));
    } else {
        let ends_at = world.now + lease_s * 1000;
        let secret = text("hub.secret").to_owned();
        let wanted = Subscription {
            channel,
            callback,
            secret,
            ends_at,
            handshake: Some(handshake),
        };
        world.youtube.subscriptions.push(wanted);
    }
    Answer::text(202, "text/plain; charset=utf-8", "")
}

/// Asks a callback whether it wants this; the delivery's place, and what must be answered.
fn shake_hands(
    world: &mut World,
    callback: &Url,
    mode: &str,
    topic: &str,
    lease_s: i64,
    verify_token: Option<&str>,
) -> (usize, String) {
    let challenge = world.word(b"0123456789", 19);
    let mut target = callback.clone();
    target
        .query_pairs_mut()
        .append_pair("hub.mode", mode)
        .append_pair("hub.topic", topic)
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.lease_seconds", &lease_s.to_string());
    // The hub still gives back the word of the older protocol.
    if let Some(token) = verify_token {
        target
            .query_pairs_mut()
            .append_pair("hub.verify_token", token);
    }
    let index = world.outbox.all().len();
    world.outbox.send(Delivery {
        platform: Platform::YouTube,
        method: "GET",
        url: target.into(),
        headers: Vec::new(),
        body: String::new(),
        answer: None,
    });
    (index, challenge)
}

/// A subscription that is in force whatever its handshake is answered. Says whether the callback is an address.
pub(super) fn agree(
    world: &mut World,
    channel: &str,
    callback: &str,
    secret: &str,
    verify_token: &str,
) -> bool {
    let Ok(url) = Url::parse(callback) else {
        return false;
    };
    let topic = format!("{TOPIC}{channel}");
    shake_hands(
        world,
        &url,
        "subscribe",
        &topic,
        LONGEST_LEASE_S,
        Some(verify_token),
    );
    world.youtube.subscriptions.push(Subscription {
        channel: channel.to_owned(),
        callback: callback.to_owned(),
        secret: secret.to_owned(),
        ends_at: world.now + LONGEST_LEASE_S * 1000,
        handshake: None,
    });
    true
}

/// A video was uploaded, or its title or description changed.
pub(super) fn tell(world: &mut World, id: &str) {
    let Some(video) = world.youtube.videos.get(id) else {
        return;
    };
    let channel = video.channel.clone();
    let author = world
        .youtube
        .channels
        .get(&channel)
        .map_or("", |c| c.title.as_str());
    let now = rfc3339(world.now).replace(".000Z", "+00:00");
    let published = rfc3339(video.published_at).replace(".000Z", "+00:00");
    let title = escaped(&video.draft.title);
    let entry = format!(
        "<entry><id>yt:video:{id}</id><yt:videoId>{id}</yt:videoId>\
         <yt:channelId>{channel}</yt:channelId><title>{title}</title>\
         <link rel=\"alternate\" href=\"https://www.youtube.com/watch?v={id}\"/>\
         <author><name>{}</name><uri>https://www.youtube.com/channel/{channel}</uri></author>\
         <published>{published}</published><updated>{now}</updated></entry>",
        escaped(author)
    );
    let feed = format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <feed xmlns:yt=\"http://www.youtube.com/xml/schemas/2015\" \
         xmlns=\"http://www.w3.org/2005/Atom\"><link rel=\"hub\" href=\"{HUB}\"/>\
         <link rel=\"self\" href=\"{TOPIC}{channel}\"/><title>YouTube video feed</title>\
         <updated>{now}</updated>{entry}</feed>"
    );
    deliver(world, &channel, &feed);
}

/// A video was deleted.
pub(super) fn tell_deleted(world: &mut World, id: &str) {
    let Some(video) = world.youtube.videos.get(id) else {
        return;
    };
    let channel = video.channel.clone();
    let now = rfc3339(world.now).replace(".000Z", "+00:00");
    let feed = format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <feed xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" \
         xmlns=\"http://www.w3.org/2005/Atom\">\
         <at:deleted-entry ref=\"yt:video:{id}\" when=\"{now}\">\
         <link href=\"https://www.youtube.com/watch?v={id}\"/>\
         <at:by><name>{channel}</name><uri>https://www.youtube.com/channel/{channel}</uri></at:by>\
         </at:deleted-entry></feed>"
    );
    deliver(world, &channel, &feed);
}

/// Sends a feed to every subscriber whose handshake succeeded and whose lease has not ended.
fn deliver(world: &mut World, channel: &str, feed: &str) {
    if world.youtube.subscriptions.is_empty() {
        return;
    }
    let sent = world.outbox.all();
    let agreed = |s: &&Subscription| {
        let Some((index, challenge)) = &s.handshake else {
            return true;
        };
        let answer = sent.get(*index).and_then(|d| d.answer.as_ref());
        answer.is_some_and(|(status, body)| (200..300).contains(status) && body == challenge)
    };
    let subscribers = world.youtube.subscriptions.iter();
    let targets: Vec<(String, String)> = subscribers
        .filter(|s| s.channel == channel && world.now < s.ends_at)
        .filter(agreed)
        .map(|s| (s.callback.clone(), s.secret.clone()))
        .collect();
    for (url, secret) in targets {
        let mut headers = vec![
            ("content-type".to_owned(), "application/atom+xml".to_owned()),
            (
                "link".to_owned(),
                format!("<{TOPIC}{channel}>; rel=self, <{HUB}>; rel=hub"),
            ),
        ];
        if !secret.is_empty() {
            headers.push(("x-hub-signature".to_owned(), signature(&secret, feed)));
        }
        world.outbox.send(Delivery {
            platform: Platform::YouTube,
            method: "POST",
            url,
            headers,
            body: feed.to_owned(),
            answer: None,
        });
    }
}

/// `sha1=` and the hex of HMAC-SHA1(key = the subscriber's secret, message = the body).
fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes keys of every length");
    mac.update(body.as_bytes());
    format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
