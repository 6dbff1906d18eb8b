//! Files for posts, in memory.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mooring_domain::{
    Failure, MediaId, Platform,
    platform::FormatRow,
    post::{Format, Media, MediaKind},
};
use mooring_providers::{Attachment, MediaSource};
use url::Url;

/// A file for the platform's usual kind of post.
pub(crate) fn attachment(platform: Platform, kind: MediaKind) -> Attachment {
    of_row(&platform.capabilities().formats[0], kind, 0)
}

/// The same with so many bytes.
pub(crate) fn of_size(platform: Platform, kind: MediaKind, length: usize) -> Attachment {
    sized(&platform.capabilities().formats[0], kind, 0, length)
}

/// A file that this kind of post takes: right type, size, shape and length; its bytes are noise. Files of different
/// numbers differ.
pub(crate) fn of_row(row: &FormatRow, kind: MediaKind, number: u8) -> Attachment {
    sized(row, kind, number, 600_000)
}

/// The same with so many bytes.
pub(crate) fn sized(row: &FormatRow, kind: MediaKind, number: u8, length: usize) -> Attachment {
    let (mime, duration_ms) = match kind {
        MediaKind::Image => (row.image.expect("images").types[0], None),
        MediaKind::Video => {
            let video = row.video.expect("videos");
            (video.types[0], Some(video.duration_ms.min.max(5_000)))
        }
    };
    let bytes = beginning_like(mime, &noise(length));
    let media = Media {
        id: MediaId::from_uuid(uuid::Uuid::from_u128(7 + u128::from(number))),
        kind,
        mime: mime.to_owned(),
        bytes: bytes.len() as u64,
        sha256: "0".repeat(64),
        width: if row.format == Format::Feed {
            1_080
        } else {
            720
        },
        height: if row.format == Format::Feed {
            1_080
        } else {
            1_280
        },
        duration_ms,
        alt: Some("a boat at its mooring".to_owned()),
    };
    let url = Url::parse(&format!(
        "https://media.mooring.example/m/{}?sig=x",
        7 + number
    ))
    .expect("a URL");
    Attachment::new(media, Some(url), Arc::new(InMemory(bytes)))
}

/// Bytes with the beginning that files of this type have; platforms look at it.
fn beginning_like(mime: &str, bytes: &Bytes) -> Bytes {
    let beginning: &[u8] = match mime {
        "image/jpeg" => b"\xff\xd8\xff\xe0",
        "image/png" => b"\x89PNG\r\n\x1a\n",
        "image/gif" => b"GIF89a",
        "video/mp4" => b"\0\0\0\x18ftypmp42",
        _ => b"",
    };
    let mut bytes = bytes.to_vec();
    bytes[..beginning.len()].copy_from_slice(beginning);
    bytes.into()
}

/// The same bytes every time.
fn noise(length: usize) -> Bytes {
    let byte = |n: usize| u8::try_from(n * 31 % 251).unwrap_or_default();
    (0..length).map(byte).collect::<Vec<u8>>().into()
}

struct InMemory(Bytes);

#[async_trait]
impl MediaSource for InMemory {
    async fn read(&self, _media: &Media, from: u64, to: u64) -> Result<Bytes, Failure> {
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(self.0.len());
        Ok(self.0.slice(at(from)..at(to)))
    }
}
