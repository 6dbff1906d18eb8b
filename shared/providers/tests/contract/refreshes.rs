//! Cases about refreshing and giving back.

use std::time::Duration;

use mooring_domain::{
    Failure, Platform,
    connection::TokenSeen,
    platform::RefreshRule,
    time::{hours, seconds},
};
use mooring_simulator::FaultKind;
use mooring_vault::Secret;

use crate::arena::{Arena, Passed, Verdict, holds, remember_new, same, works};

const HOUR: Duration = Duration::from_hours(1);

pub(crate) async fn refresh_renews(arena: &Arena) -> Verdict {
    if let Some(cannot) = without_refresh(arena) {
        return Ok(cannot);
    }
    let mut access = arena.scene.access();
    arena.advance(HOUR);
    let (renewed, tokens) = works("refresh", arena.provider.refresh(&access).await)?;
    remember_new(&tokens);
    holds(
        "another token",
        tokens.access != access.grant_token,
        &"the same",
    )?;
    let row = arena.scene.platform().capabilities();
    let life = row
        .access_lifetime
        .ok_or("a platform that refreshes has a lifetime")?;
    // Google's hour has 3599 seconds.
    let end = arena.now() + life;
    holds(
        "the new end",
        renewed
            .access_expires_at
            .is_some_and(|at| at <= end && at >= end - seconds(2) - arena.ground.tolerance()),
        &renewed.access_expires_at,
    )?;
    let counted_from = if row.refresh_end_is_fixed {
        arena.now() - hours(1)
    } else {
        arena.now()
    };
    let refresh_end = arena.scene.refresh_end(counted_from);
    holds(
        "the refresh token's new end",
        arena.is_at(renewed.refresh_expires_at, refresh_end),
        &(renewed.refresh_expires_at, refresh_end),
    )?;

    if access.token == access.grant_token {
        access.token = tokens.access.clone();
    }
    access.grant_token = tokens.access;
    // None = the old one stays.
    access.refresh_token = tokens.refresh.or(access.refresh_token);
    let seen = works("check", arena.provider.check(&access, true).await)?;
    holds(
        "the new token",
        matches!(seen.token, TokenSeen::Alive { .. }),
        &seen.token,
    )?;
    arena.advance(row.refresh_min_age.to_std().unwrap_or_default());
    works(
        "refresh with the new tokens",
        arena.provider.refresh(&access).await,
    )?;
    Ok(Passed::Yes)
}

/// Some where people reconnect instead.
fn without_refresh(arena: &Arena) -> Option<Passed> {
    let rule = arena.scene.platform().capabilities().refresh;
    (rule == RefreshRule::None).then_some(Passed::Cannot("there is no unattended refresh"))
}

pub(crate) async fn refresh_unanswered(arena: &Arena) -> Verdict {
    if let Some(cannot) = without_refresh(arena) {
        return Ok(cannot);
    }
    let access = arena.scene.access();
    // Where servers want a nonce they tell it now: the faults below then hit the refresh and not the question.
    works("check", arena.check().await)?;
    let single_use = arena.scene.platform().capabilities().refresh == RefreshRule::SingleUse;
    // The last one has its effect.
    for (kind, failure) in [
        (FaultKind::DroppedRequest, Failure::Indeterminate),
        (
            FaultKind::Status {
                code: 503,
                body: None,
            },
            Failure::ProviderDown,
        ),
        (FaultKind::LostAnswer, Failure::Indeterminate),
    ] {
        arena.fault("refresh", kind.clone(), 1);
        same(
            kind.as_str(),
            &arena.provider.refresh(&access).await.err(),
            &Some(failure),
        )?;
    }
    if single_use {
        same(
            "the repetition of a token that works once",
            &arena.provider.refresh(&access).await.err(),
            &Some(Failure::TokenRevoked),
        )?;
        return Ok(Passed::Yes);
    }
    arena.fault("refresh", FaultKind::Garbage, 1);
    let garbage = arena.provider.refresh(&access).await.err();
    holds(
        "garbage",
        matches!(garbage, Some(Failure::Contract { .. })),
        &garbage,
    )?;
    let repeated = arena.provider.refresh(&access).await;
    if arena.scene.platform().capabilities().refresh == RefreshRule::SingleUse {
        // The lost answer held the only successor.
        same(
            "the repetition",
            &repeated.err(),
            &Some(Failure::TokenRevoked),
        )?;
        return Ok(Passed::Yes);
    }
    let (_, tokens) = works("the repetition", repeated)?;
    remember_new(&tokens);
    Ok(Passed::Yes)
}

/// What the capability row promises about a repeated refresh, at its edge.
pub(crate) async fn refresh_rule(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    match arena.scene.platform().capabilities().refresh {
        RefreshRule::None => return Ok(Passed::Cannot("there is no unattended refresh")),
        RefreshRule::SingleUse => {
            works("the first use", arena.provider.refresh(&access).await)?;
            same(
                "the second use",
                &arena.provider.refresh(&access).await.err(),
                &Some(Failure::TokenRevoked),
            )?;
        }
        RefreshRule::Repeatable => {
            works("the first use", arena.provider.refresh(&access).await)?;
            works("the second use", arena.provider.refresh(&access).await)?;
            let Some(life) = refreshable_for(arena) else {
                return Ok(Passed::Yes);
            };
            // Half a year is 183 days to some and 180 to others.
            arena.advance(life + 10 * 24 * HOUR);
            same(
                "after its end",
                &arena.provider.refresh(&access).await.err(),
                &Some(Failure::TokenExpired),
            )?;
        }
        RefreshRule::Grace(grace) => {
            let (_, first) = works("the first use", arena.provider.refresh(&access).await)?;
            arena.advance((grace - hours(1)).to_std().unwrap_or_default());
            let (_, second) = works("inside the grace", arena.provider.refresh(&access).await)?;
            let (first, second) = (first.refresh.as_ref(), second.refresh.as_ref());
            same(
                "the successor",
                &first.and_then(token_id),
                &second.and_then(token_id),
            )?;
            arena.advance(2 * HOUR);
            same(
                "after the grace",
                &arena.provider.refresh(&access).await.err(),
                &Some(Failure::TokenRevoked),
            )?;
        }
    }
    Ok(Passed::Yes)
}

/// The `jti` claim: two tokens with the same one are the same successor, issued twice.
fn token_id(token: &Secret) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = URL_SAFE_NO_PAD
        .decode(token.expose().split('.').nth(1)?)
        .ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get("jti")?.as_str().map(str::to_owned)
}

/// For how long the scene's grant can be refreshed; `None` = it does not end by itself.
fn refreshable_for(arena: &Arena) -> Option<Duration> {
    let row = arena.scene.platform().capabilities();
    let life = match arena.scene.access().refresh_token {
        Some(_) => row.refresh_lifetime,
        None => row.access_lifetime,
    };
    life.and_then(|life| life.to_std().ok())
}

pub(crate) async fn natural_end(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    let Some(life) = refreshable_for(arena) else {
        return Ok(Passed::Cannot(
            "a refresh token has no end that is known beforehand",
        ));
    };
    // Half a year is 183 days to some and 180 to others.
    arena.advance(life + 10 * 24 * HOUR);
    let failure = arena.provider.refresh(&access).await.err();
    // A token that shows its end to nobody is "invalid" after it; whoever keeps its end does not ask.
    let ended = failure.as_ref().is_some_and(Failure::ends_the_credential);
    holds("refresh", ended, &failure)?;
    Ok(Passed::Yes)
}

pub(crate) async fn revoke(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    works("revoke", arena.provider.revoke(&access).await)?;
    if !arena.scene.revokes() {
        return Ok(Passed::Cannot(
            "the platform has no call that gives a credential back",
        ));
    }
    if arena.scene.platform().capabilities().refresh == RefreshRule::None {
        let seen = works("check", arena.check().await)?;
        let dead = TokenSeen::Dead(Failure::TokenRevoked);
        same("the token", &seen.token, &dead)?;
    } else {
        same(
            "refresh afterwards",
            &arena.provider.refresh(&access).await.err(),
            &Some(Failure::TokenRevoked),
        )?;
    }
    works("revoke again", arena.provider.revoke(&access).await)?;
    if arena.scene.platform() == Platform::Facebook {
        let seen = works("check", arena.check().await)?;
        same(
            "the token",
            &seen.token,
            &TokenSeen::Dead(Failure::TokenRevoked),
        )?;
    }
    Ok(Passed::Yes)
}
