//! A tiny server that does exactly what a test tells it, and reports what it has seen.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::TOKEN;
use crate::lifecycle::Lifecycle;

/// What the server does once it has read a whole request.
#[derive(Clone, Copy)]
pub(super) enum Then {
    Answer(&'static str),
    Close,
    Hang,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicUsize>,
    lifecycle: Lifecycle,
}

impl Server {
    pub(super) async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            seen: Arc::default(),
            over: Arc::default(),
            lifecycle: Lifecycle::new(),
        };
        let (connections, over) = (Arc::clone(&server.connections), Arc::clone(&server.over));
        let (seen, lifecycle) = (Arc::clone(&server.seen), server.lifecycle.clone());
        server.lifecycle.spawn_short(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, over) = (Arc::clone(&seen), Arc::clone(&over));
                lifecycle.spawn_short(async move {
                    connection(stream, then, seen).await;
                    over.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub(super) fn url(&self) -> Url {
        Url::parse(&format!(
            "http://{}/123/feed?access_token={TOKEN}",
            self.address
        ))
        .unwrap()
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until the server has noted this many requests, whole or broken.
    pub(super) async fn saw(&self, count: usize) -> Vec<String> {
        until(|| self.seen().len() >= count).await;
        self.seen()
    }

    /// Waits until this many connections are over, so that nothing more can arrive on them.
    pub(super) async fn ended(&self, count: usize) {
        until(|| self.over.load(Ordering::SeqCst) >= count).await;
    }
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    in_time.expect("the server has not seen what the test waits for");
}

/// Reads requests one after the other. A request that breaks off is noted as far as it came.
async fn connection(mut stream: TcpStream, then: Then, seen: Arc<Mutex<Vec<String>>>) {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if read == 0 {
            if !text.is_empty() {
                seen.lock().unwrap().push(text);
            }
            return;
        }
        if !complete(&text) {
            continue;
        }
        seen.lock().unwrap().push(std::mem::take(&mut text));
        match then {
            Then::Answer(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Then::Close => return,
            Then::Hang => std::future::pending().await,
        }
    }
}

pub(super) fn complete(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|l| l.strip_prefix("content-length: "))
        .map_or(0, |l| l.parse().unwrap());
    body.len() >= length
}
