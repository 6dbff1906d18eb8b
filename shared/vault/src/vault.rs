//! The key ring of a running process: it learns of new keys, and of which one is active, while it runs.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock, RwLockWriteGuard},
    time::{Duration, Instant},
};

use crate::{KeyRing, KeyRingError, Place, Secret, VaultError};

/// How often the key file is read at most because something was sealed with a key that nobody here knows.
const REREAD_AT_MOST: Duration = Duration::from_secs(1);

/// A [`KeyRing`] that may be replaced by a newer one.
///
/// Where the ring comes from a file, the file is read again whenever [`Vault::reread`] is called, and when a value
/// names a key that the ring lacks: another process may know a key already that was added a moment ago.
#[derive(Debug)]
pub struct Vault {
    ring: RwLock<KeyRing>,
    file: Option<PathBuf>,
    looked: Mutex<Option<Instant>>,
}

impl Vault {
    /// A ring that stands in a file, and changes with it.
    #[must_use]
    pub fn of_file(ring: KeyRing, file: PathBuf) -> Self {
        Self {
            file: Some(file),
            ..Self::from(ring)
        }
    }

    /// The present ring; a clone that no later change reaches.
    #[must_use]
    pub fn ring(&self) -> KeyRing {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The file that the ring stands in, where it stands in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Seals a secret for its place with the active key.
    #[must_use]
    pub fn seal(&self, place: &Place, secret: &Secret) -> Vec<u8> {
        self.ring().seal(place, secret)
    }

    /// Opens what was sealed for this place by any key of the ring.
    ///
    /// # Errors
    /// See [`VaultError`]. No input panics.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Secret, VaultError> {
        match self.ring().open(place, sealed) {
            Err(VaultError::UnknownKey(_)) if self.found_more() => self.ring().open(place, sealed),
            answer => answer,
        }
    }

    /// Lets another key seal from now on. `false`: nobody here knows a key of that id, and nothing was changed.
    pub fn activate(&self, id: &str) -> bool {
        let known = |vault: &Self| vault.write().activate(id);
        known(self) || (self.found_more() && known(self))
    }

    /// Reads the file again; the active key stays the active one as long as it is there. Nothing happens to a ring
    /// that does not stand in a file.
    ///
    /// # Errors
    /// See [`KeyRingError`]; the ring stays what it was.
    pub fn reread(&self) -> Result<(), KeyRingError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut fresh = KeyRing::from_file(file)?;
        let mut ring = self.write();
        fresh.activate(ring.active_id());
        *ring = fresh;
        Ok(())
    }

    /// Reads the file again, unless that was done a moment ago. A file that cannot be read has nothing new; whoever
    /// calls [`Self::reread`] hears why.
    fn found_more(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_some_and(|at| at.elapsed() < REREAD_AT_MOST) {
            // Whoever came a moment earlier has seen what there is.
            return self.file.is_some();
        }
        *looked = Some(Instant::now());
        self.file.is_some() && self.reread().is_ok()
    }

    fn write(&self) -> RwLockWriteGuard<'_, KeyRing> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<KeyRing> for Vault {
    fn from(ring: KeyRing) -> Self {
        Self {
            ring: RwLock::new(ring),
            file: None,
            looked: Mutex::new(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::new_key_text;

    fn line(id: &str) -> String {
        new_key_text(id).unwrap().expose().to_owned()
    }

    fn place() -> Place {
        Place::new("grants", "1", "access_token")
    }

    #[test]
    fn a_key_that_was_added_to_the_file_opens_without_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        let (old, new) = (line("k1"), line("k2"));
        std::fs::write(&file, &old).unwrap();
        let vault = Vault::of_file(KeyRing::from_file(&file).unwrap(), file.clone());
        let mut other = KeyRing::parse(&format!("{old}\n{new}")).unwrap();
        assert!(other.activate("k2"));
        let sealed = other.seal(&place(), &Secret::from("t"));
        std::fs::write(&file, format!("{old}\n{new}\n")).unwrap();
        assert_eq!(vault.open(&place(), &sealed).unwrap().expose(), "t");
        assert_eq!(vault.ring().active_id(), "k1", "knowing is not using");
        assert!(vault.activate("k2"));
        vault.reread().unwrap();
        assert_eq!(vault.ring().active_id(), "k2");
        let sealed = vault.seal(&place(), &Secret::from("t"));
        assert!(!other.needs_resealing(&sealed).unwrap());
    }

    #[test]
    fn a_file_that_is_broken_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        std::fs::write(&file, line("k1")).unwrap();
        let vault = Vault::of_file(KeyRing::from_file(&file).unwrap(), file.clone());
        let sealed = vault.seal(&place(), &Secret::from("t"));
        std::fs::write(&file, "half a li").unwrap();
        assert!(vault.reread().is_err());
        assert_eq!(vault.open(&place(), &sealed).unwrap().expose(), "t");
        assert!(!vault.activate("k2"));
        assert_eq!(vault.ring().active_id(), "k1");
    }

    #[test]
    fn a_ring_without_a_file_stays_what_it_is() {
        let vault = Vault::from(KeyRing::parse(&line("k1")).unwrap());
        let foreign = KeyRing::parse(&line("k2"))
            .unwrap()
            .seal(&place(), &Secret::from("t"));
        let refused = vault.open(&place(), &foreign).unwrap_err();
        assert_eq!(refused, VaultError::UnknownKey("k2".to_owned()));
        vault.reread().unwrap();
        assert!(!vault.activate("k2") && vault.activate("k1"));
    }
}
