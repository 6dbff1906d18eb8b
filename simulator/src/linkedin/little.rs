//! "Little text", the format of a post's commentary.
//!
//! Reserved characters are escaped by a backslash, unless they make a hashtag (`#tag`,
//! `{hashtag|\#|tag}`) or a mention (`@[Name](urn:li:organization:1)`). The real platform takes a text
//! with an unescaped one, answers 201, and cuts the text there without a word; so does this one.

const RESERVED: &str = "|{}@[]()<>#\\*_~";

/// A commentary as it was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Little {
    /// What people read.
    pub(super) shown: String,
    /// What the API gives back: little text, with hashtags as templates.
    pub(super) stored: String,
}

/// Reads a commentary up to its end, or up to the first thing that makes no sense.
pub(super) fn parse(text: &str) -> Little {
    let mut little = Little {
        shown: String::new(),
        stored: String::new(),
    };
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' => escaped(rest, &mut little),
            '#' => hashtag(rest, &mut little),
            '{' => template(rest, &mut little),
            '@' => mention(rest, &mut little),
            plain if RESERVED.contains(plain) => None,
            plain => {
                little.shown.push(plain);
                little.stored.push(plain);
                Some(plain.len_utf8())
            }
        };
        let Some(taken) = taken else { break };
        rest = &rest[taken..];
    }
    little
}

/// Writes a plain text as little text without elements.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if RESERVED.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn escaped(rest: &str, little: &mut Little) -> Option<usize> {
    let c = rest[1..].chars().next().filter(|c| RESERVED.contains(*c))?;
    little.shown.push(c);
    little.stored.push('\\');
    little.stored.push(c);
    Some(2)
}

fn hashtag(rest: &str, little: &mut Little) -> Option<usize> {
    let tail = &rest[1..];
    let end = tail
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(tail.len());
    let tag = Some(&tail[..end]).filter(|tag| !tag.is_empty())?;
    add_hashtag(tag, little);
    Some(1 + end)
}

fn template(rest: &str, little: &mut Little) -> Option<usize> {
    let tail = rest.strip_prefix("{hashtag|\\#|")?;
    let end = tail.find('}')?;
    // Inside a template reserved characters are escaped, too.
    let tag = tail[..end].replace('\\', "");
    if tag.is_empty() {
        return None;
    }
    add_hashtag(&tag, little);
    Some(rest.len() - tail.len() + end + 1)
}

fn add_hashtag(tag: &str, little: &mut Little) {
    little.shown.push('#');
    little.shown.push_str(tag);
    little.stored.push_str("{hashtag|\\#|");
    little.stored.push_str(&escape(tag));
    little.stored.push('}');
}

fn mention(rest: &str, little: &mut Little) -> Option<usize> {
    let tail = rest.strip_prefix("@[")?;
    let (name, after) = tail.split_once("](")?;
    let (urn, after) = after.split_once(')')?;
    let known = urn.starts_with("urn:li:person:") || urn.starts_with("urn:li:organization:");
    if !known || name.is_empty() {
        return None;
    }
    let taken = rest.len() - after.len();
    little.shown.push_str(&name.replace('\\', ""));
    little.stored.push_str(&rest[..taken]);
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse(text).shown
    }

    #[test]
    fn escapes_hashtags_and_mentions_are_read() {
        assert_eq!(shown("a \\(b\\) \\# \\_"), "a (b) # _");
        let tagged = parse("see #Rust and {hashtag|\\#|été}.");
        assert_eq!(tagged.shown, "see #Rust and #été.");
        assert_eq!(
            tagged.stored,
            "see {hashtag|\\#|Rust} and {hashtag|\\#|été}."
        );
        assert_eq!(shown("by @[Dev Co](urn:li:organization:7)!"), "by Dev Co!");
    }

    #[test]
    fn the_text_ends_at_what_is_not_escaped() {
        assert_eq!(shown("price (net) is"), "price ");
        assert_eq!(shown("mail me@example.com"), "mail me");
        assert_eq!(shown("a # b"), "a ");
        assert_eq!(shown("C:\\dir"), "C:");
        assert_eq!(shown("{other|x}"), "");
    }

    #[test]
    fn what_is_escaped_comes_back_as_it_was() {
        let text = "all of |{}@[]()<>#\\*_~ & more";
        assert_eq!(shown(&escape(text)), text);
        assert_eq!(parse(&escape(text)).stored, escape(text));
    }
}
