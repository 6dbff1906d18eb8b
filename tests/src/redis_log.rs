//! What Redis is told and what it keeps, for one prefix of keys.

use std::{
    fmt::Write as _,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use futures::StreamExt as _;
use redis::{Client, aio::MultiplexedConnection, cmd};

use crate::background;

/// Writes down every command that names the prefix, as Redis itself reports it (`MONITOR`): an envelope is on its lane
/// for a moment only, and is seen here all the same.
pub struct RedisLog {
    client: Client,
    prefix: String,
    commands: Arc<Mutex<String>>,
}

impl RedisLog {
    /// Begins to listen to the server that `MOORING_TEST_REDIS_URL` names.
    #[must_use]
    pub fn start(prefix: &str) -> Self {
        let url = std::env::var("MOORING_TEST_REDIS_URL").expect("run the tests with dev/test");
        let client = Client::open(url).expect("a Redis URL");
        let commands = Arc::new(Mutex::new(String::new()));
        let (tell, told) = mpsc::channel();
        let (listened, shared, wanted) = (client.clone(), Arc::clone(&commands), prefix.to_owned());
        background::serve("redis log", async move {
            let monitor = listened
                .get_async_monitor()
                .await
                .expect("Redis reports its commands");
            tell.send(()).expect("the test waits for it");
            let mut lines = pin!(monitor.into_on_message::<String>());
            while let Some(line) = lines.next().await {
                if line.contains(&wanted) {
                    let mut commands = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    writeln!(commands, "{line}").expect("a String takes every write");
                }
            }
        });
        told.recv().expect("Redis reports its commands");
        Self {
            client,
            prefix: prefix.to_owned(),
            commands,
        }
    }

    /// Every command so far.
    #[must_use]
    pub fn commands(&self) -> String {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Every key with the prefix, and its value.
    pub async fn dump(&self) -> String {
        let connection = self.client.get_multiplexed_async_connection().await;
        let mut connection = connection.expect("Redis answers");
        let (mut cursor, mut text) = (0_u64, String::new());
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(format!("*{}*", self.prefix))
                .arg("COUNT")
                .arg(1_000);
            let (next, keys): (u64, Vec<String>) = scan
                .query_async(&mut connection)
                .await
                .expect("Redis answers");
            for key in keys {
                let value = value(&mut connection, &key).await;
                writeln!(text, "{key} = {value}").expect("a String takes every write");
            }
            cursor = next;
            if cursor == 0 {
                return text;
            }
        }
    }
}

async fn value(connection: &mut MultiplexedConnection, key: &str) -> String {
    let kind: String = cmd("TYPE")
        .arg(key)
        .query_async(connection)
        .await
        .expect("Redis answers");
    let read = match kind.as_str() {
        "string" => cmd("GET").arg(key).to_owned(),
        "hash" => cmd("HGETALL").arg(key).to_owned(),
        "zset" => cmd("ZRANGE")
            .arg(key)
            .arg(0)
            .arg(-1)
            .arg("WITHSCORES")
            .to_owned(),
        "set" => cmd("SMEMBERS").arg(key).to_owned(),
        "list" => cmd("LRANGE").arg(key).arg(0).arg(-1).to_owned(),
        // Gone since the scan.
        "none" => return "gone".to_owned(),
        other => panic!("{key} is a {other}: teach the dump to read it"),
    };
    let value: redis::Value = read.query_async(connection).await.expect("Redis answers");
    format!("{kind} {value:?}")
}
