//! A raw HTTP/1.1 client, so that no library hides what is on the wire.

use std::collections::HashMap;
use std::io;

use mooring_simulator::{Options, RunningSimulator, SimClock, Simulator};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// The time at which the manual clock of these tests starts.
pub(crate) const START_MS: i64 = 1_795_446_000_000;

/// A simulator with a clock that stands still.
pub(crate) async fn start() -> RunningSimulator {
    let clock = SimClock::manual(START_MS);
    Simulator::start(Options {
        clock,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {}", String::from_utf8_lossy(&self.body)))
    }
}

/// One connection that is kept alive.
pub(crate) struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) async fn open(simulator: &RunningSimulator) -> Self {
        let host = simulator.address().to_string();
        let stream = TcpStream::connect(simulator.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            host,
            stream: BufReader::new(stream),
        }
    }

    /// Writes a request and does not wait for its answer.
    pub(crate) async fn write(&mut self, request: &Request<'_>) -> io::Result<()> {
        let mut lines = vec![
            format!("{} {} HTTP/1.1", request.method, request.path),
            format!("host: {}", self.host),
        ];
        if let Some(token) = request.token {
            lines.push(format!("authorization: Bearer {token}"));
        }
        for (name, value) in &request.headers {
            lines.push(format!("{name}: {value}"));
        }
        if let Some((content_type, body)) = &request.body {
            lines.push(format!("content-type: {content_type}"));
            lines.push(format!("content-length: {}", body.len()));
        }
        let head = lines.join("\r\n") + "\r\n\r\n";
        let body = request.body.as_ref().map_or(&[][..], |(_, b)| b.as_slice());
        self.stream
            .get_mut()
            .write_all(&[head.as_bytes(), body].concat())
            .await
    }

    /// Sends a request and reads its answer. An error means: no answer came.
    pub(crate) async fn send(&mut self, request: &Request<'_>) -> io::Result<Reply> {
        self.write(request).await?;
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers
            .get("content-length")
            .map_or(0, |l| l.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}

/// A request to be sent.
pub(crate) struct Request<'a> {
    method: &'a str,
    path: String,
    token: Option<&'a str>,
    body: Option<(&'static str, Vec<u8>)>,
    headers: Vec<(&'static str, String)>,
}

pub(crate) fn get(path: impl Into<String>) -> Request<'static> {
    Request {
        method: "GET",
        path: path.into(),
        token: None,
        body: None,
        headers: Vec::new(),
    }
}

pub(crate) fn delete(path: impl Into<String>) -> Request<'static> {
    Request {
        method: "DELETE",
        ..get(path)
    }
}

pub(crate) fn post_json(path: impl Into<String>, body: &Value) -> Request<'static> {
    let body = Some(("application/json", body.to_string().into_bytes()));
    Request {
        method: "POST",
        body,
        ..get(path)
    }
}

pub(crate) fn post_form(path: impl Into<String>, form: &str) -> Request<'static> {
    let body = Some((
        "application/x-www-form-urlencoded",
        form.as_bytes().to_vec(),
    ));
    Request {
        method: "POST",
        body,
        ..get(path)
    }
}

pub(crate) fn post_bytes(
    path: impl Into<String>,
    kind: &'static str,
    body: &[u8],
) -> Request<'static> {
    Request {
        method: "POST",
        body: Some((kind, body.to_vec())),
        ..get(path)
    }
}

impl<'a> Request<'a> {
    pub(crate) fn token(self, token: &'a str) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.headers.push((name, value.as_ref().to_owned()));
        self
    }

    pub(crate) fn method(self, method: &'a str) -> Self {
        Self { method, ..self }
    }
}

/// Sends on a connection of its own.
pub(crate) async fn try_send(
    simulator: &RunningSimulator,
    request: &Request<'_>,
) -> io::Result<Reply> {
    Connection::open(simulator).await.send(request).await
}

/// Sends on a connection of its own; an answer must come.
pub(crate) async fn send(simulator: &RunningSimulator, request: &Request<'_>) -> Reply {
    try_send(simulator, request).await.unwrap()
}
