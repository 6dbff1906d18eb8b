//! What people do in a story: connect accounts, schedule posts.

use chrono::TimeDelta;
use mooring_domain::{
    ConnectionId, Platform, TargetId,
    post::Content,
    time::{days, hours},
};
use mooring_gateway::acts::{self, ImportRow, SchedulePost, Scheduled};
use mooring_simulator::{NewBlueskyAccounts, NewFacebookUsers};
use mooring_store::Actor;

use super::World;

/// A connected account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The connection.
    pub connection: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// The page id or DID.
    pub remote_id: String,
    /// The Facebook user or DID behind it.
    pub user: String,
}

/// A scheduled post.
#[derive(Debug, Clone)]
pub struct Posted {
    /// What the act returned.
    pub scheduled: Scheduled,
    /// What it says.
    pub text: String,
}

impl Posted {
    /// The only target.
    #[must_use]
    pub fn target(&self) -> TargetId {
        self.scheduled.targets[0]
    }
}

impl World {
    /// Connects a fresh account whose token lives for its full time.
    pub async fn connect(&self, platform: Platform) -> Account {
        match platform {
            Platform::Facebook => self.connect_expiring(platform, days(60)).await,
            Platform::Bluesky => self.connect_expiring(platform, hours(2)).await,
            other => {
                let row = self.fresh_row(other).await;
                self.connect_row(other, row).await
            }
        }
    }

    /// Connects a fresh account whose access token ends after `left`.
    pub async fn connect_expiring(&self, platform: Platform, left: TimeDelta) -> Account {
        let row = match platform {
            Platform::Facebook => self.facebook_row(left),
            Platform::Bluesky => self.bluesky_row(left),
            other => panic!("{other}: its simulator chooses how long tokens live"),
        };
        self.connect_row(platform, row).await
    }

    /// Imports one account.
    pub(super) async fn connect_row(&self, platform: Platform, row: ImportRow) -> Account {
        let (remote_id, user) = (row.remote_id.clone(), row.user_id.clone());
        let (good, bad) = acts::check_import(&self.store, vec![(1, row)], self.now())
            .await
            .expect("the import is checked");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, self.now())
            .await
            .expect("the import is applied");
        self.wake().await;
        let rows = self.connections().await;
        let row = rows
            .iter()
            .find(|row| row.remote_id == remote_id)
            .expect("the connection");
        Account {
            connection: row.id,
            platform,
            user: user.unwrap_or_else(|| remote_id.clone()),
            remote_id,
        }
    }

    pub(super) fn facebook_row(&self, left: TimeDelta) -> ImportRow {
        let users = self.sim().create_facebook_users(&NewFacebookUsers {
            app: self.facebook_app.clone(),
            user_token_life_s: left.num_seconds(),
            ..NewFacebookUsers::default()
        });
        let user = users.expect("a user").remove(0);
        let page = &user.pages[0];
        ImportRow {
            user_id: Some(user.id.clone()),
            page_token: Some(page.token.to_string()),
            issued_at: Some(self.now() + left - days(60)),
            access_expires_at: Some(self.now() + left),
            ..self.row("facebook", &page.id, &page.name, &user.token)
        }
    }

    pub(super) fn bluesky_row(&self, left: TimeDelta) -> ImportRow {
        let accounts = self.sim().create_bluesky_accounts(&NewBlueskyAccounts {
            access_life_s: left.num_seconds(),
            ..NewBlueskyAccounts::default()
        });
        let account = accounts.expect("an account").remove(0);
        ImportRow {
            refresh_token: Some(account.refresh_token.to_string()),
            issued_at: Some(self.now() + left - hours(2)),
            access_expires_at: Some(self.now() + left),
            refresh_expires_at: Some(self.now() + days(90)),
            ..self.row(
                "bluesky",
                &account.did,
                &account.handle,
                &account.access_token,
            )
        }
    }

    pub(super) fn row(
        &self,
        platform: &str,
        remote_id: &str,
        name: &str,
        token: &str,
    ) -> ImportRow {
        ImportRow {
            workspace: self.workspace.to_string(),
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
            host: None,
            binding: None,
        }
    }

    /// Schedules a post on one account, due after `wait`.
    pub async fn post(&self, account: &Account, text: &str, wait: TimeDelta) -> Posted {
        let order = SchedulePost {
            connections: vec![account.connection],
            content: Content::text(text),
            media: Vec::new(),
            due: self.now() + wait,
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        let scheduled =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now())
                .await
                .expect("the post is scheduled");
        self.wake().await;
        Posted {
            scheduled,
            text: text.to_owned(),
        }
    }
}
