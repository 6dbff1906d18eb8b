//! Many decisions, one commit.
//!
//! While one group commits the next one gathers, so a busy worker pays for one commit per group and an idle
//! one waits for nobody. A group that fails is replayed one by one: a bad row costs its own job only.

use tokio::sync::{mpsc, oneshot};

use super::{Applied, JobResult, rollup::Touched};
use crate::{Store, StoreError};

/// How many decisions one commit takes at most.
const GROUP: usize = 500;

/// How often a single decision is repeated when another transaction was in its way.
const CONTENTION_TRIES: usize = 3;

type Reply = oneshot::Sender<Result<Applied, StoreError>>;

/// Hands decisions to the group that commits next.
#[derive(Debug, Clone)]
pub struct Applier {
    queue: mpsc::Sender<(JobResult, Reply)>,
}

impl Applier {
    /// Applies a decision with whatever else is waiting, and answers when it is committed.
    pub async fn apply(&self, result: JobResult) -> Result<Applied, StoreError> {
        let (reply, answer) = oneshot::channel();
        let closed =
            || StoreError::Unavailable(sea_orm::DbErr::Custom("the applier has stopped".into()));
        self.queue
            .send((result, reply))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Store {
    /// The applier of a process, and the loop that must run for it. The loop ends when every [`Applier`] is
    /// gone and everything handed over is committed.
    pub fn applier(&self) -> (Applier, impl Future<Output = ()> + Send + 'static) {
        let (queue, mut waiting) = mpsc::channel::<(JobResult, Reply)>(4 * GROUP);
        let store = self.clone();
        let work = async move {
            let mut group = Vec::with_capacity(GROUP);
            while waiting.recv_many(&mut group, GROUP).await > 0 {
                // In key order, so that two groups cannot wait for each other's rows.
                group.sort_by_key(|(result, _)| result.fence);
                store.commit_group(std::mem::take(&mut group)).await;
            }
        };
        (Applier { queue }, work)
    }

    async fn commit_group(&self, group: Vec<(JobResult, Reply)>) {
        let (results, replies): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let answers = match self.try_group(&results).await {
            Ok(applied) => applied.into_iter().map(Ok).collect(),
            Err(error) => {
                if results.len() > 1 {
                    tracing::warn!(
                        event.name = "apply.group_failed",
                        size = results.len(),
                        error = %error,
                        "a group of results failed and is replayed one by one"
                    );
                }
                self.replay(&results).await
            }
        };
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A job that was cancelled meanwhile has nobody waiting; its decision stands all the same.
            drop(reply.send(answer));
        }
    }

    async fn try_group(&self, results: &[JobResult]) -> Result<Vec<Applied>, StoreError> {
        let tx = self.begin().await?;
        let mut applied = Vec::with_capacity(results.len());
        let mut touched = Touched::default();
        for result in results {
            match self.apply_in(&tx, result, &mut touched).await {
                Ok(one) => applied.push(one),
                Err(error) => {
                    tx.rollback().await?;
                    return Err(error);
                }
            }
        }
        if let Some(last) = results.last()
            && let Err(error) = self.settled_by(&tx, last, &touched).await
        {
            tx.rollback().await?;
            return Err(error);
        }
        tx.commit().await?;
        Ok(applied)
    }

    async fn replay(&self, results: &[JobResult]) -> Vec<Result<Applied, StoreError>> {
        let mut answers = Vec::with_capacity(results.len());
        for result in results {
            let mut answer = self.apply_job(result).await;
            for _ in 1..CONTENTION_TRIES {
                if !matches!(answer, Err(StoreError::Contention(_))) {
                    break;
                }
                answer = self.apply_job(result).await;
            }
            answers.push(answer);
        }
        answers
    }
}
