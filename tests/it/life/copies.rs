//! A connection that is copied to another workspace: a consent, a grant and a connection of its own.

use mooring_domain::{
    Platform, Role, WorkspaceId,
    platform::ConnectsBy,
    post::Stage,
    time::{hours, minutes},
};
use mooring_gateway::acts::{self, SchedulePost};
use mooring_simulator::{Account as Person, NewBlueskyAccounts};
use mooring_store::{Actor, ConnectionRow};
use mooring_tests::{Account, Answer, Api, Browser, Shown, World};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ENGINES, on};

/// Another workspace, a key to it, and whoever holds that key.
pub(crate) struct Pier {
    pub(crate) id: WorkspaceId,
    pub(crate) key: String,
    pub(crate) api: Api,
}

pub(crate) async fn pier(w: &World, role: Role) -> Pier {
    let name = format!("Pier {}", w.store.workspaces().await.unwrap().len());
    let id = acts::create_workspace(&w.store, &Actor::Cli, &name, w.now())
        .await
        .unwrap();
    let opens = [id];
    let made = acts::create_key(&w.store, &Actor::Cli, "pier", &opens, role, w.now());
    let key = made.await.unwrap().text.expose().to_owned();
    let api = Api::stranger(w.gateway).with_key(&key);
    Pier { id, key, api }
}

impl Pier {
    /// Asks for a copy to here, with the key of here.
    pub(crate) async fn copy(&self, api: &Api, account: &Account, how: Value) -> Answer {
        let mut body = how;
        body["workspace"] = self.id.to_string().into();
        let path = format!("/connections/{}/copy", account.connection);
        let other = [("mooring-other-key", self.key.as_str())];
        api.send(Method::POST, &path, Some(body), &other).await
    }

    /// The same, and comes back from the platform's page as this user.
    pub(crate) async fn copy_as(&self, api: &Api, account: &Account, user: &str) -> Shown {
        let begun = self.copy(api, account, json!({})).await.ok(201);
        let page = begun["authorize_url"].as_str().expect("a page");
        Browser::default().go(page, user, &[]).await
    }

    pub(crate) async fn connections(&self, w: &World) -> Vec<ConnectionRow> {
        w.store.connections(self.id, w.now()).await.unwrap()
    }

    /// Posts from here; the target's stage and verdict an hour later.
    async fn publishes(&self, w: &World, text: &str) -> (Stage, Option<String>) {
        let connection = self.connections(w).await.remove(0).id;
        let order = SchedulePost {
            connections: vec![connection],
            content: mooring_domain::post::Content::text(text),
            media: Vec::new(),
            due: w.now() + minutes(1),
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        let posted = acts::schedule_post(&w.store, &Actor::Cli, self.id, order, w.now());
        let target = posted.await.unwrap().targets[0];
        w.advance(hours(1)).await;
        let rows = w.store.targets(self.id).await.unwrap();
        let row = rows.into_iter().find(|row| row.id == target).unwrap();
        (row.stage, row.verdict)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_a_copy_is_a_connection_of_its_own_and_the_first_stays_as_it_was() {
    for engine in ENGINES {
        let w = on(engine).await;
        let api = w.api(Role::Operator).await;
        let user = w.facebook_person(2);
        let page = user.pages[0].id.as_str();
        let account = w.connect_pages(&api, &user, &[page]).await.remove(0);
        let old = w.post(&account, "of old", minutes(1)).await;
        w.advance(minutes(10)).await;
        w.assert_post(&old, Stage::Accepted, Some("live")).await;
        let before = w.connection(&account).await;

        let pier = pier(&w, Role::Operator).await;
        let shown = pier.copy_as(&api, &account, &user.id).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        assert!(shown.text.contains("healthy"), "{}", shown.text);
        let copy = pier.connections(&w).await.remove(0);
        assert_eq!(copy.remote_id, account.remote_id);
        assert_ne!(copy.id, account.connection);
        let grants = w.store.grants(pier.id).await.unwrap();
        let first = w.grant_of(&account).await;
        assert!(grants.len() == 1 && !grants.values().any(|id| *id == first));
        let after = w.connection(&account).await;
        assert_eq!(
            (after.token_version, after.auth_state.as_str()),
            (before.token_version, "connected")
        );
        assert_eq!(w.connections().await.len(), 1, "nothing came here");
        w.assert_post(&old, Stage::Accepted, Some("live")).await;

        // Both publish, each with a token of its own, and each can be reconnected.
        let here = w.post(&account, "from the first", minutes(1)).await;
        assert_eq!(
            pier.publishes(&w, "from the copy").await,
            (Stage::Accepted, Some("live".to_owned()))
        );
        w.assert_post(&here, Stage::Accepted, Some("live")).await;
        let (_, shown) = w.reconnect_as(&api, &account, &user.id, &[]).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        told(&w, &account, &pier).await;
        w.done().await;
    }
}

/// The first one's stream tells who asked and what became of it; the copy's tells that it is one.
async fn told(w: &World, account: &Account, pier: &Pier) {
    let admin = w.api(Role::Admin).await;
    let path = format!("/audit?subject={}", account.connection);
    let audit = admin.get(&path).await.ok(200);
    let items = audit["items"].as_array().unwrap();
    let of = |name: &str| items.iter().find(|entry| entry["event"] == name);
    for name in ["copy_begun", "connection_copied"] {
        let entry = of(name).unwrap_or_else(|| panic!("{name}: {audit}"));
        assert_eq!(entry["data"]["workspace"], pier.id.to_string(), "{entry}");
        assert!(
            entry["actor"].as_str().unwrap().starts_with("key_"),
            "{entry}"
        );
        assert!(entry["origin"].is_string(), "{entry}");
    }
    assert_ne!(
        of("copy_begun").unwrap()["actor"],
        of("connection_copied").unwrap()["actor"],
        "asked with one key, connected with the other"
    );
    let events = w.store.events(pier.id, 100).await.unwrap();
    let connected = events
        .iter()
        .find(|row| row.name == "connection_connected" && row.data["copied"] == true);
    assert!(connected.is_some(), "{events:?}");
    let texts = format!("{events:?}{audit}");
    assert!(!texts.contains(&pier.key), "a key is in no book");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_accounts_of_every_platform_are_copied_and_both_go_on() {
    let mut tried = 0;
    for platform in Platform::ALL {
        if platform.connects_by() != ConnectsBy::Browser {
            continue;
        }
        tried += 1;
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let person = w.newcomer(platform);
        let (account, _) = w.connect_in_browser(&api, platform, &person).await;
        w.settle().await;
        let pier = pier(&w, Role::Operator).await;
        let begun = pier.copy(&api, &account, json!({})).await.ok(201);
        let shown = w.consent(&begun, &person).await;
        assert_eq!(shown.status, 200, "{platform}: {}", shown.text);
        w.advance(hours(5)).await;
        both_are_well(&w, &account, &pier).await;
        w.done().await;
    }
    assert!(tried >= 10, "{tried} platforms have a page");
}

async fn both_are_well(w: &World, account: &Account, pier: &Pier) {
    let first = w.connection(account).await;
    let copy = pier.connections(w).await.remove(0);
    for row in [&first, &copy] {
        assert_eq!(
            row.health.as_str(),
            "healthy",
            "{}: {:?}",
            account.platform,
            row.reasons
        );
    }
    assert_eq!(first.remote_id, copy.remote_id, "{}", account.platform);
}

/// Connects with what a person gives; the account.
async fn by_password(w: &World, api: &Api, platform: Platform, how: &Value, id: &str) -> Account {
    let begun = api.post(&format!("/connect/{platform}"), how.clone()).await;
    let begun = begun.ok(201);
    let path = format!("/connects/{}/choose", begun["id"].as_str().unwrap());
    let _ = api
        .post(&path, json!({ "destinations": [id] }))
        .await
        .ok(200);
    let rows = w.connections().await;
    let row = rows.into_iter().find(|row| row.remote_id == id).unwrap();
    Account {
        connection: row.id,
        platform,
        remote_id: id.to_owned(),
        user: id.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_where_a_password_or_a_bots_token_connects_it_copies_too() {
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let pier = pier(&w, Role::Operator).await;
    let new = NewBlueskyAccounts::default();
    let person = w.sim().create_bluesky_accounts(&new).unwrap().remove(0);
    let login = json!({ "identifier": person.handle, "password": person.password.to_string() });
    let account = by_password(&w, &api, Platform::Bluesky, &login, &person.did).await;
    let done = pier.copy(&api, &account, login.clone()).await;
    assert!(!done.text.contains(&*person.password), "{}", done.text);
    let done = done.ok(201);
    assert_eq!(done["connection"]["outcome"], "connected", "{done}");
    assert_eq!(done["connection"]["health"], "healthy", "{done}");
    w.advance(hours(5)).await;
    both_are_well(&w, &account, &pier).await;
    // Another account's password makes no copy, and changes nothing.
    let other = w.sim().create_bluesky_accounts(&new).unwrap().remove(0);
    let theirs = json!({ "identifier": other.handle, "password": other.password.to_string() });
    let (account, third) = (
        by_password(&w, &api, Platform::Bluesky, &theirs, &other.did).await,
        pier.copy(&api, &account, theirs.clone()).await,
    );
    let _ = third.problem(409, "already_connected");
    let detail = pier.copy(&api, &account, login).await;
    let detail = detail.problem(409, "account_mismatch");
    assert!(detail.contains(&other.handle), "{detail}");
    assert_eq!(pier.connections(&w).await.len(), 1);
    w.done().await;

    let bots = |one: &Platform| one.connects_by() == ConnectsBy::Bot;
    for platform in Platform::ALL.into_iter().filter(bots) {
        let w = World::start().await;
        let api = w.api(Role::Operator).await;
        let pier = self::pier(&w, Role::Operator).await;
        let person: Person = w.newcomer(platform);
        let token = person.access_token.to_string();
        let how = json!({ "identifier": person.remote_id, "password": token });
        let account = by_password(&w, &api, platform, &how, &person.remote_id).await;
        let done = pier.copy(&api, &account, how).await.ok(201);
        assert_eq!(
            done["connection"]["health"], "healthy",
            "{platform}: {done}"
        );
        w.done().await;
    }
}

/// How often a platform was asked to take a credential back.
fn revocations(w: &World) -> u64 {
    let rows = w.sim().calls().by_account.into_iter();
    let asked = rows.filter(|row| row.operation.as_str() == "disconnect");
    asked.map(|row| row.count.calls).sum()
}

async fn disconnect(api: &Api, id: &str) -> Value {
    let path = format!("/connections/{id}");
    let shown = api.get(&format!("{path}/disconnect")).await.ok(200);
    let confirm = shown["confirm"].as_str().unwrap();
    let done = api.delete(&format!("{path}?confirm={confirm}")).await;
    done.ok(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_a_copy_that_is_let_go_leaves_a_consent_alone_that_serves_the_first() {
    // On Facebook giving back withdraws the person's whole consent: it is not done while the first needs it.
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let pier = pier(&w, Role::Operator).await;
    let user = w.facebook_person(1);
    let account = w
        .connect_pages(&api, &user, &[&user.pages[0].id])
        .await
        .remove(0);
    pier.copy_as(&api, &account, &user.id).await;
    w.settle().await;
    let copy = pier.connections(&w).await.remove(0).id.to_string();
    let done = disconnect(&pier.api, &copy).await;
    assert_eq!(
        (done["credentials"].as_str(), revocations(&w)),
        (Some("failed"), 0)
    );
    w.advance(hours(3)).await;
    assert_eq!(w.connection(&account).await.auth_state, "connected");
    // Let go as well, the first one takes the consent along.
    disconnect(&api, &account.connection.to_string()).await;
    assert_eq!(revocations(&w), 1);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_a_copy_that_is_let_go_takes_its_own_credential_along_and_no_other() {
    // A session of Bluesky ends alone.
    let w = World::start().await;
    let api = w.api(Role::Operator).await;
    let pier = pier(&w, Role::Operator).await;
    let new = NewBlueskyAccounts::default();
    let person = w.sim().create_bluesky_accounts(&new).unwrap().remove(0);
    let login = json!({ "identifier": person.handle, "password": person.password.to_string() });
    let account = by_password(&w, &api, Platform::Bluesky, &login, &person.did).await;
    let _ = pier.copy(&api, &account, login).await.ok(201);
    w.settle().await;
    let copy = pier.connections(&w).await.remove(0).id.to_string();
    let done = disconnect(&pier.api, &copy).await;
    assert_eq!(
        (done["credentials"].as_str(), revocations(&w)),
        (Some("revoked"), 1)
    );
    w.advance(hours(5)).await;
    let row = w.connection(&account).await;
    assert_eq!(row.health.as_str(), "healthy", "{:?}", row.reasons);
    let post = w.post(&account, "still moored", minutes(1)).await;
    w.advance(minutes(10)).await;
    w.assert_post(&post, Stage::Accepted, Some("live")).await;
    w.done().await;
}
