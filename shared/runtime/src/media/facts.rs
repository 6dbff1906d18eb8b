//! What a file is and how large its picture is, read from its bytes.

use imagesize::ImageError;

use super::{MediaError, NotMedia, boxes, source::Source};

/// How much of an image is looked at: pictures from cameras carry previews and profiles before their size.
const IMAGE_HEAD: u64 = 16 * 1024 * 1024;
/// How much of a file tells its type.
pub(super) const TYPE_HEAD: usize = 16;

/// The types of files that some platform takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF, still or moving.
    Gif,
    /// WebP.
    Webp,
    /// MP4: an ISO base media file.
    Mp4,
    /// The older film of Apple.
    Mov,
}

impl FileType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Mp4,
        Self::Mov,
    ];

    /// The media type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
        }
    }

    /// The end of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
        }
    }

    /// What people call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Mp4 => "MP4",
            Self::Mov => "MOV",
        }
    }

    /// Whether it is a video.
    #[must_use]
    pub const fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }

    /// The type with this media type.
    #[must_use]
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.mime() == mime)
    }

    /// The type with this extension.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.extension() == extension)
    }

    /// The type of the file that begins with these bytes.
    pub(super) fn of(head: &[u8]) -> Result<Self, NotMedia> {
        let part = |from: usize, to: usize| head.get(from..to).unwrap_or_default();
        match head {
            [] => Err(NotMedia::Empty),
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Self::Gif),
            [b'R', b'I', b'F', b'F', ..] if part(8, 12) == b"WEBP" => Ok(Self::Webp),
            _ => match part(4, 8) {
                b"ftyp" => of_brand(part(8, 12)),
                // Films of Apple from before there was a box for the type.
                b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot" => Ok(Self::Mov),
                _ => Err(NotMedia::UnknownType),
            },
        }
    }
}

/// The type that the box `ftyp` names (ISO/IEC 14496-12; brands as registered at mp4ra.org).
fn of_brand(brand: &[u8]) -> Result<FileType, NotMedia> {
    match brand {
        b"qt  " => Ok(FileType::Mov),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" | b"avif"
        | b"avis" => Err(NotMedia::Heif),
        _ => Ok(FileType::Mp4),
    }
}

/// What is known about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub file_type: FileType,
    /// As it is shown, in pixels.
    pub width: u32,
    /// As it is shown, in pixels.
    pub height: u32,
    /// How long a video is, where it says so.
    pub duration_ms: Option<u64>,
}

/// Reads the facts, or refuses what is no image or video.
pub(super) async fn read(source: &Source<'_>) -> Result<Facts, MediaError> {
    let head = source.read(0, TYPE_HEAD as u64).await?;
    let file_type = FileType::of(&head)?;
    if file_type.is_video() {
        return boxes::read(source, file_type).await;
    }
    let head = source.read(0, IMAGE_HEAD).await?;
    Ok(of_image(&head, file_type)?)
}

fn of_image(head: &[u8], file_type: FileType) -> Result<Facts, NotMedia> {
    let size = imagesize::blob_size(head).map_err(|error| {
        damaged(
            file_type,
            match error {
                ImageError::NotSupported => "its size cannot be read",
                ImageError::CorruptedImage | ImageError::IoError(_) => "it ends too early",
            },
        )
    })?;
    let pixels = |length: usize| u32::try_from(length).unwrap_or(0);
    let (mut width, mut height) = (pixels(size.width), pixels(size.height));
    if width == 0 || height == 0 {
        return Err(damaged(file_type, "it has no picture"));
    }
    if file_type == FileType::Jpeg && is_on_its_side(head) {
        std::mem::swap(&mut width, &mut height);
    }
    Ok(Facts {
        file_type,
        width,
        height,
        duration_ms: None,
    })
}

pub(super) const fn damaged(file_type: FileType, problem: &'static str) -> NotMedia {
    NotMedia::Damaged {
        file_type: file_type.name(),
        problem,
    }
}

/// Whether a JPEG's Exif orientation turns it by a quarter (values 5 to 8): phones store portraits lying down, and
/// every platform shows them upright.
fn is_on_its_side(jpeg: &[u8]) -> bool {
    exif(jpeg)
        .and_then(orientation)
        .is_some_and(|value| value >= 5)
}

/// The TIFF part of a JPEG's Exif segment.
fn exif(jpeg: &[u8]) -> Option<&[u8]> {
    let mut rest = jpeg.get(2..)?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        match (marker, segment.strip_prefix(b"Exif\0\0")) {
            (0xe1, Some(tiff)) => return Some(tiff),
            // The picture itself begins: nothing more comes.
            (0xda, _) => return None,
            _ => rest = rest.get(2 + length..)?,
        }
    }
}

/// Tag 0x0112 of the first directory (TIFF 6.0; Exif 2.3, section 4.6.4).
fn orientation(tiff: &[u8]) -> Option<u16> {
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let bytes: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let first = if little {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    };
    let first = usize::try_from(first).ok()?;
    let entries = usize::from(u16_at(first)?);
    (0..entries)
        .map(|index| first + 2 + index * 12)
        .find(|entry| u16_at(*entry) == Some(0x0112))
        .and_then(|entry| u16_at(entry + 8))
}
