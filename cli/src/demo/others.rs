//! Accounts of the platforms beside Facebook and Bluesky, as the simulator makes them.

use chrono::{DateTime, Utc};
use mooring_domain::{Platform, WorkspaceId, time::from_ms};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_simulator::{Account, RunningSimulator};
use mooring_store::{Actor, Store};
use mooring_vault::Secret;

/// Accounts of each platform, per agency.
const EACH: usize = 2;

/// Adds a few accounts of every other platform.
pub(super) async fn rows(
    store: &Store,
    simulator: &RunningSimulator,
    workspace: WorkspaceId,
    agency: &str,
    now: DateTime<Utc>,
    rows: &mut Vec<ImportRow>,
) -> anyhow::Result<()> {
    let seeded = [Platform::Facebook, Platform::Bluesky];
    let others = Platform::ALL.into_iter();
    for platform in others.filter(|one| !seeded.contains(one)) {
        for _ in 0..EACH {
            let account = simulator.admin().account(platform.as_str())?;
            register(store, workspace, platform, &account, now).await?;
            rows.push(row(agency, platform, &account, &simulator.base_url()));
        }
    }
    Ok(())
}

/// The app behind the accounts, the first time that one of them comes.
async fn register(
    store: &Store,
    workspace: WorkspaceId,
    platform: Platform,
    account: &Account,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let Some((client_id, secret)) = &account.app else {
        return Ok(());
    };
    if store.app(workspace, platform).await?.is_some() {
        return Ok(());
    }
    let registered = NewApp {
        workspace: None,
        platform,
        client_id: client_id.clone(),
        client_secret: Secret::from(&**secret),
        base_url: None,
    };
    acts::register_app(store, &Actor::Cli, registered, now).await?;
    Ok(())
}

fn row(agency: &str, platform: Platform, account: &Account, base: &str) -> ImportRow {
    ImportRow {
        workspace: agency.to_owned(),
        brand: Some(platform.capabilities().network.to_owned()),
        platform: platform.as_str().to_owned(),
        remote_id: account.remote_id.clone(),
        name: account.name.clone(),
        user_id: Some(account.remote_user_id.clone()),
        access_token: account.access_token.to_string(),
        page_token: account
            .destination_token
            .as_ref()
            .map(|token| token.to_string()),
        refresh_token: account
            .refresh_token
            .as_ref()
            .map(|token| token.to_string()),
        binding: account.binding.as_ref().map(|key| key.to_string()),
        issued_at: Some(from_ms(account.issued_at)),
        access_expires_at: account.access_expires_at.map(from_ms),
        refresh_expires_at: account.refresh_expires_at.map(from_ms),
        scopes: account.scopes.as_ref().map(|scopes| scopes.join(" ")),
        host: account.host.as_ref().map(|path| format!("{base}{path}")),
    }
}
