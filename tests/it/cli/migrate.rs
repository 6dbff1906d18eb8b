//! `mooring migrate`.

use std::process::Stdio;

use mooring_tests::{Database, Engine, Fleet};

use super::{command, embedded, good, run, told, up};

async fn on(engine: Engine) -> (Fleet, Database) {
    let database = Database::empty(engine).await;
    (
        Fleet::new([("MOORING_DATABASE_URL", database.url.clone())]),
        database,
    )
}

#[tokio::test]
async fn up_twice_is_once_and_down_needs_its_flag() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (fleet, _database) = on(engine).await;
        let missing = good(&fleet, &["migrate", "status"]);
        assert!(
            missing.contains("missing: m2026") && !missing.contains("0 migration(s)"),
            "{missing}"
        );
        good(&fleet, &["migrate", "up"]);
        assert_eq!(
            good(&fleet, &["migrate", "status"]),
            "0 migration(s) missing\n"
        );
        assert_eq!(
            good(&fleet, &["migrate", "up"]),
            "the tables are up to date\n"
        );

        good(&fleet, &["workspace", "add", "Acme"]);
        run(&fleet, &["migrate", "down"])
            .refused(&["deletes every table", "--yes-lose-everything"]);
        assert!(
            good(&fleet, &["workspace", "list"]).contains("Acme"),
            "nothing was taken down"
        );
        good(&fleet, &["migrate", "down", "--yes-lose-everything"]);
        assert_eq!(good(&fleet, &["migrate", "status"]), missing);
        good(&fleet, &["migrate", "up"]);
        assert_eq!(good(&fleet, &["workspace", "list"]), "");
    }
}

#[tokio::test]
async fn five_at_once_on_a_server_are_one_migration_that_the_others_wait_for() {
    let (fleet, _database) = on(Engine::Postgres).await;
    let five: Vec<_> = (0..5)
        .map(|_| {
            let mut command = command(&fleet, &[], &["migrate", "up"]);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program runs")
        })
        .collect();
    for child in five {
        let told = told(child.wait_with_output().expect("it ends"));
        assert!(told.success, "{}", told.err);
    }
    assert_eq!(
        good(&fleet, &["migrate", "status"]),
        "0 migration(s) missing\n"
    );
}

#[tokio::test]
async fn the_embedded_database_has_one_process_that_works_on_it() {
    let fleet = embedded();
    let (_up, _) = up(&fleet, "up").await;
    good(&fleet, &["workspace", "add", "Acme"]);
    run(&fleet, &["up"]).refused(&[
        "mooring up: another mooring process works on",
        "stop it first",
    ]);
    run(&fleet, &["migrate", "down", "--yes-lose-everything"])
        .refused(&["another mooring process works on"]);
    assert!(
        good(&fleet, &["workspace", "list"]).contains("Acme"),
        "looking and acts go on beside it"
    );
}
