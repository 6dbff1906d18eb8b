//! "Little text", the format of a post's commentary (learn.microsoft.com, "little Text Format").
//!
//! Every reserved character is escaped by a backslash, unless it makes a hashtag or a mention. LinkedIn answers 201
//! to a text with an unescaped one and cuts it there without a word, so nothing is left unescaped: hashtags go out
//! as templates (`{hashtag|\#|tag}`), which is the form in which LinkedIn gives them back.

const RESERVED: &str = "\\|{}@[]()<>#*_~";

/// A plain text as little text. Words with a hash sign become hashtags, as they do when somebody types them.
pub(super) fn write(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        let word = hashtag(c, before, tail);
        if let Some(word) = word {
            out.push_str("{hashtag|\\#|");
            out.push_str(&escaped(word));
            out.push('}');
            before = word.chars().next_back();
            rest = &tail[word.len()..];
        } else {
            push(&mut out, c);
            before = Some(c);
            rest = tail;
        }
    }
    out
}

/// The word after a hash sign that makes a hashtag: not in the middle of a word, and not only digits.
fn hashtag(c: char, before: Option<char>, tail: &str) -> Option<&str> {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    if c != '#' || before.is_some_and(|before| in_a_word(before) || "&#/".contains(before)) {
        return None;
    }
    let end = tail.find(|c: char| !in_a_word(c)).unwrap_or(tail.len());
    let word = &tail[..end];
    word.chars().any(char::is_alphabetic).then_some(word)
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    text.chars().for_each(|c| push(&mut out, c));
    out
}

fn push(out: &mut String, c: char) {
    if RESERVED.contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// What people read of a little text. Reads what LinkedIn gives back: escapes, templates, mentions.
pub(super) fn read(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => escape(rest, &mut out),
            '{' => template(rest, &mut out),
            '@' => mention(rest, &mut out),
            _ => None,
        };
        rest = taken.unwrap_or_else(|| {
            out.push(c);
            &rest[c.len_utf8()..]
        });
    }
    out
}

fn escape<'t>(rest: &'t str, out: &mut String) -> Option<&'t str> {
    let c = rest[1..].chars().next().filter(|c| RESERVED.contains(*c))?;
    out.push(c);
    Some(&rest[1 + c.len_utf8()..])
}

/// `{hashtag|\#|tag}`, and the full-width hash sign, which is one, too.
fn template<'t>(rest: &'t str, out: &mut String) -> Option<&'t str> {
    let inner = rest.strip_prefix("{hashtag|")?;
    let (sign, inner) = inner.split_once('|')?;
    let (tag, after) = inner.split_once('}')?;
    out.push_str(&read(sign));
    out.push_str(&read(tag));
    Some(after)
}

/// `@[Name](urn:li:…)`.
fn mention<'t>(rest: &'t str, out: &mut String) -> Option<&'t str> {
    let (name, after) = rest.strip_prefix("@[")?.split_once("](")?;
    let (urn, after) = after.split_once(')')?;
    let named = urn.starts_with("urn:li:") && !name.contains('\n');
    named.then(|| {
        out.push_str(&read(name));
        after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reserved_character_is_escaped() {
        assert_eq!(
            write("a (b) <c> [d] {e} f|g"),
            "a \\(b\\) \\<c\\> \\[d\\] \\{e\\} f\\|g"
        );
        assert_eq!(
            write("me@example.com ~ *x* C:\\dir"),
            "me\\@example.com \\~ \\*x\\* C:\\\\dir"
        );
        assert_eq!(
            write("https://a.example/x_y?z=1#part"),
            "https://a.example/x\\_y?z=1\\#part"
        );
    }

    #[test]
    fn words_with_a_hash_sign_become_hashtags_and_nothing_else_does() {
        assert_eq!(
            write("#Rust, (#été)"),
            "{hashtag|\\#|Rust}, \\({hashtag|\\#|été}\\)"
        );
        assert_eq!(write("#snake_case"), "{hashtag|\\#|snake\\_case}");
        for plain in ["C# is", "a#b", "# alone", "#1", "##x"] {
            assert!(
                !write(plain).starts_with('{') || plain == "##x",
                "{plain}: {}",
                write(plain)
            );
            assert_eq!(read(&write(plain)), plain);
        }
    }

    #[test]
    fn what_was_written_is_read_back_as_it_was() {
        let texts = [
            "",
            "plain",
            "all of \\|{}@[]()<>#*_~ at once",
            "Grüße, 日本 👨‍👩‍👧 https://example.com/a?b=c&d=e. #mooring #x_1",
            "@[not a mention](urn:li:person:1)",
            "{hashtag|\\#|by hand}",
            "ends with a backslash\\",
        ];
        for text in texts {
            assert_eq!(read(&write(text)), text);
        }
    }

    #[test]
    fn mentions_and_foreign_things_are_read_too() {
        assert_eq!(read("by @[Dev Co](urn:li:organization:7)!"), "by Dev Co!");
        assert_eq!(
            read("an @ sign (unescaped) {other|x} \\n"),
            "an @ sign (unescaped) {other|x} \\n"
        );
    }
}
