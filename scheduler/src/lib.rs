//! The scheduler: claims what is due and puts it on the lanes. Nothing else.
//!
//! Any number of schedulers run at once, without a leader: claims skip what another one has locked. A
//! scheduler knows no provider and no job body. It wakes when something becomes due, on a hint that new work
//! has come, and once a second to find expired leases; an idle one asks the database one question a second.

mod dispatch;
mod epochs;
mod sweep;

use std::{sync::Arc, time::Duration};

use mooring_domain::{JobKind, Next, Poke, ProcessId, WorkspaceId, decision::Outcome};
use mooring_queue::Queue;
use mooring_runtime::{Context, lifecycle::TaskResult, wait_until};
use mooring_store::{Actor, Secrets, Store};

use crate::sweep::Sweeper;

/// How long a scheduler rests at most: leases that ran out are found within this time.
const SWEEP: Duration = Duration::from_secs(1);

/// How long it rests while a lane is full and more is due.
const FULL: Duration = Duration::from_millis(50);

/// Runs until the soft step of shutdown. Trouble with the database or Redis is waited out, never an end.
pub async fn run(context: Context, store: Store, queue: Arc<dyn Queue>) -> TaskResult {
    let heartbeat = context.readiness.heartbeat("scheduler");
    let database = context.readiness.check("database");
    let mut sweeper = Sweeper::new(context.clone(), store.clone(), Arc::clone(&queue));
    let mut keeper_asked = false;
    while !context.lifecycle.stopping() {
        heartbeat.beat();
        if !keeper_asked {
            keeper_asked = ask_for_housekeeping(&context, &store).await;
        }
        let rest = match sweeper.sweep().await {
            Ok(rest) => {
                database.good();
                rest
            }
            Err(error) => {
                database.failing(&error);
                sweeper.note_gap();
                tracing::warn!(event.name = "scheduler.database_away", error = %error, "cannot claim; trying again");
                sweep::Rest::Until(None)
            }
        };
        tokio::select! {
            () = context.lifecycle.soft().cancelled() => {}
            () = rest_for(&context, queue.as_ref(), rest) => {}
        }
    }
    Ok(())
}

async fn rest_for(context: &Context, queue: &dyn Queue, rest: sweep::Rest) {
    match rest {
        sweep::Rest::Full => tokio::time::sleep(FULL).await,
        sweep::Rest::Until(next) => {
            let due = async {
                match next {
                    Some(at) => wait_until(context.clock.as_ref(), at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                _ = queue.woken(SWEEP) => {}
            }
        }
    }
}

/// The house's own jobs exist as soon as any scheduler has started once.
async fn ask_for_housekeeping(context: &Context, store: &Store) -> bool {
    let now = context.clock.now();
    let mut decision = mooring_domain::Decision::new(Next::Done, Outcome::Success);
    for kind in [
        JobKind::Reconcile,
        JobKind::Retention,
        JobKind::Reseal,
        JobKind::Ledger,
    ] {
        decision = decision.poke(Poke::House { kind, at: now });
    }
    let actor = Actor::Process(ProcessId::from_uuid(context.process));
    let house = WorkspaceId::from_uuid(uuid::Uuid::nil());
    match store
        .apply_act(&actor, house, &decision, &Secrets::default(), now)
        .await
    {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(event.name = "scheduler.no_housekeeping", error = %error, "cannot create the house's jobs; trying again");
            false
        }
    }
}
