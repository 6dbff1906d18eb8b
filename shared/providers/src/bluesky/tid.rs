//! Timestamp identifiers: the record keys that Bluesky takes from us.
//!
//! 13 characters of sortable base 32 over 64 bits: a zero bit, 53 bits of microseconds since 1970, 10 bits that
//! tell clocks apart (<https://atproto.com/specs/tid>).

use mooring_domain::Time;

const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
const LENGTH: u32 = 13;

/// A key for `now`. Our clock is exact to the millisecond, so the microseconds and the clock's id, 20 bits
/// together, come from `entropy`: two posts of one account in one millisecond hardly ever meet.
pub(super) fn tid(now: Time, entropy: u64) -> String {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let micros = millis * 1000 + (entropy >> 10) % 1000;
    let bits = ((micros & ((1 << 53) - 1)) << 10) | (entropy & 0x3FF);
    let letter = |place| {
        let index = (bits >> (5 * (LENGTH - 1 - place))) & 0x1F;
        char::from(ALPHABET[usize::try_from(index).unwrap_or(0)])
    };
    (0..LENGTH).map(letter).collect()
}

/// The microsecond since 1970 that a key names; `None` for a key that is no timestamp identifier.
pub(super) fn micros(key: &str) -> Option<u64> {
    if key.len() != 13 || !(b'2'..=b'j').contains(&key.as_bytes()[0]) {
        return None;
    }
    let bits = key.bytes().try_fold(0_u64, |bits, letter| {
        let place = ALPHABET.iter().position(|known| *known == letter)?;
        Some((bits << 5) | u64::try_from(place).ok()?)
    });
    bits.map(|bits| bits >> 10)
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;

    use super::*;

    #[test]
    fn the_form_is_the_one_of_the_specification() {
        for (ms, entropy) in [(0, 0), (1_795_446_000_000, u64::MAX), (i64::MAX / 2, 7)] {
            let key = tid(from_ms(ms), entropy);
            assert_eq!(key.len(), 13);
            assert!(key.bytes().all(|b| ALPHABET.contains(&b)), "{key}");
            assert!(b"234567abcdefghij".contains(&key.as_bytes()[0]), "{key}");
        }
    }

    #[test]
    fn a_known_value_and_the_order_of_time() {
        // Microsecond 1, clock id 0: the 10 lowest bits are zero, the 11th is set.
        assert_eq!(tid(from_ms(0), 1 << 10), "2222222222322");
        let keys: Vec<_> = (0..100)
            .map(|ms| tid(from_ms(1_795_446_000_000 + ms), !0 - 5))
            .collect();
        assert!(keys.is_sorted());
    }

    #[test]
    fn a_key_tells_its_time_and_other_keys_tell_none() {
        let key = tid(from_ms(1_795_446_000_123), 45 << 10);
        assert_eq!(micros(&key), Some(1_795_446_000_123_045));
        for other in [
            "",
            "self",
            "3l6oveex3ii2",
            "3l6oveex3ii2ll",
            "zl6oveex3ii2l",
            "3l6oveex3ii2!",
            "3l6öveex3ii2",
        ] {
            assert_eq!(micros(other), None, "{other}");
        }
    }

    #[test]
    fn entropy_tells_keys_of_one_moment_apart() {
        let keys: std::collections::BTreeSet<_> = (0..5000).map(|e| tid(from_ms(1), e)).collect();
        assert_eq!(keys.len(), 5000);
    }
}
