//! Images and videos: where their bytes lie, what they are, and the signed addresses at which platforms fetch them.
//!
//! [`MediaStore`] is the one way to the files: a local folder, a bucket that speaks S3, or memory in tests. A file
//! is stored once per workspace under the SHA-256 of its content, so that the same upload twice is one file, and
//! nothing that a post shows can change under it. What a file is, is read from its bytes, never from its name.

mod boxes;
mod error;
mod facts;
mod link;
mod open;
mod put;
mod source;

use std::{fmt, ops::Range, path::Path as FilePath, sync::Arc};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, memory::InMemory, path::Path,
};
use tokio::io::AsyncReadExt as _;
use url::Url;
use uuid::Uuid;

pub use error::{MediaError, NotMedia};
pub use facts::{Facts, FileType};
pub use link::{Link, LinkError, LinkKeys};
pub use put::Stored;

use link::Links;

/// Bytes on their way, piece by piece.
pub type ByteStream = BoxStream<'static, Result<Bytes, std::io::Error>>;

/// How much of a local file is read at a time.
const FILE_PIECE: usize = 256 * 1024;

/// The files. Clones share everything.
#[derive(Clone)]
pub struct MediaStore {
    objects: Option<Arc<dyn ObjectStore>>,
    links: Arc<Links>,
    max_bytes: u64,
}

impl MediaStore {
    /// Files in memory, for tests and the demo.
    #[must_use]
    pub fn in_memory(max_bytes: u64) -> Self {
        Self::over(Arc::new(InMemory::new()), max_bytes)
    }

    /// No place for files: each use is refused with the setting that is missing.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            objects: None,
            links: Arc::default(),
            max_bytes: 0,
        }
    }

    /// Files wherever `objects` keeps them; none may be longer than `max_bytes`.
    pub(crate) fn over(objects: Arc<dyn ObjectStore>, max_bytes: u64) -> Self {
        Self {
            objects: Some(objects),
            links: Arc::default(),
            max_bytes,
        }
    }

    /// The same files, with addresses below `public_url` (where there is one) that these keys sign.
    #[must_use]
    pub fn with_links(mut self, public_url: Option<Url>, keys: LinkKeys) -> Self {
        self.links = Arc::new(Links { public_url, keys });
        self
    }

    fn objects(&self) -> Result<&dyn ObjectStore, MediaError> {
        self.objects.as_deref().ok_or(MediaError::Nowhere)
    }

    /// The longest file that is taken, in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Bytes `range` of a file; fewer where the file ends before.
    pub async fn read(
        &self,
        workspace: Uuid,
        sha256: &str,
        range: Range<u64>,
    ) -> Result<Bytes, MediaError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let stream = self.stream(workspace, sha256, Some(range)).await?;
        let mut pieces = stream.map_err(MediaError::Source);
        let mut read = BytesMut::new();
        while let Some(piece) = pieces.try_next().await? {
            read.extend_from_slice(&piece);
        }
        Ok(read.freeze())
    }

    /// A file, or a range of it that is not empty, piece by piece.
    pub async fn stream(
        &self,
        workspace: Uuid,
        sha256: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, MediaError> {
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let got = self
            .objects()?
            .get_opts(&place(workspace, sha256)?, options)
            .await?;
        Ok(got.into_stream().map_err(std::io::Error::other).boxed())
    }

    /// The length of a file in bytes; [`MediaError::Missing`] where there is none.
    pub async fn size(&self, workspace: Uuid, sha256: &str) -> Result<u64, MediaError> {
        Ok(self.objects()?.head(&place(workspace, sha256)?).await?.size)
    }

    /// Whether there is such a file.
    pub async fn exists(&self, workspace: Uuid, sha256: &str) -> Result<bool, MediaError> {
        match self.size(workspace, sha256).await {
            Ok(_) => Ok(true),
            Err(MediaError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a file. One that is not there counts as deleted.
    pub async fn delete(&self, workspace: Uuid, sha256: &str) -> Result<(), MediaError> {
        match self.objects()?.delete(&place(workspace, sha256)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether files can be written, read and deleted: one tiny file makes the whole way.
    pub async fn probe(&self) -> Result<(), MediaError> {
        let objects = self.objects()?;
        let place = Path::from(format!("incoming/probe-{}", Uuid::now_v7().simple()));
        objects.put(&place, Bytes::from_static(b"?").into()).await?;
        objects.head(&place).await?;
        Ok(objects.delete(&place).await?)
    }

    /// The address at which anybody may fetch a file until `until` or a little later; `None` where we have no public
    /// address.
    #[must_use]
    pub fn link(
        &self,
        workspace: Uuid,
        sha256: &str,
        file_type: FileType,
        until: DateTime<Utc>,
    ) -> Option<Url> {
        self.links.sign(workspace, sha256, file_type, until)
    }

    /// Reads an address that came in: which file it is about, if we have signed it and its time is not over.
    pub fn open_link(
        &self,
        workspace: &str,
        file: &str,
        expires: &str,
        signature: &str,
        now: DateTime<Utc>,
    ) -> Result<Link, LinkError> {
        self.links.open(workspace, file, expires, signature, now)
    }

    /// Whether there is a public address.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.links.public_url.is_some()
    }
}

impl fmt::Debug for MediaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStore")
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// A file of this machine, piece by piece.
pub async fn read_file(path: &FilePath) -> Result<ByteStream, std::io::Error> {
    let file = tokio::fs::File::open(path).await?;
    let pieces = futures::stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(FILE_PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), file)))
    });
    Ok(pieces.boxed())
}

/// Bytes that are here already, as a stream.
#[must_use]
pub fn stream_of(bytes: Bytes) -> ByteStream {
    futures::stream::once(async move { Ok(bytes) }).boxed()
}

/// Where a file lies. The digest comes from outside and becomes a path, so it must be one.
fn place(workspace: Uuid, sha256: &str) -> Result<Path, MediaError> {
    if !is_sha256(sha256) {
        return Err(MediaError::Missing);
    }
    Ok(Path::from(format!("{workspace}/{sha256}")))
}

/// Whether a text is a SHA-256 in lower-case hex.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
