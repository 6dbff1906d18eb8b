//! What stands in front of the server: the network between us and it, and whatever answers there in its stead.
//!
//! Each call is one connection, passed on as it came with two headers more: who called (as load balancers say it), and
//! that the connection ends with the answer.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mooring_simulator::FaultKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The front of one server. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Front(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    faults: Vec<Rule>,
    /// What was called, in the simulator's words for it.
    calls: Vec<&'static str>,
    /// Which address the callers of this case have.
    caller: u32,
    /// When the last refusal of one call too many ends, by its own word (Unix seconds).
    reset: Option<i64>,
}

struct Rule {
    operation: String,
    kind: FaultKind,
    left: u64,
}

/// A call as it came.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Front {
    /// A new case: no faults, nothing counted, callers from a new address.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.calls.clear();
        state.reset = None;
        state.caller += 1;
    }

    /// Counts anew: what it took to move in is not the case's.
    pub(crate) fn forget_calls(&self) {
        self.lock().calls.clear();
    }

    /// Puts a fault on the next calls of a kind.
    pub(crate) fn fault(&self, operation: &str, kind: FaultKind, times: u64) {
        let operation = operation.to_owned();
        self.lock().faults.push(Rule {
            operation,
            kind,
            left: times,
        });
    }

    pub(crate) fn clear(&self) {
        self.lock().faults.clear();
    }

    /// How many calls of a kind came, or of all kinds.
    pub(crate) fn calls(&self, operation: Option<&str>) -> u64 {
        let state = self.lock();
        let counted = state.calls.iter();
        counted
            .filter(|call| operation.is_none_or(|wanted| wanted == **call))
            .count() as u64
    }

    /// Where the callers of this case are, as the server sees them.
    pub(crate) fn caller(&self) -> String {
        // Addresses of a network for documentation and tests (RFC 2544).
        let first = u32::from(Ipv4Addr::new(198, 18, 0, 0));
        Ipv4Addr::from(first + self.lock().caller).to_string()
    }

    pub(crate) fn reset(&self) -> Option<i64> {
        self.lock().reset
    }

    /// Serves for ever.
    pub(crate) async fn serve(self, listener: TcpListener, server: SocketAddr) {
        loop {
            let (client, _) = listener.accept().await.expect("a connection");
            let front = self.clone();
            #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
            tokio::spawn(async move { front.pass(client, server).await });
        }
    }

    async fn pass(self, mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
        let Some(request) = Request::read(&mut client).await? else {
            return Ok(());
        };
        let fault = self.strikes(request.operation());
        let answer = match fault {
            Some(FaultKind::DroppedRequest) => return Ok(()),
            Some(FaultKind::Status { code, .. }) => page(code, "not now"),
            None => self.forward(&request, server).await?,
            // The others let the call through; what is lost is its answer.
            Some(kind) => {
                self.forward(&request, server).await?;
                match kind {
                    FaultKind::Garbage => page(200, "welcome to the captive portal"),
                    FaultKind::ErrorAlthoughCreated { code, .. } => {
                        page(code.unwrap_or(500), "something went wrong")
                    }
                    FaultKind::LostAnswer => return Ok(()),
                    kind => panic!("a network does not do this: {kind:?}"),
                }
            }
        };
        client.write_all(&answer).await?;
        client.shutdown().await
    }

    async fn forward(&self, request: &Request, server: SocketAddr) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(server).await?;
        server
            .write_all(request.passed_on(&self.caller()).as_bytes())
            .await?;
        server.write_all(&request.body).await?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        let head = String::from_utf8_lossy(&answer[..answer.len().min(4_096)]).to_lowercase();
        if head.starts_with("http/1.1 429") {
            let reset = value(&head, "ratelimit-reset");
            self.lock().reset = reset.and_then(|text| text.parse().ok());
        }
        Ok(answer)
    }

    /// Counts the call; the fault that strikes it.
    fn strikes(&self, operation: &'static str) -> Option<FaultKind> {
        let mut state = self.lock();
        state.calls.push(operation);
        let rule = state
            .faults
            .iter_mut()
            .find(|rule| rule.operation == operation && rule.left > 0)?;
        rule.left -= 1;
        Some(rule.kind.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    /// Reads one call; `None` when the caller went away before it was whole.
    async fn read(client: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if client.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        };
        let mut body = bytes.split_off(end + 4);
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let lower = head.to_lowercase();
        let length = value(&lower, "content-length").and_then(|text| text.parse::<usize>().ok());
        assert!(
            value(&lower, "transfer-encoding").is_none(),
            "our client says how long a body is"
        );
        while body.len() < length.unwrap_or(0) {
            if client.read_buf(&mut body).await? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(Self { head, body }))
    }

    /// The head as it came, and who called.
    fn passed_on(&self, caller: &str) -> String {
        let (line, rest) = self.head.split_once("\r\n").expect("a request line");
        format!("{line}\r\nx-forwarded-for: {caller}\r\nconnection: close\r\n{rest}")
    }

    /// The simulator's word for this call.
    fn operation(&self) -> &'static str {
        let path = self.head.split(' ').nth(1).unwrap_or_default();
        let method = path.split('?').next().unwrap_or_default();
        match method.rsplit(['.', '/']).next().unwrap_or_default() {
            "getSession" | "getRepoStatus" => "check",
            "putRecord" | "createRecord" => "publish",
            "deleteRecord" => "delete",
            "uploadBlob" => "upload",
            "getRecord" => "read_back",
            "listRecords" => "find",
            "refreshSession" => "refresh",
            "deleteSession" | "revoke" => "disconnect",
            "token" if self.says("grant_type=refresh_token") => "refresh",
            _ => "connect",
        }
    }

    fn says(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }
}

/// A header's value in a head of small letters.
fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(one, _)| one.trim() == name);
    found.next().map(|(_, value)| value.trim())
}

/// What stands there in the server's stead.
fn page(code: u16, words: &str) -> Vec<u8> {
    let body = format!("<html><body>{words}</body></html>");
    let head = format!(
        "HTTP/1.1 {code} Front\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close",
        body.len()
    );
    format!("{head}\r\n\r\n{body}").into_bytes()
}
