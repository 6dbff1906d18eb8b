//! Grants in stories: several destinations behind one, with other tokens than usual, looked at on demand.

use chrono::TimeDelta;
use mooring_domain::{
    GrantId, Platform,
    acts::act,
    connection::check_poke,
    grant::refresh_poke,
    survey::survey_poke,
    time::{days, minutes},
};
use mooring_gateway::acts::ImportRow;
use mooring_simulator::NewFacebookUsers;
use mooring_store::{Actor, ConnectionFacts, Credentials, Secrets};
use sea_orm::{ConnectionTrait as _, Statement};

use super::{Account, World};

impl World {
    /// Connects a Facebook user with several pages: one grant, and a connection for each page.
    pub async fn import_pages(&self, count: usize) -> Vec<Account> {
        let users = self.sim().create_facebook_users(&NewFacebookUsers {
            app: self.facebook_app.clone(),
            pages: count,
            ..NewFacebookUsers::default()
        });
        let user = users.expect("a user").remove(0);
        let rows = user.pages.iter().map(|page| ImportRow {
            user_id: Some(user.id.clone()),
            page_token: Some(page.token.to_string()),
            issued_at: Some(self.now()),
            access_expires_at: Some(self.now() + days(60)),
            ..self.row("facebook", &page.id, &page.name, &user.token)
        });
        let mut accounts = Vec::new();
        for row in rows {
            accounts.push(self.connect_row(Platform::Facebook, row).await);
        }
        accounts
    }

    /// Connects a fresh account of which other things are known than usual.
    pub async fn connect_but(
        &self,
        platform: Platform,
        change: impl FnOnce(&mut ImportRow),
    ) -> Account {
        let mut row = self.fresh_row(platform).await;
        change(&mut row);
        self.connect_row(platform, row).await
    }

    /// Connects an account that came without a refresh token where one is needed: its access token's end is the end.
    pub async fn connect_without_refresh(&self, platform: Platform) -> Account {
        self.connect_but(platform, |row| {
            row.refresh_token = None;
            row.refresh_expires_at = None;
        })
        .await
    }

    /// Everything that is known about an account, judged now.
    pub async fn facts(&self, account: &Account) -> ConnectionFacts {
        let found = self
            .store
            .connection_facts(self.workspace, account.connection, self.now())
            .await
            .expect("the books answer");
        found.expect("the connection exists")
    }

    /// The account's grant.
    pub async fn grant_of(&self, account: &Account) -> GrantId {
        self.facts(account).await.grant
    }

    /// Looks at an account now.
    pub async fn look(&self, account: &Account) {
        let check = check_poke(account.connection, account.platform, self.now());
        self.wish(act().poke(check)).await;
        self.settle().await;
    }

    /// By our books the account's access token ends in a minute, and its refresh is due, whatever its server's clock
    /// says: then it is refreshed, by the job.
    pub async fn renew(&self, account: &Account) {
        let grant = self.grant_of(account).await;
        let now = self.now();
        let [issued, end] = [now - minutes(59), now + minutes(1)].map(|at| at.timestamp_millis());
        let db = self.store.connection();
        let sql = Statement::from_sql_and_values(
            db.get_database_backend(),
            "UPDATE grants SET issued_at = $1, access_expires_at = $2 WHERE id = $3",
            [issued.into(), end.into(), grant.uuid().into()],
        );
        let done = db.execute_raw(sql).await.expect("the books answer");
        assert_eq!(done.rows_affected(), 1);
        self.wish(act().poke(refresh_poke(grant, account.platform, now)))
            .await;
        self.settle().await;
    }

    /// The account's tokens, as its jobs open them.
    pub async fn tokens_of(&self, account: &Account) -> Credentials {
        let job = self
            .store
            .live_check(self.workspace, account.connection, self.now())
            .await
            .expect("the books answer");
        let credentials = job.expect("the connection exists").credentials;
        credentials.expect("it has tokens")
    }

    /// Compares an account's grant with what it reaches, as a person's wish: the second look included.
    pub async fn survey(&self, account: &Account) {
        let grant = self.grant_of(account).await;
        let survey = survey_poke(grant, account.platform, self.now());
        self.wish(act().poke(survey)).await;
        self.advance(TimeDelta::minutes(2)).await;
    }

    async fn wish(&self, decision: mooring_domain::Decision) {
        let secrets = Secrets::default();
        self.store
            .apply_act(&Actor::Cli, self.workspace, &decision, &secrets, self.now())
            .await
            .expect("a wish");
        self.wake().await;
    }
}
