use http::{HeaderMap, HeaderValue, Method};
use mooring_domain::Time;
use url::Url;

use super::*;
use crate::provider::AppCredentials;

const NOW: i64 = 1_795_446_000;

struct World {
    app: AppCredentials,
    word: Secret,
    status: Url,
}

impl World {
    fn new() -> Self {
        Self {
            app: AppCredentials {
                client_id: "1".to_owned(),
                client_secret: Secret::from("the app's secret"),
            },
            word: Secret::from("the word"),
            status: Url::parse("https://mooring.example/deletions").expect("a URL"),
        }
    }

    fn hear(
        &self,
        kind: InboundKind,
        query: &[(&str, &str)],
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<Received, InboundRefused> {
        let query: Vec<(String, String)> = query
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut headers = HeaderMap::new();
        if let Some(signature) = signature {
            let value = HeaderValue::from_str(signature).expect("a header");
            headers.insert("x-hub-signature-256", value);
        }
        let method = if query.is_empty() {
            Method::POST
        } else {
            Method::GET
        };
        receive(&Inbound {
            kind,
            method: &method,
            query: &query,
            headers: &headers,
            body,
            app: &self.app,
            verify_token: Some(&self.word),
            status_url: Some(&self.status),
            now: now(),
        })
    }

    fn webhook(&self, body: &Value) -> Vec<News> {
        let body = body.to_string();
        let signature = self.signature(body.as_bytes());
        let heard = self.hear(
            InboundKind::Notification,
            &[],
            Some(&signature),
            body.as_bytes(),
        );
        heard.expect("a webhook that is ours").news
    }

    fn signature(&self, body: &[u8]) -> String {
        let mac = mac(&self.app.client_secret, body).finalize().into_bytes();
        format!("sha256={}", hex::encode(mac))
    }

    fn signed(&self, payload: &Value) -> Vec<u8> {
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        let mac = mac(&self.app.client_secret, payload.as_bytes()).finalize();
        let signature = URL_SAFE_NO_PAD.encode(mac.into_bytes());
        format!("signed_request={signature}.{payload}").into_bytes()
    }
}

fn now() -> Time {
    unix(NOW).expect("after 1970")
}

fn page(changes: &Value, time: i64) -> Value {
    json!({ "object": "page", "entry": [{ "id": "11", "time": time, "changes": changes }] })
}

fn feed_change(item: &str, verb: &str) -> Value {
    json!({ "field": "feed", "value": {
        "item": item, "verb": verb, "post_id": "11_22", "created_time": NOW - 5, "published": 1,
    }})
}

#[test]
fn the_handshake_echoes_the_challenge_to_who_knows_the_word() {
    let world = World::new();
    let shake = |word| {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", "1158201444"),
            ("hub.verify_token", word),
        ];
        world.hear(InboundKind::Notification, &query, None, b"")
    };
    assert_eq!(shake("the word").expect("a reply").reply.body, "1158201444");
    assert_eq!(shake("another"), Err(InboundRefused::Forged));
    let half = world.hear(
        InboundKind::Notification,
        &[("hub.mode", "subscribe")],
        None,
        b"",
    );
    assert_eq!(half, Err(InboundRefused::Unreadable("handshake")));
}

#[test]
fn a_webhook_is_believed_for_its_signature_over_the_bytes() {
    let world = World::new();
    let body = page(&json!([feed_change("post", "remove")]), NOW).to_string();
    let hear = |signature: Option<&str>, body: &str| {
        world.hear(InboundKind::Notification, &[], signature, body.as_bytes())
    };
    let right = world.signature(body.as_bytes());
    assert_eq!(hear(Some(&right), &body).expect("ours").news.len(), 1);
    assert_eq!(hear(None, &body), Err(InboundRefused::Unsigned));
    assert_eq!(hear(Some("sha256=00"), &body), Err(InboundRefused::Forged));
    assert_eq!(hear(Some("sha1=00"), &body), Err(InboundRefused::Forged));
    // The same JSON in other bytes is not what was signed.
    assert_eq!(
        hear(Some(&right), &format!("{body} ")),
        Err(InboundRefused::Forged)
    );
    let no_json = world.signature(b"no json");
    let unreadable = Err(InboundRefused::Unreadable("list of changes"));
    assert_eq!(hear(Some(&no_json), "no json"), unreadable);
}

#[test]
fn posts_appear_change_and_go_and_comments_are_nobodys_business() {
    let world = World::new();
    let mut comment = feed_change("comment", "remove");
    comment["value"]["comment_id"] = "11_22_33".into();
    let mut hidden = feed_change("status", "add");
    hidden["value"]["published"] = 0.into();
    let changes = json!([
        feed_change("status", "add"),
        feed_change("photo", "edited"),
        feed_change("post", "remove"),
        comment,
        hidden,
        feed_change("reaction", "add"),
        { "field": "mention", "value": { "item": "post", "verb": "add", "post_id": "9" } },
        "nonsense",
    ]);
    let news = world.webhook(&page(&changes, NOW));
    let remote_id = "11_22".to_owned();
    let kinds: Vec<&NewsKind> = news.iter().map(|one| &one.what).collect();
    assert_eq!(
        kinds,
        [
            &NewsKind::PostAppeared {
                remote_id: remote_id.clone()
            },
            &NewsKind::PostChanged {
                remote_id: remote_id.clone()
            },
            &NewsKind::PostRemoved { remote_id },
        ]
    );
    assert!(
        news.iter()
            .all(|one| one.account == "11" && one.at == Some(now()))
    );
}

#[test]
fn what_is_sent_again_has_the_same_key_and_what_happens_again_has_another() {
    let world = World::new();
    let key = |change: Value, time: i64| {
        let news = world.webhook(&page(&json!([change]), time));
        news.into_iter().next().expect("news").key
    };
    let removed = || feed_change("post", "remove");
    assert_eq!(
        key(removed(), NOW),
        key(removed(), NOW + 3600),
        "sent again later"
    );
    let edited = || feed_change("status", "edited");
    assert_ne!(
        key(edited(), NOW),
        key(edited(), NOW + 3600),
        "edited again"
    );
    assert_ne!(key(removed(), NOW), key(edited(), NOW));
}

#[test]
fn permissions_come_in_two_forms() {
    let world = World::new();
    let body = json!({ "object": "permissions", "entry": [{
        "id": "77", "uid": "77", "time": NOW, "changes": [
            { "field": "pages_manage_posts", "value": { "verb": "revoked", "target_ids": ["11"] } },
            { "field": "connected", "verb": "revoked", "target_ids": null },
            { "field": "connected", "verb": "granted", "target_ids": null },
        ],
    }]});
    let news = world.webhook(&body);
    let kinds: Vec<&NewsKind> = news.iter().map(|one| &one.what).collect();
    let changed = NewsKind::PermissionsChanged;
    assert_eq!(kinds, [&changed, &NewsKind::AccessRevoked, &changed]);
    assert_eq!(news[0].account, "77");
    let other = json!({ "object": "application", "entry": [{ "id": "1", "changes": [{}] }] });
    assert!(
        world.webhook(&other).is_empty(),
        "what we do not know is passed over"
    );
}

#[test]
fn deauthorize_is_believed_for_its_signature_and_its_age() {
    let world = World::new();
    let hear = |body: &[u8]| world.hear(InboundKind::Deauthorize, &[], None, body);
    let payload = |issued: i64| json!({ "algorithm": "HMAC-SHA256", "issued_at": issued, "user_id": "218471" });
    let news = hear(&world.signed(&payload(NOW - 60))).expect("ours").news;
    assert_eq!(
        (news[0].account.as_str(), &news[0].what),
        ("218471", &NewsKind::AccessRevoked)
    );
    assert_eq!(
        hear(&world.signed(&payload(NOW - 37 * 3600))),
        Err(InboundRefused::Stale)
    );
    assert_eq!(
        hear(&world.signed(&payload(NOW + 3600))),
        Err(InboundRefused::Stale)
    );
    assert_eq!(hear(b"a=b"), Err(InboundRefused::Unsigned));
    let mut forged = world.signed(&payload(NOW));
    forged.truncate(forged.len() - 4);
    assert_eq!(hear(&forged), Err(InboundRefused::Forged));
    let other = json!({ "algorithm": "none", "issued_at": NOW, "user_id": 218_471 });
    let unreadable = Err(InboundRefused::Unreadable("signed request"));
    assert_eq!(hear(&world.signed(&other)), unreadable);
}

#[test]
fn facebooks_own_sample_of_a_signed_request_is_verified() {
    // Facebook's own sample: the secret is the word "secret".
    let payload = "eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0";
    let signature = URL_SAFE_NO_PAD
        .decode("vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso")
        .expect("base64url");
    assert_eq!(
        verify(&Secret::from("secret"), payload.as_bytes(), &signature),
        Ok(())
    );
}

#[test]
fn a_deletion_is_answered_with_an_address_and_the_same_code_each_time() {
    let world = World::new();
    let payload = json!({
        "algorithm": "HMAC-SHA256", "expires": NOW + 60, "issued_at": NOW, "user_id": "218471",
    });
    let hear = || {
        let body = world.signed(&payload);
        world
            .hear(InboundKind::DataDeletion, &[], None, &body)
            .expect("ours")
    };
    let (first, again) = (hear(), hear());
    assert_eq!(first, again);
    let answer: Value = serde_json::from_str(&first.reply.body).expect("JSON");
    let code = answer["confirmation_code"].as_str().expect("a code");
    let wanted = format!("https://mooring.example/deletions?code={code}");
    assert_eq!(answer["url"], wanted);
    let confirmation = code.to_owned();
    assert_eq!(first.news[0].what, NewsKind::DataDeletion { confirmation });
}
