use super::*;

fn load(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let env = env
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    Config::load(&Sources { file: None, env })
}

fn load_file(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mooring.toml");
    std::fs::write(&path, text).unwrap();
    let env = env
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    Config::load(&Sources {
        file: Some(path),
        env,
    })
}

/// Asserts that loading fails with exactly one line that starts with the key and contains the rest.
fn refuses(result: Result<Config, ConfigError>, key: &str, contains: &[&str]) {
    let text = result.expect_err("should be refused").to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with(&format!("{key}: ")), "{text}");
    for part in contains {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn the_defaults_are_valid_and_as_designed() {
    let config = load(&[]).unwrap();
    let policy = &config.policy;
    assert_eq!(
        policy.leases_s,
        PerLane {
            check: 30,
            refresh: 60,
            publish: 60,
            verify: 30,
            house: 30
        }
    );
    assert_eq!(
        (policy.hard_caps_s.check, policy.hard_caps_s.publish),
        (60, 900)
    );
    assert_eq!((policy.freshness_s, policy.max_lateness_s), (10_800, 3_600));
    assert!(!config.http.allow_private_addresses);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let file = "[worker]\ndrain_s = 11\n[policy.leases_s]\ncheck = 40\n[http]\ntimeout_ms = 1000\n";
    let config = load_file(
        file,
        &[
            ("MOORING_WORKER__DRAIN_S", "12"),
            ("MOORING_POLICY__LEASES_S__VERIFY", "41"),
        ],
    );
    let config = config.unwrap();
    assert_eq!(config.worker.drain_s, 12);
    assert_eq!(config.http.timeout_ms, 1000);
    assert_eq!(
        (
            config.policy.leases_s.check,
            config.policy.leases_s.verify,
            config.policy.leases_s.refresh
        ),
        (40, 41, 60)
    );
}

#[test]
fn variables_have_the_type_of_their_key() {
    let config = load(&[
        ("MOORING_WORKER__LANES", "publish, verify"),
        ("MOORING_POLICY__VERIFY_AFTER_S", "0,30"),
        ("MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES", "true"),
        ("MOORING_ADMIN__BIND", "127.0.0.1:0"),
        ("MOORING_TELEMETRY__ENVIRONMENT", "7"),
        ("MOORING_POLICY__LEASES_S__CHECK", "31"),
        ("MOORING_POLICY__LEASES_S__VERIFY", "32"),
        ("MOORING_REDIS_URL", ""),
        ("PATH", "/bin"),
        ("MOORING_TEST_ANYTHING", "ignored"),
    ])
    .unwrap();
    assert_eq!(config.worker.lanes, ["publish", "verify"]);
    assert_eq!(config.policy.verify_after_s, [0, 30]);
    assert!(config.http.allow_private_addresses);
    assert_eq!(config.admin.bind.port(), 0);
    assert_eq!(config.telemetry.environment, "7");
    assert_eq!(
        (config.policy.leases_s.check, config.policy.leases_s.verify),
        (31, 32)
    );
    assert!(config.redis.url.is_none());
}

#[test]
fn the_two_aliases_work() {
    let config = load(&[
        ("MOORING_DATABASE_URL", "postgres://u:p@db/x"),
        ("MOORING_REDIS_URL", "rediss://r"),
    ])
    .unwrap();
    assert_eq!(config.database.url.unwrap().expose(), "postgres://u:p@db/x");
    assert_eq!(config.redis.url.unwrap().expose(), "rediss://r");
}

#[test]
fn secrets_come_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    std::fs::write(&path, "k1:secret\n").unwrap();
    let path = path.to_str().unwrap();
    let config = load(&[("MOORING_VAULT__KEYS_FILE", path)]).unwrap();
    assert_eq!(config.vault.keys.unwrap().expose(), "k1:secret");

    let both = load(&[
        ("MOORING_VAULT__KEYS_FILE", path),
        ("MOORING_VAULT__KEYS", "k:other"),
    ]);
    refuses(
        both,
        "vault.keys_file",
        &["vault.keys is set as well", "keep one"],
    );
    let missing = load(&[("MOORING_DATABASE__URL_FILE", "/nowhere/at/all")]);
    refuses(
        missing,
        "database.url_file",
        &["cannot read /nowhere/at/all", "permissions"],
    );
    std::fs::write(path, " \n").unwrap();
    refuses(
        load(&[("MOORING_REDIS__URL_FILE", path)]),
        "redis.url_file",
        &["is empty"],
    );
}

#[test]
fn unknown_keys_are_refused_by_name_with_the_fix() {
    refuses(
        load(&[("MOORING_WORKER__DRAIN", "5")]),
        "MOORING_WORKER__DRAIN",
        &["unknown", "worker.drain_s"],
    );
    refuses(
        load(&[("MOORING_DATABASE_ULR", "x")]),
        "MOORING_DATABASE_ULR",
        &["unknown", "database.url"],
    );
    refuses(
        load(&[("MOORING_WORKER", "5")]),
        "MOORING_WORKER",
        &["unknown"],
    );
    refuses(
        load(&[("MOORING_COMPLETELY_DIFFERENT_THING", "5")]),
        "MOORING_COMPLETELY_DIFFERENT_THING",
        &["remove it"],
    );
    refuses(
        load_file("[polcy]\nwarning_days = 1\n", &[]),
        "polcy",
        &["unknown key in"],
    );
    refuses(
        load_file("[policy]\nwarning_day = 1\n", &[]),
        "policy.warning_day",
        &["mooring.toml", "did you mean policy.warning_days"],
    );
}

#[test]
fn a_value_of_the_wrong_type_names_its_key() {
    refuses(
        load(&[("MOORING_WORKER__DRAIN_S", "soon")]),
        "MOORING_WORKER__DRAIN_S",
        &["\"soon\"", "whole number"],
    );
    refuses(
        load(&[("MOORING_POLICY__VERIFY_AFTER_S", "7,x")]),
        "MOORING_POLICY__VERIFY_AFTER_S",
        &["separated by commas"],
    );
    refuses(
        load(&[("MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES", "maybe")]),
        "MOORING_HTTP__ALLOW_PRIVATE_ADDRESSES",
        &["true or false"],
    );
    refuses(
        load(&[("MOORING_ADMIN__BIND", "everywhere")]),
        "admin.bind",
        &["invalid socket address"],
    );
    refuses(
        load_file("[worker]\ndrain_s = \"soon\"\n", &[]),
        "worker.drain_s",
        &["soon", "config print"],
    );
    refuses(load_file("worker = 5\n", &[]), "worker", &["5"]);
    let secret = load_file("[vault]\nkeys = [\"hunter2\"]\n", &[]);
    assert!(!secret.as_ref().unwrap_err().to_string().contains("hunter2"));
    refuses(secret, "vault.keys", &["wrong type"]);
}

#[test]
fn a_bad_file_is_one_line_and_shows_no_secret() {
    let error = load_file("[vault]\nkeys = \"k1:hunter2\n", &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 2") && !error.contains("hunter2"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
    let missing = Config::load(&Sources {
        file: Some("/nowhere.toml".into()),
        env: vec![],
    });
    refuses(missing, "/nowhere.toml", &["cannot read", "--config"]);
    let named = load(&[("MOORING_CONFIG", "/nowhere.toml")]);
    refuses(named, "/nowhere.toml", &["MOORING_CONFIG"]);
}

#[test]
fn urls_need_a_known_scheme_and_are_not_repeated() {
    let bad = load(&[("MOORING_DATABASE_URL", "mysql://root:hunter2@db/x")]);
    assert!(!bad.as_ref().unwrap_err().to_string().contains("hunter2"));
    refuses(bad, "database.url", &["\"mysql\"", "postgres://"]);
    refuses(
        load(&[("MOORING_REDIS_URL", "localhost")]),
        "redis.url",
        &["not a URL", "rediss://"],
    );
    refuses(
        load(&[("MOORING_TELEMETRY__OTLP_ENDPOINT", "collector:4317")]),
        "telemetry.otlp_endpoint",
        &["http://"],
    );
}

#[test]
fn a_clock_file_is_refused_unless_everything_is_loopback() {
    let clock = ("MOORING_CLOCK_FILE", "/tmp/clock");
    assert!(load(&[clock, ("MOORING_DATABASE_URL", "postgres://localhost/x")]).is_ok());
    refuses(
        load(&[clock, ("MOORING_DATABASE_URL", "postgres://db/x")]),
        "clock_file",
        &["database.url", "unset"],
    );
    refuses(
        load(&[clock, ("MOORING_REDIS_URL", "redis://10.0.0.1")]),
        "clock_file",
        &["redis.url"],
    );
    refuses(
        load(&[clock, ("MOORING_GATEWAY__BIND", "0.0.0.0:80")]),
        "clock_file",
        &["gateway.bind"],
    );
}

#[test]
fn values_that_do_not_fit_each_other_are_refused() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "MOORING_POLICY__HARD_CAPS_S__PUBLISH",
            "59",
            "policy.hard_caps_s.publish",
        ),
        (
            "MOORING_POLICY__LEASES_S__HOUSE",
            "1",
            "policy.leases_s.house",
        ),
        ("MOORING_POLICY__FRESHNESS_S", "60", "policy.freshness_s"),
        (
            "MOORING_POLICY__VERIFY_AFTER_S",
            "900,60",
            "policy.verify_after_s",
        ),
        ("MOORING_WORKER__LANES", "publish,polish", "worker.lanes"),
        ("MOORING_WORKER__LANES", ",", "worker.lanes"),
        ("MOORING_WORKER__SLOTS__CHECK", "0", "worker.slots.check"),
        (
            "MOORING_DATABASE__MAX_CONNECTIONS",
            "0",
            "database.max_connections",
        ),
        ("MOORING_HTTP__BODY_CAP_BYTES", "0", "http.body_cap_bytes"),
        ("MOORING_MEDIA__MAX_BYTES", "0", "media.max_bytes"),
        ("MOORING_MEDIA__SIGNING_KEY", "short", "media.signing_key"),
        (
            "MOORING_MEDIA__PUBLIC_URL",
            "mooring.example",
            "media.public_url",
        ),
        (
            "MOORING_MEDIA__PUBLIC_URL",
            "http://mooring.example",
            "media.public_url",
        ),
        (
            "MOORING_MEDIA__PUBLIC_URL",
            "https://mooring.example/?a=b",
            "media.public_url",
        ),
        (
            "MOORING_GATEWAY__PUBLIC_URL",
            "http://mooring.example",
            "gateway.public_url",
        ),
        (
            "MOORING_GATEWAY__PUBLIC_URL",
            "https://user@mooring.example",
            "gateway.public_url",
        ),
        (
            "MOORING_GATEWAY__RETURN_URLS",
            "[\"javascript:alert(1)\"]",
            "gateway.return_urls",
        ),
        ("MOORING_REDIS__PREFIX", "{a}", "redis.prefix"),
        ("MOORING_TELEMETRY__LOG", "info,[", "telemetry.log"),
        ("MOORING_TELEMETRY__SAMPLER", "2", "telemetry.sampler"),
        (
            "MOORING_TELEMETRY__SERVICE_NAME",
            " ",
            "telemetry.service_name",
        ),
    ];
    for (name, value, key) in cases {
        refuses(load(&[(name, value)]), key, &["; "]);
    }
}

#[test]
fn media_on_a_server_needs_a_key_and_one_place() {
    let server = ("MOORING_DATABASE_URL", "postgres://u:p@db/x");
    let public = ("MOORING_MEDIA__PUBLIC_URL", "https://mooring.example");
    let key = (
        "MOORING_MEDIA__SIGNING_KEY",
        "0123456789abcdef0123456789abcdef",
    );
    refuses(
        load(&[server, public]),
        "media.public_url",
        &["no key", "media.signing_key_file"],
    );
    let config = load(&[server, public, key]).unwrap();
    assert!(!config.print_redacted().contains(key.1));
    // Embedded, a key is made at the first start.
    assert!(load(&[public]).is_ok());
    refuses(
        load(&[
            ("MOORING_MEDIA__FOLDER", "media"),
            ("MOORING_MEDIA__S3_BUCKET", "media"),
        ]),
        "media.folder",
        &["s3_bucket is set as well"],
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let error = load(&[
        ("MOORING_WORKER__DRAIN_S", "0"),
        ("MOORING_HTTP__TIMEOUT_MS", "0"),
    ])
    .unwrap_err();
    assert_eq!(error.0.len(), 2);
    assert_eq!(error.to_string().lines().count(), 2);
}

#[test]
fn the_print_shows_every_key_no_secret_and_reads_back() {
    let env = [
        (
            "MOORING_DATABASE_URL",
            "postgres://fleet:hunter2@localhost/x",
        ),
        ("MOORING_VAULT__KEYS", "k1:hunter2"),
        ("MOORING_POLICY__WARNING_DAYS", "77"),
    ];
    let printed = load(&env).unwrap().print_redacted();
    assert!(!printed.contains("hunter2"), "{printed}");
    for part in [
        "[policy.leases_s]\ncheck = 30",
        "warning_days = 77",
        "# url is not set",
        "keys = \"***\"",
        "@localhost/x",
    ] {
        assert!(printed.contains(part), "{part:?} is not in:\n{printed}");
    }
    assert_eq!(load_file(&printed, &[]).unwrap().policy.warning_days, 77);
}

#[test]
fn numbers_of_the_policy_are_refused_by_name_and_bound() {
    for (name, value, key, bound) in [
        (
            "WARN_DAYS",
            "14,0",
            "policy.warn_days",
            "set it to 1 to 365",
        ),
        ("WARN_DAYS", "7,14,7", "policy.warn_days", "name each once"),
        (
            "UNSTEADY_AFTER",
            "0",
            "policy.unsteady_after",
            "set it to 1 to 100",
        ),
        (
            "FLAPPING_WITHIN_DAYS",
            "366",
            "policy.flapping_within_days",
            "set it to 1 to 365",
        ),
        (
            "FLAPPING_AFTER",
            "0",
            "policy.flapping_after",
            "set it to 1 to 100",
        ),
        (
            "SURVEY_INTERVAL_S",
            "60",
            "policy.survey_interval_s",
            "set it to 600 to 2592000",
        ),
        (
            "UNUSUAL_PER_HOUR",
            "0",
            "policy.unusual_per_hour",
            "set it to 1 to 1000000",
        ),
    ] {
        let variable = format!("MOORING_POLICY__{name}");
        refuses(load(&[(variable.as_str(), value)]), key, &[bound]);
    }
    let set = load_file("[policy]\nwarn_days = [30, 3]\nflapping_after = 5\n", &[]).unwrap();
    assert_eq!(set.policy.warn_days, [30, 3]);
    assert_eq!(set.policy.flapping_after, 5);
    assert!(load(&[("MOORING_POLICY__WARN_DAYS", "30")]).is_ok());
}
