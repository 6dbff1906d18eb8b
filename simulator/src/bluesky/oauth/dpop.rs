//! Proofs of possession (RFC 9449), and the server's nonces.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::{OAuth, errors, jose};
use crate::call::{Answer, Call};
use crate::world::World;

/// A nonce is good for its minute, the one before and the one after: three minutes at most.
const ROTATION_MS: i64 = 60_000;
/// How far a proof's clock may be off, as the real server has it: 10 seconds, and 3 minutes of tolerance.
const CLOCK_MS: i64 = 190_000;
/// From here on, proofs whose time is over are forgotten.
const REMEMBERED: usize = 20_000;

/// Why a proof is none.
pub(super) enum Refusal {
    /// With a good nonce it would be one. Nothing has happened.
    Nonce(&'static str),
    Proof(&'static str),
}

impl Refusal {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Nonce(_) => "use_dpop_nonce",
            Self::Proof(_) => "invalid_dpop_proof",
        }
    }

    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Nonce(text) | Self::Proof(text) => text,
        }
    }

    /// As the endpoints of the authorization server say it.
    pub(super) fn answer(&self) -> Answer {
        let status = match self {
            Self::Nonce(_) => 400,
            Self::Proof(_) => 401,
        };
        errors::error(status, self.name(), self.text())
    }
}

/// The thumbprint of the key of the call's proof; `token` is the access token that it must name.
pub(super) fn check(
    world: &mut World,
    call: &Call,
    token: Option<&str>,
) -> Result<String, Refusal> {
    let refused = |text| Err(Refusal::Proof(text));
    let proof = call.header("dpop");
    if proof.is_empty() {
        return refused("DPoP proof required");
    }
    let verified = jose::Jws::parse(proof).and_then(|jws| {
        let key = jose::public_key(&jws.header["jwk"])?;
        (jws.header["typ"] == "dpop+jwt" && jws.is_signed_by(&key)).then_some((jws, key))
    });
    let Some((jws, key)) = verified else {
        return refused("Failed to verify DPoP proof: signature verification failed");
    };
    let issued = jws.claims["iat"].as_i64().unwrap_or(0) * 1000;
    if (world.now - issued).abs() > CLOCK_MS {
        return refused("Failed to verify DPoP proof: \"iat\" claim timestamp check failed");
    }
    if jws.text("jti").is_empty() {
        return refused("DPoP \"jti\" missing");
    }
    if jws.text("htm") != call.method.as_str() {
        return refused("DPoP \"htm\" mismatch");
    }
    if jws.text("htu") != format!("http://{}/bluesky/{}", call.host, call.path) {
        return refused("DPoP \"htu\" mismatch");
    }
    match jws.text("nonce") {
        "" => {
            return Err(Refusal::Nonce(
                "Authorization server requires nonce in DPoP proof",
            ));
        }
        nonce if !is_current(&world.bluesky.oauth, world.now, nonce) => {
            return Err(Refusal::Nonce("DPoP \"nonce\" mismatch"));
        }
        _ => {}
    }
    let ath = token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    if jws.text("ath") != ath.as_deref().unwrap_or("") {
        return refused("DPoP \"ath\" mismatch");
    }
    if !remember(world, jws.text("jti")) {
        return refused("DPoP proof replayed");
    }
    Ok(jose::thumbprint(&key))
}

/// The nonce that a caller shall use from now on.
pub(crate) fn next_nonce(world: &World) -> String {
    nonce(&world.bluesky.oauth, world.now / ROTATION_MS + 1)
}

fn is_current(oauth: &OAuth, now: i64, text: &str) -> bool {
    let minute = now / ROTATION_MS;
    (minute - 1..=minute + 1).any(|minute| nonce(oauth, minute) == text)
}

fn nonce(oauth: &OAuth, minute: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&oauth.nonce_key).expect("keys of every length");
    mac.update(&minute.to_be_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// Says whether the proof is new.
fn remember(world: &mut World, id: &str) -> bool {
    let now = world.now;
    let proofs = &mut world.bluesky.oauth.proofs;
    if proofs.len() > REMEMBERED {
        proofs.retain(|_, until| *until > now);
    }
    proofs.insert(id.to_owned(), now + 2 * CLOCK_MS).is_none()
}
