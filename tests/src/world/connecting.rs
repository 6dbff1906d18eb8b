//! People who connect accounts through the gateway, each in their own browser.

use mooring_domain::Platform;
use mooring_simulator::{Account as Person, FacebookUser, NewFacebookUsers};
use serde_json::{Value, json};

use super::{Account, World};
use crate::{Api, Browser, Shown};

impl World {
    /// Somebody with an account at a platform, of whom nothing is known here.
    #[must_use]
    pub fn newcomer(&self, platform: Platform) -> Person {
        let person = self.sim().account(platform.as_str());
        person.unwrap_or_else(|error| panic!("{platform}: {error}"))
    }

    /// Somebody on Facebook with so many pages.
    #[must_use]
    pub fn facebook_person(&self, pages: usize) -> FacebookUser {
        let users = self.sim().create_facebook_users(&NewFacebookUsers {
            app: self.facebook_app.clone(),
            pages,
            ..NewFacebookUsers::default()
        });
        users.expect("a user").remove(0)
    }

    /// Where the simulator plays the account's own server, where it has one.
    #[must_use]
    pub fn server_of(&self, person: &Person) -> Option<String> {
        let base = self.simulator.base_url();
        person.host.as_ref().map(|path| format!("{base}{path}"))
    }

    /// Begins to connect; our app is registered on the way, where the platform wants one.
    pub async fn begin(&self, api: &Api, platform: Platform, person: &Person) -> Value {
        let mut how = json!({});
        if let Some(host) = self.server_of(person) {
            how["host"] = host.into();
        }
        let path = format!("/connect/{platform}");
        let first = api.post(&path, how.clone()).await;
        if first.json["code"] != "not_configured" {
            return first.ok(201);
        }
        self.know_app(platform, person).await;
        api.post(&path, how).await.ok(201)
    }

    /// Consents at the page of a run that has begun, and comes back.
    pub async fn consent(&self, begun: &Value, person: &Person) -> Shown {
        let page = begun["authorize_url"].as_str().expect("a page");
        let browser = Browser::default();
        for user in [&person.remote_user_id, &person.name, &person.remote_id] {
            if let Some(back) = browser.consent(page, user, &[]).await {
                return browser.open(&back).await;
            }
        }
        panic!("the platform's page knows none of this person's names: {page}");
    }

    /// Begins, consents, chooses the person's account; what the choice was answered.
    pub async fn connect_in_browser(
        &self,
        api: &Api,
        platform: Platform,
        person: &Person,
    ) -> (Account, Value) {
        let begun = self.begin(api, platform, person).await;
        let shown = self.consent(&begun, person).await;
        assert_eq!(shown.status, 200, "{platform}: {}", shown.text);
        let id = begun["id"].as_str().expect("an id");
        let chosen = json!({ "destinations": [person.remote_id] });
        let chosen = api.post(&format!("/connects/{id}/choose"), chosen).await;
        let chosen = chosen.ok(200);
        let connection = &chosen["connections"][0];
        let account = Account {
            connection: connection["id"]
                .as_str()
                .expect("an id")
                .parse()
                .expect("an id"),
            platform,
            remote_id: person.remote_id.clone(),
            user: person.remote_user_id.clone(),
        };
        (account, connection.clone())
    }

    /// Connects pages of somebody on Facebook; the connections' ids in the order of the pages.
    pub async fn connect_pages(
        &self,
        api: &Api,
        user: &FacebookUser,
        pages: &[&str],
    ) -> Vec<Account> {
        let begun = api.post("/connect/facebook", json!({})).await.ok(201);
        let page = begun["authorize_url"].as_str().expect("a page");
        let shown = Browser::default().go(page, &user.id, &[]).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let id = begun["id"].as_str().expect("an id");
        let chosen = json!({ "destinations": pages });
        let chosen = api
            .post(&format!("/connects/{id}/choose"), chosen)
            .await
            .ok(200);
        let made = chosen["connections"].as_array().expect("connections");
        let account = |(row, page): (&Value, &&str)| Account {
            connection: row["id"].as_str().expect("an id").parse().expect("an id"),
            platform: Platform::Facebook,
            remote_id: (*page).to_owned(),
            user: user.id.clone(),
        };
        made.iter().zip(pages).map(account).collect()
    }

    /// Begins to reconnect, and comes back from the page as this user.
    pub async fn reconnect_as(
        &self,
        api: &Api,
        account: &Account,
        user: &str,
        more: &[(&str, &str)],
    ) -> (String, Shown) {
        let path = format!("/connections/{}/reconnect", account.connection);
        let begun = api.post(&path, json!({})).await.ok(201);
        let page = begun["authorize_url"].as_str().expect("a page");
        let shown = Browser::default().go(page, user, more).await;
        (begun["id"].as_str().expect("an id").to_owned(), shown)
    }
}
