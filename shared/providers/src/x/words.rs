//! A post's words as they were sent, and the names that it has.

use mooring_domain::{Time, time::from_ms};

use super::wire::Post;

/// Words made from what the API shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) text: String,
    /// Whether they are certainly what was sent. An address without a scheme comes back with one, so that one with
    /// `http://` may have been written either way.
    pub(super) certain: bool,
}

/// The words behind what the API shows: markup unescaped, short links replaced by where they lead, the link to the
/// post's own media taken away.
pub(super) fn plain(post: &Post) -> Words {
    let note = post.note().filter(|note| !note.text.is_empty());
    let mut text = unescape(note.map_or(&post.text, |note| &note.text));
    let mut certain = true;
    let of_note = note.and_then(|note| note.entities.as_ref());
    let entities = post.entities.iter().chain(of_note);
    let links = entities.flat_map(|entities| &entities.urls);
    for link in links.filter(|link| !link.url.is_empty()) {
        let is_own_media = link.media_key.is_some() || leads_to_media_of(&link.expanded_url);
        if is_own_media && !post.media_keys().is_empty() {
            text = text.replace(&link.url, "");
        } else {
            certain &= !link.expanded_url.is_empty() && !link.expanded_url.starts_with("http://");
            text = text.replace(&link.url, &link.expanded_url);
        }
    }
    Words { text, certain }
}

/// A text for comparing with another one that may write its addresses with or without `http://`.
pub(super) fn loose(text: &str) -> String {
    text.replace("http://", "")
}

/// `https://x.com/NAME/status/ID/photo/1`.
fn leads_to_media_of(address: &str) -> bool {
    let is_site = ["https://x.com/", "https://twitter.com/"]
        .iter()
        .any(|site| address.starts_with(site));
    let mut from_end = address.rsplit('/');
    let (number, kind) = (from_end.next(), from_end.next());
    let is_number = number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    is_site && is_number && matches!(kind, Some("photo" | "video"))
}

/// `&` last, so that what was escaped twice stays escaped once.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Where people see a post. Without the user's name, which changes.
pub(super) fn permalink(id: &str) -> String {
    format!("https://x.com/i/status/{id}")
}

/// Whether this is an id of a post or user.
pub(super) fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// When a post was made, by its id: a snowflake carries milliseconds since this epoch above its lowest 22 bits.
pub(super) fn time_of(id: &str) -> Option<Time> {
    const EPOCH_MS: i64 = 1_288_834_974_657;
    let number: u64 = id.parse().ok()?;
    let ms = i64::try_from(number >> 22).ok()?;
    (ms > 0).then(|| from_ms(EPOCH_MS + ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_072_a_long_posts_words_are_those_of_its_note_under_either_name() {
        for name in ["note_post", "note_tweet"] {
            let shown = post(serde_json::json!({
                "id": "9",
                "text": "It begins\u{2026}",
                (name): {
                    "text": "It begins, and ends at https://t.co/a",
                    "entities": { "urls": [
                        { "url": "https://t.co/a", "expanded_url": "https://example.org" },
                    ] },
                },
            }));
            let words = plain(&shown);
            assert_eq!(words.text, "It begins, and ends at https://example.org");
            assert!(words.certain);
        }
    }

    fn post(value: serde_json::Value) -> Post {
        serde_json::from_value(value).expect("a post")
    }

    #[test]
    fn what_the_api_shows_is_turned_back_into_what_was_sent() {
        let shown = post(serde_json::json!({
            "id": "1",
            "text": "Fish &amp; chips &lt;today&gt; &amp;amp; https://t.co/aaaa, https://t.co/bbbb https://t.co/cccc",
            "attachments": { "media_keys": ["3_1"] },
            "entities": { "urls": [
                { "url": "https://t.co/aaaa", "expanded_url": "https://example.com/menu?a=1&b=2" },
                { "url": "https://t.co/bbbb", "expanded_url": "https://x.com/other/status/5" },
                { "url": "https://t.co/cccc", "expanded_url": "https://x.com/u/status/1/photo/1", "media_key": "3_1" },
            ] },
        }));
        assert_eq!(
            plain(&shown),
            Words {
                text: "Fish & chips <today> &amp; https://example.com/menu?a=1&b=2, https://x.com/other/status/5 "
                    .to_owned(),
                certain: true,
            }
        );
    }

    #[test]
    fn an_address_that_may_have_had_no_scheme_is_not_certain() {
        let shown = post(serde_json::json!({
            "id": "1",
            "text": "see https://t.co/aaaa",
            "entities": { "urls": [{ "url": "https://t.co/aaaa", "expanded_url": "http://example.org" }] },
        }));
        let words = plain(&shown);
        assert!(!words.certain);
        assert_eq!(loose(&words.text), loose("see example.org"));
    }

    #[test]
    fn a_link_to_somebody_elses_picture_is_a_link() {
        let shown = post(serde_json::json!({
            "id": "1",
            "text": "look https://t.co/aaaa",
            "entities": { "urls": [
                { "url": "https://t.co/aaaa", "expanded_url": "https://x.com/u/status/9/photo/1" },
            ] },
        }));
        assert_eq!(plain(&shown).text, "look https://x.com/u/status/9/photo/1");
    }

    #[test]
    fn an_id_tells_its_time() {
        // The example of X's documentation, made on 2021-01-06T18:40:40.000Z.
        let at = time_of("1346889436626259968").expect("a time");
        assert_eq!(at.timestamp(), 1_609_958_440);
        assert_eq!(time_of("12"), None);
        assert_eq!(time_of("x"), None);
    }
}
