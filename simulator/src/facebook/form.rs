//! Fields of a call wherever they stand: query, form, JSON, or a multipart body with files in it.

use crate::call::Call;

/// A parameter by name, also out of a multipart body.
pub(crate) fn field<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    call.param(name)
        .or_else(|| std::str::from_utf8(part(call, name)?).ok())
}

/// Like [`field`]; an empty text counts as absent.
pub(crate) fn text<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    field(call, name).filter(|t| !t.is_empty())
}

/// The bytes of an uploaded file.
pub(crate) fn file<'c>(call: &'c Call, name: &str) -> Option<&'c [u8]> {
    part(call, name)
}

/// The content of a multipart part (RFC 7578).
fn part<'c>(call: &'c Call, name: &str) -> Option<&'c [u8]> {
    let boundary = boundary(&call.content_type)?;
    let delimiter = format!("--{boundary}");
    let mut rest = after(&call.body, delimiter.as_bytes())?;
    loop {
        let rest_of_part = rest.strip_prefix(b"\r\n")?;
        let head_length = position(rest_of_part, b"\r\n\r\n")?;
        let (head, body) = (
            &rest_of_part[..head_length],
            &rest_of_part[head_length + 4..],
        );
        let length = position(body, format!("\r\n{delimiter}").as_bytes())?;
        if is_named(head, name) {
            return Some(&body[..length]);
        }
        rest = &body[length + 2 + delimiter.len()..];
    }
}

fn boundary(content_type: &str) -> Option<&str> {
    let parameters = content_type.strip_prefix("multipart/form-data")?;
    let mut parameters = parameters.split(';').map(str::trim);
    let value = parameters.find_map(|p| p.strip_prefix("boundary="))?;
    Some(value.trim_matches('"'))
}

fn is_named(head: &[u8], name: &str) -> bool {
    let Ok(head) = std::str::from_utf8(head) else {
        return false;
    };
    let disposition = head.lines().find(|l| {
        l.split_once(':')
            .is_some_and(|(k, _)| k.eq_ignore_ascii_case("content-disposition"))
    });
    let mut values = disposition.unwrap_or("").split(';').map(str::trim);
    values.any(|v| v.strip_prefix("name=").map(|n| n.trim_matches('"')) == Some(name))
}

fn after<'b>(bytes: &'b [u8], needle: &[u8]) -> Option<&'b [u8]> {
    position(bytes, needle).map(|at| &bytes[at + needle.len()..])
}

fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;
    use axum::http::{HeaderMap, Method};
    use bytes::Bytes;

    use super::*;

    #[test]
    fn fields_and_files_of_a_multipart_body_are_found() {
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"published\"\r\n\r\nfalse\r\n\
            --xyz\r\ncontent-disposition: form-data; name=\"source\"; filename=\"a.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89PNG\r\n\xff\r\n--xyz--\r\n";
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            "multipart/form-data; boundary=\"xyz\"".parse().unwrap(),
        );
        let uri = "/facebook/1/photos?caption=hi".parse().unwrap();
        let call = Call::new(Method::POST, &uri, &headers, Bytes::from_static(body));
        assert_eq!(field(&call, "caption"), Some("hi"));
        assert_eq!(field(&call, "published"), Some("false"));
        assert_eq!(file(&call, "source"), Some(&b"\x89PNG\r\n\xff"[..]));
        assert_eq!(file(&call, "other"), None);
    }
}
