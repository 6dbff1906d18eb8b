//! Hearing the hints of [`wake`](crate::Queue::wake), over as many connections as it takes.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use mooring_runtime::retry::Delays;
use redis::aio::PubSub;
use redis::{Client, RedisResult};
use tokio::sync::Mutex;

use super::connect::CONNECT;

/// The subscription to the channel of hints.
pub(super) struct Hints {
    channel: String,
    subscription: Mutex<Option<PubSub>>,
}

impl Hints {
    pub(super) fn new(channel: String) -> Self {
        Self { channel, subscription: Mutex::new(None) }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// Waits up to `wait` for a hint, or for a moment in which one may have been missed.
    pub(super) async fn woken(&self, client: &Client, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.next(client)).await.is_ok()
    }

    async fn next(&self, client: &Client) {
        let mut slot = self.subscription.lock().await;
        let Some(subscription) = slot.as_mut() else {
            *slot = Some(self.subscribe(client).await);
            return;
        };
        let mut messages = subscription.on_message();
        let mut heard = messages.next().await;
        // Many hints at once are one.
        while heard.is_some() {
            match messages.next().now_or_never() {
                Some(next) => heard = next,
                None => return,
            }
        }
        drop(messages);
        tracing::debug!(event.name = "connection.lost", what = "redis hints", "subscribing again");
        *slot = None;
    }

    async fn subscribe(&self, client: &Client) -> PubSub {
        let mut delays = Delays::reconnect();
        loop {
            match tokio::time::timeout(CONNECT, self.subscribe_once(client)).await {
                Ok(Ok(subscription)) => return subscription,
                Ok(Err(error)) => {
                    tracing::debug!(event.name = "connection.lost", what = "redis hints", %error, "cannot subscribe yet");
                }
                Err(_) => {
                    tracing::debug!(event.name = "connection.lost", what = "redis hints", "no answer to subscribe yet");
                }
            }
            tokio::time::sleep(delays.next_pause()).await;
        }
    }

    async fn subscribe_once(&self, client: &Client) -> RedisResult<PubSub> {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(&self.channel).await?;
        Ok(subscription)
    }
}
