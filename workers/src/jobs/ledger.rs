//! ledger: chain what has happened to targets, and sign the days that are over. Nobody is called.

use mooring_domain::{
    Change, Decision,
    proof::{LedgerStep, LedgerWork, Signer, chain},
};
use mooring_store::{Held, Secrets};

use crate::{
    ctx::{Ctx, Report, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let sealing = ctx.store.signing_keys().is_some();
    let work = ctx.store.ledger_job(sealing, ctx.now()).await?;
    let decision = decide(ctx, held, &work);
    let (report, applied) = ctx
        .apply_alone(held, decision.clone(), Secrets::default())
        .await?;
    if applied.fenced {
        tell(&decision);
    }
    Ok(report)
}

fn decide(ctx: &Ctx, held: &Held, work: &LedgerWork) -> Decision {
    let (now, jitter) = (ctx.now(), jitter(held));
    let Some(keys) = ctx.store.signing_keys() else {
        return chain(work, None, now, jitter);
    };
    let key = keys.active();
    let signer = Signer {
        key: key.id(),
        public: key.public(),
        sign: &|message| key.sign(message),
    };
    chain(work, Some(&signer), now, jitter)
}

/// A root is told to the log too: whoever keeps logs elsewhere can tell when one is made anew.
fn tell(decision: &Decision) {
    for change in &decision.changes {
        let Change::Ledger(step) = change else {
            continue;
        };
        if let LedgerStep::Sealed { root, .. } = step.as_ref() {
            let statement = &root.statement;
            tracing::info!(event.name = "ledger.sealed", workspace.id = %statement.workspace, day = %statement.day, entries = statement.size(), root = %statement.root, key = statement.key, "a day of a proof ledger is signed");
        }
    }
}
