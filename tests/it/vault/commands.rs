//! `mooring keys`, as somebody at a command line sees it.

use std::process::Output;

use mooring_tests::{Database, Engine, Fleet};
use mooring_vault::new_key_text;
use serde_json::Value;

fn run(fleet: &Fleet, args: &[&str]) -> Output {
    fleet.command(args).output().expect("the program runs")
}

fn out(fleet: &Fleet, args: &[&str]) -> String {
    let output = run(fleet, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

fn status(fleet: &Fleet) -> Value {
    serde_json::from_str(&out(fleet, &["keys", "status", "--json"])).expect("JSON")
}

fn import(fleet: &Fleet) -> Output {
    let row = r#"{"workspace":"Acme","platform":"bluesky","remote_id":"did:plc:one","name":"One","access_token":"canary-1","refresh_token":"canary-2"}"#;
    std::fs::write(fleet.folder().join("one.jsonl"), row).expect("a file");
    run(fleet, &["import", "connections", "one.jsonl"])
}

#[test]
fn row_142_keys_rotate_adds_a_key_to_the_file_and_puts_it_in_force() {
    let fleet = Fleet::new([]);
    out(&fleet, &["workspace", "add", "Acme"]);
    assert!(import(&fleet).status.success());
    let file = fleet.folder().join("mooring-data/vault.keys");
    let first = std::fs::read_to_string(&file).expect("the key was made");
    assert_eq!(status(&fleet)["active"], "k1");
    let said = out(&fleet, &["keys", "rotate"]);
    assert!(said.starts_with("k2 seals since "), "{said}");
    let both = std::fs::read_to_string(&file).expect("a file");
    assert!(
        both.starts_with(first.trim_end()) && both.contains("\nk2:"),
        "the old key stays"
    );
    let seen = status(&fleet);
    assert_eq!(
        (&seen["active"], &seen["activated_by"]),
        (&"k2".into(), &"cli".into())
    );
    let key = |id: &str| -> Value {
        let keys = seen["keys"].as_array().expect("keys");
        keys.iter()
            .find(|key| key["id"] == *id)
            .expect("the key")
            .clone()
    };
    assert_eq!(key("k1")["sealed"]["grants.access_token"], 1);
    assert_eq!(
        key("k1")["removable"],
        false,
        "nobody has sealed it anew yet"
    );
    // Once more: the same key again is nothing; without a name it is a third one.
    let said = out(&fleet, &["keys", "rotate", "--id", "k2"]);
    assert!(said.contains("nothing was changed"), "{said}");
    assert!(out(&fleet, &["keys", "rotate"]).starts_with("k3 seals since "));
    let text = out(&fleet, &["keys", "status"]);
    assert!(
        text.contains("active       k3") && text.contains("still needed"),
        "{text}"
    );
    assert!(!text.contains(first.trim_end().trim_start_matches("k1:")));
}

#[test]
fn row_142_a_process_with_another_key_of_the_same_name_seals_nothing() {
    let fleet = Fleet::new([]);
    out(&fleet, &["workspace", "add", "Acme"]);
    out(&fleet, &["keys", "rotate", "--id", "k2"]);
    let wrong = new_key_text("k2").expect("a key");
    let file = fleet.folder().join("mooring-data/vault.keys");
    std::fs::write(file, wrong.expose()).expect("a file");
    for refused in [
        import(&fleet),
        run(&fleet, &["up"]),
        run(&fleet, &["doctor"]),
    ] {
        let said = [refused.stdout, refused.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            !refused.status.success() && said.contains("is not the one that seals"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn row_142_without_a_key_file_of_ours_rotate_prints_the_line_and_waits_for_it() {
    let database = Database::fresh(Engine::Postgres).await;
    let old = new_key_text("k1").expect("a key");
    let fleet = |keys: String| {
        Fleet::new([
            ("MOORING_DATABASE_URL", database.url.clone()),
            ("MOORING_VAULT__KEYS", keys),
        ])
    };
    let before = fleet(old.expose().to_owned());
    let printed = out(&before, &["keys", "rotate"]);
    let line = printed.lines().next().expect("a line");
    assert!(
        line.starts_with("k2:") && printed.lines().count() == 1,
        "{}",
        line.len()
    );
    assert_eq!(status(&before)["active"], "k1", "printing changes nothing");
    let after = fleet(format!("{},{line}", old.expose()));
    assert_eq!(
        status(&after)["active"],
        "k1",
        "knowing a key is not using it"
    );
    assert!(out(&after, &["keys", "rotate"]).starts_with("k2 seals since "));
    assert_eq!(status(&after)["active"], "k2");
}
