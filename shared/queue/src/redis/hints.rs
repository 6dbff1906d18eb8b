//! Hearing the hints of [`wake`](crate::Queue::wake), over as many connections as it takes.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use mooring_runtime::retry::Delays;
use redis::aio::PubSub;
use redis::{Client, RedisResult};
use tokio::sync::Mutex;

use super::connect::CONNECT;

/// The subscription to the channel of hints.
pub(super) struct Hints {
    channel: String,
    state: Mutex<State>,
}

enum State {
    /// Kept here between calls, so that a caller with little time does not start it anew each time.
    Subscribing(BoxFuture<'static, PubSub>),
    Subscribed(PubSub),
}

impl Hints {
    pub(super) fn new(client: Client, channel: String) -> Self {
        let state = Mutex::new(State::Subscribing(
            subscribe(client, channel.clone()).boxed(),
        ));
        Self { channel, state }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// Waits up to `wait` for a hint, or for a moment in which one may have been missed.
    pub(super) async fn woken(&self, client: &Client, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.next(client)).await.is_ok()
    }

    async fn next(&self, client: &Client) {
        let mut state = self.state.lock().await;
        match &mut *state {
            State::Subscribing(subscribing) => *state = State::Subscribed(subscribing.await),
            State::Subscribed(subscription) => {
                if !heard(subscription).await {
                    tracing::debug!(
                        event.name = "connection.lost",
                        what = "redis hints",
                        "subscribing again"
                    );
                    *state =
                        State::Subscribing(subscribe(client.clone(), self.channel.clone()).boxed());
                }
            }
        }
    }
}

/// Waits for the next hint and takes all that came with it: many at once are one. False when the connection is lost.
async fn heard(subscription: &mut PubSub) -> bool {
    let mut messages = subscription.on_message();
    let mut next = messages.next().await;
    while next.is_some() {
        match messages.next().now_or_never() {
            Some(another) => next = another,
            None => return true,
        }
    }
    false
}

async fn subscribe(client: Client, channel: String) -> PubSub {
    let mut delays = Delays::reconnect();
    loop {
        match tokio::time::timeout(CONNECT, subscribe_once(&client, &channel)).await {
            Ok(Ok(subscription)) => return subscription,
            Ok(Err(error)) => {
                tracing::debug!(event.name = "connection.lost", what = "redis hints", %error, "cannot subscribe yet");
            }
            Err(_) => {
                tracing::debug!(
                    event.name = "connection.lost",
                    what = "redis hints",
                    "no answer to subscribe yet"
                );
            }
        }
        tokio::time::sleep(delays.next_pause()).await;
    }
}

async fn subscribe_once(client: &Client, channel: &str) -> RedisResult<PubSub> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(channel).await?;
    Ok(subscription)
}
