//! Sealing of credentials at rest, and the type that carries them in memory.
//!
//! A [`KeyRing`] seals a [`Secret`] for one [`Place`] (table, row, column) with AES-256-GCM. The place is
//! authenticated, so a ciphertext copied to another row or column does not open. The active key of the ring
//! seals; every key of the ring opens, so a key is rotated by adding a new one, activating it where everybody knows
//! it, re-sealing what [`KeyRing::needs_resealing`] names, and then dropping the old one. A [`Vault`] is the ring of a
//! running process, which learns of new keys while it runs.
//!
//! ```
//! use mooring_vault::{KeyRing, Place, Secret};
//!
//! let ring = KeyRing::generate();
//! let place = Place::new("grants", "018f2c", "access_token");
//! let sealed = ring.seal(&place, &Secret::from("EAAB"));
//! assert_eq!(ring.open(&place, &sealed)?.expose(), "EAAB");
//! # Ok::<(), mooring_vault::VaultError>(())
//! ```
//!
//! This crate knows no database and no network.

mod key;
mod ring;
mod secret;
mod signing;
mod vault;

pub use key::{KeyRingError, new_key_text};
pub use ring::{KeyRing, Place, VaultError, key_id_of};
pub use secret::Secret;
pub use signing::{SigningKey, SigningKeys, is_signed};
pub use vault::Vault;
