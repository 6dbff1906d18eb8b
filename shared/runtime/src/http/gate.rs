//! The last act before a body leaves: read the clock once more, then note that it has left.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body::{Frame, SizeHint};

use super::error::Cause;
use crate::clock::Clock;

/// Until when, and by which clock, a body may leave.
pub(super) struct Gate {
    pub(super) by: DateTime<Utc>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Gate {
    pub(super) fn check(&self) -> Result<(), Cause> {
        if !self.clock.trusted() {
            return Err(Cause::ClockUntrusted);
        }
        if self.clock.now() > self.by {
            Err(Cause::SendByPassed)
        } else {
            Ok(())
        }
    }
}

/// States of a body; 0 is "still held".
const RELEASED: u8 = 1;
const LATE: u8 = 2;
const UNTRUSTED: u8 = 3;

/// What has become of a body, seen from the side that waits for the answer.
#[derive(Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    /// Whether the body was handed to the connection, so that bytes of it can have left.
    pub(super) fn released(&self) -> bool {
        self.0.load(Ordering::SeqCst) == RELEASED
    }

    /// Why the gate refused, if it did.
    pub(super) fn refusal(&self) -> Option<Cause> {
        match self.0.load(Ordering::SeqCst) {
            LATE => Some(Cause::SendByPassed),
            UNTRUSTED => Some(Cause::ClockUntrusted),
            _ => None,
        }
    }
}

/// A body of known length that passes the gate when the connection asks for it, which is after connecting and after
/// the head was prepared. Refusing breaks the connection, so the other side never sees a complete request.
pub(super) struct GatedBody {
    bytes: Option<Bytes>,
    gate: Option<Gate>,
    progress: Arc<Progress>,
}

impl GatedBody {
    pub(super) fn new(bytes: Bytes, gate: Option<Gate>) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        (
            Self {
                bytes: Some(bytes),
                gate,
                progress: Arc::clone(&progress),
            },
            progress,
        )
    }
}

/// The error by which a refused body ends its connection; the reason is in [`Progress`].
#[derive(Debug, thiserror::Error)]
#[error("the gate is closed")]
pub(super) struct GateClosed;

impl http_body::Body for GatedBody {
    type Data = Bytes;
    type Error = GateClosed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GateClosed>>> {
        let Some(bytes) = self.bytes.take() else {
            return Poll::Ready(None);
        };
        let state = match self.gate.as_ref().map_or(Ok(()), Gate::check) {
            Ok(()) => RELEASED,
            Err(Cause::ClockUntrusted) => UNTRUSTED,
            Err(_) => LATE,
        };
        self.progress.0.store(state, Ordering::SeqCst);
        Poll::Ready(Some(if state == RELEASED {
            Ok(Frame::data(bytes))
        } else {
            Err(GateClosed)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
