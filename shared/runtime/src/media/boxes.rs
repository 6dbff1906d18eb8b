//! The boxes of MP4 and MOV files: just those that tell how long a video is and how large its picture.
//!
//! ISO/IEC 14496-12: 4.2 (boxes), 8.2.2 (mvhd), 8.3.2 (tkhd), 8.4.3 (hdlr), 8.8.2 (mehd). Only the index (`moov`)
//! is loaded, wherever it stands in the file.

use super::{
    MediaError, NotMedia,
    facts::{Facts, FileType, damaged},
    source::Source,
};

/// The largest index that is loaded. That of a film of four hours is about a third of it.
const INDEX_MAX: u64 = 64 * 1024 * 1024;
/// The most boxes that may stand before the index.
const BOXES_MAX: usize = 10_000;

/// Reads the facts of a video.
pub(super) async fn read(source: &Source<'_>, file_type: FileType) -> Result<Facts, MediaError> {
    let moov = index(source, file_type).await?;
    Ok(of_index(&moov, file_type)?)
}

/// The content of the box `moov`.
async fn index(source: &Source<'_>, file_type: FileType) -> Result<bytes::Bytes, MediaError> {
    let mut at = 0_u64;
    for _ in 0..BOXES_MAX {
        let head = source.read(at, at.saturating_add(16)).await?;
        let Some((kind, header, length)) = header(&head, source.size() - at.min(source.size()))
        else {
            break;
        };
        let Some(end) = at.checked_add(length).filter(|end| *end <= source.size()) else {
            return Err(damaged(file_type, "it ends too early").into());
        };
        if &kind == b"moov" {
            if length > INDEX_MAX {
                return Err(damaged(file_type, "its index is too long").into());
            }
            return source.read(at + header, end).await;
        }
        at = end;
    }
    Err(damaged(file_type, "it has no index (moov)").into())
}

/// Kind, length of the header and whole length of the box that begins here; `None` where none does.
fn header(head: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let short = u64::from(u32_at(head, 0)?);
    let kind: [u8; 4] = head.get(4..8)?.try_into().ok()?;
    let (header, length) = match short {
        0 => (8, left), // to the end of the file
        1 => (16, u64_at(head, 8)?),
        length => (8, length),
    };
    (length >= header).then_some((kind, header, length))
}

fn of_index(moov: &[u8], file_type: FileType) -> Result<Facts, NotMedia> {
    let picture = Boxes(moov)
        .filter(|(kind, _)| kind == b"trak")
        .filter(|(_, track)| is_picture(track))
        .find_map(|(_, track)| picture_size(child(track, *b"tkhd")?));
    let (width, height) = picture.ok_or(damaged(file_type, "it has no picture"))?;
    Ok(Facts {
        file_type,
        width,
        height,
        duration_ms: duration_ms(moov),
    })
}

/// Whether a track's handler is that of pictures.
fn is_picture(track: &[u8]) -> bool {
    child(track, *b"mdia")
        .and_then(|media| child(media, *b"hdlr"))
        .is_some_and(|handler| handler.get(8..12) == Some(b"vide"))
}

/// Width and height as shown: 16.16 fixed point, turned where the matrix turns by a quarter (phones do).
fn picture_size(tkhd: &[u8]) -> Option<(u32, u32)> {
    // Version 1 has three times of 8 bytes instead of 4.
    let matrix = if tkhd.first()? == &1 { 52 } else { 40 };
    let width = u32_at(tkhd, matrix + 36)? >> 16;
    let height = u32_at(tkhd, matrix + 40)? >> 16;
    if width == 0 || height == 0 {
        return None;
    }
    let (a, b) = (u32_at(tkhd, matrix)?, u32_at(tkhd, matrix + 4)?);
    let turned = a == 0 && b != 0;
    Some(if turned {
        (height, width)
    } else {
        (width, height)
    })
}

/// The film's length; that of a fragmented file stands in `mvex`, if anywhere.
fn duration_ms(moov: &[u8]) -> Option<u64> {
    let mvhd = child(moov, *b"mvhd")?;
    let long = mvhd.first()? == &1;
    let (scale, duration) = if long {
        (u32_at(mvhd, 20)?, u64_at(mvhd, 24)?)
    } else {
        (u32_at(mvhd, 12)?, u64::from(u32_at(mvhd, 16)?))
    };
    // All ones: not known.
    let unknown =
        duration == 0 || duration == u64::MAX || (!long && duration == u64::from(u32::MAX));
    let duration = if unknown { fragments(moov)? } else { duration };
    duration.checked_mul(1_000)?.checked_div(u64::from(scale))
}

fn fragments(moov: &[u8]) -> Option<u64> {
    let mehd = child(child(moov, *b"mvex")?, *b"mehd")?;
    let duration = if mehd.first()? == &1 {
        u64_at(mehd, 4)?
    } else {
        u64::from(u32_at(mehd, 4)?)
    };
    (duration > 0).then_some(duration)
}

/// The content of the first box of a kind.
fn child(content: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    Boxes(content)
        .find(|(found, _)| *found == kind)
        .map(|(_, content)| content)
}

/// The boxes in a content, up to the first that is broken.
struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, header, length) = header(self.0, self.0.len() as u64)?;
        let (header, length) = (usize::try_from(header).ok()?, usize::try_from(length).ok()?);
        let content = self.0.get(header..length)?;
        self.0 = &self.0[length..];
        Some((kind, content))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_be_bytes(eight.try_into().ok()?))
}
