//! Tiny files of every type. The boxes and markers are those of the formats' own papers.

use bytes::Bytes;

use crate::media::{FileType, MediaError, MediaStore, NotMedia, Stored, stream_of};

/// The start of a PNG: signature and `IHDR`.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(b"\x00\x00\x00\x00IEND\xae\x42\x60\x82");
    file
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    file.extend(width.to_le_bytes());
    file.extend(height.to_le_bytes());
    file.extend([0, 0, 0, b';']);
    file
}

/// WebP of the extended kind: sizes are stored minus one, in 24 bits.
fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00".to_vec();
    file.extend(&(width - 1).to_le_bytes()[..3]);
    file.extend(&(height - 1).to_le_bytes()[..3]);
    file
}

/// A JPEG up to its frame header, after the given segments.
fn jpeg(width: u16, height: u16, segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    let mut segment = |marker: u8, content: &[u8]| {
        file.extend([0xff, marker]);
        file.extend(u16::try_from(content.len() + 2).unwrap().to_be_bytes());
        file.extend(content);
    };
    for (marker, content) in segments {
        segment(*marker, content);
    }
    let mut frame = vec![8];
    frame.extend(height.to_be_bytes());
    frame.extend(width.to_be_bytes());
    frame.extend([1, 1, 0x11, 0]);
    segment(0xc0, &frame);
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    file.extend([0, 0xff, 0xd9]);
    file
}

/// An Exif segment with nothing but an orientation.
fn exif(orientation: u16) -> (u8, Vec<u8>) {
    let mut tiff = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    tiff.extend(orientation.to_be_bytes());
    tiff.extend([0; 6]);
    (0xe1, tiff)
}

fn atom(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(content.len() + 8)
        .unwrap()
        .to_be_bytes()
        .to_vec();
    out.extend(kind);
    out.extend(content);
    out
}

/// How a film is made.
#[derive(Clone, Copy)]
pub(super) struct Film {
    pub(super) brand: &'static [u8; 4],
    pub(super) handler: &'static [u8; 4],
    pub(super) turned: bool,
    /// Bytes of pictures, which stand before the index.
    pub(super) pictures: usize,
    pub(super) duration_ms: u32,
    pub(super) fragments: Option<u32>,
}

impl Default for Film {
    fn default() -> Self {
        Self {
            brand: b"isom",
            handler: b"vide",
            turned: false,
            pictures: 32,
            duration_ms: 12_500,
            fragments: None,
        }
    }
}

pub(super) fn film(width: u16, height: u16, film: Film) -> Vec<u8> {
    let one = 0x0001_0000_u32;
    let matrix = if film.turned {
        [0, one, 0, u32::MAX - one + 1, 0, 0, 0, 0, 0x4000_0000]
    } else {
        [one, 0, 0, 0, one, 0, 0, 0, 0x4000_0000]
    };
    let mut shape = vec![0; 40];
    shape.extend(matrix.iter().flat_map(|value| value.to_be_bytes()));
    shape.extend((u32::from(width) << 16).to_be_bytes());
    shape.extend((u32::from(height) << 16).to_be_bytes());
    let mut handler = vec![0; 8];
    handler.extend(film.handler);
    let track = [
        atom(*b"tkhd", &shape),
        atom(*b"mdia", &atom(*b"hdlr", &handler)),
    ];
    let mut whole = vec![0; 12];
    whole.extend(1_000_u32.to_be_bytes());
    whole.extend(film.duration_ms.to_be_bytes());
    let mut index = atom(*b"mvhd", &whole);
    index.extend(atom(*b"trak", &track.concat()));
    if let Some(duration) = film.fragments {
        let mut parts = vec![0; 4];
        parts.extend(duration.to_be_bytes());
        index.extend(atom(*b"mvex", &atom(*b"mehd", &parts)));
    }
    let mut bytes = atom(*b"ftyp", &[film.brand, &b"\0\0\0\0"[..]].concat());
    bytes.extend(atom(*b"mdat", &vec![7; film.pictures]));
    bytes.extend(atom(*b"moov", &index));
    bytes
}

async fn put(file: Vec<u8>) -> Result<Stored, MediaError> {
    let store = MediaStore::in_memory(64 * 1024 * 1024);
    let content = stream_of(Bytes::from(file));
    store.put(uuid::Uuid::nil(), content).await
}

async fn facts(file: Vec<u8>) -> (FileType, u32, u32, Option<u64>) {
    let facts = put(file).await.unwrap().facts;
    (
        facts.file_type,
        facts.width,
        facts.height,
        facts.duration_ms,
    )
}

#[tokio::test]
async fn images_tell_their_type_and_size() {
    assert_eq!(facts(png(640, 480)).await, (FileType::Png, 640, 480, None));
    assert_eq!(facts(gif(3, 4)).await, (FileType::Gif, 3, 4, None));
    assert_eq!(
        facts(webp(1080, 1350)).await,
        (FileType::Webp, 1080, 1350, None)
    );
    assert_eq!(
        facts(jpeg(1200, 628, &[])).await,
        (FileType::Jpeg, 1200, 628, None)
    );
    let late = vec![(0xe2, vec![1; 60_000]); 20];
    assert_eq!(
        facts(jpeg(10, 20, &late)).await,
        (FileType::Jpeg, 10, 20, None)
    );
}

#[tokio::test]
async fn a_photo_that_lies_on_its_side_counts_as_it_is_shown() {
    for (orientation, shown) in [
        (1, (4032, 3024)),
        (3, (4032, 3024)),
        (6, (3024, 4032)),
        (8, (3024, 4032)),
    ] {
        let (_, width, height, _) = facts(jpeg(4032, 3024, &[exif(orientation)])).await;
        assert_eq!((width, height), shown, "orientation {orientation}");
    }
    // An Exif segment that lies about its own content turns nothing and breaks nothing.
    let broken = (0xe1, b"Exif\0\0II\x2a\0\xff\xff\xff\xff".to_vec());
    assert_eq!(
        facts(jpeg(40, 30, &[broken])).await,
        (FileType::Jpeg, 40, 30, None)
    );
}

#[tokio::test]
async fn films_tell_their_size_and_length_wherever_the_index_stands() {
    let plain = film(1920, 1080, Film::default());
    assert_eq!(
        facts(plain).await,
        (FileType::Mp4, 1920, 1080, Some(12_500))
    );
    let quicktime = film(
        1920,
        1080,
        Film {
            brand: b"qt  ",
            turned: true,
            ..Film::default()
        },
    );
    assert_eq!(
        facts(quicktime).await,
        (FileType::Mov, 1080, 1920, Some(12_500))
    );
    let fragments = Film {
        duration_ms: 0,
        fragments: Some(9_000),
        ..Film::default()
    };
    assert_eq!(
        facts(film(2, 2, fragments)).await,
        (FileType::Mp4, 2, 2, Some(9_000))
    );
    let unknown = Film {
        duration_ms: u32::MAX,
        ..Film::default()
    };
    assert_eq!(
        facts(film(2, 2, unknown)).await,
        (FileType::Mp4, 2, 2, None)
    );
}

#[tokio::test]
async fn a_long_film_is_judged_in_the_store() {
    let pictures = 20 * 1024 * 1024;
    let stored = put(film(
        720,
        1280,
        Film {
            pictures,
            ..Film::default()
        },
    ))
    .await
    .unwrap();
    assert_eq!((stored.facts.width, stored.facts.height), (720, 1280));
    assert!(stored.bytes > pictures as u64);
}

#[tokio::test]
async fn what_is_no_picture_is_refused_with_the_reason() {
    let heic = atom(*b"ftyp", b"heic\0\0\0\0");
    let sound = film(
        0,
        0,
        Film {
            handler: b"soun",
            brand: b"M4A ",
            ..Film::default()
        },
    );
    let mut cut = film(2, 2, Film::default());
    cut.truncate(cut.len() - 10);
    let cases: [(Vec<u8>, &str); 8] = [
        (Vec::new(), "is empty"),
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            "no JPEG, PNG",
        ),
        (b"%PDF-1.7 and more of it".to_vec(), "no JPEG, PNG"),
        (heic, "convert it to JPEG"),
        (sound, "the MP4 file is damaged: it has no picture"),
        (cut, "it ends too early"),
        (png(0, 5), "the PNG file is damaged"),
        (
            png(5, 5)[..18].to_vec(),
            "the PNG file is damaged: it ends too early",
        ),
    ];
    for (file, expected) in cases {
        let error = put(file).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in: {error}");
    }
}

#[tokio::test]
async fn no_cut_or_changed_file_breaks_the_reader() {
    let files = [
        png(5, 5),
        gif(5, 5),
        webp(5, 5),
        jpeg(5, 5, &[exif(6)]),
        film(
            5,
            5,
            Film {
                fragments: Some(1),
                duration_ms: 0,
                ..Film::default()
            },
        ),
    ];
    for file in files {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = file.clone();
                changed[at] = value;
                let cut = changed[..at].to_vec();
                for file in [changed, cut] {
                    // Any answer will do, as long as there is one.
                    if let Err(error) = put(file).await {
                        assert!(matches!(error, MediaError::NotMedia(_)), "{error:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn refusals_say_what_to_do() {
    for refusal in [NotMedia::Empty, NotMedia::UnknownType, NotMedia::Heif] {
        assert!(refusal.to_string().contains("; c"), "{refusal}");
    }
    for known in FileType::ALL {
        assert_eq!(FileType::from_mime(known.mime()), Some(known));
        assert_eq!(FileType::from_extension(known.extension()), Some(known));
    }
}
