//! Cases about every way to lose a call or its answer.

use std::time::Duration;

use mooring_domain::{
    Failure,
    platform::RefreshRule,
    post::{Finding, Seen},
    time::seconds,
};
use mooring_providers::BaseUrls;
use mooring_simulator::FaultKind;

use crate::arena::{Arena, Passed, Verdict, holds, same, works};

pub(crate) async fn provider_down(arena: &Arena) -> Verdict {
    for code in [500, 502, 503] {
        arena.fault("publish", FaultKind::Status { code, body: None }, 1);
        let sent = arena.publish(&arena.usual("down")).await;
        same("publish", &sent, &Err(Failure::ProviderDown))?;
    }
    same("posts made", &arena.made(), &0)?;
    Ok(Passed::Yes)
}

/// What publish says to a fault, and what a look finds afterwards.
async fn lost_and_looked_for(arena: &Arena, kind: FaultKind) -> Result<(Failure, Finding), String> {
    let draft = works("prepare", arena.ready(arena.usual("lost on the way")).await)?;
    arena.fault("publish", kind, 1);
    let failure = arena
        .publish(&draft)
        .await
        .err()
        .ok_or("the fault did not strike")?;
    arena.advance(Duration::from_secs(20));
    let found = works(
        "find",
        arena
            .provider
            .find(&arena.scene.access(), &arena.lost(&draft))
            .await,
    )?;
    Ok((failure, found))
}

pub(crate) async fn garbage(arena: &Arena) -> Verdict {
    let (failure, found) = lost_and_looked_for(arena, FaultKind::Garbage).await?;
    holds(
        "never success",
        matches!(failure, Failure::Contract { .. }),
        &failure,
    )?;
    holds("find", is_found(arena, &found), &found)?;
    Ok(Passed::Yes)
}

/// Whether a post that is there was found, or nobody may look.
fn is_found(arena: &Arena, found: &Finding) -> bool {
    match arena.findable(Finding::Absent) {
        Finding::Unsure => *found == Finding::Unsure,
        _ => matches!(found, Finding::Found(_)),
    }
}

pub(crate) async fn lost_answer(arena: &Arena) -> Verdict {
    let (failure, found) = lost_and_looked_for(arena, FaultKind::LostAnswer).await?;
    same("publish", &failure, &Failure::Indeterminate)?;
    if arena.findable(Finding::Absent) == Finding::Unsure {
        same("find", &found, &Finding::Unsure)?;
        same("posts made", &arena.made(), &1)?;
        return Ok(Passed::Yes);
    }
    let Finding::Found(accepted) = found else {
        return Err(format!("find: got {found:?}"));
    };
    let seen = works(
        "read back",
        arena
            .provider
            .read_back(&arena.scene.access(), &accepted.remote_id)
            .await,
    )?;
    holds("read back", matches!(seen, Seen::Live { .. }), &seen)?;
    Ok(Passed::Yes)
}

pub(crate) async fn dropped_request(arena: &Arena) -> Verdict {
    let (failure, found) = lost_and_looked_for(arena, FaultKind::DroppedRequest).await?;
    same("publish", &failure, &Failure::Indeterminate)?;
    same("find", &found, &arena.findable(Finding::Absent))?;
    same("posts made", &arena.made(), &0)?;
    Ok(Passed::Yes)
}

pub(crate) async fn error_although_created(arena: &Arena) -> Verdict {
    let (_, found) = lost_and_looked_for(
        arena,
        FaultKind::ErrorAlthoughCreated {
            code: Some(400),
            body: None,
        },
    )
    .await?;
    holds("find", is_found(arena, &found), &found)?;
    same("posts made", &arena.made(), &1)?;
    Ok(Passed::Yes)
}

pub(crate) async fn find_learns_nothing_from_trouble(arena: &Arena) -> Verdict {
    if !arena.scene.platform().capabilities().reads_back {
        return Ok(Passed::Cannot("the platform does not let us look"));
    }
    let draft = works("prepare", arena.ready(arena.usual("there")).await)?;
    let accepted = works("publish", arena.publish(&draft).await)?;
    let access = arena.scene.access();
    for code in [500, 503] {
        let kind = FaultKind::Status { code, body: None };
        for operation in ["find", "read_back"] {
            arena.fault(operation, kind.clone(), 2);
        }
        let found = arena.provider.find(&access, &arena.lost(&draft)).await;
        same("find", &found, &Err(Failure::ProviderDown))?;
        let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
        same("read back", &seen, &Err(Failure::ProviderDown))?;
        arena.ground.clear_faults();
    }
    for operation in ["find", "read_back"] {
        arena.fault(operation, FaultKind::Garbage, 2);
    }
    let found = arena.provider.find(&access, &arena.lost(&draft)).await;
    holds(
        "find, garbage",
        matches!(found, Err(Failure::Contract { .. })),
        &found,
    )?;
    let seen = arena.provider.read_back(&access, &accepted.remote_id).await;
    holds(
        "read back, garbage",
        matches!(seen, Err(Failure::Contract { .. })),
        &seen,
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn delete_unanswered(arena: &Arena) -> Verdict {
    if !arena.scene.platform().capabilities().deletes {
        return Ok(Passed::Cannot("posts cannot be deleted through the API"));
    }
    let accepted = works(
        "publish",
        arena.publish(&arena.usual("to be deleted")).await,
    )?;
    let access = arena.scene.access();
    arena.fault("delete", FaultKind::LostAnswer, 1);
    let deleted = arena.provider.delete(&access, &accepted.remote_id).await;
    same("delete", &deleted, &Err(Failure::Indeterminate))?;
    works(
        "the repetition",
        arena.provider.delete(&access, &accepted.remote_id).await,
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn past_its_moment(arena: &Arena) -> Verdict {
    let mut draft = arena.usual("too late");
    draft.send_by = arena.now() - seconds(1);
    same(
        "publish",
        &arena.publish(&draft).await,
        &Err(Failure::NotSent),
    )?;
    // Steps before it may have been made: they show nothing.
    let account = arena.scene.account();
    same("calls", &arena.ground.calls_of(&account, "publish"), &0)?;
    same("posts made", &arena.made(), &0)?;
    Ok(Passed::Yes)
}

pub(crate) async fn nobody_listens(arena: &Arena) -> Verdict {
    // A port that was free a moment ago, and that nothing was told about.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    drop(listener);
    let nowhere =
        url::Url::parse(&format!("http://{address}/")).map_err(|error| error.to_string())?;
    let urls = BaseUrls::simulated(&nowhere);
    let clock = arena.ground.clock();
    let registry = mooring_providers::Registry::new(&arena.http, &clock, &urls);
    let (provider, access) = (registry.of(arena.scene.platform()), arena.scene.access());
    let mut draft = works("prepare", arena.ready(arena.usual("nobody")).await)?;
    // An address that the platform gave on the way leads nowhere, too.
    draft.prepared = draft
        .prepared
        .map(|state| elsewhere(&state, &arena.address(), &address.to_string()));
    same(
        "publish",
        &provider.publish(&access, &draft).await,
        &Err(Failure::NotSent),
    )?;
    if arena.scene.platform().capabilities().refresh != RefreshRule::None {
        same(
            "refresh",
            &provider.refresh(&access).await.err(),
            &Some(Failure::NotSent),
        )?;
    }
    same(
        "check",
        &provider.check(&access, true).await.err(),
        &Some(Failure::ProviderDown),
    )?;
    if arena.findable(Finding::Absent) == Finding::Absent {
        let lost = arena.lost(&draft);
        same(
            "find",
            &provider.find(&access, &lost).await,
            &Err(Failure::ProviderDown),
        )?;
    }
    Ok(Passed::Yes)
}

/// The same with every address moved.
fn elsewhere(state: &serde_json::Value, from: &str, to: &str) -> serde_json::Value {
    let moved = state.to_string().replace(from, to);
    serde_json::from_str(&moved).expect("JSON as before")
}
