//! Bodies of the type `multipart/form-data`.

/// One part: its name and its bytes.
pub(super) struct Part<'b> {
    pub(super) name: String,
    pub(super) content: &'b [u8],
}

/// The parts of a body; `None` when it is none of that type, or broken.
pub(super) fn parts<'b>(content_type: &str, body: &'b [u8]) -> Option<Vec<Part<'b>>> {
    let (kind, options) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = options
        .split(';')
        .find_map(|o| o.trim().strip_prefix("boundary="))?
        .trim_matches('"');
    let mark = format!("--{boundary}");
    let mut rest = &body[find(body, mark.as_bytes())? + mark.len()..];
    let next = format!("\r\n{mark}");
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, next.as_bytes())?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + next.len()..];
    }
    Some(parts)
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let head_end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let disposition = head.split("\r\n").find(|line| {
        line.to_ascii_lowercase()
            .starts_with("content-disposition:")
    })?;
    let name = disposition
        .split(';')
        .find_map(|o| o.trim().strip_prefix("name="))?
        .trim_matches('"')
        .to_owned();
    Some(Part {
        name,
        content: &bytes[head_end + 4..],
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        let start = from + at;
        if bytes[start..].starts_with(wanted) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_with_their_bytes_as_they_are() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"segment_index\"\r\n\r\n0\r\n\
            --b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a\"\r\nContent-Type: video/mp4\r\n\r\n\
            \r\n--x\0\r\n--b--\r\n";
        let found = parts("multipart/form-data; boundary=b", body).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].name.as_str(), found[0].content),
            ("segment_index", &b"0"[..])
        );
        assert_eq!(found[1].content, b"\r\n--x\0");
        assert!(parts("application/json", body).is_none());
        assert!(parts("multipart/form-data; boundary=c", body).is_none());
    }
}
