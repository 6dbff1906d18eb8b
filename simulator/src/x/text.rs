//! Texts as the platform counts and shows them.
//!
//! The rules are those of its twitter-text configuration, version 3: NFC; a
//! weight of 1 for Latin and some other scripts, of 2 for everything else; an
//! emoji counts 2 however many code points it has; a link counts 23.

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::links::{Piece, pieces};

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

    /// Texts with the weights that X's own library (npm twitter-text 3.1.0) gives them.
    #[test]
    fn texts_weigh_what_the_platforms_own_library_says() {
        let cases: Vec<(String, usize)> =
            serde_json::from_str(include_str!("weights.json")).unwrap();
        let wrong: Vec<String> = cases
            .iter()
            .filter(|(text, wanted)| weight(text) != *wanted)
            .map(|(text, wanted)| format!("{text:?}: {} instead of {wanted}", weight(text)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
