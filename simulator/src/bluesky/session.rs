//! Sessions: log-in, refresh with its two hours of grace, log-out.

use serde_json::{Map, Value, json};

use super::jwt::{self, Claims, Kind};
use super::{Account, AccountState, Session, auth, errors};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

/// Life of an access token: 120 minutes.
pub(crate) const ACCESS_LIFE_S: i64 = 2 * 3600;
/// Life of a refresh token: 90 days.
pub(crate) const REFRESH_LIFE_S: i64 = 90 * 24 * 3600;
/// A used refresh token may be used again for two hours.
const GRACE_MS: i64 = 2 * 3600 * 1000;

/// `createSession`: password for tokens.
pub(crate) fn create(world: &mut World, call: &Call) -> Answer {
    flat(log_in(world, call))
}

fn log_in(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let refused = || {
        errors::error(
            401,
            "AuthenticationRequired",
            "Invalid identifier or password",
        )
    };
    let need = |name: &str| {
        let missing = || errors::invalid_request(&format!("Missing required key \"{name}\" at $"));
        call.param(name).ok_or_else(missing)
    };
    let (identifier, password) = (need("identifier")?, need("password")?);
    let (did, account) = world.bluesky.account(identifier).ok_or_else(refused)?;
    // Ours are app passwords, and those of a shut account are refused before
    // they are looked at; `AccountTakedown` is for the account's own password.
    if account.password != password || account.state.is_shut() {
        return Err(refused());
    }
    let did = did.to_owned();
    let jti = world.word(ALPHANUMERIC, 43);
    let tokens = issue(world, &did, &jti, ACCESS_LIFE_S, REFRESH_LIFE_S);
    Ok(session_answer(world, call, &did, Some(&tokens)))
}

/// An access and a refresh token.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// Issues a pair; the refresh token has this `jti`. A `jti` that is known keeps
/// its row, as when a refresh is repeated within the grace.
pub(crate) fn issue(
    world: &mut World,
    did: &str,
    jti: &str,
    access_s: i64,
    refresh_s: i64,
) -> Tokens {
    let now_s = world.now / 1000;
    let key = world.bluesky.jwt_key;
    let expires_at = world.now + refresh_s * 1000;
    let session = Session {
        expires_at,
        next: None,
        expired: false,
    };
    let generation = world.bluesky.accounts.get_mut(did).map_or(0, |account| {
        account.sessions.entry(jti.to_owned()).or_insert(session);
        account.generation
    });
    let claims = |scope: &str, jti: Option<&str>, life: i64| Claims {
        scope: scope.to_owned(),
        sub: did.to_owned(),
        aud: "did:web:localhost".to_owned(),
        jti: jti.map(str::to_owned),
        iat: now_s,
        exp: now_s + life,
        generation,
        cnf: None,
        client_id: None,
        iss: None,
    };
    let access = claims("com.atproto.appPass", None, access_s);
    let refresh = claims("com.atproto.refresh", Some(jti), refresh_s);
    Tokens {
        access: jwt::sign(&key, Kind::Access, &access),
        refresh: jwt::sign(&key, Kind::Refresh, &refresh),
    }
}

/// `refreshSession`: a new pair. Used again within two hours, the old token
/// yields the same next token id; later it is revoked.
pub(crate) fn refresh(world: &mut World, call: &Call) -> Answer {
    flat(rotate(world, call))
}

fn rotate(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let claims = auth::refresh(world, call)?;
    let (now, did) = (world.now, claims.sub.as_str());
    if claims.exp * 1000 <= now {
        return Err(errors::expired());
    }
    let fresh_id = world.word(ALPHANUMERIC, 43);
    let account = known_account(world, did)?;
    if account.state.is_shut() {
        return Err(errors::taken_down());
    }
    let jti = claims.jti.as_deref().unwrap_or("");
    let session = account.sessions.get_mut(jti).ok_or_else(errors::revoked)?;
    if session.expired {
        return Err(errors::expired());
    }
    let end = session.expires_at.min(now + GRACE_MS);
    if end <= now {
        return Err(errors::revoked());
    }
    session.expires_at = end;
    let next = session.next.get_or_insert(fresh_id).clone();
    let tokens = issue(world, did, &next, ACCESS_LIFE_S, REFRESH_LIFE_S);
    Ok(session_answer(world, call, did, Some(&tokens)))
}

fn known_account<'w>(world: &'w mut World, did: &str) -> Result<&'w mut Account, Answer> {
    let account = world.bluesky.accounts.get_mut(did);
    let account = account.filter(|a| a.state != AccountState::Deleted);
    account.ok_or_else(|| no_user_info(did))
}

fn no_user_info(did: &str) -> Answer {
    errors::invalid_request(&format!("Could not find user info for account: {did}"))
}

/// `getSession`: who am I, and may I act?
pub(crate) fn get(world: &mut World, call: &Call) -> Answer {
    flat(auth::access(world, call).and_then(|caller| {
        let account = known_account(world, &caller.did)?;
        if account.state.is_shut() {
            return Err(no_user_info(&caller.did));
        }
        let mut out = session_json(world, call, &caller.did, None);
        // The address is a permission of its own.
        let tells = |scope: &String| scope.split(' ').any(|one| one == "transition:email");
        if !caller.scope.as_ref().is_none_or(tells) {
            for name in ["email", "emailConfirmed", "emailAuthFactor"] {
                out.remove(name);
            }
        }
        Ok(Answer::ok(&Value::Object(out)))
    }))
}

/// `deleteSession`: ends the refresh token, even an expired one. Access tokens
/// live on to their end.
pub(crate) fn delete(world: &mut World, call: &Call) -> Answer {
    flat(auth::refresh(world, call).map(|claims| {
        if let (Some(account), Some(jti)) =
            (world.bluesky.accounts.get_mut(&claims.sub), &claims.jti)
        {
            account.sessions.remove(jti);
        }
        Answer::text(200, "application/json; charset=utf-8", "")
    }))
}

fn session_answer(world: &World, call: &Call, did: &str, tokens: Option<&Tokens>) -> Answer {
    Answer::ok(&Value::Object(session_json(world, call, did, tokens)))
}

fn session_json(
    world: &World,
    call: &Call,
    did: &str,
    tokens: Option<&Tokens>,
) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(tokens) = tokens {
        out.insert("accessJwt".into(), json!(tokens.access));
        out.insert("refreshJwt".into(), json!(tokens.refresh));
    }
    let account = world.bluesky.accounts.get(did);
    let (handle, state) = account.map_or(("", AccountState::Deleted), |a| (&a.handle, a.state));
    out.insert("handle".into(), json!(handle));
    out.insert("did".into(), json!(did));
    out.insert("didDoc".into(), did_document(did, handle, &call.host));
    out.insert("email".into(), json!(format!("{handle}@example.com")));
    out.insert("emailConfirmed".into(), json!(true));
    out.insert("emailAuthFactor".into(), json!(false));
    out.insert("active".into(), json!(state == AccountState::Active));
    if let Some(status) = state.status() {
        out.insert("status".into(), json!(status));
    }
    out
}

pub(super) fn did_document(did: &str, handle: &str, host: &str) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": did,
        "alsoKnownAs": [format!("at://{handle}")],
        "verificationMethod": [],
        "service": [{
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": format!("http://{host}/bluesky"),
        }],
    })
}
