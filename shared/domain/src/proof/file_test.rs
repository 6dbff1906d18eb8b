use std::sync::LazyLock;

use proptest::prelude::*;

use super::{
    chain_test::{Books, check, start, target},
    *,
};
use crate::time::{days, hours};

/// Two targets of one post over two days, with somebody else's entries in between; both days sealed.
fn books() -> (Books, [TargetSeen; 3]) {
    let mut books = Books::default();
    let [one, other, twin] = [target(1), target(2), target(3)];
    let mut early = one.clone();
    early.looks.truncate(1);
    books.run(&[early, other.clone()], start());
    books.run(&[one.clone(), twin.clone()], start() + days(1));
    books.run(&[], start() + days(2));
    (books, [one, other, twin])
}

fn file() -> String {
    static FILE: LazyLock<String> = LazyLock::new(|| {
        let (books, [one, ..]) = books();
        write(&books.export(&[&one], one.target.to_string()))
    });
    FILE.clone()
}

/// Which entry each byte of the file belongs to.
fn owners(text: &str) -> Vec<Option<u64>> {
    let mut owners = Vec::with_capacity(text.len());
    for line in text.split('\n') {
        let bare = line.strip_suffix(',').unwrap_or(line);
        let kept: Option<Kept> = serde_json::from_str(bare).ok();
        let number = kept.map(|kept| kept.entry.number);
        owners.extend(vec![number; bare.len()]);
        owners.extend(vec![None; line.len() - bare.len() + 1]);
    }
    owners
}

#[test]
fn a_proof_holds_with_nothing_but_itself_and_the_key() {
    let verified = verify(file().as_bytes(), check).expect("it holds");
    assert_eq!((verified.unsealed.len(), verified.entries.len()), (0, 10));
    assert_eq!(verified.keys, ["t1"]);
    let [one] = verified.targets.as_slice() else {
        panic!("one target: {:?}", verified.targets);
    };
    assert!(one.done);
    assert_eq!(one.verdict.as_deref(), Some("live"));
    assert_eq!(one.permalink.as_deref(), Some("https://example.com/1"));
    assert!(
        serde_json::from_str::<serde_json::Value>(&file()).is_ok(),
        "it is JSON"
    );
}

#[test]
fn row_124_a_flip_of_any_byte_is_refused_and_names_its_entry() {
    let text = file();
    let owners = owners(&text);
    let mut named = 0;
    for (byte, owner) in owners.iter().enumerate().take(text.len()) {
        // Every byte, and each of its bits at some.
        let bits = if byte % 61 == 0 {
            0..8
        } else {
            byte % 8..byte % 8 + 1
        };
        for bit in bits {
            let mut flipped = text.clone().into_bytes();
            flipped[byte] ^= 1 << bit;
            let refused = verify(&flipped, check);
            let refused = refused.expect_err(&format!("byte {byte}, bit {bit} counts for nothing"));
            if let Some(number) = *owner {
                named += 1;
                assert!(
                    matches!(refused, Refused::Entry { number: told, .. } if told == number),
                    "byte {byte}, bit {bit} is in entry {number}: {refused}"
                );
            }
        }
    }
    assert!(named > 4_000, "most bytes are in entries: {named}");
}

#[test]
fn row_124_a_signature_has_one_spelling() {
    let text = file();
    let (_, from) = text.split_once("\"signature\":\"").expect("a signature");
    let signature = from.split('"').next().expect("its end");
    let shouted = text.replace(signature, &signature.to_uppercase());
    assert_ne!(shouted, text, "it has letters");
    // To whoever checks signatures, both are one.
    let alike =
        |key: &str, message: &[u8], signature: &str| check(key, message, &signature.to_lowercase());
    assert!(verify(text.as_bytes(), alike).is_ok());
    let refused = verify(shouted.as_bytes(), alike).expect_err("it is another file");
    assert!(matches!(refused, Refused::Root { .. }), "{refused}");
}

#[test]
fn a_byte_that_is_cut_off_or_doubled_is_refused() {
    let text = file().into_bytes();
    for byte in (0..text.len()).step_by(23) {
        let mut cut = text.clone();
        let gone = cut.remove(byte);
        let mut more = text.clone();
        more.insert(byte, gone);
        assert!(verify(&cut, check).is_err(), "byte {byte} can be left out");
        assert!(verify(&more, check).is_err(), "byte {byte} can be doubled");
    }
    assert!(verify(&[&text[..], b"\n"].concat(), check).is_err());
    assert!(verify(b"", check).is_err());
}

#[test]
fn an_entry_that_is_left_out_is_missed_by_the_one_behind_it() {
    let (books, [one, ..]) = books();
    let whole = books.export(&[&one], one.target.to_string());
    for left_out in 0..whole.entries.len() - 1 {
        let mut some = whole.clone();
        some.entries.remove(left_out);
        let refused = verify(write(&some).as_bytes(), check).expect_err("it is missed");
        let number = whole.entries[left_out + 1].entry.number;
        assert!(
            matches!(refused, Refused::Entry { number: told, .. } if told == number),
            "{refused}"
        );
    }
}

/// Whoever changes an entry and makes all hashes anew cannot sign the root.
#[test]
fn a_lie_with_fresh_hashes_does_not_lead_to_the_signed_root() {
    let (books, [one, ..]) = books();
    let mut export = books.export(&[&one], one.target.to_string());
    let mut last: Option<(u64, Digest)> = None;
    for kept in &mut export.entries {
        kept.entry.before = last.map(|(_, hash)| hash);
        if let Some((number, hash)) = last
            && number + 1 == kept.entry.number
        {
            kept.entry.previous = Some(hash);
        }
        if let Body::ReadBack(look) = &mut kept.entry.body {
            look.permalink = Some("https://example.com/another".to_owned());
        }
        kept.hash = kept.entry.hash();
        last = Some((kept.entry.number, kept.hash));
    }
    let refused = verify(write(&export).as_bytes(), check).expect_err("it is a lie");
    let told = "it does not lead to the signed root of its day";
    assert!(
        matches!(refused, Refused::Entry { what, .. } if what == told),
        "{refused}"
    );
}

#[test]
fn what_is_not_sealed_yet_is_named_and_not_taken_for_signed() {
    let mut books = Books::default();
    books.run(&[target(1)], start() + hours(1));
    let one = target(1);
    let text = write(&books.export(&[&one], one.target.to_string()));
    let verified = verify(text.as_bytes(), check).expect("its hashes hold");
    assert_eq!(verified.unsealed, (1..=10).collect::<Vec<_>>());
    assert_eq!(verified.keys, [] as [&str; 0]);
}

#[test]
fn another_key_or_none_proves_nothing() {
    let text = file();
    let none = verify(text.as_bytes(), |_, _, _| Checked::UnknownKey);
    assert!(matches!(none, Err(Refused::Root { .. })), "{none:?}");
    let other = verify(text.as_bytes(), |_, _, _| Checked::Bad);
    assert!(matches!(other, Err(Refused::Root { .. })), "{other:?}");
}

#[test]
fn a_post_is_proven_by_all_its_targets_and_by_no_other() {
    let (books, [one, other, twin]) = books();
    let text = write(&books.export(&[&one, &other, &twin], one.post.to_string()));
    let verified = verify(text.as_bytes(), check).expect("it holds");
    assert_eq!(verified.targets.len(), 3);
    assert!(verified.targets.iter().all(|target| target.done));
    let text = write(&books.export(&[&one, &other], one.target.to_string()));
    assert_eq!(
        verify(text.as_bytes(), check),
        Err(Refused::Head),
        "another target is in it"
    );
}

#[test]
fn what_was_removed_is_not_done_and_what_was_sent_stands_in_it() {
    let mut one = target(1);
    one.looks[2].verdict = "removed".to_owned();
    one.stage = crate::post::Stage::Removed;
    let mut books = Books::default();
    books.run(std::slice::from_ref(&one), start());
    books.run(&[], start() + days(1));
    let text = write(&books.export(&[&one], one.target.to_string()));
    assert!(text.contains("all moored"));
    let verified = verify(text.as_bytes(), check).expect("it holds");
    assert!(!verified.targets[0].done);
    assert_eq!(verified.targets[0].verdict.as_deref(), Some("removed"));
}

#[test]
fn a_content_that_nobody_wanted_is_left_out_and_one_that_is_put_in_is_refused() {
    let (books, [one, ..]) = books();
    let mut export = books.export(&[&one], one.target.to_string());
    export.contents[0].content = serde_json::json!({"text": "all sunk"});
    assert!(!write(&export).contains("all sunk"));
    let honest = file();
    let forged = honest.replacen("all moored", "all sunken", 1);
    let refused = verify(forged.as_bytes(), check);
    assert!(
        matches!(refused, Err(Refused::Content { .. })),
        "{refused:?}"
    );
}

proptest! {
    #[test]
    fn prop_garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify(&bytes, check).is_err());
    }

    #[test]
    fn prop_a_file_with_a_piece_of_another_is_refused(from in 0_usize..9_000, length in 1_usize..300, to in 0_usize..9_000) {
        let text = file().into_bytes();
        let mut forged = text.clone();
        let from = from.min(text.len() - 1);
        let piece = &text[from..(from + length).min(text.len())];
        let to = to.min(text.len() - piece.len());
        forged[to..to + piece.len()].copy_from_slice(piece);
        prop_assume!(forged != text);
        prop_assert!(verify(&forged, check).is_err());
    }
}
