//! The way of every call: count, decide about faults, let it have its effect
//! (or not), answer (or not). Faults are carried out here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::call::{Answer, Call};
use crate::calls::{Operation, Seen};
use crate::faults::{FaultKind, Plan, Target};
use crate::ledger::Platform;
use crate::routes::{self, Route};
use crate::sites;
use crate::world::{Shared, World};

/// What the caller gets.
pub(crate) enum Outcome {
    Answer(Answer),
    /// Nothing: the connection is dropped.
    Drop,
}

/// Whose call it is: a page and its user, or a DID. Empty when unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) account: String,
    pub(crate) owner: String,
}

/// A call with its fate.
struct Fated {
    platform: Platform,
    call: Call,
    route: Option<&'static Route>,
    subject: Subject,
    plan: Plan,
}

/// Serves one call from beginning to end.
pub(crate) async fn serve(shared: Arc<Shared>, platform: Platform, call: Call) -> Outcome {
    let fated = shared.with(|world| decide(world, platform, call));
    let answer_delay = fated.plan.answer_delay_ms;
    let outcome = if fated.plan.effect_delay_ms == 0 {
        shared.with(|world| perform(world, &fated))
    } else {
        perform_later(shared, fated).await
    };
    if answer_delay > 0 {
        tokio::time::sleep(Duration::from_millis(answer_delay)).await;
    }
    outcome
}

fn decide(world: &mut World, platform: Platform, call: Call) -> Fated {
    let route = routes::find_route(platform, &call);
    let subject = (sites::of(platform).subject)(world, &call);
    let plan = world.faults.plan(&Target {
        platform,
        operation: route.map_or(Operation::Unknown, |r| r.operation),
        endpoint: route.map_or("unknown", |r| r.name),
        account: &subject.account,
        owner: &subject.owner,
    });
    Fated {
        platform,
        call,
        route,
        subject,
        plan,
    }
}

/// A task of its own, because the server ends a call's future when the caller
/// hangs up, and a late effect shall happen all the same.
async fn perform_later(shared: Arc<Shared>, fated: Fated) -> Outcome {
    let delay = Duration::from_millis(fated.plan.effect_delay_ms);
    let task = tokio::runtime::Handle::current().spawn(async move {
        tokio::time::sleep(delay).await;
        shared.with(|world| perform(world, &fated))
    });
    task.await.unwrap_or(Outcome::Drop)
}

fn perform(world: &mut World, fated: &Fated) -> Outcome {
    let outcome = carry_out(world, fated);
    let seen = match &outcome {
        Outcome::Answer(answer) if answer.is_success() => Seen::Success,
        Outcome::Answer(_) => Seen::Failure,
        Outcome::Drop => Seen::Nothing,
    };
    let operation = fated.route.map_or(Operation::Unknown, |r| r.operation);
    let endpoint = fated.route.map_or("unknown", |r| r.name);
    world.calls.record(
        fated.platform,
        operation,
        endpoint,
        &fated.subject.account,
        seen,
    );
    outcome
}

fn carry_out(world: &mut World, fated: &Fated) -> Outcome {
    let Some((rule, fault)) = &fated.plan.fault else {
        return Outcome::Answer(effect(world, fated));
    };
    match fault {
        FaultKind::DroppedRequest => Outcome::Drop,
        FaultKind::LostAnswer => {
            effect(world, fated);
            Outcome::Drop
        }
        FaultKind::Garbage => {
            effect(world, fated);
            Outcome::Answer(Answer::text(
                200,
                "text/html",
                "<html><body>It works!</body></html>",
            ))
        }
        FaultKind::Status { code, body } => Outcome::Answer(
            given(*code, body.as_ref())
                .unwrap_or_else(|| (sites::of(fated.platform).usual_for_status)(*code)),
        ),
        FaultKind::RateLimited { reset_s } => Outcome::Answer((sites::of(fated.platform)
            .throttled)(
            world, &fated.subject, *reset_s
        )),
        FaultKind::ErrorAlthoughCreated { code, body } => {
            let own = effect(world, fated);
            if !own.is_success() {
                world.faults.refund(*rule);
                return Outcome::Answer(own);
            }
            let usual = (sites::of(fated.platform).although_created)(&own);
            let code = code.unwrap_or(usual.status);
            Outcome::Answer(given(code, body.as_ref()).unwrap_or(Answer {
                status: code,
                ..usual
            }))
        }
        // The plan keeps delays apart from faults.
        FaultKind::LatencyMs { .. } | FaultKind::LateEffectMs { .. } => {
            Outcome::Answer(effect(world, fated))
        }
    }
}

/// What really happens on the platform.
fn effect(world: &mut World, fated: &Fated) -> Answer {
    (sites::of(fated.platform).execute)(world, fated.route, &fated.call, &fated.subject)
}

fn given(code: u16, body: Option<&Value>) -> Option<Answer> {
    body.map(|body| Answer::json(code, body))
}
