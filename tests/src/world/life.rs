//! The life of a connection in a story: connected, disconnected, connected again.

use chrono::TimeDelta;
use mooring_domain::{
    Platform, WorkspaceId,
    connection::life::Which,
    post::Content,
    time::{days, hours},
};
use mooring_gateway::acts::{self, ImportRow, SchedulePost, Scheduled};
use mooring_store::Actor;

use super::{Account, World};

impl World {
    /// What there is to import about a fresh account.
    pub async fn fresh(&self, platform: Platform) -> ImportRow {
        match platform {
            Platform::Facebook => self.facebook_row(days(60)),
            Platform::Bluesky => self.bluesky_row(hours(2)),
            other => self.fresh_row(other).await,
        }
    }

    /// Imports it into the story's workspace.
    pub async fn import_row(&self, platform: Platform, row: &ImportRow) -> Account {
        self.connect_row(platform, row.clone()).await
    }

    /// Imports it into another workspace.
    pub async fn import_into(&self, workspace: WorkspaceId, row: &ImportRow) {
        let mut row = row.clone();
        row.workspace = workspace.to_string();
        let (good, bad) = acts::check_import(&self.store, vec![(1, row)], self.now())
            .await
            .expect("the import is checked");
        assert!(bad.is_empty(), "{bad:?}");
        acts::import_connections(&self.store, &Actor::Cli, good, self.now())
            .await
            .expect("the import is applied");
    }

    /// Schedules a post on several accounts, due after `wait`.
    pub async fn post_on(&self, accounts: &[&Account], text: &str, wait: TimeDelta) -> Scheduled {
        let order = SchedulePost {
            connections: accounts.iter().map(|account| account.connection).collect(),
            content: Content::text(text),
            media: Vec::new(),
            due: self.now() + wait,
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now())
            .await
            .expect("the post is scheduled")
    }

    /// Disconnects an account, after looking at what that does.
    pub async fn disconnect(&self, account: &Account) -> acts::Revocations {
        let which = Which::One(account.connection);
        let shown = acts::preview_disconnect(&self.store, self.workspace, which)
            .await
            .expect("a preview");
        let done = acts::disconnect(
            &self.store,
            &Actor::Cli,
            self.workspace,
            which,
            Some(&shown.confirmation),
            self.now(),
        )
        .await
        .expect("it is disconnected");
        let registry = self.registry();
        let (store, clock) = (&self.store, &*self.context.clock);
        acts::revoke(
            store,
            &registry,
            &Actor::Cli,
            self.workspace,
            done.taken,
            clock,
        )
        .await
    }
}
