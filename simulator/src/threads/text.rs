//! How Threads counts a text.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation as _;

/// The longest text.
pub(super) const TEXT_LIMIT: usize = 500;
/// Different links in a post.
pub(super) const LINK_LIMIT: usize = 5;

/// Characters, where an emoji counts as many as it has bytes of UTF-8.
pub(super) fn length(text: &str) -> usize {
    let weight = |cluster: &str| {
        if is_emoji(cluster) {
            cluster.len()
        } else {
            cluster.chars().count()
        }
    };
    text.graphemes(true).map(weight).sum()
}

fn is_emoji(cluster: &str) -> bool {
    cluster
        .chars()
        .any(|c| matches!(u32::from(c), 0x1_F000..=0x1_FAFF | 0x2600..=0x27BF | 0xFE0F | 0x20E3))
}

/// Different addresses in a text, and the attached one.
pub(super) fn links(text: &str, attached: Option<&str>) -> usize {
    let in_text = text.split_whitespace();
    let in_text = in_text.filter(|w| w.starts_with("http://") || w.starts_with("https://"));
    in_text.chain(attached).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_counts_by_its_bytes_and_other_letters_singly() {
        assert_eq!(length("grüße"), 5);
        assert_eq!(length("😀"), 4);
        assert_eq!(length("a😀b"), 6);
    }

    #[test]
    fn the_same_address_counts_once() {
        let text = "https://a.example https://b.example https://a.example";
        assert_eq!(links(text, Some("https://b.example")), 2);
    }
}
