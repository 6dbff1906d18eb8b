//! A post's images and videos as adapters get them.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use mooring_domain::{Failure, post::Media};
use url::Url;

/// One image or video: what is known about it, an address for platforms that fetch, and its bytes for the others.
#[derive(Clone)]
pub struct Attachment {
    /// What is known about it.
    pub media: Media,
    /// A signed address of ours from which the platform may fetch it, for as long as a publish may take. `None` where
    /// we have no public address.
    pub url: Option<Url>,
    source: Arc<dyn MediaSource>,
}

/// Where bytes come from: the media store, or memory in tests.
#[async_trait]
pub trait MediaSource: Send + Sync {
    /// Bytes `from..to` of a file.
    async fn read(&self, media: &Media, from: u64, to: u64) -> Result<Bytes, Failure>;
}

impl Attachment {
    /// A file with its two ways out.
    #[must_use]
    pub fn new(media: Media, url: Option<Url>, source: Arc<dyn MediaSource>) -> Self {
        Self { media, url, source }
    }

    /// The whole file. For images; a video is read piece by piece.
    pub async fn bytes(&self) -> Result<Bytes, Failure> {
        self.piece(0, self.media.bytes).await
    }

    /// Bytes `from..to`, cut at the end of the file.
    pub async fn piece(&self, from: u64, to: u64) -> Result<Bytes, Failure> {
        let to = to.min(self.media.bytes);
        self.source.read(&self.media, from, to).await
    }

    /// The address for platforms that fetch; without one the post cannot go there.
    pub fn public_url(&self) -> Result<&Url, Failure> {
        self.url.as_ref().ok_or_else(|| Failure::ContentRejected {
            code: "no_public_address".to_owned(),
        })
    }
}

impl fmt::Debug for Attachment {
    /// Without the address: its signature is as good as a password for a while.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}
