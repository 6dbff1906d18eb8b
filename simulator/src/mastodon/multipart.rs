//! `multipart/form-data`, read whole.

use crate::call::Call;

/// One part.
pub(crate) struct Part<'c> {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) body: &'c [u8],
}

/// The parts of a body; empty when it is none.
pub(crate) fn parts(call: &Call) -> Vec<Part<'_>> {
    let boundary = call.content_type.split("boundary=").nth(1).unwrap_or("");
    let boundary = boundary.split(';').next().unwrap_or("").trim_matches('"');
    if boundary.is_empty() || !call.content_type.starts_with("multipart/form-data") {
        return Vec::new();
    }
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let Some(mut at) = position(&call.body, mark.as_bytes()) else {
        return found;
    };
    loop {
        let start = at + mark.len() + 2;
        let rest = call.body.get(start..).unwrap_or_default();
        let end_mark = format!("\r\n{mark}");
        let Some(end) = position(rest, end_mark.as_bytes()) else {
            return found;
        };
        found.extend(part(&rest[..end]));
        at = start + end + 2;
    }
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let split = position(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..split]);
    let header = |name: &str| {
        let line = head
            .lines()
            .find(|l| l.to_ascii_lowercase().starts_with(name));
        line.and_then(|l| l.split_once(':'))
            .map(|(_, v)| v.trim().to_owned())
    };
    let disposition = header("content-disposition")?;
    let name = disposition
        .split("name=\"")
        .nth(1)?
        .split('"')
        .next()?
        .to_owned();
    Some(Part {
        name,
        content_type: header("content-type").unwrap_or_default(),
        body: &bytes[split + 4..],
    })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|w| w == wanted)
}
