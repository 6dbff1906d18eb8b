//! A tap on the wire between the system and a platform: it writes down every byte, and can lose an answer.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::background;

/// A proxy in front of a server that speaks plain HTTP. Clones are the same one.
#[derive(Clone)]
pub struct Wiretap {
    tape: Tape,
    address: SocketAddr,
}

#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Recording>>);

#[derive(Default)]
struct Recording {
    connections: BTreeMap<usize, Connection>,
    /// The answer to the next request that holds this text is lost.
    lose: Option<String>,
    lost: usize,
}

#[derive(Default)]
struct Connection {
    requests: Vec<u8>,
    answers: Vec<u8>,
    doomed: bool,
}

impl Wiretap {
    /// A tap in front of `server`, on a free port.
    #[must_use]
    pub fn before(server: SocketAddr) -> Self {
        let tape = Tape::default();
        let (tell, told) = mpsc::channel();
        let shared = tape.clone();
        background::serve("wiretap", async move {
            let listener = TcpListener::bind(("127.0.0.1", 0))
                .await
                .expect("a free port");
            tell.send(listener.local_addr().expect("an address"))
                .expect("the test waits for it");
            let mut open = JoinSet::new();
            for number in 0.. {
                let (client, _) = listener.accept().await.expect("a connection");
                open.spawn(forward(shared.clone(), number, client, server));
                while open.try_join_next().is_some() {}
            }
        });
        let address = told.recv().expect("the wiretap listens");
        Self { tape, address }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was sent to the server so far.
    #[must_use]
    pub fn requests(&self) -> String {
        self.tape.text(|connection| &connection.requests)
    }

    /// Everything that the server answered so far.
    #[must_use]
    pub fn answers(&self) -> String {
        self.tape.text(|connection| &connection.answers)
    }

    /// Loses the answer to the next request that holds `text`: the server has done it, the caller never hears.
    pub fn lose_answer_to(&self, text: &str) {
        self.tape.lock().lose = Some(text.to_owned());
    }

    /// How many answers were lost.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.tape.lock().lost
    }
}

impl Tape {
    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, part: impl Fn(&Connection) -> &Vec<u8>) -> String {
        let recording = self.lock();
        let texts = recording
            .connections
            .values()
            .map(|one| String::from_utf8_lossy(part(one)).into_owned());
        texts.collect::<Vec<_>>().join("\n")
    }

    fn request(&self, number: usize, bytes: &[u8]) {
        let mut recording = self.lock();
        let hit = recording
            .lose
            .as_ref()
            .is_some_and(|text| String::from_utf8_lossy(bytes).contains(text));
        if hit {
            recording.lose = None;
        }
        let connection = recording.connections.entry(number).or_default();
        connection.requests.extend_from_slice(bytes);
        connection.doomed |= hit;
    }

    /// Whether the answer goes on to the client.
    fn answer(&self, number: usize, bytes: &[u8]) -> bool {
        let mut recording = self.lock();
        let connection = recording.connections.entry(number).or_default();
        connection.answers.extend_from_slice(bytes);
        let doomed = connection.doomed;
        recording.lost += usize::from(doomed);
        !doomed
    }
}

async fn forward(
    tape: Tape,
    number: usize,
    mut client: TcpStream,
    server: SocketAddr,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => match read? {
                0 => return Ok(()),
                n => {
                    tape.request(number, &request[..n]);
                    server.write_all(&request[..n]).await?;
                }
            },
            read = server.read(&mut answer) => match read? {
                0 => return Ok(()),
                n if tape.answer(number, &answer[..n]) => client.write_all(&answer[..n]).await?,
                _ => return Ok(()),
            },
        }
    }
}
