//! What a process is told wrongly.

use super::{CLOSED, KEYS, embedded, good, json, on_postgres, run, run_with};

/// A password that stands in URLs, and nowhere else.
const PASSWORD: &str = "hunter2";

#[test]
fn an_unknown_key_is_refused_by_its_name_with_the_one_that_was_meant() {
    let fleet = embedded();
    for command in ["status", "up", "worker"] {
        run_with(&fleet, &[("MOORING_DATABASE__ULR", "x")], &[command]).refused(&[
            "MOORING_DATABASE__ULR: unknown variable",
            "did you mean database.url",
        ]);
    }
    std::fs::write(
        fleet.folder().join("bad.toml"),
        "[worker]\ndrain_seconds = 5\n",
    )
    .expect("a file");
    run(&fleet, &["--config", "bad.toml", "status"])
        .refused(&["worker.drain_seconds: unknown key in bad.toml"]);
    run_with(&fleet, &[("MOORING_CONFIG", "bad.toml")], &["up"])
        .refused(&["worker.drain_seconds: unknown key in bad.toml"]);
    run(&fleet, &["--config", "nowhere.toml", "up"])
        .refused(&["nowhere.toml: cannot read", "check --config"]);
    assert!(
        !fleet.folder().join("mooring-data").exists(),
        "nothing was begun"
    );
}

#[test]
fn a_bad_url_is_refused_without_showing_it() {
    let fleet = embedded();
    let bad = [
        (
            "MOORING_DATABASE_URL",
            "hunter2",
            "database.url: is not a URL",
        ),
        (
            "MOORING_DATABASE_URL",
            "mysql://u:hunter2@h/x",
            "database.url: the scheme \"mysql\" is not supported",
        ),
        (
            "MOORING_REDIS_URL",
            "http://u:hunter2@h",
            "redis.url: the scheme \"http\" is not supported",
        ),
        (
            "MOORING_PLATFORMS__BLUESKY_URL",
            "ftp://h",
            "platforms.bluesky_url: the scheme \"ftp\" is not supported",
        ),
    ];
    for (name, value, what) in bad {
        let told = run_with(&fleet, &[(name, value)], &["up"]);
        told.refused(&[what, "; write it as "]);
        told.silent_about(&[PASSWORD]);
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_by_its_name() {
    let fleet = embedded();
    run_with(&fleet, &[("MOORING_WORKER__DRAIN_S", "soon")], &["up"])
        .refused(&["MOORING_WORKER__DRAIN_S", "a whole number"]);
    run_with(&fleet, &[("MOORING_POLICY__LEASES_S__CHECK", "1")], &["up"])
        .refused(&["policy.leases_s.check", "set it to 5 or more"]);
    run_with(&fleet, &[("MOORING_VAULT__KEYS_FILE", "nowhere")], &["up"])
        .refused(&["vault.keys_file: cannot read nowhere", "check the path"]);
}

#[test]
fn an_unknown_lane_is_refused_with_the_lanes_that_there_are() {
    let lanes = "use some of check, refresh, publish, verify, house";
    run(&embedded(), &["worker", "--lanes", "check,nonsense"])
        .refused(&["worker.lanes: \"nonsense\" is no lane", lanes]);
    run_with(
        &embedded(),
        &[("MOORING_WORKER__LANES", "nonsense")],
        &["up"],
    )
    .refused(&["worker.lanes", lanes]);
}

#[test]
fn a_clock_file_is_refused_where_anything_is_not_on_this_machine() {
    let fleet = embedded();
    std::fs::write(fleet.folder().join("clock"), "1800000000000").expect("a file");
    let clock = ("MOORING_CLOCK_FILE", "clock");
    for (name, value, key) in [
        (
            "MOORING_DATABASE_URL",
            "postgres://db.example/x",
            "database.url",
        ),
        ("MOORING_REDIS_URL", "redis://10.0.0.1", "redis.url"),
        (
            "MOORING_PLATFORMS__FACEBOOK_URL",
            "https://graph.facebook.com",
            "platforms.facebook_url",
        ),
        ("MOORING_ADMIN__BIND", "0.0.0.0:0", "admin.bind"),
    ] {
        run_with(&fleet, &[clock, (name, value)], &["up"]).refused(&[
            "clock_file",
            key,
            "unset MOORING_CLOCK_FILE",
        ]);
    }
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_refused_without_showing_them() {
    let (fleet, _database) = on_postgres().await;
    for (keys, what) in [
        ("hunter2", "write it as id:base64"),
        (
            "k1:hunter2",
            "key \"k1\" is not 32 bytes in base64: make one with `mooring keys new`",
        ),
        ("K 1:hunter2", "has a bad id"),
    ] {
        let told = run_with(&fleet, &[("MOORING_VAULT__KEYS", keys)], &["worker"]);
        told.refused(&["vault.keys", what]);
        told.silent_about(&[PASSWORD]);
    }
    let twice = format!("{KEYS},{KEYS}");
    run_with(&fleet, &[("MOORING_VAULT__KEYS", &twice)], &["worker"])
        .refused(&["\"k1\" appears twice"]);
}

#[tokio::test]
async fn on_a_server_a_worker_must_be_given_keys_and_every_role_of_its_own_a_redis() {
    let (fleet, _database) = on_postgres().await;
    run_with(&fleet, &[("MOORING_VAULT__KEYS", "")], &["worker"]).refused(&[
        "vault.keys: no key is configured",
        "MOORING_VAULT__KEYS_FILE",
        "mooring keys new",
    ]);
    for role in ["worker", "scheduler"] {
        run(&fleet, &[role]).refused(&[
            "redis.url: is not set",
            "set MOORING_REDIS_URL",
            "mooring up",
        ]);
    }
}

#[test]
fn config_check_names_every_problem_and_touches_nothing() {
    let fleet = embedded();
    assert_eq!(
        good(&fleet, &["config", "check"]),
        "the configuration is good\n"
    );
    let told = run_with(
        &fleet,
        &[("MOORING_A", "1"), ("MOORING_B", "1")],
        &["config", "check"],
    );
    told.failed(&[]);
    assert_eq!(
        told.err.lines().count(),
        2,
        "one line for each problem: {}",
        told.err
    );
    assert!(!fleet.folder().join("mooring-data").exists());
}

#[test]
fn config_print_shows_what_is_in_force_and_no_secret() {
    let fleet = embedded();
    std::fs::write(
        fleet.folder().join("m.toml"),
        "[worker]\ndrain_s = 7\n[redis]\nprefix = \"file\"\n",
    )
    .expect("a file");
    let env = [
        (
            "MOORING_DATABASE_URL",
            "postgres://fleet:hunter2@db.example/fleet?password=hunter2",
        ),
        ("MOORING_REDIS_URL", "rediss://:hunter2@redis.example"),
        ("MOORING_VAULT__KEYS", "k1:hunter2"),
        ("MOORING_REDIS__PREFIX", "env"),
    ];
    let told = run_with(&fleet, &env, &["--config", "m.toml", "config", "print"]);
    assert!(told.success, "{}", told.err);
    told.silent_about(&[PASSWORD]);
    for line in [
        "drain_s = 7",
        "prefix = \"env\"",
        "url = \"postgres://***@db.example/fleet\"",
        "keys = \"***\"",
    ] {
        assert!(
            told.out.lines().any(|l| l == line),
            "{line} is not in:\n{}",
            told.out
        );
    }
}

#[test]
fn a_fresh_key_is_printed_and_can_be_used_at_once() {
    let fleet = embedded();
    let key = good(&fleet, &["keys", "new"]);
    assert!(key.starts_with("k1:") && key.lines().count() == 1, "{key}");
    assert_ne!(key, good(&fleet, &["keys", "new"]));
    let ring = key.clone() + &good(&fleet, &["keys", "new", "--id", "k2"]);
    std::fs::write(fleet.folder().join("keys"), ring).expect("a file");
    let told = run_with(&fleet, &[("MOORING_VAULT__KEYS_FILE", "keys")], &["doctor"]);
    assert!(
        told.success && told.out.contains("ok      vault"),
        "{}{}",
        told.out,
        told.err
    );
    told.silent_about(&[key.trim_end().trim_start_matches("k1:")]);
    run(&fleet, &["keys", "new", "--id", "Key One"])
        .refused(&["id: \"Key One\"", "use 1 to 32 of a-z"]);
}

#[test]
fn a_key_can_be_made_while_the_configuration_is_still_wrong() {
    let told = run_with(&embedded(), &[("MOORING_NONSENSE", "1")], &["keys", "new"]);
    assert!(told.success, "{}", told.err);
}

#[test]
fn the_clock_file_rules_the_commands_of_a_test() {
    let fleet = embedded();
    std::fs::write(fleet.folder().join("clock"), "1800000000000").expect("a file");
    let told = run_with(
        &fleet,
        &[("MOORING_CLOCK_FILE", "clock")],
        &["status", "--json"],
    );
    assert!(told.success, "{}", told.err);
    assert!(json(&told.out)["lanes"]["check"].is_object());
    run_with(&fleet, &[("MOORING_CLOCK_FILE", CLOSED)], &["status"])
        .refused(&["mooring status:", CLOSED]);
}
