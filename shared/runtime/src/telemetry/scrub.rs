//! The net under the types: tokens are kept out of logs by their types, and this catches what slips past.

use std::borrow::Cow;

/// Names whose value is a credential when it follows with `=`, `:` or `":"`.
const KEYS: [&str; 10] = [
    "access_token",
    "refresh_token",
    "client_secret",
    "code_verifier",
    "appsecret_proof",
    "id_token",
    "accessjwt",
    "refreshjwt",
    "password",
    "authorization",
];
/// Words after which a credential follows.
const SCHEMES: [&str; 3] = ["bearer ", "dpop ", "basic "];
/// Beginnings of well-known tokens, as they are written: Meta, Google, JSON Web Tokens.
const PREFIXES: [&str; 3] = ["EAA", "ya29.", "eyJ"];
/// The shortest run that counts as a token after a prefix.
const TOKEN_BYTES: usize = 24;

/// Replaces what looks like a credential by `***`. Costs nothing but a search when there is none.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    // ASCII lower-casing keeps every byte position.
    let lower = text.to_ascii_lowercase();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for key in KEYS {
        for (at, _) in lower.match_indices(key) {
            spans.extend(value_after_key(text, at + key.len()));
        }
    }
    for scheme in SCHEMES {
        for (at, _) in lower.match_indices(scheme) {
            spans.extend(run(text, at + scheme.len()).filter(|(start, end)| end - start >= 6));
        }
    }
    for prefix in PREFIXES {
        for (at, _) in text.match_indices(prefix) {
            spans.extend(run(text, at).filter(|(start, end)| end - start >= TOKEN_BYTES));
        }
    }
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_unstable();
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        if end <= done {
            continue;
        }
        if start >= done {
            clean.push_str(&text[done..start]);
            clean.push_str("***");
        }
        done = end;
    }
    clean.push_str(&text[done..]);
    Cow::Owned(clean)
}

/// The value that follows a key, past quotes, white space and one separator.
fn value_after_key(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = &text[from..];
    let quotes = |c: char| c == '"' || c == '\'' || c == '\\' || c == ' ';
    let separator = rest.trim_start_matches(quotes).strip_prefix(['=', ':'])?;
    let value = separator.trim_start_matches(quotes);
    let start = text.len() - value.len();
    // A scheme word in front of the credential is left to its own rule.
    let is_scheme = SCHEMES.iter().any(|s| {
        value
            .get(..s.len())
            .is_some_and(|v| v.eq_ignore_ascii_case(s))
    });
    if is_scheme { None } else { run(text, start) }
}

/// The run of letters of a credential that begins at `start`.
fn run(text: &str, start: usize) -> Option<(usize, usize)> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "-_.~+/=%|:".contains(c);
    let length = text[start..]
        .find(|c| !letter(c))
        .unwrap_or(text.len() - start);
    (length > 0).then_some((start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_replaced_and_the_rest_stays() {
        let cases = [
            (
                "GET /me?fields=id&access_token=abc123&x=1",
                "GET /me?fields=id&access_token=***&x=1",
            ),
            (
                "{\"refresh_token\": \"abc\", \"expires_in\": 5}",
                "{\"refresh_token\": \"***\", \"expires_in\": 5}",
            ),
            (
                "Authorization: Bearer abc.def-ghi",
                "Authorization: Bearer ***",
            ),
            (
                "token EAABwzLixnjYBAabcdefghijklmnop failed",
                "token *** failed",
            ),
            (
                "accessJwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.sig",
                "accessJwt=***",
            ),
            ("password='hunter2'", "password='***'"),
        ];
        for (text, expected) in cases {
            assert_eq!(scrub(text), expected);
        }
    }

    #[test]
    fn ordinary_text_is_not_touched() {
        for text in [
            "",
            "the password was changed",
            "EAA is short",
            "no bearer",
            "é access_token",
            "refresh_token missing",
        ] {
            assert!(
                matches!(scrub(text), Cow::Borrowed(t) if t == text),
                "{text}"
            );
        }
    }

    #[test]
    fn letters_of_several_bytes_are_kept() {
        assert_eq!(scrub("für password=geheim über"), "für password=*** über");
    }
}
