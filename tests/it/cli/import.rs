//! `mooring import connections`: all rows or none, each bad one told by line, field and fix, and no token ever.

use mooring_tests::Fleet;
use serde_json::{Value, json as object};

use super::{Told, books, embedded, good, json, run};

/// Stands in every token; no output may have it.
const CANARY: &str = "c4n4ry";

fn acme() -> Fleet {
    let fleet = embedded();
    good(&fleet, &["workspace", "add", "Acme"]);
    fleet
}

fn import(fleet: &Fleet, name: &str, text: &str, more: &[&str]) -> Told {
    std::fs::write(fleet.folder().join(name), text).expect("a file");
    let mut args = vec!["import", "connections", name];
    args.extend(more);
    let told = run(fleet, &args);
    told.silent_about(&[CANARY]);
    told
}

/// A good row for the account `id`, with some fields set (`null` takes one out).
fn row(id: &str, set: Value) -> String {
    let mut row = object!({
        "workspace": "Acme", "platform": "bluesky", "remote_id": id, "name": id,
        "access_token": format!("{CANARY}-access-{id}"), "refresh_token": format!("{CANARY}-refresh-{id}"),
    });
    let Value::Object(set) = set else {
        panic!("fields")
    };
    for (field, value) in set {
        match value {
            Value::Null => drop(row.as_object_mut().expect("an object").remove(&field)),
            value => row[field] = value,
        }
    }
    row.to_string()
}

/// Rows that are bad, and what must be told of each.
fn bad_rows() -> Vec<(String, &'static str)> {
    let cut = row("did:plc:cut", object!({}));
    vec![
        (cut[..cut.len() - 1].to_owned(), "row: is not JSON (column "),
        (format!("\"{CANARY}\""), "row: is not a JSON object"),
        (CANARY.to_owned(), "row: is not JSON (column 1)"),
        (
            row("did:plc:a", object!({"colour": CANARY})),
            "row: \"colour\" is no field",
        ),
        (
            row(
                "did:plc:b",
                object!({format!("{CANARY}-longer-than-any-name"): 1}),
            ),
            "row: one of the names is no field",
        ),
        (
            row("did:plc:c", object!({"name": null})),
            "name: is missing",
        ),
        (
            row("did:plc:d", object!({"access_token": null})),
            "access_token: is missing",
        ),
        (
            row("did:plc:e", object!({"access_token": " "})),
            "access_token: is empty",
        ),
        (
            row("did:plc:f", object!({"access_token": [CANARY]})),
            "access_token: is no text; write it in quotes",
        ),
        (
            row("did:plc:g", object!({"refresh_token": 4})),
            "refresh_token: is no text",
        ),
        (
            row("did:plc:h", object!({"issued_at": CANARY})),
            "issued_at: is no time; write it as 20",
        ),
        (
            row("did:plc:i", object!({"platform": "myspace"})),
            "platform: is none of: facebook, instagram, ",
        ),
        (
            row("did:plc:j", object!({"workspace": "Nobody"})),
            "workspace: does not exist; create it with",
        ),
        (
            row("did:plc:k", object!({"host": "ftp://pds.example"})),
            "host: must begin with https://",
        ),
        (
            row(
                "did:plc:l",
                object!({"access_expires_at": "2020-01-01T00:00:00Z", "refresh_token": null}),
            ),
            "access_expires_at: is past",
        ),
        (
            row("did:plc:good", object!({})),
            "remote_id: is connected in this workspace already, or stands twice",
        ),
        (
            row("did:plc:old", object!({})),
            "remote_id: is connected in this workspace already, or stands twice",
        ),
        (
            row("did:plc:m", object!({})).replacen('{', "{\"name\":\"x\",", 1),
            "row: has a field twice",
        ),
    ]
}

#[test]
fn nothing_is_imported_when_a_row_is_bad_unless_bad_rows_are_skipped() {
    let fleet = acme();
    assert!(import(&fleet, "old.jsonl", &row("did:plc:old", object!({})), &[]).success);
    let before = books(&fleet);
    let bad = bad_rows();
    let mut lines = vec![row("did:plc:good", object!({}))];
    lines.extend(bad.iter().map(|(line, _)| line.clone()));
    lines.push(String::new());
    lines.push(row(
        "did:plc:better",
        object!({"brand": "Client", "host": "https://pds.example"}),
    ));
    let text = lines.join("\n");

    let told = import(&fleet, "rows.jsonl", &text, &[]);
    let sum = format!(
        "{} of {} rows are bad; nothing was imported",
        bad.len(),
        bad.len() + 2
    );
    told.failed(&["mooring import: ", &sum, "--skip-bad"]);
    listed(&told, &bad);
    assert_eq!(told.out, "");
    assert_eq!(books(&fleet), before, "nothing changed");

    let told = import(&fleet, "rows.jsonl", &text, &["--skip-bad"]);
    assert!(told.success, "{}", told.err);
    listed(&told, &bad);
    let sum = format!(
        "2 connections imported with 2 new grants, {} rows skipped\n",
        bad.len()
    );
    assert_eq!(told.out, sum);
    assert_eq!(books(&fleet)["connections"]["unknown"], 3);
}

/// Each bad row has its line, in the order of the file; the first row is good.
fn listed(told: &Told, bad: &[(String, &'static str)]) {
    let lines: Vec<&str> = told
        .err
        .lines()
        .filter(|line| line.starts_with("line "))
        .collect();
    assert_eq!(lines.len(), bad.len(), "{}", told.err);
    for (index, (line, (_, what))) in lines.iter().zip(bad).enumerate() {
        let wanted = format!("line {}: {what}", index + 2);
        assert!(line.starts_with(&wanted), "{line}\nis not: {wanted}");
    }
}

#[test]
fn whoever_skips_bad_rows_is_told_all_of_them() {
    let fleet = acme();
    let text = "{}\n".repeat(120);
    let told = import(&fleet, "rows.jsonl", &text, &[]);
    told.failed(&["120 of 120 rows are bad"]);
    assert_eq!(
        told.err
            .lines()
            .filter(|line| line.starts_with("line "))
            .count(),
        50
    );
    assert!(told.err.contains("… and 70 more"), "{}", told.err);
    let told = import(&fleet, "rows.jsonl", &text, &["--skip-bad"]);
    assert!(told.success);
    assert_eq!(
        told.err
            .lines()
            .filter(|line| line.starts_with("line "))
            .count(),
        120
    );
}

#[test]
fn a_csv_file_is_read_like_json_lines() {
    let fleet = acme();
    let text = format!(
        "\u{feff}workspace,platform,remote_id,name,access_token,refresh_token,access_expires_at,brand\n\
         Acme,bluesky,did:plc:1,\"One, the first\",{CANARY}-1,{CANARY}-2,2100-01-01T00:00:00Z,\n\
         Acme,bluesky,did:plc:2,Two,,{CANARY},,\n\
         Acme,bluesky,did:plc:3,Three,{CANARY},{CANARY},soon,\n\
         Acme,bluesky,did:plc:4,Four,{CANARY}\n\
         Acme,myspace,did:plc:5,Five,{CANARY},,,\n\
         Acme,bluesky,did:plc:1,Again,{CANARY},,,\n"
    );
    let before = books(&fleet);
    let bad = [
        "line 3: access_token: is empty",
        "line 4: access_expires_at: is no time",
        "line 5: row: has more or fewer fields than the first line",
        "line 6: platform: is none of",
        "line 7: remote_id: is connected in this workspace already, or stands twice",
    ];
    let told = import(&fleet, "rows.csv", &text, &[]);
    told.failed(&["5 of 6 rows are bad; nothing was imported"]);
    for what in bad {
        assert!(told.err.contains(what), "{what} is not in:\n{}", told.err);
    }
    assert_eq!(books(&fleet), before, "nothing changed");
    let told = import(&fleet, "rows.csv", &text, &["--skip-bad"]);
    assert_eq!(
        told.out,
        "1 connections imported with 1 new grants, 5 rows skipped\n"
    );
    let seen = json(&good(&fleet, &["status", "--json", "--workspace", "Acme"]));
    assert_eq!(seen["connection_list"][0]["name"], "One, the first");
}

#[test]
fn a_csv_file_without_a_line_of_names_is_refused_before_a_token_is_taken_for_one() {
    let fleet = acme();
    let names = "workspace,platform,remote_id,name,access_token";
    let data = format!("Acme,bluesky,did:plc:1,One,{CANARY}\n");
    import(&fleet, "rows.csv", &data, &["--skip-bad"])
        .refused(&["file: the first line must name the columns, and workspace, platform, remote_id, name, access_token"]);
    import(&fleet, "rows.csv", &format!("{names},colour\n{data}"), &[])
        .refused(&["file: \"colour\" is no column"]);
    import(&fleet, "rows.csv", &format!("{names},name\n{data}"), &[])
        .refused(&["file: the column name stands twice"]);
    import(&fleet, "rows.csv", "", &[]).refused(&["file: the first line must name the columns"]);
}

#[test]
fn a_file_that_is_not_there_or_is_something_else_is_named() {
    let fleet = acme();
    run(&fleet, &["import", "connections", "nowhere.jsonl"])
        .refused(&["file: cannot read nowhere.jsonl"]);
    import(&fleet, "rows.xlsx", "PK", &[]).refused(&["file: rows.xlsx is neither .jsonl nor .csv"]);
    std::fs::write(fleet.folder().join("latin.csv"), b"n\xe4me\n").expect("a file");
    run(&fleet, &["import", "connections", "latin.csv"])
        .refused(&["file: cannot read latin.csv", "UTF-8"]);
}

#[test]
fn pages_of_one_user_share_a_grant_and_an_empty_text_is_none() {
    let fleet = acme();
    let page = |id: &str, user: &str| {
        row(
            id,
            object!({
                "platform": "facebook", "user_id": user, "refresh_token": null, "page_token": format!("{CANARY}-{id}"),
                "brand": "", "scopes": "pages_manage_posts, pages_read_engagement",
            }),
        )
    };
    let rows = [page("1", "7"), page("2", "7"), page("3", ""), page("4", "")].join("\n");
    let told = import(&fleet, "rows.jsonl", &rows, &[]);
    assert_eq!(
        told.out, "4 connections imported with 3 new grants, 0 rows skipped\n",
        "{}",
        told.err
    );
}

/// The page that the program sends people to.
const HOW_TO: &str = include_str!("../../../docs/how-to/import-connections.md");

#[test]
fn the_examples_of_the_how_to_page_are_imported_as_they_stand_there() {
    let fleet = embedded();
    good(&fleet, &["workspace", "add", "Harbour & Sons"]);
    for (language, connections, grants) in [("jsonl", 3, 2), ("csv", 1, 1)] {
        let (_, block) = HOW_TO
            .split_once(&format!("```{language}\n"))
            .expect("an example");
        let (text, _) = block.split_once("```").expect("its end");
        let told = import(&fleet, &format!("example.{language}"), text, &[]);
        let wanted = format!(
            "{connections} connections imported with {grants} new grants, 0 rows skipped\n"
        );
        assert_eq!(told.out, wanted, "{}", told.err);
    }
}
