//! A slot is occupied as long as the job's future lives, whatever the handler does with its [`Delivery`].

use std::task::{Context, Poll};

use apalis_core::task::Task;
use futures::FutureExt;
use futures::future::BoxFuture;
use tower::{Layer, Service};

use super::Delivery;

/// Moves the slot of each delivery into the future that handles it. apalis puts it outside all other layers.
#[derive(Debug, Clone, Copy)]
pub struct SlotLayer;

/// The service that [`SlotLayer`] makes.
#[derive(Debug, Clone)]
pub struct SlotService<S>(S);

impl<S> Layer<S> for SlotLayer {
    type Service = SlotService<S>;

    fn layer(&self, inner: S) -> SlotService<S> {
        SlotService(inner)
    }
}

impl<S> Service<Task<Delivery>> for SlotService<S>
where
    S: Service<Task<Delivery>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut task: Task<Delivery>) -> Self::Future {
        let slot = task.args.slot.take();
        self.0.call(task).inspect(move |_| drop(slot)).boxed()
    }
}
