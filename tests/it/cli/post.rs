//! `mooring post`.

use super::{CLOSED, books, embedded, good, json, run, run_with, with_a_connection};

/// A connection's id that nobody has.
const NOBODY: &str = "conn_01936c1aa0007000800000000000abcd";

#[test]
fn an_order_that_makes_no_sense_is_refused_by_its_field_and_nothing_is_scheduled() {
    let (fleet, conn) = with_a_connection();
    let before = books(&fleet);
    let order = |to: &str, text: &str, more: &[&str]| {
        let mut args = vec!["post", "--workspace", "Acme", "--to", to, "--text", text];
        args.extend(more);
        run(&fleet, &args)
    };
    let long = "x".repeat(301);
    order(&conn, &long, &[]).refused(&[
        "text: 301 characters are too many for bluesky (at most 300)",
        "shorten it",
    ]);
    order(&conn, " ", &[]).refused(&["text: bluesky takes no empty post; give it a text or media"]);
    order(&conn, "hi", &["--at", "2020-01-01T00:00:00Z"])
        .refused(&["due: 2020-01-01", "choose a time to come"]);
    order(&conn, "hi", &["--at", "tomorrow"])
        .refused(&["--at", "is no time; write it as 2026-01-31T12:00:00Z"]);
    order(NOBODY, "hi", &[]).refused(&[
        "to: ",
        NOBODY,
        "does not exist",
        "mooring status --workspace",
    ]);
    order(&format!("{conn},{NOBODY}"), "hi", &[]).refused(&[NOBODY]);
    order(&format!("{conn},{conn}"), "hi", &[]).refused(&["connections: ", "is named twice"]);
    order(&conn.replace("conn_", "target_"), "hi", &[])
        .refused(&["--to", "is not a conn id: it must look like conn_"]);
    order("conn_12", "hi", &[]).refused(&["--to", "32 hexadecimal digits"]);
    assert_eq!(books(&fleet), before);
}

#[test]
fn an_unknown_workspace_is_refused_with_the_command_that_makes_one() {
    let fleet = embedded();
    let how = "create it with: mooring workspace add NAME";
    for workspace in ["Acme", "ws_01936c1aa0007000800000000000abcd"] {
        let said = format!("workspace: \"{workspace}\" does not exist");
        run(
            &fleet,
            &[
                "post",
                "--workspace",
                workspace,
                "--to",
                NOBODY,
                "--text",
                "hi",
            ],
        )
        .refused(&[&said, how]);
        run(&fleet, &["status", "--workspace", workspace]).refused(&[&said, how]);
    }
    run(&fleet, &["workspace", "add", " "]).refused(&["name: is empty"]);
}

#[test]
fn a_post_is_scheduled_and_its_ids_are_told() {
    let (fleet, conn) = with_a_connection();
    let args = [
        "post",
        "--workspace",
        "Acme",
        "--to",
        &conn,
        "--text",
        "hi",
        "--at",
        "2100-01-31T12:00:00+01:00",
    ];
    let out = good(&fleet, &args);
    let ids: Vec<&str> = out.lines().map(str::trim).collect();
    let [post, target] = ids[..] else {
        panic!("a post and a target: {out}")
    };
    let seen = json(&good(&fleet, &["status", "--json", "--workspace", "Acme"]));
    let listed = &seen["target_list"][0];
    assert_eq!(
        (listed["post"].as_str(), listed["id"].as_str()),
        (Some(post), Some(target))
    );
    assert_eq!(listed["stage"], "scheduled");
}

#[test]
fn a_post_that_schedulers_could_not_be_told_of_is_scheduled_all_the_same() {
    let (fleet, conn) = with_a_connection();
    let redis = format!("redis://{CLOSED}");
    let args = [
        "post",
        "--workspace",
        "Acme",
        "--to",
        &conn,
        "--text",
        "hi",
        "--at",
        "2100-01-01T00:00:00Z",
    ];
    let told = run_with(&fleet, &[("MOORING_REDIS_URL", &redis)], &args);
    assert!(
        told.success,
        "a failing exit would have it scheduled twice: {}",
        told.err
    );
    assert!(told.err.contains("post.not_announced"), "{}", told.err);
    assert_eq!(books(&fleet)["targets"]["scheduled"], 1);
}

#[test]
fn a_post_is_planned_in_a_zone_changed_listed_and_cancelled() {
    let (fleet, conn) = with_a_connection();
    let of = |words: &[&str]| {
        let mut args = vec!["post"];
        args.extend(words);
        args.extend(["--workspace", "Acme"]);
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let told = |words: &[&str]| {
        let args = of(words);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        good(&fleet, &args)
    };
    let refused = |words: &[&str], parts: &[&str]| {
        let args = of(words);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&fleet, &args).refused(parts);
    };
    let zone = ["--zone", "Europe/Berlin"];
    let plan = |at: &'static str, more: &[&'static str]| {
        let mut words = vec!["--to", conn.as_str(), "--text", "hi", "--at", at];
        words.extend(zone);
        words.extend(more);
        words
    };
    refused(
        &plan("2090-03-26T02:30", &[]),
        &["due.wall: 2090-03-26T02:30 does not exist in Europe/Berlin"],
    );
    let out = told(&plan("2090-03-26T02:30", &["--gap", "later"]));
    let post = out.lines().next().expect("a post").trim().to_owned();
    let shown = json(&told(&["show", &post]));
    assert_eq!(shown["due"]["at"], "2090-03-26T01:30:00Z");
    assert_eq!(shown["due"]["zone"], "Europe/Berlin");
    refused(
        &plan("2090-03-26T05:00", &[]),
        &["says the same", &post, "allow the duplicate"],
    );
    told(&["edit", &post, "--text", "other words", "--critical", "true"]);
    let listed = json(&told(&["list", "--state", "scheduled", "--json"]));
    assert_eq!(listed[0]["text"], "other words");
    assert_eq!(listed[0]["critical"], true);
    assert_eq!(listed[0]["revision"], 2);
    let target = shown["targets"][0]["id"].as_str().expect("a target");
    refused(&["again", target], &["has not ended yet"]);
    told(&["cancel", &post]);
    assert!(told(&["list"]).contains("cancelled"));
    told(&["again", target, "--at", "2090-04-01T10:00:00Z"]);
    let shown = json(&told(&["show", &post]));
    let again = &shown["targets"][0];
    assert_eq!(again["edition"], 2);
    assert_eq!(again["state"], "scheduled");
    assert_eq!(again["due"], "2090-04-01T10:00:00Z");
    told(&["cancel", target]);
    refused(
        &["cancel", "conn_1"],
        &["neither a post's id nor a target's"],
    );
}
