//! What people's acts decide: the pure half of `gateway/src/acts/`.

use crate::{
    connection::check_poke,
    decision::{
        Change, Decision, NewConnection, NewPost, Next, Outcome, Poke, PostEdit, PublishAgain,
    },
    event::Event,
    grant::{AuthState, GrantFacts, believable, refresh_due, refresh_poke},
    id::{ConnectionId, PostId, TargetId, WorkspaceId},
    job::JobKind,
    platform::Platform,
    policy::Policy,
    post::Media,
    survey::{first_survey, survey_poke},
    time::Time,
};

/// Priority of a publish: critical posts go before all others.
#[must_use]
pub const fn publish_priority(critical: bool) -> i16 {
    if critical { 50 } else { 100 }
}

/// A new tenant.
#[must_use]
pub fn create_workspace(workspace: WorkspaceId, name: &str) -> Decision {
    act()
        .change(Change::WorkspaceCreated {
            workspace,
            name: name.to_owned(),
        })
        .event(Event::WorkspaceCreated { workspace })
}

/// An image or a video that posts may show from now on. Its bytes are stored already.
#[must_use]
pub fn add_media(media: Media) -> Decision {
    act()
        .event(Event::MediaAdded {
            media: media.id,
            mime: media.mime.clone(),
            bytes: media.bytes,
        })
        .change(Change::MediaAdded(Box::new(media)))
}

/// A connection from outside: it is checked at once, and its grant gets its refresh job.
#[must_use]
pub fn import_connection(
    decision: Decision,
    mut new: NewConnection,
    policy: &Policy,
    now: Time,
) -> Decision {
    // Without a word on when the tokens were issued, the platform's usual lifetime tells.
    let usual = new.platform.capabilities().access_lifetime;
    new.issued_at = new
        .issued_at
        .or_else(|| Some(new.access_expires_at? - usual?));
    // An end that no token there can have is a slip of whoever wrote it down.
    let issued = new.issued_at.unwrap_or(now);
    let told = believable(usual, issued, new.access_expires_at);
    new.access_expires_at = told.unwrap_or_else(Some);
    let event = Event::ConnectionImported {
        connection: new.connection,
        grant: new.grant,
    };
    let mut decision = decision
        .event(event)
        .poke(check_poke(new.connection, new.platform, now));
    if new.grant_is_new {
        if let Some(at) = first_survey(new.platform, policy, now) {
            decision = decision.poke(survey_poke(new.grant, new.platform, at));
        }
        let facts = GrantFacts {
            state: AuthState::Connected,
            token_version: 1,
            issued_at: new.issued_at.unwrap_or(now),
            access_expires_at: new.access_expires_at,
            has_refresh_token: new.has_refresh_token,
            refresh_expires_at: new.refresh_expires_at,
            refresh_begun: false,
            refresh_exhausted: false,
            probed_at: None,
        };
        if let Some(due) = refresh_due(&facts, new.platform, policy) {
            decision = decision.poke(refresh_poke(new.grant, new.platform, due.max(now)));
        }
    }
    decision.change(Change::ConnectionImported(Box::new(new)))
}

/// A post: each target gets its publish job, and each connection the checks that a due post calls for.
#[must_use]
pub fn schedule_post(new: NewPost, policy: &Policy, now: Time) -> Decision {
    let decision = act().event(Event::PostScheduled {
        post: new.post,
        targets: new.targets.len(),
        due: new.due.at,
    });
    let decision = due_pokes(
        decision,
        &new.targets,
        new.due.at,
        new.critical,
        policy,
        now,
    );
    decision.change(Change::PostScheduled(Box::new(new)))
}

/// The jobs that targets with a new due time need.
fn due_pokes(
    mut decision: Decision,
    targets: &[(TargetId, ConnectionId, Platform)],
    due: Time,
    critical: bool,
    policy: &Policy,
    now: Time,
) -> Decision {
    for (target, connection, platform) in targets {
        decision = decision
            .poke(Poke::Job {
                kind: JobKind::Publish,
                subject: target.uuid(),
                platform: *platform,
                at: due.max(now),
                priority: publish_priority(critical),
            })
            .poke(check_before(*connection, *platform, due, policy, now));
    }
    decision
}

/// The first check that a due post calls for; every check then plans the next one itself.
fn check_before(
    connection: ConnectionId,
    platform: Platform,
    due: Time,
    policy: &Policy,
    now: Time,
) -> Poke {
    let frequent_from = due - policy.check_horizon;
    let first = if frequent_from > now {
        frequent_from
    } else {
        (due - policy.preflight).min(now + policy.check_soon)
    };
    check_poke(connection, platform, first.max(now))
}

/// Something else about a post that has not begun anywhere. `open` are its targets that still wait, and whether it is
/// critical now: their jobs follow a new time and a new urgency.
#[must_use]
pub fn edit_post(
    edit: PostEdit,
    (open, critical): (&[(TargetId, ConnectionId, Platform)], bool),
    due: Time,
    policy: &Policy,
    now: Time,
) -> Decision {
    let mut decision = act().event(Event::PostEdited { post: edit.post });
    if edit.due.is_some() || edit.critical.is_some() {
        let due = edit.due.map_or(due, |due| due.at);
        let critical = edit.critical.unwrap_or(critical);
        decision = due_pokes(decision, open, due, critical, policy, now);
    }
    decision.change(Change::PostEdited(Box::new(edit)))
}

/// A post that must not go out anywhere any more. Which targets that cancels, the store finds under their locks.
#[must_use]
pub fn cancel_post(post: PostId) -> Decision {
    act().change(Change::PostCancelled { post })
}

/// A deliberate publishing of a target that has ended: its next edition.
#[must_use]
pub fn publish_again(
    again: PublishAgain,
    target: (TargetId, ConnectionId, Platform),
    critical: bool,
    policy: &Policy,
    now: Time,
) -> Decision {
    let decision = due_pokes(act(), &[target], again.due, critical, policy, now);
    decision.change(Change::PublishedAgain(Box::new(again)))
}

/// Another key seals from now on; what older ones have sealed is sealed anew in the background.
#[must_use]
pub fn activate_vault_key(key: &str, now: Time) -> Decision {
    act()
        .change(Change::VaultKeyActivated {
            key: key.to_owned(),
        })
        .poke(Poke::House {
            kind: JobKind::Reseal,
            at: now,
        })
}

/// A target that must not go out.
#[must_use]
pub fn cancel_target(target: TargetId) -> Decision {
    act()
        .change(Change::TargetCancelled { target })
        .event(Event::TargetCancelled {
            target,
            reason: "cancelled".to_owned(),
        })
}

/// An act has no job of its own.
#[must_use]
pub fn act() -> Decision {
    Decision::new(Next::Done, Outcome::Success)
}
