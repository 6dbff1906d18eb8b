//! Choosing what becomes connected of what a log-in reaches.

use mooring_domain::{ConnectId, WorkspaceId, platform::Barred};
use mooring_store::{Actor, ConnectRun, Refusal};

use super::{
    ActError,
    connecting::{ConnectRefused, Desk, LiveCheck, Offer, Offered, complete},
};

/// Connects the chosen destinations, all of them or none, and looks at each live. Only whoever began the run may.
pub async fn choose_destinations(
    desk: &Desk<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    id: ConnectId,
    remote_ids: &[String],
) -> Result<Vec<LiveCheck>, ActError> {
    let run = desk.store.connect_run(workspace, id).await?;
    let run = run.ok_or_else(|| Refusal::NotFound {
        what: id.to_string(),
    })?;
    if run.actor != actor.text() {
        return Err(ConnectRefused::NotYours.into());
    }
    let offer = Offer::of(desk, &run)?.ok_or_else(|| nothing(desk, &run))?;
    if remote_ids.is_empty() {
        return Err(ActError::invalid(
            "destinations",
            "is empty; name the remote_id of each account to connect",
        ));
    }
    let mut chosen: Vec<&Offered> = Vec::new();
    for remote_id in remote_ids {
        let one = pick(&run, &offer, remote_id)?;
        if !chosen.iter().any(|known| std::ptr::eq(*known, one)) {
            chosen.push(one);
        }
    }
    complete(desk, actor, &run, &offer, &chosen).await
}

fn nothing(desk: &Desk<'_>, run: &ConnectRun) -> ConnectRefused {
    let how = match run.outcome {
        Some(outcome) => outcome.as_str(),
        None if run.expires_at <= desk.now() => "expired",
        None => "the person has not come back yet",
    };
    ConnectRefused::NotOffered(how.to_owned())
}

fn pick<'a>(
    run: &ConnectRun,
    offer: &'a Offer,
    remote_id: &str,
) -> Result<&'a Offered, ConnectRefused> {
    let refused = |why: &str| ConnectRefused::Barred {
        remote_id: remote_id.to_owned(),
        why: why.to_owned(),
    };
    let found = offer
        .destinations
        .iter()
        .find(|one| one.remote_id == remote_id);
    let Some(one) = found else {
        let own = run.platform.pages_only() && remote_id == offer.remote_user_id;
        return Err(refused(if own {
            words(Barred::PersonalProfile)
        } else {
            "is not among what this log-in reaches; see the run's destinations"
        }));
    };
    match offer.barred(one) {
        None => Ok(one),
        Some(barred) => Err(refused(words(barred))),
    }
}

const fn words(barred: Barred) -> &'static str {
    match barred {
        Barred::Role => {
            "the person's role there does not allow publishing; an admin of the page must grant it, or connect it"
        }
        Barred::PersonalProfile => {
            "is a personal profile, and the platform lets only pages be published to; choose a page"
        }
        Barred::AccountType => {
            "is an account of a kind that cannot be published to; make it a business or creator account first"
        }
        Barred::Account => {
            "is locked, moved or taken down at the platform; clear that up there first"
        }
        Barred::NotOffered => {
            "is not offered posting by the platform: not every kind of account is, nor every region; look in the platform's app whether it can be a business account, or connect another one"
        }
        Barred::PermissionDeclined => {
            "the permission to publish was declined; connect again and allow it"
        }
    }
}
