//! The one thing that we read from a session's tokens: when they end.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mooring_domain::Time;
use mooring_vault::Secret;
use serde::Deserialize;

use crate::wire::unix;

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

/// The `exp` claim. Tokens are officially opaque, so one that cannot be read is no error; nothing is verified,
/// because nothing but a schedule depends on it.
pub(super) fn ends_at(token: &Secret) -> Option<Time> {
    let payload = token.expose().split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    unix(serde_json::from_slice::<Claims>(&bytes).ok()?.exp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_and_an_opaque_token_has_none() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"scope":"com.atproto.appPass","exp":1795453200}"#);
        let token = Secret::from(format!("ey.{payload}.sig"));
        assert_eq!(
            ends_at(&token).map(|at| at.timestamp()),
            Some(1_795_453_200)
        );
        for opaque in ["", "opaque", "a.!!.c", "a.e30.c"] {
            assert_eq!(ends_at(&Secret::from(opaque)), None, "{opaque}");
        }
    }
}
