//! Files to publish, made by hand: all that a platform's checks look at, and no picture behind it.

/// A JPEG up to its frame header. Width and height are in pixels.
#[must_use]
pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8];
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
    file
}

/// An MP4 with its index and one track of pictures (ISO/IEC 14496-12: ftyp, mdat, moov). Width and height are in
/// pixels.
#[must_use]
pub fn mp4(width: u16, height: u16, duration_ms: u32) -> Vec<u8> {
    const ONE: u32 = 0x0001_0000;
    let matrix = [ONE, 0, 0, 0, ONE, 0, 0, 0, 0x4000_0000];
    let mut shape = vec![0; 40];
    shape.extend(matrix.iter().flat_map(|value| value.to_be_bytes()));
    shape.extend((u32::from(width) << 16).to_be_bytes());
    shape.extend((u32::from(height) << 16).to_be_bytes());
    let handler = [&[0; 8][..], b"vide"].concat();
    let track = [
        atom(*b"tkhd", &shape),
        atom(*b"mdia", &atom(*b"hdlr", &handler)),
    ];
    let mut whole = vec![0; 12];
    whole.extend(1_000_u32.to_be_bytes());
    whole.extend(duration_ms.to_be_bytes());
    let index = [atom(*b"mvhd", &whole), atom(*b"trak", &track.concat())];
    [
        atom(*b"ftyp", b"isom\0\0\0\0"),
        atom(*b"mdat", &[7; 32]),
        atom(*b"moov", &index.concat()),
    ]
    .concat()
}

/// A box: its length, its kind, its content.
fn atom(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).expect("it is made by hand");
    [&length.to_be_bytes()[..], &kind, content].concat()
}
