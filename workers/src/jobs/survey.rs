//! survey: compare a grant's connections with what the grant really reaches.

use mooring_domain::{
    Change, Decision, Failure,
    survey::{Fate, Live, SurveyStep, SurveyWork, after_survey, before_survey},
};
use mooring_providers::Destination;
use mooring_store::{Held, Secrets};

use crate::{
    ctx::{Ctx, Report, access, jitter},
    error::JobError,
};

pub(super) async fn run(ctx: &Ctx, held: &Held) -> Result<Report, JobError> {
    let Some(job) = ctx.store.survey_job(held, ctx.now()).await? else {
        return ctx.drop_job(held).await;
    };
    let Some(credentials) = &job.credentials else {
        return ctx.drop_job(held).await;
    };
    let step = before_survey(&job.work, ctx.policy(), ctx.now(), jitter(held));
    if let SurveyStep::Settled(decision) = step {
        return ctx.apply(held, decision).await;
    }
    let provider = ctx.provider(job.work.platform);
    let list: Result<Vec<Destination>, Failure> = provider.destinations(&access(credentials)).await;
    let (live, listed) = match list {
        Ok(listed) => (Ok(listed.iter().map(live).collect()), listed),
        Err(failure) => (Err(failure), Vec::new()),
    };
    let decision = after_survey(&job.work, live, ctx.policy(), ctx.now(), jitter(held));
    let secrets = own_tokens(&job.work, &decision, listed);
    let (report, _) = ctx.apply_alone(held, decision, secrets).await?;
    Ok(report)
}

fn live(one: &Destination) -> Live {
    Live {
        platform: one.platform,
        remote_id: one.remote_id.clone(),
        name: one.name.clone(),
        has_token: one.token.is_some(),
        may_publish: one.may_publish,
    }
}

/// The destinations' own tokens, for the connections whose place in the list the decision has settled.
fn own_tokens(work: &SurveyWork, decision: &Decision, listed: Vec<Destination>) -> Secrets {
    let mut secrets = Secrets::default();
    let settled = decision.changes.iter().filter_map(|change| match change {
        Change::Surveyed {
            connection, fate, ..
        } => {
            let known = work
                .known
                .iter()
                .find(|one| one.connection == *connection)?;
            let id = match fate {
                Fate::Kept => &known.remote_id,
                Fate::Relinked { remote_id } => remote_id,
                Fate::Gone { .. } => return None,
            };
            Some((*connection, known.platform, id.clone()))
        }
        _ => None,
    });
    let settled: Vec<_> = settled.collect();
    for one in listed {
        let place = settled
            .iter()
            .find(|(_, platform, id)| *platform == one.platform && *id == one.remote_id);
        if let (Some((connection, ..)), Some(token)) = (place, one.token) {
            secrets.connections.push((*connection, token));
        }
    }
    secrets
}
