//! Accounts at the simulated platforms, and how they come to us.

use mooring_domain::{
    ConnectionId, Platform, Time,
    time::{days, hours},
};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_simulator::{Admin, NewBlueskyAccounts, NewFacebookApp, NewFacebookUsers};
use mooring_store::{Actor, Store};
use mooring_vault::Secret;

use super::{Scene, TENANT};

/// A connected account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) connection: ConnectionId,
    pub(super) remote_id: String,
}

impl Scene {
    /// Connects so many pages and so many profiles, in turn.
    pub(super) async fn connect(&self, pages: usize, profiles: usize) -> Vec<Account> {
        let mut rows = self.facebook_rows(pages);
        rows.extend(self.bluesky_rows(profiles));
        let rows = rows.into_iter().enumerate().collect();
        let (good, bad) = acts::check_import(&self.store, rows, self.now())
            .await
            .expect("the import is checked");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, self.now())
            .await
            .expect("the import is applied");
        let rows = self
            .store
            .connections(self.workspace, self.now())
            .await
            .expect("connections");
        rows.into_iter()
            .map(|row| Account {
                connection: row.id,
                remote_id: row.remote_id,
            })
            .collect()
    }

    fn facebook_rows(&self, pages: usize) -> Vec<ImportRow> {
        let users = self.admin().create_facebook_users(&NewFacebookUsers {
            app: self.facebook_app.clone(),
            count: pages,
            ..NewFacebookUsers::default()
        });
        let ends = self.now() + days(60);
        let users = users.expect("users").into_iter();
        users
            .map(|user| ImportRow {
                user_id: Some(user.id.clone()),
                page_token: Some(user.pages[0].token.to_string()),
                issued_at: Some(ends - days(60)),
                access_expires_at: Some(ends),
                ..row(
                    "facebook",
                    &user.pages[0].id,
                    &user.pages[0].name,
                    &user.token,
                )
            })
            .collect()
    }

    fn bluesky_rows(&self, profiles: usize) -> Vec<ImportRow> {
        let new = NewBlueskyAccounts {
            count: profiles,
            ..NewBlueskyAccounts::default()
        };
        let now = self.now();
        let accounts = self
            .admin()
            .create_bluesky_accounts(&new)
            .expect("accounts")
            .into_iter();
        accounts
            .map(|account| ImportRow {
                refresh_token: Some(account.refresh_token.to_string()),
                issued_at: Some(now),
                access_expires_at: Some(now + hours(2)),
                refresh_expires_at: Some(now + days(90)),
                ..row(
                    "bluesky",
                    &account.did,
                    &account.handle,
                    &account.access_token,
                )
            })
            .collect()
    }
}

/// Registers the app at the platform, and its secret with us.
pub(super) async fn register_facebook(store: &Store, admin: &Admin, now: Time) -> String {
    let app = admin
        .create_facebook_app(NewFacebookApp::default())
        .expect("an app");
    let new = NewApp {
        workspace: None,
        platform: Platform::Facebook,
        client_id: app.id.clone(),
        client_secret: Secret::from(&*app.secret),
        base_url: None,
    };
    acts::register_app(store, &Actor::Cli, new, now)
        .await
        .expect("the app is registered");
    app.id
}

fn row(platform: &str, remote_id: &str, name: &str, token: &str) -> ImportRow {
    ImportRow {
        workspace: TENANT.to_owned(),
        brand: None,
        platform: platform.to_owned(),
        remote_id: remote_id.to_owned(),
        name: name.to_owned(),
        user_id: None,
        access_token: token.to_owned(),
        page_token: None,
        refresh_token: None,
        issued_at: None,
        access_expires_at: None,
        refresh_expires_at: None,
        scopes: None,
        binding: None,
        host: None,
    }
}
