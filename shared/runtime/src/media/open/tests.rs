//! The bucket, against a server that answers as S3 does: put, head and get with a range.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::Response,
};
use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use uuid::Uuid;

use super::*;
use crate::{lifecycle::Lifecycle, media::stream_of};

type Objects = Arc<Mutex<HashMap<String, Bytes>>>;

/// Answers for objects; refuses what is not signed.
async fn answer(State(objects): State<Objects>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let key = head.uri.path().to_owned();
    let signed = head.headers.get("authorization");
    let signed =
        signed.is_some_and(|value| value.to_str().unwrap().starts_with("AWS4-HMAC-SHA256 "));
    let answer = |status: StatusCode| {
        Response::builder()
            .status(status)
            .header("etag", "\"1\"")
            .header("last-modified", "Thu, 26 Nov 2026 08:00:00 GMT")
    };
    if !signed {
        return answer(StatusCode::FORBIDDEN).body(Body::empty()).unwrap();
    }
    if head.method == Method::PUT {
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        objects.lock().unwrap().insert(key, bytes);
        return answer(StatusCode::OK).body(Body::empty()).unwrap();
    }
    let Some(bytes) = objects.lock().unwrap().get(&key).cloned() else {
        return answer(StatusCode::NOT_FOUND).body(Body::empty()).unwrap();
    };
    let range = head.headers.get("range").and_then(|range| {
        let (from, to) = range
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let to = to.parse::<usize>().ok()?.min(bytes.len() - 1);
        Some((from.parse::<usize>().ok()?, to))
    });
    match range {
        Some((from, to)) => answer(StatusCode::PARTIAL_CONTENT)
            .header(
                "content-range",
                format!("bytes {from}-{to}/{}", bytes.len()),
            )
            .body(Body::from(bytes.slice(from..=to)))
            .unwrap(),
        None => answer(StatusCode::OK)
            .header("content-length", bytes.len())
            .body(Body::from(bytes))
            .unwrap(),
    }
}

#[tokio::test]
async fn a_bucket_keeps_files_below_its_prefix() {
    crate::boot::install_tls();
    let objects = Objects::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&objects));
    let lifecycle = Lifecycle::new();
    lifecycle.spawn_short(async move { axum::serve(listener, routes).await });
    let config = MediaConfig {
        s3_prefix: Some("fleet".to_owned()),
        s3_region: Some("eu-central-1".to_owned()),
        s3_endpoint: Some(format!("http://{address}")),
        ..MediaConfig::default()
    };
    let builder = AmazonS3Builder::new()
        .with_access_key_id("id")
        .with_secret_access_key("secret");
    let bucket = bucket_by(builder, &config, "media").unwrap();
    let store = MediaStore::over(bucket, 1 << 20);
    let gif = Bytes::from_static(b"GIF89a\x05\x00\x04\x00\x00\x00\x00;");
    let stored = store
        .put(Uuid::nil(), stream_of(gif.clone()))
        .await
        .unwrap();
    let keys: Vec<_> = objects.lock().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [format!("/media/fleet/{}/{}", Uuid::nil(), stored.sha256)]
    );
    assert_eq!(
        store.size(Uuid::nil(), &stored.sha256).await.unwrap(),
        gif.len() as u64
    );
    let part = store.read(Uuid::nil(), &stored.sha256, 1..6).await.unwrap();
    assert_eq!(part, gif.slice(1..6));
    let other = store.read(Uuid::from_u128(1), &stored.sha256, 0..1).await;
    assert!(matches!(other, Err(MediaError::Missing)), "{other:?}");
}
