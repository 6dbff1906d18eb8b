//! A tap on the wire between the system and PostgreSQL: it tells which statements were executed, and can hold
//! everything back for a while, as a database does that hangs and answers in the end.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};
use url::Url;

use crate::{Database, background};

/// What a client asks before it says who it is: may we speak TLS? (PostgreSQL, "Message Formats", `SSLRequest`.)
const TLS_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// A proxy in front of a PostgreSQL server. Clones are the same one.
#[derive(Clone)]
pub struct DatabaseTap {
    tape: Arc<Tape>,
    address: SocketAddr,
}

struct Tape {
    recording: Mutex<Recording>,
    /// Whether nothing passes.
    held: watch::Sender<bool>,
}

#[derive(Default)]
struct Recording {
    executed: Vec<String>,
    /// The next statement with this text in it is held, and everything after it.
    hold_at: Option<String>,
}

impl DatabaseTap {
    /// A tap in front of a database's server, on a free port.
    #[must_use]
    pub fn before(database: &Database) -> Self {
        let server = address_of(database);
        let tape = Arc::new(Tape {
            recording: Mutex::default(),
            held: watch::Sender::new(false),
        });
        let (tell, told) = mpsc::channel();
        let shared = Arc::clone(&tape);
        background::serve("database tap", async move {
            let listener = TcpListener::bind(("127.0.0.1", 0))
                .await
                .expect("a free port");
            tell.send(listener.local_addr().expect("an address"))
                .expect("the test waits for it");
            let mut open = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                open.spawn(forward(Arc::clone(&shared), client, server));
                while open.try_join_next().is_some() {}
            }
        });
        let address = told.recv().expect("the tap listens");
        Self { tape, address }
    }

    /// The address of a database by way of this tap.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        let mut url: Url = database.url.parse().expect("a URL");
        url.set_ip_host(self.address.ip()).expect("it has a host");
        url.set_port(Some(self.address.port()))
            .expect("it has a port");
        url.into()
    }

    /// The texts of the statements that were executed since the last time this was asked.
    #[must_use]
    pub fn executed(&self) -> Vec<String> {
        std::mem::take(&mut self.tape.lock().executed)
    }

    /// From now on nothing passes, in either direction. Connections stay open.
    pub fn hold(&self) {
        self.tape.held.send_replace(true);
    }

    /// The same from the next statement on that has `text` in it; that one is held already.
    pub fn hold_at(&self, text: &str) {
        self.tape.lock().hold_at = Some(text.to_owned());
    }

    /// Whether anything is held.
    #[must_use]
    pub fn holds(&self) -> bool {
        *self.tape.held.borrow()
    }

    /// What was held passes, in its order, and so does everything after it.
    pub fn release(&self) {
        self.tape.held.send_replace(false);
    }
}

impl Tape {
    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement is on its way to the server.
    fn execute(&self, text: &str) {
        let mut recording = self.lock();
        recording.executed.push(text.to_owned());
        if recording
            .hold_at
            .as_deref()
            .is_some_and(|at| text.contains(at))
        {
            recording.hold_at = None;
            self.held.send_replace(true);
        }
    }

    async fn passes(&self) {
        let mut held = self.held.subscribe();
        // The sender lives as long as the tape does.
        held.wait_for(|held| !held).await.expect("the tap lives");
    }
}

/// What one client has prepared, and bound to run next.
#[derive(Default)]
struct Session {
    prepared: HashMap<String, String>,
    portals: HashMap<String, String>,
}

impl Session {
    /// The statement that a message executes, if it executes one.
    fn executes(&mut self, kind: u8, body: &[u8]) -> Option<String> {
        match kind {
            b'Q' => Some(text(body).0),
            b'P' => {
                let (name, rest) = text(body);
                self.prepared.insert(name, text(rest).0);
                None
            }
            b'B' => {
                let (portal, rest) = text(body);
                let statement = self.prepared.get(&text(rest).0).cloned();
                self.portals.insert(portal, statement.unwrap_or_default());
                None
            }
            b'E' => Some(self.portals.get(&text(body).0).cloned().unwrap_or_default()),
            _ => None,
        }
    }
}

/// A zero-terminated text, and what follows it.
fn text(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0);
    let end = end.unwrap_or(bytes.len());
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), rest)
}

async fn forward(tape: Arc<Tape>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Who hangs up first ends both.
    tokio::select! {
        ended = requests(&tape, from_client, to_server) => ended,
        ended = answers(&tape, from_server, to_client) => ended,
    }
}

async fn requests(
    tape: &Tape,
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
) -> io::Result<()> {
    // Before the first message with a type come one or two without: may we speak TLS, and who is there.
    loop {
        let body = message(&mut client, &mut server, tape, None).await?;
        if !body.starts_with(&TLS_REQUEST) {
            break;
        }
    }
    let mut session = Session::default();
    loop {
        let kind = client.read_u8().await?;
        message(&mut client, &mut server, tape, Some((kind, &mut session))).await?;
    }
}

/// Reads one message, takes note of it, and passes it on. Answers its body.
async fn message(
    client: &mut OwnedReadHalf,
    server: &mut OwnedWriteHalf,
    tape: &Tape,
    typed: Option<(u8, &mut Session)>,
) -> io::Result<Vec<u8>> {
    let length = client.read_u32().await?;
    let size = usize::try_from(length.saturating_sub(4)).expect("32 bits fit");
    let mut body = vec![0; size];
    client.read_exact(&mut body).await?;
    let mut whole = Vec::with_capacity(size + 5);
    if let Some((kind, session)) = typed {
        if let Some(statement) = session.executes(kind, &body) {
            tape.execute(&statement);
        }
        whole.push(kind);
    }
    whole.extend(length.to_be_bytes());
    whole.extend(&body);
    tape.passes().await;
    server.write_all(&whole).await?;
    Ok(body)
}

async fn answers(
    tape: &Tape,
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = server.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        tape.passes().await;
        client.write_all(&buffer[..read]).await?;
    }
}

fn address_of(database: &Database) -> SocketAddr {
    let url: Url = database.url.parse().expect("a URL");
    let addresses = url.socket_addrs(|| Some(5432));
    addresses.expect("an address")[0]
}
