//! A post as a record, and the names that it has: URI, key, permalink.

use chrono::SecondsFormat;
use mooring_domain::{
    Time,
    post::{Accepted, Content},
};

use super::{
    facets,
    wire::{Embed, External, POSTS, Post},
};

/// The record for a content. The same arguments give the same record: that is what makes `putRecord` idempotent.
///
/// URLs in the text become links, and the content's own link a card below it. The card's title is the link itself:
/// the page behind it is not fetched. Languages are left out, because nobody told us any.
pub(super) fn record<'a>(
    content: &'a Content,
    created_at: Time,
    files: Option<Embed<'a>>,
) -> Post<'a> {
    Post {
        kind: POSTS,
        text: &content.text,
        created_at: created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        facets: facets::links(&content.text),
        embed: files.or_else(|| content.link.as_deref().map(card)),
    }
}

fn card(link: &str) -> Embed<'_> {
    let bare = link.split_once("://").map_or(link, |(_, rest)| rest);
    let title = bare.trim_end_matches('/').chars().take(300).collect();
    Embed::External {
        external: External {
            uri: link,
            title,
            description: "",
        },
    }
}

/// `at://{did}/app.bsky.feed.post/{rkey}`: the remote id of a post.
pub(super) fn uri(did: &str, rkey: &str) -> String {
    format!("at://{did}/{POSTS}/{rkey}")
}

/// The record key inside a remote id.
pub(super) fn rkey(remote_id: &str) -> Option<&str> {
    let (_, rkey) = remote_id
        .strip_prefix("at://")?
        .split_once('/')?
        .1
        .split_once('/')?;
    (!rkey.is_empty() && !rkey.contains('/')).then_some(rkey)
}

/// Where people see the post. By DID, because handles change.
pub(super) fn permalink(did: &str, rkey: &str) -> String {
    format!("https://bsky.app/profile/{did}/post/{rkey}")
}

/// The platform's word for a post under that key.
pub(super) fn accepted(uri: String, did: &str, rkey: &str) -> Accepted {
    Accepted {
        remote_id: uri,
        permalink: Some(permalink(did, rkey)),
    }
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;

    use super::*;

    #[test]
    fn the_record_is_the_one_that_the_lexicon_shows() {
        let content = Content {
            text: "Grüße https://a.example.".to_owned(),
            link: Some("https://b.example/x/".to_owned()),
            ..Content::default()
        };
        let record =
            serde_json::to_value(record(&content, from_ms(1_795_446_000_123), None)).expect("JSON");
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("fixtures/record.json")).expect("JSON");
        assert_eq!(record, golden);
    }

    #[test]
    fn a_plain_text_carries_nothing_else() {
        let content = Content::text("hello");
        let text = serde_json::to_string(&record(&content, from_ms(0), None)).expect("JSON");
        let golden = r#"{"$type":"app.bsky.feed.post","text":"hello","createdAt":"1970-01-01T00:00:00.000Z"}"#;
        assert_eq!(text, golden);
    }

    #[test]
    fn the_key_is_read_from_a_uri_and_from_nothing_else() {
        let id = uri("did:plc:x", "3l6oveex3ii2l");
        assert_eq!(rkey(&id), Some("3l6oveex3ii2l"));
        for other in [
            "",
            "3l6oveex3ii2l",
            "at://did:plc:x",
            "at://did:plc:x/app.bsky.feed.post/",
            "at://d/c/k/more",
        ] {
            assert_eq!(rkey(other), None, "{other}");
        }
    }
}
