//! Cases about connecting, checking and refreshing.

use mooring_domain::{
    Failure,
    connection::{AccountState, TokenSeen, missing_scopes},
};
use mooring_providers::Credentials;
use mooring_simulator::FaultKind;

use crate::arena::{Act, Arena, Passed, Shown, Verdict, holds, remember_connected, same, works};

pub(crate) async fn connect(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    let credentials = arena.scene.credentials(&arena.http, &*arena.provider).await;
    let connected = works("connect", arena.provider.connect(credentials.clone()).await)?;
    remember_connected(&connected);
    same(
        "the user",
        &connected.remote_user_id,
        &access.remote_user_id,
    )?;
    let ours = connected
        .destinations
        .iter()
        .find(|destination| destination.remote_id == access.remote_id);
    let ours = ours.ok_or("the destination is not in the list")?;
    holds(
        "the destination has a name and may publish",
        ours.may_publish && !ours.name.is_empty(),
        ours,
    )?;
    let ends = connected.refresh_expires_at.or(connected.access_expires_at);
    let row = arena.scene.platform().capabilities();
    let endless = row.access_lifetime.is_none() && row.refresh_lifetime.is_none();
    holds(
        "the end is known",
        endless == ends.is_none() && ends.is_none_or(|end| end > arena.now()),
        &ends,
    )?;
    let shown = format!("{connected:?} {credentials:?}");
    let secrets = crate::arena::secrets();
    holds(
        "no secret in debug output",
        !secrets.iter().any(|secret| shown.contains(secret.as_str())),
        &"a secret",
    )?;

    let mut access = access;
    access.token = ours
        .token
        .clone()
        .unwrap_or_else(|| connected.grant_token.clone());
    access.grant_token = connected.grant_token;
    access.refresh_token = connected.refresh_token;
    access.host = connected.host;
    access.binding = connected.binding;
    let draft = works(
        "prepare",
        arena.ready(arena.usual("said with fresh tokens")).await,
    )?;
    works(
        "publish with the new tokens",
        arena.provider.publish(&access, &draft).await,
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn wrong_credentials(arena: &Arena) -> Verdict {
    let failure = arena
        .provider
        .connect(arena.scene.wrong_credentials())
        .await
        .err();
    same("connect", &failure, &Some(Failure::TokenRevoked))?;
    Ok(Passed::Yes)
}

pub(crate) async fn healthy(arena: &Arena) -> Verdict {
    let seen = works("check", arena.check().await)?;
    let TokenSeen::Alive {
        access_expires_at,
        scopes,
    } = &seen.token
    else {
        return Err(format!("the token: got {:?}", seen.token));
    };
    // Where the platform tells nothing about a token, what its answer said when it was given stands.
    let introspects = arena.scene.platform().capabilities().introspects;
    holds(
        "the token's end",
        access_expires_at.map_or(!introspects, |end| end > arena.now()),
        access_expires_at,
    )?;
    if let Some(granted) = scopes {
        same(
            "missing permissions",
            &missing_scopes(arena.scene.platform(), granted),
            &Vec::new(),
        )?;
    }
    let account = seen.account.ok_or("the account was not seen")?;
    same("the account", &account.state, &AccountState::Accessible)?;
    holds(
        "the account's name",
        account.name.is_some_and(|name| !name.is_empty()),
        &"none",
    )?;

    let calls = arena.ground.calls();
    let again = works(
        "check without a probe",
        arena.provider.check(&arena.scene.access(), false).await,
    )?;
    same("the token, not probed", &again.token, &TokenSeen::NotProbed)?;
    same(
        "the account, seen again",
        &again.account.map(|account| account.state),
        &Some(AccountState::Accessible),
    )?;
    let spent = arena.ground.calls() - calls;
    // Where one call tells about token and account alike there is nothing to save.
    holds("not probing costs no more", spent <= calls, &(calls, spent))?;
    Ok(Passed::Yes)
}

/// Lets an act happen, and looks where the platform shows it.
pub(crate) async fn shown(arena: &Arena, act: Act) -> Verdict {
    match arena.scene.act(act) {
        Shown::Nowhere(why) => return Ok(Passed::Cannot(why)),
        Shown::Token(failure) => {
            let seen = works("check", arena.check().await)?;
            same("the token", &seen.token, &TokenSeen::Dead(failure))?;
            let unasked = works(
                "check, no probe asked for",
                arena.provider.check(&arena.scene.access(), false).await,
            )?;
            let blamed = unasked
                .account
                .as_ref()
                .is_some_and(|account| account.state != AccountState::Accessible);
            holds(
                "a dead token is not blamed on the account",
                !blamed,
                &unasked,
            )?;
        }
        Shown::Account(state) => {
            let seen = works("check", arena.check().await)?;
            same(
                "the account",
                &seen.account.map(|account| account.state),
                &Some(state),
            )?;
            let seen_too = works(
                "check, no probe asked for",
                arena.provider.check(&arena.scene.access(), false).await,
            )?;
            same(
                "the account, no probe asked for",
                &seen_too.account.map(|account| account.state),
                &Some(state),
            )?;
            if act == Act::LoseRole {
                holds(
                    "the grant lives",
                    matches!(seen.token, TokenSeen::Alive { .. }),
                    &seen.token,
                )?;
            }
        }
        Shown::Scope(scope) => {
            let seen = works("check", arena.check().await)?;
            let TokenSeen::Alive {
                scopes: Some(granted),
                ..
            } = &seen.token
            else {
                return Err(format!("the token: got {:?}", seen.token));
            };
            same(
                "missing",
                &missing_scopes(arena.scene.platform(), granted),
                &vec![scope.to_owned()],
            )?;
            let sent = arena.publish(&arena.usual("without permission")).await;
            holds(
                "publish",
                matches!(sent, Err(Failure::ScopeMissing { .. })),
                &sent,
            )?;
        }
        Shown::Refresh(failure) => {
            let refreshed = arena.provider.refresh(&arena.scene.access()).await;
            same("refresh", &refreshed.err(), &Some(failure))?;
        }
        Shown::Publish(failure) => {
            let sent = arena.publish(&arena.usual("refused")).await;
            same("publish", &sent, &Err(failure))?;
        }
    }
    Ok(Passed::Yes)
}

pub(crate) async fn check_learns_nothing_from_trouble(arena: &Arena) -> Verdict {
    let troubles = [
        (
            FaultKind::Status {
                code: 503,
                body: None,
            },
            Failure::ProviderDown,
        ),
        (FaultKind::LostAnswer, Failure::ProviderDown),
        (FaultKind::DroppedRequest, Failure::ProviderDown),
    ];
    for (kind, failure) in troubles {
        arena.fault("check", kind.clone(), 9);
        same(kind.as_str(), &arena.check().await.err(), &Some(failure))?;
        arena.ground.clear_faults();
    }
    arena.fault("check", FaultKind::Garbage, 9);
    let seen = arena.check().await;
    holds(
        "garbage",
        matches!(seen, Err(Failure::Contract { .. })),
        &seen,
    )?;
    Ok(Passed::Yes)
}

/// Tokens that were stored with the wrong destination reach nothing of it.
pub(crate) async fn tokens_of_a_stranger(arena: &Arena) -> Verdict {
    let access = arena.scene.strangers_access();
    let seen = arena.provider.check(&access, true).await;
    let well = matches!(&seen, Ok(seen) if seen.account.as_ref().is_some_and(|account| {
        account.state == AccountState::Accessible
    }));
    holds("the account is not well", !well, &seen)?;
    let sent = arena
        .provider
        .publish(&access, &arena.usual("a stranger's"))
        .await;
    holds(
        "publish",
        sent.is_err() || arena.scene.token_is_the_destination(),
        &sent,
    )?;
    same("posts made", &arena.made(), &0)?;
    Ok(Passed::Yes)
}

pub(crate) async fn code_works_once(arena: &Arena) -> Verdict {
    let credentials = arena
        .scene
        .credentials(&arena.http, arena.provider.as_ref())
        .await;
    match credentials {
        Credentials::Password { .. } => {
            return Ok(Passed::Cannot("a password is no code: it works again"));
        }
        Credentials::Bot { .. } => {
            return Ok(Passed::Cannot("a bot's token is no code: it works again"));
        }
        Credentials::Code { .. } => {}
    }
    let connected = works("connect", arena.provider.connect(credentials.clone()).await)?;
    remember_connected(&connected);
    let again = arena.provider.connect(credentials).await;
    same(
        "the same code again",
        &again.map(|_| ()),
        &Err(Failure::TokenRevoked),
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn declined(arena: &Arena) -> Verdict {
    let declining = arena.scene.declining(&arena.http, arena.provider.as_ref());
    let (credentials, scope) = match declining.await {
        Ok(declining) => declining,
        Err(why) => return Ok(Passed::Cannot(why)),
    };
    let connected = works("connect", arena.provider.connect(credentials).await)?;
    remember_connected(&connected);
    let granted = connected.scopes.unwrap_or_default();
    holds(
        "the granted permissions",
        !granted.is_empty() && !granted.contains(&scope),
        &granted,
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn destinations(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    let listed = works("destinations", arena.provider.destinations(&access).await)?;
    let ours = listed
        .iter()
        .find(|one| one.remote_id == access.remote_id && one.platform == arena.scene.platform());
    holds(
        "the destination",
        ours.is_some_and(|one| one.may_publish && !one.name.is_empty()),
        &listed.len(),
    )?;
    Ok(Passed::Yes)
}
