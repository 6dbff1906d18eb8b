//! Accounts by every way in, as the simulator makes them.

use std::collections::HashMap;

use mooring_domain::{ConnectionId, Platform, time::from_ms};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_simulator::Account;
use mooring_store::Actor;
use mooring_vault::Secret;

use super::lab::Lab;

/// Posts of one account: more would meet limits that nobody asks about here (20 a minute on Telegram, 100 a day on
/// YouTube, 150 calls a day on LinkedIn).
const POSTS: usize = 20;

/// A connected account.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) connection: ConnectionId,
    pub(super) platform: Platform,
    pub(super) remote_id: String,
    /// Whether the platform refuses everything that is posted there.
    pub(super) refusing: bool,
}

/// Connects for each way in as many accounts as its publishes need, and one whose posts the platform refuses.
pub(super) async fn connect(lab: &Lab) -> Vec<Place> {
    let each = lab.size.publishes.div_ceil(Platform::ALL.len());
    let count = each.div_ceil(POSTS).max(2) + 1;
    let mut rows = Vec::new();
    let mut refusing = Vec::new();
    for platform in Platform::ALL {
        for number in 0..count {
            let row = fresh_row(lab, platform).await;
            if number == 0 {
                refusing.push((platform, row.remote_id.clone()));
            }
            rows.push((rows.len(), row));
        }
    }
    let now = lab.pace.now();
    let (good, bad) = acts::check_import(&lab.store, rows, now)
        .await
        .expect("the import is checked");
    assert!(bad.is_empty(), "{bad:?}");
    acts::import_connections(&lab.store, &Actor::Cli, good, now)
        .await
        .expect("the import is applied");
    let rows = lab.store.connections(lab.workspace, now).await;
    let names: HashMap<&str, Platform> = Platform::ALL.map(|one| (one.as_str(), one)).into();
    let rows = rows.expect("the books answer").into_iter();
    rows.map(|row| {
        let platform = names[row.platform.as_str()];
        Place {
            connection: row.id,
            platform,
            refusing: refusing.contains(&(platform, row.remote_id.clone())),
            remote_id: row.remote_id,
        }
    })
    .collect()
}

async fn fresh_row(lab: &Lab, platform: Platform) -> ImportRow {
    let account = lab.sim.admin().account(platform.as_str());
    let account = account.unwrap_or_else(|error| panic!("{platform}: {error}"));
    know_app(lab, platform, &account).await;
    let base = lab.sim.base_url();
    let text = |secret: &Option<mooring_simulator::SimSecret>| {
        secret.as_ref().map(|secret| secret.to_string())
    };
    ImportRow {
        workspace: lab.workspace.to_string(),
        brand: None,
        platform: platform.as_str().to_owned(),
        remote_id: account.remote_id.clone(),
        name: account.name.clone(),
        user_id: Some(account.remote_user_id.clone()),
        access_token: account.access_token.to_string(),
        page_token: text(&account.destination_token),
        refresh_token: text(&account.refresh_token),
        binding: text(&account.binding),
        issued_at: Some(from_ms(account.issued_at)),
        access_expires_at: account.access_expires_at.map(from_ms),
        refresh_expires_at: account.refresh_expires_at.map(from_ms),
        scopes: account.scopes.as_ref().map(|scopes| scopes.join(" ")),
        host: account.host.as_ref().map(|path| format!("{base}{path}")),
    }
}

/// Registers the account's app, the first time that one of its accounts comes.
async fn know_app(lab: &Lab, platform: Platform, account: &Account) {
    let Some((client_id, secret)) = &account.app else {
        return;
    };
    let known = lab.store.app(lab.workspace, platform).await;
    if known.expect("the apps").is_some() {
        return;
    }
    let new = NewApp {
        workspace: None,
        platform,
        client_id: client_id.clone(),
        client_secret: Secret::from(&**secret),
        base_url: None,
    };
    acts::register_app(&lab.store, &Actor::Cli, new, lab.pace.now())
        .await
        .expect("the app is registered");
}
