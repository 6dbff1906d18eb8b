//! Texts as the platform counts and shows them.
//!
//! The rules are those of its twitter-text configuration, version 3: NFC; a
//! weight of 1 for Latin and some other scripts, of 2 for everything else; an
//! emoji counts 2 however many code points it has; a link counts 23.

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// The greatest weight of a post.
pub(super) const LIMIT: usize = 280;
/// The same for subscribers.
pub(super) const LONG_LIMIT: usize = 25_000;
/// What every link weighs.
const LINK_WEIGHT: usize = 23;

/// A link inside a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entity {
    /// Code points before it, in the shown text.
    pub(crate) start: usize,
    /// Code points before its end.
    pub(crate) end: usize,
    /// The short link.
    pub(crate) short: String,
    /// Where it leads.
    pub(crate) expanded: String,
    /// The picture that it stands for.
    pub(crate) media_key: Option<String>,
}

/// The weight of a text.
pub(super) fn weight(text: &str) -> usize {
    let text: String = text.nfc().collect();
    pieces(&text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Link(_) => LINK_WEIGHT,
            Piece::Plain(plain) => plain.graphemes(true).map(cluster_weight).sum(),
        })
        .sum()
}

fn cluster_weight(cluster: &str) -> usize {
    let emoji = |c: char| matches!(c, '\u{fe0f}' | '\u{20e3}' | '\u{1f000}'..='\u{1faff}');
    if cluster.chars().any(emoji) {
        return 2;
    }
    cluster
        .chars()
        .map(|c| if is_light(c) { 1 } else { 2 })
        .sum()
}

fn is_light(c: char) -> bool {
    matches!(u32::from(c), 0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247)
}

/// A stretch of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Without links.
    Plain(&'t str),
    /// A link as it was written.
    Link(&'t str),
}

/// Splits a text at its links: with a scheme, or a bare name under a well-known
/// top-level domain.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while at < text.len() {
        let begins = text[..at].chars().next_back().is_none_or(|c| {
            !c.is_alphanumeric() && !matches!(c, '@' | '#' | '$' | '/' | '.' | '-' | '_')
        });
        let length = if begins { link_length(&text[at..]) } else { 0 };
        if length == 0 {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        if plain_from < at {
            out.push(Piece::Plain(&text[plain_from..at]));
        }
        out.push(Piece::Link(&text[at..at + length]));
        at += length;
        plain_from = at;
    }
    if plain_from < text.len() {
        out.push(Piece::Plain(&text[plain_from..]));
    }
    out
}

/// How long the link is that a text begins with; 0 when it begins with none.
fn link_length(text: &str) -> usize {
    let scheme = ["https://", "http://"]
        .iter()
        .find(|s| {
            text.get(..s.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(s))
        })
        .map_or(0, |s| s.len());
    let host_length = text[scheme..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(text.len() - scheme);
    let host = text[scheme..scheme + host_length].trim_end_matches(['.', '-']);
    if !is_host(host, scheme > 0) {
        return 0;
    }
    let host_end = scheme + host.len();
    let rest = &text[host_end..];
    let tail = match rest.chars().next() {
        Some('/' | '?' | '#') => tail_length(rest),
        Some(':') => port_length(rest),
        _ => 0,
    };
    host_end + tail
}

fn is_host(host: &str, has_scheme: bool) -> bool {
    let Some((name, top)) = host.rsplit_once('.') else {
        return false;
    };
    let labels = name.split('.').all(|label| !label.is_empty());
    let letters = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    let known = TOPS.contains(&top.to_ascii_lowercase().as_str());
    labels && letters && (has_scheme || known)
}

/// Top-level domains under which a bare name is a link.
const TOPS: [&str; 36] = [
    "ai", "app", "at", "au", "be", "biz", "br", "ca", "ch", "cn", "co", "com", "de", "dev", "edu",
    "es", "eu", "fr", "gov", "in", "info", "io", "it", "jp", "me", "net", "news", "nl", "no",
    "org", "pl", "ru", "se", "uk", "us", "xyz",
];

/// A path with query and fragment, up to a space, without the stop that ends a sentence.
fn tail_length(rest: &str) -> usize {
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>'))
        .unwrap_or(rest.len());
    rest[..end]
        .trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']', '}'])
        .len()
}

fn port_length(rest: &str) -> usize {
    let digits = rest[1..]
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len() - 1);
    if digits == 0 {
        return 0;
    }
    let end = 1 + digits;
    match rest[end..].chars().next() {
        Some('/' | '?' | '#') => end + tail_length(&rest[end..]),
        _ => end,
    }
}

/// Markup as the API escapes it.
pub(super) fn escape(plain: &str) -> String {
    plain
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_weighs_what_the_platform_says() {
        let cases = [
            ("hello", 5),
            ("Grüße", 5),
            // Decomposed: counted after NFC.
            ("Gru\u{308}ße", 5),
            ("日本語", 6),
            ("한국", 4),
            ("👍", 2),
            ("👩‍👩‍👧‍👦", 2),
            ("👍🏽", 2),
            ("🇩🇪", 2),
            ("1️⃣", 2),
            ("https://example.com", 23),
            (
                "https://example.com/a/very/long/path?with=a&query=in-it#and-more",
                23,
            ),
            ("see example.com.", 4 + 23 + 1),
            ("a.b is none", 11),
            ("me@example.com", 14),
            ("“quoted” – and…", 16),
        ];
        for (text, expected) in cases {
            assert_eq!(weight(text), expected, "{text}");
        }
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        assert_eq!(
            pieces("See https://example.com/a, or x.com/b?c=1 (http://a.io:80/)."),
            [
                Piece::Plain("See "),
                Piece::Link("https://example.com/a"),
                Piece::Plain(", or "),
                Piece::Link("x.com/b?c=1"),
                Piece::Plain(" ("),
                Piece::Link("http://a.io:80/"),
                Piece::Plain(")."),
            ]
        );
    }
}
