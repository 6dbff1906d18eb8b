//! Links inside a text. Bluesky shows a URL as a link only where a facet marks it, by UTF-8 byte offsets.

use super::wire::{ByteSlice, Facet, Feature};

/// Facets for every URL of the text, in its order.
pub(super) fn links(text: &str) -> Vec<Facet> {
    let mut facets = Vec::new();
    let mut from = 0;
    while let Some(start) = next_scheme(text, from) {
        let rest = &text[start..];
        let end = start + url_length(rest);
        if let Ok(url) = url::Url::parse(&text[start..end])
            && url.has_host()
        {
            facets.push(Facet {
                index: ByteSlice {
                    byte_start: start,
                    byte_end: end,
                },
                features: [Feature::Link {
                    uri: text[start..end].to_owned(),
                }],
            });
        }
        from = end.max(start + "http".len());
    }
    facets
}

/// Where the next URL begins: at a scheme that no letter or digit stands before.
fn next_scheme(text: &str, from: usize) -> Option<usize> {
    let tail = &text[from..];
    let hits = tail.match_indices("http").map(|(at, _)| from + at);
    hits.into_iter().find(|at| {
        let rest = &text[*at..];
        let alone = !text[..*at]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        alone && (rest.starts_with("https://") || rest.starts_with("http://"))
    })
}

/// How many bytes from the start belong to the URL: up to white space or a quoting mark, without the
/// punctuation of the sentence around it, and without a closing bracket that nothing in it opens.
fn url_length(rest: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"“”«»".contains(c);
    let mut url = &rest[..rest.find(ends).unwrap_or(rest.len())];
    loop {
        let Some(last) = url.chars().next_back() else {
            return 0;
        };
        let opener = match last {
            ')' => Some('('),
            ']' => Some('['),
            _ => None,
        };
        let count = |c: char| url.matches(c).count();
        let dangling = opener.is_some_and(|opener| count(last) > count(opener));
        if !dangling && !".,;:!?'…*_~".contains(last) {
            return url.len();
        }
        url = &url[..url.len() - last.len_utf8()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, usize, &str)> {
        let facets = links(text);
        let slices = facets
            .iter()
            .map(|facet| (facet.index.byte_start, facet.index.byte_end));
        slices
            .map(|(start, end)| (start, end, &text[start..end]))
            .collect()
    }

    #[test]
    fn offsets_count_bytes_and_not_characters() {
        assert_eq!(
            found("Käse 🧀 https://example.com!"),
            [(11, 30, "https://example.com")]
        );
    }

    #[test]
    fn punctuation_around_a_link_is_not_part_of_it() {
        let text = "(see http://a.example/x_(y)), https://b.example/?q=1.\nand https://c.example/ü";
        let urls: Vec<_> = found(text).into_iter().map(|(.., url)| url).collect();
        assert_eq!(
            urls,
            [
                "http://a.example/x_(y)",
                "https://b.example/?q=1",
                "https://c.example/ü"
            ]
        );
    }

    #[test]
    fn what_is_no_link_is_left_alone() {
        for text in [
            "",
            "http",
            "https://",
            "xhttps://a.example",
            "http is a protocol",
            "https://...",
            "日https://",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
