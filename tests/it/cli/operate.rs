//! `mooring status` and `mooring doctor`.

use mooring_tests::{Database, Engine, Fleet};

use super::{CLOSED, KEYS, embedded, good, json, on_postgres, run, run_with, with_a_connection};

#[test]
fn status_tells_the_numbers_to_people_and_to_programs() {
    let (fleet, conn) = with_a_connection();
    let told = json(&good(&fleet, &["status", "--json"]));
    assert_eq!(told["connections"]["unknown"], 1);
    assert_eq!(told["unresolved"], 0);
    assert_eq!(
        told["lanes"]["check"]["due"], 1,
        "the first check is due at once"
    );
    assert!(
        told["connection_list"].is_null(),
        "only where a workspace is asked for"
    );
    let text = good(&fleet, &["status", "--workspace", "Acme"]);
    assert!(
        text.contains("connections  unknown 1") && text.contains(&conn),
        "{text}"
    );
}

#[tokio::test]
async fn doctor_finds_nothing_wrong_where_nothing_is() {
    let (fleet, _database) = on_postgres().await;
    let redis = std::env::var("MOORING_TEST_REDIS_URL").expect("run the tests with dev/test");
    for (fleet, env) in [
        (fleet, vec![("MOORING_REDIS_URL", redis.as_str())]),
        (embedded(), vec![]),
    ] {
        let told = run_with(&fleet, &env, &["doctor"]);
        assert!(told.success, "{}{}", told.out, told.err);
        assert_eq!(
            told.out
                .lines()
                .filter(|line| line.starts_with("ok "))
                .count(),
            5,
            "{}",
            told.out
        );
    }
}

#[tokio::test]
async fn doctor_names_each_broken_part_and_how_to_mend_it() {
    let database = Database::empty(Engine::Postgres).await;
    let fleet = Fleet::new([("MOORING_DATABASE_URL", database.url.clone())]);
    let redis = format!("redis://{CLOSED}");
    let told = run_with(&fleet, &[("MOORING_REDIS_URL", &redis)], &["doctor"]);
    told.refused(&["mooring doctor: 3 of 5 checks failed"]);
    let broken: Vec<&str> = told
        .out
        .lines()
        .filter(|line| line.starts_with("broken "))
        .collect();
    let said = [
        ("database", "mooring migrate up"),
        ("queue", CLOSED),
        ("vault", "MOORING_VAULT__KEYS_FILE"),
    ];
    for ((part, fix), line) in said.iter().zip(&broken) {
        assert!(line.contains(part) && line.contains(fix), "{line}");
    }
    assert_eq!(broken.len(), said.len(), "{}", told.out);
    assert!(told.out.contains("mooring keys new"), "{}", told.out);

    good(&fleet, &["migrate", "up"]);
    let told = run_with(&fleet, &[("MOORING_VAULT__KEYS", KEYS)], &["doctor"]);
    assert!(
        told.success && !told.out.contains("keys new"),
        "{}",
        told.out
    );
}

#[test]
fn a_word_that_is_no_command_brings_the_usage() {
    let told = run(&embedded(), &["sail"]);
    assert!(
        !told.success && told.err.contains("Usage: mooring"),
        "{}",
        told.err
    );
    assert!(run(&embedded(), &["--help"]).success);
    assert!(good(&embedded(), &["--version"]).starts_with("mooring "));
}
