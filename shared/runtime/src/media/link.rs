//! Signed addresses of files: `{public_url}/m/{workspace}/{sha256}.{ext}?e={expiry}&s={signature}`.
//!
//! The signature is HMAC-SHA-256 over workspace, file and expiry, in base64url without padding. Whoever has an
//! address may fetch that one file until its expiry (epoch seconds); nothing else can be read or guessed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{FileType, is_sha256};

/// Expiries are rounded up to a whole hour: a step that is repeated gives the platform the same address again.
const ROUNDED_TO_S: i64 = 3_600;
/// What is signed begins with this, so that the key never signs two kinds of things alike.
const PURPOSE: &str = "mooring-media-1";

/// The shortest key that is taken, in characters.
const KEY_MIN: usize = 32;

/// The keys that sign addresses: the first signs, every one is believed.
#[derive(Clone, Default)]
pub struct LinkKeys(Vec<Zeroizing<Vec<u8>>>);

impl LinkKeys {
    /// Reads one key or several, separated by commas; `None` when one is shorter than 32 characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let keys = text.split(',').map(str::trim);
        let keys: Vec<_> = keys
            .map(|key| Zeroizing::new(key.as_bytes().to_vec()))
            .collect();
        keys.iter()
            .all(|key| key.len() >= KEY_MIN)
            .then_some(Self(keys))
    }
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// What an address that we have signed is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose file.
    pub workspace: Uuid,
    /// Which file.
    pub sha256: String,
    /// As what it is served.
    pub file_type: FileType,
    /// Until when, in epoch seconds.
    pub expires_s: i64,
}

/// Why an address opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// We have not signed it.
    #[error("this address was not signed by us; ask for a new one")]
    Forged,
    /// Its time is over.
    #[error("this address has expired; ask for a new one")]
    Expired,
}

/// The public address with its keys.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) public_url: Option<Url>,
    pub(super) keys: LinkKeys,
}

impl Links {
    pub(super) fn sign(
        &self,
        workspace: Uuid,
        sha256: &str,
        file_type: FileType,
        until: DateTime<Utc>,
    ) -> Option<Url> {
        let key = self.keys.0.first()?;
        let mut url = self.public_url.clone()?;
        let file = format!("{sha256}.{}", file_type.extension());
        let workspace = workspace.to_string();
        let expires = rounded(until.timestamp()).to_string();
        let signature = mac(key, &workspace, &file, &expires)
            .finalize()
            .into_bytes();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(["m", &workspace, &file]);
        url.query_pairs_mut()
            .append_pair("e", &expires)
            .append_pair("s", &URL_SAFE_NO_PAD.encode(signature));
        Some(url)
    }

    pub(super) fn open(
        &self,
        workspace: &str,
        file: &str,
        expires: &str,
        signature: &str,
        now: DateTime<Utc>,
    ) -> Result<Link, LinkError> {
        let given = URL_SAFE_NO_PAD.decode(signature);
        let given = given.map_err(|_| LinkError::Forged)?;
        // `verify_slice` takes the same time whatever differs. What follows was signed by us.
        let ours = self.keys.0.iter().any(|key| {
            mac(key, workspace, file, expires)
                .verify_slice(&given)
                .is_ok()
        });
        let link = ours.then(|| read(workspace, file, expires)).flatten();
        let link = link.ok_or(LinkError::Forged)?;
        if link.expires_s <= now.timestamp() {
            return Err(LinkError::Expired);
        }
        Ok(link)
    }
}

fn read(workspace: &str, file: &str, expires: &str) -> Option<Link> {
    let (sha256, extension) = file.split_once('.')?;
    Some(Link {
        workspace: workspace.parse().ok()?,
        sha256: is_sha256(sha256).then(|| sha256.to_owned())?,
        file_type: FileType::from_extension(extension)?,
        expires_s: expires.parse().ok()?,
    })
}

fn rounded(seconds: i64) -> i64 {
    let over = seconds.rem_euclid(ROUNDED_TO_S);
    if over == 0 {
        seconds
    } else {
        seconds - over + ROUNDED_TO_S
    }
}

fn mac(key: &[u8], workspace: &str, file: &str, expires: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    // A line end stands in none of the parts of a path or query that reach here from a signed address.
    mac.update(format!("{PURPOSE}\n{workspace}\n{file}\n{expires}").as_bytes());
    mac
}
