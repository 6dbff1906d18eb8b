//! TIDs: the 13-character, base32-sortable time keys of AT Protocol.

const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// Makes TIDs that rise strictly, whatever the clock does.
pub(crate) struct Generator {
    clock_id: u64,
    last_micros: u64,
}

impl Generator {
    pub(crate) fn new(clock_id: u64) -> Self {
        Self {
            clock_id: clock_id & 0x3ff,
            last_micros: 0,
        }
    }

    /// The next TID at `now` (milliseconds since the epoch).
    pub(crate) fn next(&mut self, now: i64) -> String {
        let micros = u64::try_from(now).unwrap_or(0) * 1000;
        self.last_micros = micros.max(self.last_micros + 1);
        encode((self.last_micros << 10) | self.clock_id)
    }
}

fn encode(value: u64) -> String {
    let digit =
        |n: u32| char::from(ALPHABET[usize::try_from((value >> (5 * n)) & 31).unwrap_or(0)]);
    (0..13).rev().map(digit).collect()
}

/// Whether a text is a TID: `[234567a-j][234567a-z]{12}`.
pub(crate) fn is_valid(text: &str) -> bool {
    let known = |b: u8| ALPHABET.contains(&b);
    text.len() == 13 && text.bytes().all(known) && text.as_bytes()[0] <= b'j'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_tids_are_valid_and_sort_by_time() {
        let mut generator = Generator::new(5);
        let made = [
            0,
            1_795_446_000_000,
            1_795_446_000_000,
            1_795_446_000_001,
            5,
        ];
        let tids: Vec<String> = made.iter().map(|ms| generator.next(*ms)).collect();
        assert!(tids.iter().all(|t| is_valid(t)), "{tids:?}");
        assert!(tids.is_sorted());
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "3lfleet22222",
            "3lfleet2222222",
            "zlfleet222222",
            "3lfleet22222A",
            "3lfleet111111",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
        assert!(is_valid("3lfleet222222"));
    }
}
