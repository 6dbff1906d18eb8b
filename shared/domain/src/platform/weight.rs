//! X's weights of texts, as its own library (twitter-text 3, configuration 3) counts them: after normalisation (NFC), a
//! link weighs 23, an emoji 2 however many code points it has, a character of most alphabets 1 and any other 2.
//!
//! A link has a scheme, or is a bare name under a real top-level domain: `example.com` weighs 23, too.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// Real top-level domains in ASCII, one a line.
static TOPS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("tlds.txt").lines().collect());

/// What every link weighs.
const LINK: usize = 23;

/// The weight of a text.
pub(super) fn weight(text: &str) -> usize {
    let text: String = text.nfc().collect();
    let (mut total, mut plain_from, mut at) = (0, 0, 0);
    while at < text.len() {
        let before = text[..at].chars().next_back();
        let length = link_length(before, &text[at..]);
        if length == 0 {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        total += plain(&text[plain_from..at]) + LINK;
        at += length;
        plain_from = at;
    }
    total + plain(&text[plain_from..])
}

/// The weight of a stretch without links.
fn plain(text: &str) -> usize {
    text.graphemes(true).map(cluster).sum()
}

fn cluster(cluster: &str) -> usize {
    let emoji = |c: char| matches!(c, '\u{fe0f}' | '\u{20e3}' | '\u{1f000}'..='\u{1faff}');
    if cluster.chars().any(emoji) {
        return 2;
    }
    let light =
        |c: char| matches!(u32::from(c), 0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247);
    cluster.chars().map(|c| if light(c) { 1 } else { 2 }).sum()
}

/// How long the link is that a text begins with; 0 when it begins with none.
fn link_length(before: Option<char>, text: &str) -> usize {
    if before
        .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '@' | '＠' | '$' | '#' | '＃'))
    {
        return 0;
    }
    let scheme = ["https://", "http://"]
        .iter()
        .find(|s| {
            text.get(..s.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(s))
        })
        .map_or(0, |s| s.len());
    if scheme == 0 && before.is_some_and(|c| matches!(c, '-' | '_' | '.' | '/')) {
        return 0;
    }
    let host = host_length(&text[scheme..], scheme == 0);
    if host == 0 {
        return 0;
    }
    let mut end = scheme + host;
    end += port_length(&text[end..]);
    end += path_length(&text[end..]);
    end + query_length(&text[end..])
}

/// The longest name under a real top-level domain.
fn host_length(text: &str, ascii_only: bool) -> usize {
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '.' | '-' | '_')
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    let run = &text[..text.find(|c: char| !fits(c)).unwrap_or(text.len())];
    for (dot, _) in run.rmatch_indices('.') {
        let after = &text[dot + 1..];
        let top = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let next = after[top..].chars().next();
        let ends =
            next.is_none_or(|c| !(c.is_ascii_alphanumeric() || matches!(c, '@' | '+' | '-')));
        let real = TOPS.contains(after[..top].to_ascii_lowercase().as_str());
        let name = &run[..dot];
        if ends && real && are_labels(name) && (name.is_ascii() || !ascii_only) {
            return dot + 1 + top;
        }
    }
    0
}

/// Names of a host before its top-level domain. An underscore is allowed in all but the last.
fn are_labels(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let sound = |label: &str| edge(label.chars().next()) && edge(label.chars().next_back());
    let last = name.rsplit('.').next().unwrap_or("");
    name.split('.').all(sound) && !last.contains('_')
}

fn port_length(rest: &str) -> usize {
    let Some(port) = rest.strip_prefix(':') else {
        return 0;
    };
    let digits = port
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(port.len());
    if digits == 0 { 0 } else { 1 + digits }
}

/// A path: its characters, and brackets that close; it ends with what may end one.
fn path_length(rest: &str) -> usize {
    if !rest.starts_with('/') {
        return 0;
    }
    let (mut at, mut end) = (1, 1);
    while let Some(c) = rest[at..].chars().next() {
        if c == '(' {
            let Some(length) = brackets_length(&rest[at..]) else {
                break;
            };
            at += length;
            end = at;
        } else if is_path_char(c) {
            at += c.len_utf8();
            if c.is_alphanumeric() || matches!(c, '=' | '_' | '#' | '/' | '+' | '-') {
                end = at;
            }
        } else {
            break;
        }
    }
    end
}

/// `(…)` with nothing but path characters inside.
fn brackets_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('(')?;
    let length = inside.find(|c: char| !is_path_char(c)).filter(|n| *n > 0)?;
    inside[length..].starts_with(')').then_some(length + 2)
}

/// Latin, with accents, and Cyrillic letters, digits, and some signs.
fn is_path_char(c: char) -> bool {
    let letter =
        c.is_alphanumeric() && matches!(u32::from(c), 0..=0x24f | 0x400..=0x4ff | 0x1e00..=0x1eff);
    let sign = "!*';:=+,.$/%#[]-–_~@|&".contains(c);
    letter || sign
}

fn query_length(rest: &str) -> usize {
    if !rest.starts_with('?') {
        return 0;
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "-!?*'@();:&=+$/%#[]_.,~|".contains(c);
    let whole = rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
    let may_end = |c: char| c.is_ascii_alphanumeric() || "-_&=#/".contains(c);
    rest[..whole].rfind(may_end).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with the weights that X's own library (npm twitter-text 3.1.0) gives them.
    #[test]
    fn texts_weigh_what_the_platforms_own_library_says() {
        let cases: Vec<(String, usize)> =
            serde_json::from_str(include_str!("weights.json")).expect("a list of cases");
        let wrong: Vec<String> = cases
            .iter()
            .filter(|(text, wanted)| weight(text) != *wanted)
            .map(|(text, wanted)| format!("{text:?}: {} instead of {wanted}", weight(text)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
