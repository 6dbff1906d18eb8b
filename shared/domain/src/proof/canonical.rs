//! One value, one text: JSON as RFC 8785 writes it.
//!
//! Members are sorted by the UTF-16 code units of their names, there is no white space, and a text has exactly one
//! spelling. The ledger holds no numbers but integers of at most 53 bits, so nothing depends on how floats are written.

use serde::Serialize;
use serde_json::Value;

/// The canonical text of a value.
#[must_use]
pub fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// The canonical text of a value of ours.
#[must_use]
pub fn of(value: &impl Serialize) -> String {
    text(&serde_json::to_value(value).expect("a value of ours is JSON"))
}

fn write(value: &Value, into: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            into.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write(&Value::from(name.as_str()), into);
                into.push(':');
                write(member, into);
            }
            into.push('}');
        }
        Value::Array(items) => {
            into.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write(item, into);
            }
            into.push(']');
        }
        // Texts, integers, true, false and null: serde_json writes them as the RFC does.
        plain => into.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_and_nothing_is_spaced() {
        let value = json!({"b": [1, null, true], "a": {"é": "\u{1f}\"\\/\n", "e": -7}});
        assert_eq!(
            text(&value),
            r#"{"a":{"e":-7,"é":"\u001f\"\\/\n"},"b":[1,null,true]}"#
        );
    }

    /// The example of RFC 8785, 3.2.3: code units, not code points, decide.
    #[test]
    fn names_are_sorted_by_their_code_units() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let written = text(&value);
        let order = [
            "Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew",
        ];
        let places: Vec<_> = order.iter().map(|word| written.find(word)).collect();
        assert!(places.is_sorted(), "{written}");
        assert!(places.iter().all(Option::is_some));
    }

    proptest! {
        #[test]
        fn prop_a_canonical_text_reads_back_and_writes_the_same(words in prop::collection::btree_map(".*", ".*", 0..6)) {
            let value = json!(words);
            let written = text(&value);
            let read: Value = serde_json::from_str(&written).expect("it is JSON");
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(text(&read), written);
        }
    }
}
