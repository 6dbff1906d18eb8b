//! How secrets lie in the database: sealed, in columns that a rotation knows, and nowhere else.

use std::collections::BTreeSet;

use mooring_domain::{Platform, Policy};
use mooring_gateway::acts::{self, ImportRow};
use mooring_providers::Credentials;
use mooring_simulator::NewBlueskyAccounts;
use mooring_store::{Actor, Store};
use mooring_tests::{Database, Engine, World, dump, hex};
use mooring_vault::{Secret, key_id_of};
use sea_orm::{ConnectionTrait as _, Statement};

use super::safe::on_both;

/// The first column of a query's rows, as texts.
async fn texts(store: &Store, sql: &str) -> BTreeSet<String> {
    let db = store.connection();
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    let rows = db.query_all_raw(statement).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter()
        .map(|row| row.try_get_by_index(0).expect("a text"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_every_binary_column_is_sealed_and_known_to_a_rotation() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = Database::fresh(engine).await;
        let store = database.store(Policy::default()).await;
        let sql = match engine {
            Engine::Postgres => {
                "SELECT table_name || '.' || column_name FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND data_type = 'bytea'"
            }
            Engine::Sqlite => {
                "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND lower(c.type) LIKE '%blob%' AND lower(c.name) NOT LIKE '%id'"
            }
        };
        let mut known: BTreeSet<String> = Store::sealed_places().into_iter().collect();
        // Stays under the very key that it proves.
        known.insert("vault_keys.proof".to_owned());
        let mut found = texts(&store, sql).await;
        if engine == Engine::Sqlite {
            // Ids are blobs there, too; whatever is named as a secret elsewhere must be among them.
            found.retain(|column| known.contains(column));
        }
        assert_eq!(
            found, known,
            "{engine:?}: a binary column that a rotation would leave behind"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_tokens_are_sealed_at_rest_and_in_no_byte_of_the_database() {
    on_both(async |safe| {
        safe.connect("canary-of-the-harbour").await;
        let (access, refresh) = ("access-canary-of-the", "refresh-canary-of-the");
        let text = dump(&safe.store).await;
        assert!(
            text.contains("did:plc:canary-of-the-harbour"),
            "the search finds what is there"
        );
        for token in [access, refresh] {
            assert!(!text.contains(token) && !text.contains(&hex(token.as_bytes())));
        }
        let Some(folder) = safe.database.folder() else {
            return;
        };
        // The bytes of the files themselves, with what the log in front of them has.
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(folder).expect("the folder") {
            bytes.extend(std::fs::read(file.expect("a file").path()).expect("its bytes"));
        }
        let within = |what: &str| bytes.windows(what.len()).any(|at| at == what.as_bytes());
        assert!(within("did:plc:canary-of-the-harbour"));
        assert!(!within(access) && !within(refresh));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_what_is_stored_names_its_key_and_has_the_form_of_aes_256_gcm() {
    on_both(async |safe| {
        let name = "one";
        safe.connect(name).await;
        let db = safe.store.connection();
        let sql = "SELECT access_token FROM grants".to_owned();
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let row = db
            .query_one_raw(statement)
            .await
            .expect("a row")
            .expect("a row");
        let sealed: Vec<u8> = row.try_get_by_index(0).expect("bytes");
        assert_eq!(key_id_of(&sealed), Ok("k1"));
        // Version, length of the id, id, 96 bits of nonce, as many bytes as the token has, 128 bits of tag.
        assert_eq!(
            sealed.len(),
            2 + 2 + 12 + format!("access-{name}").len() + 16
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_144_an_app_password_opens_a_session_and_is_stored_nowhere() {
    let w = World::start().await;
    let accounts = w
        .sim()
        .create_bluesky_accounts(&NewBlueskyAccounts::default());
    let account = accounts.expect("an account").remove(0);
    let password = account.password.to_string();
    let credentials = Credentials::Password {
        host: None,
        identifier: account.handle.clone(),
        password: Secret::from(password.as_str()),
        factor: None,
    };
    let registry = w.registry();
    let connected = registry
        .of(Platform::Bluesky)
        .connect(credentials.clone())
        .await;
    let connected = connected.expect("a session");
    let said = format!("{credentials:?} {connected:?}");
    let row = ImportRow {
        workspace: w.workspace.to_string(),
        brand: None,
        platform: "bluesky".to_owned(),
        remote_id: connected.remote_user_id.clone(),
        name: account.handle.clone(),
        user_id: None,
        access_token: connected.grant_token.expose().to_owned(),
        page_token: None,
        refresh_token: connected
            .refresh_token
            .map(|token| token.expose().to_owned()),
        issued_at: Some(w.now()),
        access_expires_at: connected.access_expires_at,
        refresh_expires_at: connected.refresh_expires_at,
        scopes: None,
        host: None,
        binding: None,
    };
    let (good, bad) = acts::check_import(&w.store, vec![(1, row)], w.now())
        .await
        .expect("it is checked");
    assert!(bad.is_empty(), "{bad:?}");
    acts::import_connections(&w.store, &Actor::Cli, good, w.now())
        .await
        .expect("an import");
    w.settle().await;
    let stored = dump(&w.store).await;
    assert!(stored.contains(&account.did), "the account is there");
    for text in [&stored, &said] {
        assert!(!text.contains(&password) && !text.contains(&hex(password.as_bytes())));
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_144_every_other_platform_refuses_a_password() {
    let w = World::start().await;
    let registry = w.registry();
    for platform in Platform::ALL
        .into_iter()
        .filter(|one| *one != Platform::Bluesky)
    {
        let credentials = Credentials::Password {
            host: None,
            identifier: "somebody".to_owned(),
            password: Secret::from("hunter2-hunter2"),
            factor: None,
        };
        let refused = registry.of(platform).connect(credentials).await;
        let refused = refused.expect_err("OAuth 2.0 only");
        assert_eq!(refused.class(), "contract", "{platform}");
        assert!(!format!("{refused:?}").contains("hunter2"));
    }
    w.done().await;
}
