//! The same acts at the command line.

use mooring_simulator::NewBlueskyAccounts;

use crate::cli::{beside_bluesky, good, json, run, run_reading, with_a_connection};

#[test]
fn row_047_the_command_line_disconnects_what_was_confirmed() {
    let (fleet, conn) = with_a_connection();
    let due = "2999-01-01T00:00:00Z";
    let args = [
        "post",
        "--workspace",
        "Acme",
        "--to",
        &conn,
        "--text",
        "hi",
        "--at",
        due,
    ];
    good(&fleet, &args);
    let disconnect = ["connection", "disconnect", "--workspace", "Acme", &conn];
    let told = run(&fleet, &disconnect);
    told.failed(&["nothing was changed", "--confirm"]);
    assert!(told.out.contains(due.trim_end_matches('Z')), "{}", told.out);
    let last = told.err.trim_end().lines().last().unwrap_or_default();
    let confirm = last.rsplit(' ').next().expect("what to confirm");
    let mut confirmed = disconnect.to_vec();
    confirmed.extend(["--confirm", "guessed"]);
    run(&fleet, &confirmed).failed(&["nothing was changed"]);
    *confirmed.last_mut().expect("an argument") = confirm;
    // Nothing of the platform can be reached from here: said, and no reason to keep the account.
    let env = [("MOORING_PLATFORMS__BLUESKY_URL", "http://127.0.0.1:1")];
    let told = crate::cli::run_with(&fleet, &env, &confirmed);
    assert!(told.success, "{}{}", told.out, told.err);
    assert!(
        told.out.contains("1 disconnected, 1 posts cancelled"),
        "{}",
        told.out
    );
    assert!(told.out.contains("0 given back"), "{}", told.out);
    let status = json(&good(&fleet, &["status", "--json"]));
    assert_eq!(status["connections"]["removed"], 1, "{status}");
    assert_eq!(status["targets"]["cancelled"], 1, "{status}");
    let audit = ["audit", "--workspace", "Acme", "--json"];
    let told = good(&fleet, &audit);
    let first: Vec<_> = told.lines().map(json).collect();
    assert!(
        first
            .iter()
            .any(|e| e["event"] == "revocation_failed" && e["actor"] == "cli"),
        "{told}"
    );
    let mut of_one = audit.to_vec();
    of_one.extend(["--subject", &conn, "--event", "connection_removed"]);
    assert_eq!(good(&fleet, &of_one).lines().count(), 1);
}

#[test]
fn connections_are_listed_shown_set_checked_and_made_main() {
    let (fleet, conn) = with_a_connection();
    let on = ["--workspace", "Acme", conn.as_str()];
    let with = |head: &[&str], tail: &[&str]| good(&fleet, &[head, &on, tail].concat());
    with(
        &["connection", "set"],
        &[
            "--owner",
            "Ada",
            "--labels",
            "vip,summer",
            "--brand",
            "Fish",
        ],
    );
    with(&["connection", "main"], &[]);
    with(&["connection", "check"], &[]);
    let shown = json(&with(&["connection", "show"], &[]));
    assert_eq!(
        (&shown["owner"], &shown["brand"]),
        (&"Ada".into(), &"Fish".into())
    );
    assert_eq!(
        (&shown["main"], &shown["labels"][0]),
        (&true.into(), &"vip".into())
    );
    with(&["connection", "set"], &["--owner", ""]);
    assert!(json(&with(&["connection", "show"], &[]))["owner"].is_null());
    let list = good(&fleet, &["connection", "list", "--workspace", "Acme"]);
    assert!(list.contains(&conn) && list.contains("main"), "{list}");
    let all = good(&fleet, &["connection", "check", "--workspace", "Acme"]);
    assert!(all.starts_with("1 connections are looked at"), "{all}");
    let other = "conn_0193a5f0-0000-7000-8000-000000000000";
    let told = run(
        &fleet,
        &["connection", "show", "--workspace", "Acme", other],
    );
    told.failed(&["does not exist in this workspace"]);
}

#[test]
fn row_057_the_command_line_has_the_kill_switch() {
    let (fleet, _) = with_a_connection();
    let switch = ["workspace", "disconnect-all", "--workspace", "Acme"];
    let told = run(&fleet, &switch);
    told.failed(&["nothing was changed", "--confirm"]);
    assert!(
        told.out.contains("1 connections would be disconnected"),
        "{}",
        told.out
    );
    let last = told.err.trim_end().lines().last().unwrap_or_default();
    let confirm = last.rsplit(' ').next().expect("what to confirm");
    let mut confirmed = switch.to_vec();
    confirmed.extend(["--confirm", confirm]);
    let env = [("MOORING_PLATFORMS__BLUESKY_URL", "http://127.0.0.1:1")];
    let told = crate::cli::run_with(&fleet, &env, &confirmed);
    assert!(told.success, "{}{}", told.out, told.err);
    let shown = good(&fleet, &["connection", "list", "--workspace", "Acme"]);
    assert_eq!(shown, "", "none is left");
    let shown = good(
        &fleet,
        &["connection", "list", "--workspace", "Acme", "--removed"],
    );
    assert!(shown.contains("Disconnected"), "{shown}");
}

#[test]
fn row_060_the_command_line_copies_by_the_same_rules() {
    let (fleet, conn) = with_a_connection();
    good(&fleet, &["workspace", "add", "Pier"]);
    let copy = |to: &str| {
        let on = ["--workspace", "Acme", conn.as_str(), "--to", to];
        run(&fleet, &[&["connection", "copy"], &on[..]].concat())
    };
    copy("Acme").failed(&["is the workspace that it is in"]);
    copy("Nowhere").failed(&["Nowhere"]);
    copy("Pier").failed(&["password", "`identifier` and `password`"]);
    let there = good(&fleet, &["connection", "list", "--workspace", "Pier"]);
    assert_eq!(there, "", "nothing was copied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_060_the_command_line_copies_with_a_password_and_the_first_stays_as_it_was() {
    let (fleet, sim) = beside_bluesky().await;
    let new = NewBlueskyAccounts {
        count: 2,
        ..NewBlueskyAccounts::default()
    };
    let people = sim.admin().create_bluesky_accounts(&new).unwrap();
    let [person, other] = &people[..] else {
        panic!("two accounts")
    };
    for name in ["Acme", "Pier"] {
        good(&fleet, &["workspace", "add", name]);
    }
    let connect = ["connect", "bluesky", "--workspace", "Acme", "--identifier"];
    let login = [&connect[..], &[person.handle.as_str()]].concat();
    let told = run_reading(&fleet, &person.password, &login);
    assert!(told.success, "{}{}", told.out, told.err);
    let id = told.out.split(' ').next().expect("an id").to_owned();
    let first = || good(&fleet, &["connection", "show", "--workspace", "Acme", &id]);
    let before = json(&first());

    let copy = |who: &str, password: &str| {
        let to = ["--to", "Pier", "--identifier", who];
        let on = ["connection", "copy", "--workspace", "Acme", id.as_str()];
        run_reading(&fleet, password, &[&on[..], &to[..]].concat())
    };
    let refused = copy(&other.handle, &other.password);
    refused.failed(&["was meant"]);
    let wrong = copy(&person.handle, "canary-wrong");
    wrong.failed(&["check both"]);
    assert!(!wrong.err.contains("canary"), "{}", wrong.err);
    copy(&person.handle, "").failed(&["no password on standard input"]);
    let there = || good(&fleet, &["connection", "list", "--workspace", "Pier"]);
    assert_eq!(there(), "", "nothing was copied");

    // What is read is the line, with or without its end.
    let done = copy(&person.handle, &format!("{}\n", &*person.password));
    assert!(done.success, "{}{}", done.out, done.err);
    assert!(
        done.out.starts_with("conn_") && done.out.contains("healthy"),
        "{}",
        done.out
    );
    assert!(!done.out.contains(&id), "one of its own: {}", done.out);
    for told in [&done.out, &done.err] {
        assert!(!told.contains(&*person.password), "{told}");
    }
    let copied = done.out.split(' ').next().expect("an id");
    assert!(there().contains(copied) && there().lines().count() == 1);
    assert_eq!(json(&first()), before);
    copy(&person.handle, &person.password).failed(&["in this workspace already"]);
}
