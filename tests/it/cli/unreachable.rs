//! Servers that are not there.

use mooring_tests::{Database, Engine, Fleet};

use super::{CLOSED, KEYS, command, embedded, on_postgres, run, run_with, told};

fn nowhere() -> Fleet {
    Fleet::new([
        (
            "MOORING_DATABASE_URL",
            format!("postgres://fleet:hunter2@{CLOSED}/fleet"),
        ),
        ("MOORING_REDIS_URL", format!("redis://:hunter2@{CLOSED}")),
        ("MOORING_VAULT__KEYS", KEYS.to_owned()),
    ])
}

#[test]
fn a_database_that_does_not_answer_at_the_start_ends_every_role_and_command() {
    let fleet = nowhere();
    let commands: [&[&str]; 7] = [
        &["up"],
        &["scheduler"],
        &["worker"],
        &["gateway"],
        &["migrate", "up"],
        &["status"],
        &["workspace", "add", "Acme"],
    ];
    // At once, for each of them waits a while for its database.
    let running = commands.map(|args| {
        let mut command = command(&fleet, &[], args);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().expect("the program runs")
    });
    for (args, child) in commands.iter().zip(running) {
        let told = told(child.wait_with_output().expect("it ends"));
        let role = format!("mooring {}: ", args[0]);
        told.refused(&[
            &role,
            &format!("postgres://***@{CLOSED}/fleet"),
            "check that it runs",
            "database.url",
        ]);
        told.silent_about(&["hunter2"]);
    }
}

#[tokio::test]
async fn a_database_that_refuses_says_why() {
    let (fleet, database) = on_postgres().await;
    let (base, name) = database.url.rsplit_once('/').expect("a database");
    run_with(
        &fleet,
        &[("MOORING_DATABASE_URL", &format!("{base}/not_{name}"))],
        &["status"],
    )
    .refused(&[&format!("\"not_{name}\" does not exist")]);
    let (user, server) = base.rsplit_once('@').expect("a user");
    let wrong = format!("{user}-hunter2@{server}/{name}");
    let told = run_with(&fleet, &[("MOORING_DATABASE_URL", &wrong)], &["status"]);
    told.refused(&["password authentication failed"]);
    told.silent_about(&["hunter2", user.rsplit_once(':').expect("a password").1]);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_at_the_start_ends_every_role_that_needs_it() {
    let database = Database::fresh(Engine::Sqlite).await;
    let fleet = Fleet::new([
        ("MOORING_DATABASE_URL", database.url.clone()),
        ("MOORING_REDIS_URL", format!("redis://:hunter2@{CLOSED}")),
        ("MOORING_VAULT__KEYS", KEYS.to_owned()),
    ]);
    for role in ["up", "scheduler", "worker"] {
        let told = run(&fleet, &[role]);
        told.refused(&[
            &format!("mooring {role}: redis.url: cannot reach Redis at redis://***@{CLOSED}"),
            "refused",
        ]);
        told.silent_about(&["hunter2"]);
    }
}

#[tokio::test]
async fn a_database_without_our_tables_is_refused_with_the_command_that_makes_them() {
    let database = Database::empty(Engine::Postgres).await;
    let env = [
        ("MOORING_DATABASE_URL", database.url.clone()),
        ("MOORING_REDIS_URL", format!("redis://{CLOSED}")),
        ("MOORING_VAULT__KEYS", KEYS.to_owned()),
    ];
    let fleet = Fleet::new(env);
    for args in [
        &["scheduler"][..],
        &["worker"],
        &["gateway"],
        &["status"],
        &["workspace", "list"],
    ] {
        run(&fleet, args).refused(&["the database lacks ", "run `mooring migrate up`"]);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let fleet = embedded();
    std::fs::write(
        fleet.folder().join("mooring-data"),
        "a file stands where the folder should",
    )
    .expect("a file");
    for args in [&["up"][..], &["status"]] {
        run(&fleet, args).refused(&["cannot make the folder mooring-data"]);
    }
}
