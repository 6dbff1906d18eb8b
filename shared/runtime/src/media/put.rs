//! Storing a file: bounded, hashed and judged on the way, and in its place only when it is whole.

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream::BoxStream};
use object_store::{ObjectStore, ObjectStoreExt as _, WriteMultipart, path::Path};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    ByteStream, MediaError, MediaStore, NotMedia, facts,
    facts::{Facts, FileType, TYPE_HEAD},
    place,
    source::Source,
};

/// Files up to this length are held in memory until they are whole; longer ones go to a place of their own first.
const HELD_MAX: usize = 8 * 1024 * 1024;
/// Parts of a long file that are on their way at a time.
const PARTS: usize = 4;

/// A file that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// What it is.
    pub facts: Facts,
}

/// A file that is coming in.
#[derive(Default)]
struct Incoming {
    hash: Sha256,
    bytes: u64,
    held: BytesMut,
    upload: Option<(Path, WriteMultipart)>,
}

impl MediaStore {
    /// Stores a file. Nothing is left behind where it is refused.
    pub async fn put(&self, workspace: Uuid, content: ByteStream) -> Result<Stored, MediaError> {
        let objects = self.objects()?;
        let mut incoming = Incoming::default();
        if let Err(error) = self.take_in(objects, &mut incoming, content).await {
            if let Some((_, upload)) = incoming.upload.take() {
                // The cause is the first error; what cannot be cleaned up now is swept by the store's own rules.
                upload.abort().await.unwrap_or_else(not_cleaned);
            }
            return Err(error);
        }
        let sha256 = hex::encode(std::mem::take(&mut incoming.hash).finalize());
        let to = place(workspace, &sha256)?;
        let facts = match incoming.upload.take() {
            None => keep_short(objects, incoming.held.freeze(), &to).await?,
            Some((from, upload)) => {
                upload.finish().await?;
                keep_long(objects, &from, incoming.bytes, &to).await?
            }
        };
        Ok(Stored {
            sha256,
            bytes: incoming.bytes,
            facts,
        })
    }

    async fn take_in(
        &self,
        objects: &dyn ObjectStore,
        incoming: &mut Incoming,
        mut content: BoxStream<'static, Result<Bytes, std::io::Error>>,
    ) -> Result<(), MediaError> {
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(MediaError::Source)?;
            incoming.bytes += piece.len() as u64;
            if incoming.bytes > self.max_bytes {
                let max_bytes = self.max_bytes;
                return Err(MediaError::TooLarge { max_bytes });
            }
            incoming.hash.update(&piece);
            if let Some((_, upload)) = &mut incoming.upload {
                upload.wait_for_capacity(PARTS).await?;
                upload.put(piece);
                continue;
            }
            let judged = incoming.held.len() >= TYPE_HEAD;
            incoming.held.extend_from_slice(&piece);
            if !judged && incoming.held.len() >= TYPE_HEAD {
                // Before a gigabyte of something else has come in.
                FileType::of(&incoming.held)?;
            }
            if incoming.held.len() > HELD_MAX {
                let path = Path::from(format!("incoming/{}", Uuid::now_v7().simple()));
                let upload = objects.put_multipart(&path).await?;
                let mut upload = WriteMultipart::new_with_chunk_size(upload, HELD_MAX);
                upload.put(std::mem::take(&mut incoming.held).freeze());
                incoming.upload = Some((path, upload));
            }
        }
        if incoming.bytes == 0 {
            return Err(NotMedia::Empty.into());
        }
        Ok(())
    }
}

async fn keep_short(
    objects: &dyn ObjectStore,
    bytes: Bytes,
    to: &Path,
) -> Result<Facts, MediaError> {
    let facts = facts::read(&Source::Memory(&bytes)).await?;
    objects.put(to, bytes.into()).await?;
    Ok(facts)
}

/// Judges a long file where it came in, and then moves it to its place or removes it.
async fn keep_long(
    objects: &dyn ObjectStore,
    from: &Path,
    bytes: u64,
    to: &Path,
) -> Result<Facts, MediaError> {
    match facts::read(&Source::Stored(objects, from, bytes)).await {
        Ok(facts) => {
            objects.rename(from, to).await?;
            Ok(facts)
        }
        Err(error) => {
            objects.delete(from).await.unwrap_or_else(not_cleaned);
            Err(error)
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of a Result's error"
)]
fn not_cleaned(error: object_store::Error) {
    tracing::warn!(
        event.name = "media.not_cleaned_up",
        error = crate::lifecycle::chain(&error),
        "a refused file could not be removed from incoming/; it holds nothing that is used"
    );
}
