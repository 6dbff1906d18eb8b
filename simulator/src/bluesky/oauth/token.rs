//! The token endpoint: a code for tokens, a refresh token for new ones, and the end of both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Code, Session, client, dpop, errors, jose};
use crate::bluesky::jwt::{self, Claims, Confirmation, Kind};
use crate::call::{Answer, Call};
use crate::facebook::flat;
use crate::world::{ALPHANUMERIC, World};

/// Life of an access token.
pub(crate) const ACCESS_LIFE_S: i64 = 3600;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Clients without a key: a session ends after two weeks, whatever is refreshed.
const PUBLIC_LIFE_MS: i64 = 14 * DAY_MS;
/// Clients with a key: a session ends after two years.
const CONFIDENTIAL_LIFE_MS: i64 = 730 * DAY_MS;
/// Clients with a key: a refresh token ends after three months, a twelfth of 365.25 days each.
const CONFIDENTIAL_REFRESH_MS: i64 = DAY_MS * 36_525 / 400;

/// Tells a refresh from an exchange in the table of endpoints.
pub(crate) fn is_refresh(call: &Call) -> bool {
    call.param("grant_type") == Some("refresh_token")
}

/// `POST /oauth/token`
pub(crate) fn token(world: &mut World, call: &Call) -> Answer {
    flat(granted(world, call))
}

fn granted(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let jkt = dpop::check(world, call, None).map_err(|refusal| refusal.answer())?;
    let client = client::authenticate(world, call)?;
    match call.param("grant_type") {
        Some("authorization_code") => exchange(world, call, &client, jkt),
        Some("refresh_token") => rotate(world, call, &client, &jkt),
        _ => Err(errors::error(
            400,
            "unsupported_grant_type",
            "Grant type not supported",
        )),
    }
}

/// A code is used up by its first exchange, even one that fails; a second one ends the session that came of it.
fn exchange(
    world: &mut World,
    call: &Call,
    client: &client::Client,
    jkt: String,
) -> Result<Answer, Answer> {
    let text = call.param("code").unwrap_or("");
    let Some(code) = world.bluesky.oauth.codes.remove(text) else {
        let oauth = &mut world.bluesky.oauth;
        if let Some(session) = oauth.spent_codes.get(text) {
            oauth.sessions.remove(session);
        }
        return Err(errors::invalid_grant("Invalid code"));
    };
    check_code(world, call, client, &jkt, &code)?;
    let id = start(world, code.did, code.request.client, jkt, code.scope);
    world.bluesky.oauth.spent_codes.insert(text.to_owned(), id);
    Ok(answer(world, call, id))
}

fn check_code(
    world: &mut World,
    call: &Call,
    client: &client::Client,
    jkt: &str,
    code: &Code,
) -> Result<(), Answer> {
    if code.expires_at <= world.now {
        return Err(errors::invalid_grant("This code has expired"));
    }
    if code.request.client != *client {
        return Err(errors::invalid_grant(
            "This code was issued for another client",
        ));
    }
    if code.request.jkt != jkt {
        let text = "DPoP proof does not match the expected JKT";
        return Err(errors::invalid_grant(text));
    }
    if call.param("redirect_uri") != Some(&code.request.redirect_uri) {
        let text =
            "The redirect_uri parameter must match the one used in the authorization request";
        return Err(errors::invalid_grant(text));
    }
    let verifier = call.param("code_verifier").unwrap_or("");
    if verifier.len() < 43 {
        return Err(errors::invalid_grant("code_verifier too short"));
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.request.challenge {
        return Err(errors::invalid_grant("Invalid code_verifier"));
    }
    let challenges = &mut world.bluesky.oauth.challenges;
    if !challenges.insert(code.request.challenge.clone()) {
        return Err(errors::invalid_grant("Code challenge already used"));
    }
    Ok(())
}

/// A refresh token works once. Used again it ends its session, and so does a refresh that is refused for any
/// other reason.
fn rotate(
    world: &mut World,
    call: &Call,
    client: &client::Client,
    jkt: &str,
) -> Result<Answer, Answer> {
    let text = call.param("refresh_token").unwrap_or("");
    let unknown = || errors::invalid_grant("Invalid refresh token");
    let oauth = &world.bluesky.oauth;
    let id = *oauth.tokens.get(text).ok_or_else(unknown)?;
    let session = oauth.sessions.get(&id).ok_or_else(unknown)?;
    let fault = refresh_fault(session, text, client, jkt, world.now);
    if let Some(fault) = fault {
        world.bluesky.oauth.sessions.remove(&id);
        return Err(errors::invalid_grant(fault));
    }
    renew(world, id);
    Ok(answer(world, call, id))
}

fn refresh_fault(
    session: &Session,
    token: &str,
    client: &client::Client,
    jkt: &str,
    now: i64,
) -> Option<&'static str> {
    let (life, refresh_life) = if client.confidential {
        (CONFIDENTIAL_LIFE_MS, CONFIDENTIAL_REFRESH_MS)
    } else {
        (PUBLIC_LIFE_MS, PUBLIC_LIFE_MS)
    };
    if session.refresh_token != token {
        Some("Refresh token replayed")
    } else if session.client != *client {
        Some("Token was not issued to this client")
    } else if session.jkt != jkt {
        Some("DPoP proof does not match the expected JKT")
    } else if now - session.created_at > life || session.expired {
        Some("Session expired")
    } else if now - session.updated_at > refresh_life {
        Some("Refresh token expired")
    } else {
        None
    }
}

fn start(
    world: &mut World,
    did: String,
    client: client::Client,
    jkt: String,
    scope: String,
) -> u64 {
    let oauth = &mut world.bluesky.oauth;
    oauth.counter += 1;
    let id = oauth.counter;
    let session = Session {
        did,
        client,
        jkt,
        scope,
        token_id: String::new(),
        refresh_token: String::new(),
        created_at: world.now,
        updated_at: world.now,
        expired: false,
    };
    oauth.sessions.insert(id, session);
    renew(world, id);
    id
}

/// New tokens for a session; those before are spent.
fn renew(world: &mut World, id: u64) {
    let token_id = format!("tok-{}", world.word(ALPHANUMERIC, 32));
    let refresh_token = format!("ref-{}", world.word(ALPHANUMERIC, 64));
    let now = world.now;
    let oauth = &mut world.bluesky.oauth;
    oauth.tokens.insert(refresh_token.clone(), id);
    oauth.tokens.insert(token_id.clone(), id);
    if let Some(session) = oauth.sessions.get_mut(&id) {
        session.token_id = token_id;
        session.refresh_token = refresh_token;
        session.updated_at = now;
    }
}

fn access_token(world: &World, session: &Session, issuer: Option<&str>) -> String {
    let now_s = session.updated_at / 1000;
    let account = world.bluesky.accounts.get(&session.did);
    let claims = Claims {
        scope: "com.atproto.access".to_owned(),
        sub: session.did.clone(),
        aud: "did:web:localhost".to_owned(),
        jti: Some(session.token_id.clone()),
        iat: now_s,
        exp: now_s + ACCESS_LIFE_S,
        generation: account.map_or(0, |account| account.generation),
        cnf: Some(Confirmation {
            jkt: session.jkt.clone(),
        }),
        client_id: Some(session.client.id.clone()),
        iss: issuer.map(str::to_owned),
    };
    jwt::sign(&world.bluesky.jwt_key, Kind::Access, &claims)
}

fn answer(world: &World, call: &Call, id: u64) -> Answer {
    let issuer = format!("http://{}/bluesky", call.host);
    let body = world
        .bluesky
        .oauth
        .sessions
        .get(&id)
        .map_or(Value::Null, |session| {
            json!({
                "access_token": access_token(world, session, Some(&issuer)),
                "token_type": "DPoP",
                "refresh_token": session.refresh_token,
                "scope": session.scope,
                "expires_in": ACCESS_LIFE_S - 1,
                "sub": session.did,
            })
        });
    Answer::ok(&body)
        .with("cache-control", "no-store")
        .with("pragma", "no-cache")
}

/// `POST /oauth/revoke`: ends the session of a token, and says nothing about tokens that are none.
pub(crate) fn revoke(world: &mut World, call: &Call) -> Answer {
    flat(revoked(world, call))
}

fn revoked(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let proof = dpop::check(world, call, None);
    if let Err(refusal @ dpop::Refusal::Nonce(_)) = proof {
        return Err(refusal.answer());
    }
    let client = client::authenticate(world, call)?;
    let token = call
        .param("token")
        .ok_or_else(|| errors::invalid_request("Invalid request payload"))?;
    let access_id = jwt::peek_token_id(token);
    let oauth = &mut world.bluesky.oauth;
    let id = oauth.tokens.get(access_id.as_deref().unwrap_or(token));
    if let Some(id) = id.copied()
        && oauth
            .sessions
            .get(&id)
            .is_some_and(|session| session.client == client)
    {
        oauth.sessions.remove(&id);
    }
    Ok(Answer::ok(&json!({})))
}

/// A session that somebody has consented to already.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    /// The private key that they are bound to, a JWK.
    pub(crate) key: String,
    pub(crate) scope: String,
}

/// Opens a session of the registered client, as if its user had consented now.
pub(crate) fn open(world: &mut World, did: &str) -> Option<Issued> {
    let key = jose::new_key(&mut world.rng);
    let jkt = jose::thumbprint(key.verifying_key());
    let scope = format!("atproto {}", super::GENERIC);
    let id = start(
        world,
        did.to_owned(),
        client::Client::registered(),
        jkt,
        scope,
    );
    let session = world.bluesky.oauth.sessions.get(&id)?;
    Some(Issued {
        access_token: access_token(world, session, None),
        refresh_token: session.refresh_token.clone(),
        key: jose::private_jwk(&key).to_string(),
        scope: session.scope.clone(),
    })
}

/// Ends of the tokens of a session of the registered client that begins now.
pub(crate) fn ends(now: i64) -> (i64, i64) {
    (now + ACCESS_LIFE_S * 1000, now + CONFIDENTIAL_REFRESH_MS)
}

/// Whether the session of an access token still has it as its own.
pub(super) fn session_of<'w>(world: &'w World, claims: &Claims) -> Option<&'w Session> {
    let (oauth, id) = (&world.bluesky.oauth, claims.jti.as_ref()?);
    let session = oauth.sessions.get(oauth.tokens.get(id)?)?;
    (session.token_id == *id).then_some(session)
}
