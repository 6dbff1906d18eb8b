use proptest::prelude::*;

use super::*;
use crate::new_key_text;

fn place() -> Place {
    Place::new(
        "grants",
        "018f2c1e-0000-7000-8000-000000000001",
        "access_token",
    )
}

fn ring(ids: &[&str]) -> KeyRing {
    let entries: Vec<String> = ids
        .iter()
        .map(|id| new_key_text(id).unwrap().expose().to_owned())
        .collect();
    KeyRing::parse(&entries.join(",")).unwrap()
}

proptest! {
    #[test]
    fn what_is_sealed_opens(text in ".*", row in ".*") {
        let ring = KeyRing::generate();
        let place = Place::new("grants", row, "access_token");
        let sealed = ring.seal(&place, &Secret::from(text.as_str()));
        let opened = ring.open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), text);
    }

    #[test]
    fn any_flipped_bit_is_refused(text in ".{0,40}", at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let ring = KeyRing::generate();
        let mut sealed = ring.seal(&place(), &Secret::from(text));
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(ring.open(&place(), &sealed).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_open_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let ring = KeyRing::generate();
        prop_assert!(ring.open(&place(), &bytes).is_err());
        prop_assert!(ring.needs_resealing(&bytes).is_err() || bytes.len() >= 2 + NONCE_BYTES + TAG_BYTES);
    }
}

#[test]
fn truncated_input_is_refused_at_every_length() {
    let ring = KeyRing::generate();
    let sealed = ring.seal(&place(), &Secret::from("EAAB-token"));
    for end in 0..sealed.len() {
        assert!(
            ring.open(&place(), &sealed[..end]).is_err(),
            "opened at length {end}"
        );
    }
}

#[test]
fn a_ciphertext_moved_to_another_place_does_not_open() {
    let ring = KeyRing::generate();
    let sealed = ring.seal(
        &Place::new("grants", "1", "access_token"),
        &Secret::from("t"),
    );
    for other in [
        Place::new("apps", "1", "access_token"),
        Place::new("grants", "2", "access_token"),
        Place::new("grants", "1", "refresh_token"),
    ] {
        assert_eq!(
            ring.open(&other, &sealed).unwrap_err(),
            VaultError::Tampered
        );
    }
}

#[test]
fn places_whose_parts_only_join_alike_are_different() {
    let ring = KeyRing::generate();
    let sealed = ring.seal(&Place::new("ab", "c", "d"), &Secret::from("t"));
    assert_eq!(
        ring.open(&Place::new("a", "bc", "d"), &sealed).unwrap_err(),
        VaultError::Tampered
    );
}

#[test]
fn a_wrong_key_of_the_same_id_fails_and_a_missing_key_is_named() {
    let sealed = ring(&["k1"]).seal(&place(), &Secret::from("t"));
    assert_eq!(
        ring(&["k1"]).open(&place(), &sealed).unwrap_err(),
        VaultError::Tampered
    );
    assert_eq!(
        ring(&["k2"]).open(&place(), &sealed).unwrap_err(),
        VaultError::UnknownKey("k1".to_owned())
    );
}

#[test]
fn a_new_first_key_seals_and_the_old_one_still_opens() {
    let old = new_key_text("k1").unwrap();
    let new = new_key_text("k2").unwrap();
    let before = KeyRing::parse(old.expose()).unwrap();
    let after = KeyRing::parse(&format!(" {},\n{}\n", new.expose(), old.expose())).unwrap();
    let sealed = before.seal(&place(), &Secret::from("t"));

    assert!(after.needs_resealing(&sealed).unwrap());
    let opened = after.open(&place(), &sealed).unwrap();
    let resealed = after.seal(&place(), &opened);
    assert!(!after.needs_resealing(&resealed).unwrap());
    assert_eq!(after.active_id(), "k2");
}

#[test]
fn the_active_key_seals_wherever_it_stands_in_the_ring() {
    let mut ring = ring(&["k1", "k2", "k3"]);
    let by_first = ring.seal(&place(), &Secret::from("t"));
    assert!(ring.activate("k3"));
    assert_eq!(ring.active_id(), "k3");
    assert!(ring.needs_resealing(&by_first).unwrap());
    let by_third = ring.seal(&place(), &Secret::from("t"));
    assert_eq!(by_third[2..4], *b"k3");
    for sealed in [by_first, by_third] {
        assert_eq!(ring.open(&place(), &sealed).unwrap().expose(), "t");
    }
    assert!(!ring.activate("k4"), "nobody knows that key");
    assert_eq!(ring.active_id(), "k3", "nothing changed");
}

#[test]
fn two_sealings_of_one_secret_differ() {
    let ring = KeyRing::generate();
    assert_ne!(
        ring.seal(&place(), &Secret::from("t")),
        ring.seal(&place(), &Secret::from("t"))
    );
}

#[test]
fn the_stored_layout_is_version_one() {
    let sealed = ring(&["k1"]).seal(&place(), &Secret::from("abc"));
    assert_eq!(&sealed[..4], &[1, 2, b'k', b'1']);
    assert_eq!(sealed.len(), 4 + NONCE_BYTES + 3 + TAG_BYTES);
}

#[test]
fn a_stored_value_of_version_one_still_opens() {
    // Sealed by the first release; a change of format or of the associated data breaks this and every database.
    let ring = KeyRing::parse("golden:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let sealed = GOLDEN;
    assert_eq!(
        ring.open(&Place::new("grants", "1", "access_token"), sealed)
            .unwrap()
            .expose(),
        "golden token"
    );
}

#[test]
fn bad_rings_are_refused_with_the_fix_and_without_the_key() {
    let good = new_key_text("k1").unwrap();
    let cases = [
        (String::new(), "empty"),
        ("AAAA".to_owned(), "no id"),
        (":AAAA".to_owned(), "bad id"),
        ("K 1:AAAA".to_owned(), "bad id"),
        ("k1:c2hvcnQ=".to_owned(), "not 32 bytes"),
        ("k1:***hunter2***".to_owned(), "not 32 bytes"),
        (format!("{0},{0}", good.expose()), "twice"),
    ];
    for (text, expected) in cases {
        let message = KeyRing::parse(&text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(
            !message.contains("hunter2") && !message.contains("c2hvcnQ"),
            "{message}"
        );
    }
    assert!(matches!(
        new_key_text("Bad Id"),
        Err(KeyRingError::BadId { .. })
    ));
}

#[test]
fn a_ring_is_read_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    assert!(matches!(
        KeyRing::from_file(&path),
        Err(KeyRingError::File { .. })
    ));
    std::fs::write(&path, format!("{}\n", new_key_text("k1").unwrap().expose())).unwrap();
    assert_eq!(KeyRing::from_file(&path).unwrap().active_id(), "k1");
}

#[test]
fn debug_shows_ids_only() {
    assert_eq!(
        format!("{:?}", ring(&["k1", "k2"])),
        "KeyRing { ids: [\"k1\", \"k2\"], .. }"
    );
}

/// "golden token" sealed for (grants, 1, `access_token`) by the key of bytes 0 to 31.
const GOLDEN: &[u8] = &[
    1, 6, 103, 111, 108, 100, 101, 110, 159, 177, 213, 36, 127, 167, 84, 118, 211, 215, 219, 125,
    171, 102, 254, 64, 250, 234, 147, 41, 117, 23, 156, 32, 246, 121, 85, 143, 186, 119, 121, 136,
    186, 237, 86, 112, 245, 113, 32, 58,
];
