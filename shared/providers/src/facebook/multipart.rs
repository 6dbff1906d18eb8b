//! A form with a file in it (RFC 7578), for photos and for pieces of videos.

use bytes::{BufMut as _, Bytes, BytesMut};
use mooring_runtime::Call;

/// Puts the form into a call. `mark` separates its parts, so it must be nowhere in the file: the file's own digest is
/// not.
pub(super) fn form(
    call: Call,
    mark: &str,
    fields: &[(&str, &str)],
    file: (&str, &str, &Bytes),
) -> Call {
    let boundary = format!("mooring-{mark}");
    let (name, content_type, bytes) = file;
    let mut body = BytesMut::with_capacity(bytes.len() + 1024);
    for (name, value) in fields {
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.put(part.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
         Content-Type: {content_type}\r\n\r\n"
    );
    body.put(head.as_bytes());
    body.put(bytes.as_ref());
    body.put(format!("\r\n--{boundary}--\r\n").as_bytes());
    call.bytes(
        format!("multipart/form-data; boundary={boundary}"),
        body.freeze(),
    )
}

#[cfg(test)]
mod tests {
    use http::Method;
    use mooring_runtime::http::Body;
    use url::Url;

    use super::*;

    #[test]
    fn the_form_is_byte_for_byte_the_one_of_the_standard() {
        let url = Url::parse("https://graph.example/1/photos").expect("a URL");
        let call = Call::new("facebook", "/{page-id}/photos", Method::POST, url);
        let file = Bytes::from_static(b"\xff\xd8bytes");
        let call = form(
            call,
            "m",
            &[("published", "false")],
            ("source", "image/jpeg", &file),
        );
        let Body::Bytes {
            content_type,
            bytes,
        } = call.body
        else {
            panic!("bytes");
        };
        assert_eq!(content_type, "multipart/form-data; boundary=mooring-m");
        let wanted =
            b"--mooring-m\r\nContent-Disposition: form-data; name=\"published\"\r\n\r\nfalse\r\n\
            --mooring-m\r\nContent-Disposition: form-data; name=\"source\"; filename=\"source\"\r\n\
            Content-Type: image/jpeg\r\n\r\n\xff\xd8bytes\r\n--mooring-m--\r\n";
        assert_eq!(bytes.as_ref(), &wanted[..]);
    }
}
