//! A fresh database for each test, on either engine.

use mooring_domain::Policy;
use mooring_store::{Options, Store};
use mooring_vault::{KeyRing, SigningKeys};
use sea_orm::{ConnectionTrait, Database as SeaOrm, DatabaseConnection, Statement};
use tempfile::TempDir;

use crate::{DatabaseTap, PostgresServer};

/// The two engines that one code path serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the server that `MOORING_TEST_POSTGRES_URL` names (`dev/test` starts it).
    Postgres,
}

/// A migrated database that nobody else uses.
pub struct Database {
    /// Its address.
    pub url: String,
    /// Where a SQLite file lives; removed with the test.
    folder: Option<TempDir>,
}

/// What a database was at one moment.
pub(crate) enum Copy {
    Sqlite(TempDir),
    Postgres(String),
}

/// Any constant will do.
const TEMPLATE_LOCK: i64 = 7_421_906;

impl Database {
    /// A fresh one.
    pub async fn fresh(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::sqlite().await,
            Engine::Postgres => Self::postgres().await,
        }
    }

    /// A fresh one on a server of the test's own.
    pub async fn on(server: &PostgresServer) -> Self {
        let database = Self {
            url: server.url(),
            folder: None,
        };
        let db = SeaOrm::connect(&database.url)
            .await
            .expect("the server takes a connection");
        mooring_migrations::up(&db).await.expect("migrations apply");
        db.close().await.expect("the database closes");
        database
    }

    /// One that has no tables yet.
    pub async fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().expect("a temporary folder");
                let url = format!(
                    "sqlite://{}?mode=rwc",
                    folder.path().join("mooring.db").display()
                );
                Self {
                    url,
                    folder: Some(folder),
                }
            }
            Engine::Postgres => {
                let (admin, name) = (admin().await, fresh_name());
                run(&admin, &format!("CREATE DATABASE {name}")).await;
                Self {
                    url: url_of(&name),
                    folder: None,
                }
            }
        }
    }

    /// Opens a store on it, with a fresh key ring and the given policy.
    pub async fn store(&self, policy: Policy) -> Store {
        self.store_with(KeyRing::generate(), policy).await
    }

    /// Opens a store on it.
    pub async fn store_with(&self, keys: KeyRing, policy: Policy) -> Store {
        open(self.url.clone(), keys, policy).await
    }

    /// Opens a store on it by way of a tap.
    pub async fn store_through(&self, tap: &DatabaseTap, keys: KeyRing, policy: Policy) -> Store {
        open(tap.url(self), keys, policy).await
    }

    /// The folder of a SQLite file.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(TempDir::path)
    }

    /// Copies the database; nobody may have it open.
    pub(crate) async fn copy(&self) -> Copy {
        if let Some(folder) = &self.folder {
            let copy = TempDir::new().expect("a temporary folder");
            copy_files(folder.path(), copy.path());
            return Copy::Sqlite(copy);
        }
        let name = fresh_name();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {}", self.name());
        run(&admin().await, &sql).await;
        Copy::Postgres(name)
    }

    /// Makes the database what it was; nobody may have it open.
    pub(crate) async fn put_back(&self, copy: &Copy) {
        match (&self.folder, copy) {
            (Some(folder), Copy::Sqlite(copy)) => {
                for file in std::fs::read_dir(folder.path()).expect("the folder") {
                    std::fs::remove_file(file.expect("a file").path()).expect("it goes");
                }
                copy_files(copy.path(), folder.path());
            }
            (None, Copy::Postgres(copy)) => {
                let (admin, name) = (admin().await, self.name());
                run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
                run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {copy}")).await;
            }
            _ => panic!("a copy of another engine's database"),
        }
    }

    /// The name of a database on the server.
    fn name(&self) -> &str {
        self.url.rsplit_once('/').expect("a URL with a database").1
    }

    async fn sqlite() -> Self {
        let database = Self::empty(Engine::Sqlite).await;
        let db = SeaOrm::connect(&database.url).await.expect("SQLite opens");
        mooring_migrations::up(&db).await.expect("migrations apply");
        db.close().await.expect("SQLite closes");
        database
    }

    async fn postgres() -> Self {
        let admin = admin().await;
        let template = template(&admin).await;
        let name = fresh_name();
        run(
            &admin,
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        Self {
            url: url_of(&name),
            folder: None,
        }
    }
}

async fn open(url: String, keys: KeyRing, policy: Policy) -> Store {
    let options = Options {
        url,
        max_connections: 12,
    };
    Store::open(options, keys, policy)
        .await
        .expect("the database opens")
        .signing(signing_keys())
}

/// The keys that sign the proof ledgers of every test: a store that is opened again has the same ones.
fn signing_keys() -> SigningKeys {
    let key = "t1:dGhlIHNpZ25pbmcga2V5IG9mIGFsbCB0aGUgdGVzdHM=";
    SigningKeys::parse(key).expect("a key")
}

fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    for file in std::fs::read_dir(from).expect("the folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("it is copied");
    }
}

/// Migrates once per server into a template that every test's database is a copy of.
async fn template(admin: &DatabaseConnection) -> String {
    let names: Vec<String> = {
        use sea_orm_migration::MigratorTrait as _;
        mooring_migrations::Migrator::migrations()
            .iter()
            .map(|m| m.name().to_owned())
            .collect()
    };
    let name = format!("template_{}", names.len());
    run(admin, &format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await;
    let exists = admin
        .query_one_raw(Statement::from_sql_and_values(
            sea_orm::DbBackend::Postgres,
            "SELECT 1 FROM pg_database WHERE datname = $1",
            [name.as_str().into()],
        ))
        .await
        .expect("the catalogue answers");
    if exists.is_none() {
        let building = format!("{name}_{}", uuid::Uuid::now_v7().simple());
        run(admin, &format!("CREATE DATABASE {building}")).await;
        let db = SeaOrm::connect(url_of(&building))
            .await
            .expect("the template opens");
        mooring_migrations::up(&db).await.expect("migrations apply");
        db.close().await.expect("the template closes");
        run(
            admin,
            &format!("ALTER DATABASE {building} RENAME TO {name}"),
        )
        .await;
    }
    run(
        admin,
        &format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})"),
    )
    .await;
    name
}

/// One session, so that the advisory lock is taken and given back by the same one.
async fn admin() -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(server());
    options.max_connections(1).sqlx_logging(false);
    SeaOrm::connect(options)
        .await
        .expect("PostgreSQL answers: run the tests with dev/test")
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn fresh_name() -> String {
    format!("t_{}", uuid::Uuid::now_v7().simple())
}

fn server() -> String {
    std::env::var("MOORING_TEST_POSTGRES_URL").expect(
        "MOORING_TEST_POSTGRES_URL is not set: run the tests with dev/test, or start the services with dev/services",
    )
}

fn url_of(database: &str) -> String {
    let server = server();
    let (base, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{base}/{database}")
}
