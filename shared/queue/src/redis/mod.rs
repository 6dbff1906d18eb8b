//! The queue on Redis 7.0 or Valkey 7.2 and newer.
//!
//! | key | type | what |
//! |---|---|---|
//! | `{prefix:lane:publish}` | sorted set | the lane: envelope → score |
//! | `{prefix:lane:publish}:epoch` | string | which life of the server this is |
//! | `{prefix:lane:publish}:beats` | hash | process → `slots:until`, in the server's time |
//! | `prefix:wake` | channel | hints to the schedulers |
//!
//! Every command touches one key, and a lane's keys share one hash tag, hence one cluster slot.
//!
//! A lost answer is always possible, so every command may be repeated without harm. The one that may not, the pop,
//! is not repeated: what its lost answer took away comes back when the leases end.

mod beats;
mod connect;
mod hints;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mooring_domain::id::ProcessId;
use mooring_domain::job::Lane;
use mooring_runtime::retry::Delays;
use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{Client, Cmd, FromRedisValue, RedisError, RedisResult, Value, cmd};
use tokio::time::{Instant, timeout_at};

pub use connect::RedisOptions;

use crate::{Beat, Consumers, Envelope, MAX_PUSH, Popped, Queue, QueueError};
use hints::Hints;

/// How long a command may take, with its repetitions.
const ANSWER: Duration = Duration::from_secs(5);

/// The pause before a command is repeated on a new connection.
const REPEAT: Duration = Duration::from_millis(50);

/// The shortest blocking time that is asked for: 0 would mean for ever.
const SHORTEST_BLOCK: Duration = Duration::from_millis(10);

/// A member of a sorted set, and its score.
type Member = (Vec<u8>, Value);

/// Lanes on a Redis server.
pub struct RedisQueue {
    client: Client,
    /// Pushes and small commands. Reconnects by itself.
    commands: ConnectionManager,
    prefix: String,
    beat_ttl: Duration,
    /// Connections for blocking pops that no pop uses at the moment. Each pop has one to itself.
    idle: Mutex<Vec<MultiplexedConnection>>,
    delays: Mutex<Delays>,
    down: AtomicBool,
    reconnects: AtomicU64,
    hints: Hints,
}

impl RedisQueue {
    /// Prepares a queue without connecting. The first call connects, and every call reconnects when it must.
    ///
    /// # Errors
    /// When the options cannot be used, whatever the server does.
    pub fn open(options: &RedisOptions) -> Result<Self, QueueError> {
        let client = connect::client(options)?;
        let commands = connect::manager(&client)?;
        Ok(Self {
            hints: Hints::new(client.clone(), format!("{}:wake", options.prefix)),
            client,
            commands,
            prefix: options.prefix.clone(),
            beat_ttl: options.beat_ttl,
            idle: Mutex::default(),
            delays: Mutex::new(Delays::reconnect()),
            down: AtomicBool::new(false),
            reconnects: AtomicU64::new(0),
        })
    }

    /// Opens a queue and checks that the server answers and is new enough: for the start of a process.
    ///
    /// # Errors
    /// As [`RedisQueue::open`]; also when the server is not reachable or too old.
    pub async fn connect(options: &RedisOptions) -> Result<Self, QueueError> {
        let what = "accept this process";
        let queue = Self::open(options)?;
        // Not over the shared connection, which would try again and hide the reason.
        let mut probe = connect::dedicated(&queue.client)
            .await
            .map_err(|source| QueueError::Redis { what, source })?;
        let mut look_up = cmd("COMMAND");
        let known = look_up
            .arg("INFO")
            .arg("BZMPOP")
            .query_async::<Vec<Value>>(&mut probe);
        let known = tokio::time::timeout(ANSWER, known)
            .await
            .map_err(|_| QueueError::Timeout { what })?;
        let known = known.map_err(|source| QueueError::Redis { what, source })?;
        if known.contains(&Value::Nil) {
            Err(QueueError::TooOld)
        } else {
            Ok(queue)
        }
    }

    fn key(&self, lane: Lane) -> String {
        format!("{{{}:lane:{lane}}}", self.prefix)
    }

    fn epoch_key(&self, lane: Lane) -> String {
        format!("{}:epoch", self.key(lane))
    }

    fn beats(&self, lane: Lane) -> String {
        format!("{}:beats", self.key(lane))
    }

    /// One command, repeated on a new connection when the old one breaks, within [`ANSWER`].
    async fn ask<T: FromRedisValue>(
        &self,
        what: &'static str,
        command: &Cmd,
    ) -> Result<T, QueueError> {
        let deadline = Instant::now() + ANSWER;
        loop {
            let mut connection = self.commands.clone();
            let answer = timeout_at(deadline, command.query_async(&mut connection)).await;
            match answer.map_err(|_| QueueError::Timeout { what })? {
                Ok(value) => {
                    self.note_up();
                    return Ok(value);
                }
                Err(source)
                    if source.is_unrecoverable_error() && Instant::now() + REPEAT < deadline =>
                {
                    self.note_down(&source);
                    tokio::time::sleep(REPEAT).await;
                }
                Err(source) => return Err(QueueError::Redis { what, source }),
            }
        }
    }

    async fn pop_once(&self, lane: Lane, max: usize, wait: Duration) -> RedisResult<Vec<Popped>> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect::dedicated(&self.client).await?,
        };
        let block = wait.max(SHORTEST_BLOCK).as_secs_f64();
        let mut pop = cmd("BZMPOP");
        pop.arg(block)
            .arg(1)
            .arg(self.key(lane))
            .arg("MIN")
            .arg("COUNT")
            .arg(max);
        let answer: Option<(Value, Vec<Member>)> = pop.query_async(&mut connection).await?;
        // Only a connection that answered is used again.
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        let members = answer.map(|(_, members)| members).unwrap_or_default();
        Ok(members.iter().map(|(member, _)| decode(member)).collect())
    }

    fn note_up(&self) {
        if self.down.swap(false, Ordering::Relaxed) {
            self.reconnects.fetch_add(1, Ordering::Relaxed);
            self.delays
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reset();
            tracing::info!(
                event.name = "connection.restored",
                what = "redis",
                "reconnected"
            );
        }
    }

    fn note_down(&self, error: &RedisError) {
        if !self.down.swap(true, Ordering::Relaxed) {
            tracing::warn!(event.name = "connection.lost", what = "redis", %error, "redis is away, trying again");
        }
    }
}

fn decode(member: &[u8]) -> Popped {
    match Envelope::decode(member) {
        Ok(envelope) => Popped::Envelope(envelope),
        Err(error) => Popped::Undecodable {
            reason: error.to_string(),
        },
    }
}

#[async_trait]
impl Queue for RedisQueue {
    async fn push(&self, lane: Lane, envelopes: &[Envelope]) -> Result<(), QueueError> {
        for chunk in envelopes.chunks(MAX_PUSH) {
            let mut add = cmd("ZADD");
            add.arg(self.key(lane));
            for envelope in chunk {
                add.arg(envelope.score()).arg(envelope.encode());
            }
            self.ask::<()>("take envelopes", &add).await?;
        }
        Ok(())
    }

    async fn pop(&self, lane: Lane, max: usize, wait: Duration) -> Vec<Popped> {
        if max == 0 {
            return Vec::new();
        }
        match self.pop_once(lane, max, wait).await {
            Ok(popped) => {
                self.note_up();
                popped
            }
            Err(error) => {
                self.note_down(&error);
                let pause = self
                    .delays
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .next_pause();
                tokio::time::sleep(pause).await;
                Vec::new()
            }
        }
    }

    async fn depth(&self, lane: Lane) -> Result<u64, QueueError> {
        self.ask("count a lane", cmd("ZCARD").arg(self.key(lane)))
            .await
    }

    async fn epoch(&self, lane: Lane) -> Result<Option<String>, QueueError> {
        self.ask("tell the epoch", cmd("GET").arg(self.epoch_key(lane)))
            .await
    }

    async fn set_epoch(&self, lane: Lane, epoch: &str) -> Result<String, QueueError> {
        let key = self.epoch_key(lane);
        let before: Option<String> = self
            .ask(
                "keep the epoch",
                cmd("SET").arg(key).arg(epoch).arg("NX").arg("GET"),
            )
            .await?;
        Ok(before.unwrap_or_else(|| epoch.to_owned()))
    }

    async fn beat(&self, beat: &Beat) -> Result<(), QueueError> {
        let note = beats::note(&self.beats(beat.lane), beat, self.beat_ttl);
        self.ask("take a beat", &note).await
    }

    async fn consumers(&self, lane: Lane) -> Result<Consumers, QueueError> {
        let (workers, slots) = self
            .ask("count workers", &beats::count(&self.beats(lane)))
            .await?;
        Ok(Consumers { workers, slots })
    }

    async fn retire(&self, process: ProcessId) -> Result<(), QueueError> {
        let process = beats::field(process);
        for lane in Lane::ALL {
            self.ask::<()>(
                "forget a worker",
                cmd("HDEL").arg(self.beats(lane)).arg(&process),
            )
            .await?;
        }
        Ok(())
    }

    async fn wake(&self) -> Result<(), QueueError> {
        self.ask(
            "pass on a hint",
            cmd("PUBLISH").arg(self.hints.channel()).arg("due"),
        )
        .await
    }

    async fn woken(&self, timeout: Duration) -> bool {
        self.hints.woken(&self.client, timeout).await
    }

    async fn ping(&self) -> Result<(), QueueError> {
        self.ask("answer a ping", &cmd("PING")).await
    }

    fn reconnects(&self) -> u64 {
        self.reconnects.load(Ordering::Relaxed)
    }
}
