//! Accounts of every platform, as its simulator makes them.

use mooring_domain::{
    Platform, Time,
    time::{days, from_ms},
};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_simulator::Account;
use mooring_store::Actor;
use mooring_vault::Secret;

use super::World;

impl World {
    /// A fresh account, with its app registered here.
    pub(super) async fn fresh_row(&self, platform: Platform) -> ImportRow {
        let account = self.sim().account(platform.as_str());
        let account = account.unwrap_or_else(|error| panic!("{platform}: {error}"));
        self.know_app(platform, &account).await;
        let token = account.access_token.to_string();
        let base = self.simulator.base_url();
        ImportRow {
            user_id: Some(account.remote_user_id.clone()),
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
            access_expires_at: time(account.access_expires_at),
            refresh_expires_at: time(account.refresh_expires_at),
            scopes: account.scopes.as_ref().map(|scopes| scopes.join(" ")),
            host: account.host.as_ref().map(|path| format!("{base}{path}")),
            ..self.row(platform.as_str(), &account.remote_id, &account.name, &token)
        }
    }

    /// Connects so many fresh accounts, going round the platforms, in one import. Returns how many.
    pub async fn connect_fleet(&self, platforms: &[Platform], count: usize) -> usize {
        let mut rows = Vec::new();
        for (number, platform) in platforms.iter().cycle().take(count).enumerate() {
            let row = match platform {
                // Of the app that this world has registered.
                Platform::Facebook => self.facebook_row(days(60)),
                other => self.fresh_row(*other).await,
            };
            rows.push((number, row));
        }
        let checked = acts::check_import(&self.store, rows, self.now()).await;
        let (good, bad) = checked.expect("the import is checked");
        assert!(bad.is_empty(), "{bad:?}");
        let imported = acts::import_connections(&self.store, &Actor::Cli, good, self.now()).await;
        self.wake().await;
        imported.expect("the import is applied").connections
    }

    /// Registers the account's app, the first time that one of its accounts comes.
    pub(super) async fn know_app(&self, platform: Platform, account: &Account) {
        let Some((client_id, secret)) = &account.app else {
            return;
        };
        let known = self.store.app(self.workspace, platform).await;
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
        acts::register_app(&self.store, &Actor::Cli, new, self.now())
            .await
            .expect("the app is registered");
    }
}

fn time(ms: Option<i64>) -> Option<Time> {
    ms.map(from_ms)
}
