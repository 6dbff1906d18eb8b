//! Bytes that facts are read from: in memory, or in the store already.

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};

use super::MediaError;

/// A whole file, wherever it is.
pub(super) enum Source<'a> {
    /// Here.
    Memory(&'a Bytes),
    /// In the store, this long.
    Stored(&'a dyn ObjectStore, &'a Path, u64),
}

impl Source<'_> {
    /// Its length in bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Stored(.., size) => *size,
        }
    }

    /// Bytes `from..to`, cut at the end of the file.
    pub(super) async fn read(&self, from: u64, to: u64) -> Result<Bytes, MediaError> {
        let to = to.min(self.size());
        if from >= to {
            return Ok(Bytes::new());
        }
        match self {
            Self::Memory(bytes) => {
                let at = |offset: u64| usize::try_from(offset).unwrap_or(bytes.len());
                Ok(bytes.slice(at(from)..at(to)))
            }
            Self::Stored(objects, path, _) => Ok(objects.get_range(path, from..to).await?),
        }
    }
}
