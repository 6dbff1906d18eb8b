//! `GET /m/{workspace}/{sha256}.{ext}?e=…&s=…`: media at signed addresses, for platforms that fetch them.
//!
//! Public, and therefore narrow: only an address that we have signed opens anything, only until its expiry, and only
//! the one file. Ranges, `HEAD` and `If-None-Match` are served, because platforms fetch large videos in parts.

use std::ops::Range;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header, response::Builder},
    response::{IntoResponse, Response},
    routing::get,
};
use mooring_runtime::media::{Link, LinkError, MediaError};
use serde::Deserialize;

use crate::App;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route("/m/{workspace}/{file}", get(file))
        .with_state(app)
}

/// Expiry and signature; both may be missing, which is a forgery like any other.
#[derive(Deserialize)]
struct Signed {
    #[serde(default)]
    e: String,
    #[serde(default)]
    s: String,
}

async fn file(
    State(app): State<App>,
    method: Method,
    Path((workspace, file)): Path<(String, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    let now = app.context.clock.now();
    let opened = app
        .media
        .open_link(&workspace, &file, &signed.e, &signed.s, now);
    let link = match opened {
        Ok(link) => link,
        Err(error @ LinkError::Forged) => return refused(StatusCode::FORBIDDEN, &error),
        Err(error @ LinkError::Expired) => return refused(StatusCode::GONE, &error),
    };
    let left_s = link.expires_s - now.timestamp();
    match answer(&app, &link, left_s, &method, &headers).await {
        Ok(response) => response,
        Err(error @ MediaError::Missing) => refused(StatusCode::NOT_FOUND, &error),
        Err(error) => {
            tracing::error!(
                event.name = "media.unreadable",
                error = mooring_runtime::lifecycle::chain(&error),
                "the media store cannot be read; platforms that fetch media get nothing"
            );
            refused(StatusCode::SERVICE_UNAVAILABLE, &"try again later")
        }
    }
}

async fn answer(
    app: &App,
    link: &Link,
    left_s: i64,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, MediaError> {
    let (workspace, sha256) = (link.workspace, &link.sha256);
    let size = app.media.size(workspace, sha256).await?;
    // The content is the name, so the name is as strong a validator as there is.
    let tag = format!("\"{sha256}\"");
    let builder = common(&tag, left_s);
    if is_known(headers, &tag) {
        return Ok(finish(
            builder.status(StatusCode::NOT_MODIFIED),
            Body::empty(),
        ));
    }
    let part = match asked(headers, &tag, size) {
        Asked::Nothing => {
            let builder = builder
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(finish(builder, Body::empty()));
        }
        Asked::Whole => None,
        Asked::Part(range) => Some(range),
    };
    let builder = described(builder, link, part.as_ref(), size);
    if method == Method::HEAD {
        return Ok(finish(builder, Body::empty()));
    }
    let stream = app.media.stream(workspace, sha256, part).await?;
    Ok(finish(builder, Body::from_stream(stream)))
}

/// What every good answer says. Whoever caches it may keep it for as long as its address opens it.
fn common(tag: &str, left_s: i64) -> Builder {
    Response::builder()
        .header(header::ETAG, tag)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(
            header::CACHE_CONTROL,
            format!("public, max-age={left_s}, immutable"),
        )
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        )
}

fn described(builder: Builder, link: &Link, part: Option<&Range<u64>>, size: u64) -> Builder {
    let length = part.map_or(size, |range| range.end - range.start);
    let builder = builder
        .header(header::CONTENT_TYPE, link.file_type.mime())
        .header(header::CONTENT_LENGTH, length);
    let Some(range) = part else { return builder };
    let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    builder
        .status(StatusCode::PARTIAL_CONTENT)
        .header(header::CONTENT_RANGE, told)
}

fn told(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether the asker has this very content already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    told(headers, header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',')
            .any(|one| matches!(one.trim(), "*") || one.trim() == tag)
    })
}

/// The part that is asked for, unless it was to be one of another content.
fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    let same = told(headers, header::IF_RANGE).is_none_or(|known| known == tag);
    match told(headers, header::RANGE).filter(|_| same) {
        None => Asked::Whole,
        Some(text) => Asked::read(text, size),
    }
}

/// What a `Range` header asks for (RFC 9110, section 14.2).
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Everything: also where the header is of a kind that we do not serve, such as several ranges at once.
    Whole,
    /// One range.
    Part(Range<u64>),
    /// Bytes beyond the end.
    Nothing,
}

impl Asked {
    fn read(text: &str, size: u64) -> Self {
        let ends = text
            .strip_prefix("bytes=")
            .filter(|ranges| !ranges.contains(','))
            .and_then(|range| range.trim().split_once('-'));
        let range = match ends {
            None | Some(("", "")) => return Self::Whole,
            Some(("", last)) => last
                .parse()
                .map(|last: u64| size.saturating_sub(last)..size),
            Some((from, "")) => from.parse().map(|from| from..size),
            Some((from, to)) => from
                .parse()
                .and_then(|from| Ok((from, to.parse::<u64>()?)))
                .map(|(from, to): (u64, u64)| from..to.saturating_add(1).min(size)),
        };
        match range {
            Err(_) => Self::Whole,
            Ok(range) if range.start >= range.end => Self::Nothing,
            Ok(range) => Self::Part(range),
        }
    }
}

fn finish(builder: Builder, body: Body) -> Response {
    builder
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn refused(status: StatusCode, why: &dyn std::fmt::Display) -> Response {
    let never = [(header::CACHE_CONTROL, "no-store")];
    (status, never, format!("{why}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (text, asked) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-5", Asked::Part(2..6)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=9-99", Asked::Part(9..10)),
            ("bytes=0-18446744073709551615", Asked::Part(0..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=12-13", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("lines=0-1", Asked::Whole),
        ] {
            assert_eq!(Asked::read(text, 10), asked, "{text}");
        }
    }
}
