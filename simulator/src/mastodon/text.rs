//! How the server counts a text, and how it shows it.

use unicode_segmentation::UnicodeSegmentation as _;

/// Characters that count: graphemes; a link counts as `per_url`, and of `@name@domain` only
/// `@name`.
pub(super) fn length(text: &str, per_url: usize) -> usize {
    let words = text.split_inclusive(char::is_whitespace);
    words.map(|word| word_length(word, per_url)).sum()
}

fn word_length(word: &str, per_url: usize) -> usize {
    let bare = word.trim_end();
    let rest = word[bare.len()..].graphemes(true).count();
    let link = ["http://", "https://"]
        .iter()
        .filter_map(|s| bare.find(s))
        .min();
    if let Some(start) = link {
        return bare[..start].graphemes(true).count() + per_url + rest;
    }
    let counted = match bare.strip_prefix('@').and_then(|m| m.split_once('@')) {
        Some((name, _)) => name.len() + 1,
        None => bare.graphemes(true).count(),
    };
    counted + rest
}

/// Paragraphs, line breaks and links, as in `content`.
pub(super) fn html(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines = paragraph.split('\n').map(line);
        format!("<p>{}</p>", lines.collect::<Vec<_>>().join("<br />"))
    });
    paragraphs.collect()
}

fn line(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let safe = escape(word);
        let Some((scheme, rest)) = safe.split_once("://").filter(|(s, _)| is_scheme(s)) else {
            return safe;
        };
        let (shown, hidden) =
            rest.split_at(rest.char_indices().nth(30).map_or(rest.len(), |c| c.0));
        format!(
            "<a href=\"{safe}\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">\
             <span class=\"invisible\">{scheme}://</span><span class=\"\">{shown}</span>\
             <span class=\"invisible\">{hidden}</span></a>"
        )
    });
    words.collect::<Vec<_>>().join(" ")
}

fn is_scheme(text: &str) -> bool {
    matches!(text, "http" | "https")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_count_alike_and_mentions_without_their_domain() {
        let link = format!("see https://example.com/{}", "x".repeat(300));
        assert_eq!(length(&link, 23), 4 + 23);
        assert_eq!(length("@ana@example.social hi", 23), 4 + 1 + 2);
        assert_eq!(length("👩‍👩‍👧 ok", 23), 4);
    }

    #[test]
    fn a_text_becomes_paragraphs_that_escape_it() {
        assert_eq!(html("a <b>\nc\n\nd"), "<p>a &lt;b&gt;<br />c</p><p>d</p>");
        assert!(html("x https://a.example").contains("href=\"https://a.example\""));
    }
}
