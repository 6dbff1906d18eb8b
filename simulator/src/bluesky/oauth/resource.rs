//! Calls of the server's methods with a token of OAuth.

use super::{dpop, token};
use crate::bluesky::errors;
use crate::bluesky::jwt::{self, Kind};
use crate::call::{Answer, Call};
use crate::world::World;

/// Who calls.
pub(crate) struct Caller {
    pub(crate) did: String,
    /// The granted permissions; `None` for a session of an app password.
    pub(crate) scope: Option<String>,
}

/// Whether a call comes with a bound token.
pub(crate) fn is_proven(call: &Call) -> bool {
    bound_token(call).is_some()
}

fn bound_token(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header("authorization").split_once(' ')?;
    scheme.eq_ignore_ascii_case("dpop").then(|| token.trim())
}

/// The caller behind a bound token and its proof.
pub(crate) fn caller(world: &mut World, call: &Call) -> Result<Caller, Answer> {
    let bound = bound_token(call).unwrap_or("").to_owned();
    let jkt = dpop::check(world, call, Some(&bound))
        .map_err(|refusal| refused(refusal.name(), refusal.text()))?;
    let invalid = |text: &str| refused("invalid_token", text);
    let Some((Kind::Access, claims)) = jwt::verify(&world.bluesky.jwt_key, &bound) else {
        return Err(invalid("signature verification failed"));
    };
    let Some(confirmation) = &claims.cnf else {
        let text = "Bearer token type must be used without a DPoP proof";
        return Err(invalid(text));
    };
    if confirmation.jkt != jkt {
        return Err(invalid("Invalid DPoP key binding"));
    }
    let account = world.bluesky.accounts.get(&claims.sub);
    let outlived = account.is_some_and(|account| claims.generation < account.generation);
    if outlived || claims.exp * 1000 <= world.now {
        return Err(invalid("\"exp\" claim timestamp check failed"));
    }
    // The server asks its list: a token that was replaced or revoked is over at once.
    let session = token::session_of(world, &claims).ok_or_else(|| invalid("Invalid token"))?;
    Ok(Caller {
        did: claims.sub.clone(),
        scope: Some(session.scope.clone()),
    })
}

/// 401 with the challenge that RFC 9449 asks for.
pub(crate) fn refused(name: &str, text: &str) -> Answer {
    let plain = text.replace('"', "'");
    let challenge = format!("DPoP algs=\"ES256\", error=\"{name}\", error_description=\"{plain}\"");
    errors::error(401, name, text).with("www-authenticate", challenge)
}
