//! Why a run ended without a decision. Nothing was written; the job comes back when its lease has run out.

use mooring_queue::QueueError;
use mooring_store::StoreError;

/// A run without a decision. A provider's failure is not one: it is decided upon.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database did not take part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis did not take part.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The claim was over before the job could begin: the envelope had waited too long.
    #[error("the claim was over before the job began: it is claimed again")]
    ClaimLost,
    /// The lease belongs to somebody newer, or was lost.
    #[error("the lease was lost while the job ran: somebody else has it or will have it")]
    LeaseLost,
    /// The lane's hard cap.
    #[error("the job ran longer than its lane allows and was stopped")]
    TooLong,
    /// The job panicked.
    #[error("the job panicked: {0}")]
    Panicked(String),
    /// The job's own task was aborted at the very end of the process.
    #[error("the process ended before the job did")]
    Aborted,
}

impl JobError {
    /// The stable name: `error.type` of a span and a metric label.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Store(_) => "database",
            Self::Queue(_) => "redis",
            Self::ClaimLost => "claim_lost",
            Self::LeaseLost => "lease_lost",
            Self::TooLong => "too_long",
            Self::Panicked(_) => "panic",
            Self::Aborted => "aborted",
        }
    }
}
