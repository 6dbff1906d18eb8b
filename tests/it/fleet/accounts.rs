//! Accounts at the simulated platforms, and how they come to us.

use chrono::TimeDelta;
use mooring_domain::{
    ConnectionId, Platform, Time,
    time::{days, hours},
};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_simulator::{Admin, NewBlueskyAccounts, NewFacebookApp, NewFacebookUsers};
use mooring_store::{Actor, Store};
use mooring_vault::Secret;

use super::{Scene, TENANT};

/// How long the platforms' tokens live: a page's user token, a profile's access token.
const PAGE_LIFE: TimeDelta = days(60);
const PROFILE_LIFE: TimeDelta = hours(2);

/// A connected account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) connection: ConnectionId,
    pub(super) remote_id: String,
}

impl Scene {
    /// Connects so many pages and so many profiles.
    pub(super) async fn connect(&self, pages: usize, profiles: usize) -> Vec<Account> {
        self.connect_until(pages, profiles, PAGE_LIFE, PROFILE_LIFE)
            .await
    }

    /// The same with tokens of which so much is left.
    pub(super) async fn connect_until(
        &self,
        pages: usize,
        profiles: usize,
        page_left: TimeDelta,
        profile_left: TimeDelta,
    ) -> Vec<Account> {
        let mut rows = self.facebook_rows(pages, page_left);
        rows.extend(self.bluesky_rows(profiles, profile_left));
        self.import(rows).await
    }

    /// Brings rows in; every connection of the workspace.
    pub(super) async fn import(&self, rows: Vec<ImportRow>) -> Vec<Account> {
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

    fn facebook_rows(&self, pages: usize, left: TimeDelta) -> Vec<ImportRow> {
        let users = self.admin().create_facebook_users(&NewFacebookUsers {
            app: self.facebook_app.clone(),
            count: pages,
            user_token_life_s: left.num_seconds(),
            ..NewFacebookUsers::default()
        });
        let ends = self.now() + left;
        let users = users.expect("users").into_iter();
        users
            .map(|user| ImportRow {
                user_id: Some(user.id.clone()),
                page_token: Some(user.pages[0].token.to_string()),
                issued_at: Some(ends - PAGE_LIFE),
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

    fn bluesky_rows(&self, profiles: usize, left: TimeDelta) -> Vec<ImportRow> {
        let new = NewBlueskyAccounts {
            count: profiles,
            access_life_s: left.num_seconds(),
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
                issued_at: Some(now + left - PROFILE_LIFE),
                access_expires_at: Some(now + left),
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

pub(super) fn row(platform: &str, remote_id: &str, name: &str, token: &str) -> ImportRow {
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
