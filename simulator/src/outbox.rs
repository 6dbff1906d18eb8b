//! What the platforms send on their own: webhooks. They are signed when they are written, kept for tests to look
//! at, and posted by one task.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

use crate::ledger::Platform;
use crate::world::Shared;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request of a platform to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Who sends it.
    pub platform: Platform,
    /// `GET` for a handshake, else `POST`.
    pub method: &'static str,
    /// Where to, with its query.
    pub url: String,
    /// Headers, with the signature.
    pub headers: Vec<(String, String)>,
    /// The body, as it was signed.
    pub body: String,
    /// Status and body of the answer; `None` = not sent yet, or nobody answered.
    pub answer: Option<(u16, String)>,
}

/// Deliveries in order.
#[derive(Default)]
pub(crate) struct Outbox {
    deliveries: Vec<Delivery>,
    sent: usize,
    /// Wakes the task that sends.
    pub(crate) wake: Arc<Notify>,
}

impl Outbox {
    /// Puts a delivery in the queue.
    pub(crate) fn send(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
        self.wake.notify_one();
    }

    /// Everything that was ever to be sent.
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.deliveries.clone()
    }

    fn next(&mut self) -> Option<(usize, Delivery)> {
        let next = self.deliveries.get(self.sent)?.clone();
        self.sent += 1;
        Some((self.sent - 1, next))
    }
}

/// Sends what is queued, one after the other, each once, until the simulator ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    let client = client.unwrap_or_default();
    let wake = shared.with(|world| Arc::clone(&world.outbox.wake));
    loop {
        while let Some((index, delivery)) = shared.with(|world| world.outbox.next()) {
            let answer = deliver(&client, &delivery).await;
            shared.with(|world| {
                if let Some(sent) = world.outbox.deliveries.get_mut(index) {
                    sent.answer = answer;
                }
            });
        }
        wake.notified().await;
    }
}

/// Status and body; `None` when nobody answers.
async fn deliver(client: &reqwest::Client, delivery: &Delivery) -> Option<(u16, String)> {
    let method = delivery.method.parse().ok()?;
    let mut request = client.request(method, &delivery.url);
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a platform's own client, not the product's"
    )]
    let answer = request.body(delivery.body.clone()).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.unwrap_or_default()))
}
