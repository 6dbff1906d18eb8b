//! `mooring tasks`, `mooring alerts`, and the advice in `mooring connection show`.

use mooring_simulator::NewBlueskyAccounts;
use mooring_tests::{Fleet, eventually};
use serde_json::Value;

use super::{beside_bluesky, good, json, run, run_reading, up};

/// The lines of a command that prints one JSON object a line.
fn lines(fleet: &Fleet, command: &str) -> Vec<Value> {
    let told = good(fleet, &[command, "--workspace", "Acme", "--json"]);
    told.lines().map(json).collect()
}

fn shown(fleet: &Fleet, id: &str) -> Value {
    let told = good(fleet, &["connection", "show", "--workspace", "Acme", id]);
    json(&told)
}

#[test]
fn where_nothing_wants_doing_nothing_is_told() {
    let (fleet, conn) = super::with_a_connection();
    for command in ["tasks", "alerts"] {
        assert_eq!(good(&fleet, &[command, "--workspace", "Acme"]), "");
        run(&fleet, &[command, "--workspace", "Nowhere"]).failed(&["Nowhere"]);
    }
    assert_eq!(shown(&fleet, &conn)["advice"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_is_a_task_an_alert_and_an_advice_until_it_is_connected_anew() {
    let (fleet, sim) = beside_bluesky().await;
    let new = NewBlueskyAccounts::default();
    let person = sim.admin().create_bluesky_accounts(&new).unwrap().remove(0);
    good(&fleet, &["workspace", "add", "Acme"]);
    let row = serde_json::json!({
        "workspace": "Acme", "platform": "bluesky", "remote_id": person.did, "name": "One",
        "access_token": "canary-1", "refresh_token": "canary-2",
    });
    std::fs::write(fleet.folder().join("one.jsonl"), row.to_string()).unwrap();
    good(&fleet, &["import", "connections", "one.jsonl"]);
    let (_up, _) = up(&fleet, "up").await;
    // The session is none of the server's: the first check finds out, and the refresh that follows.
    eventually("a task opens", || {
        std::future::ready(!lines(&fleet, "tasks").is_empty())
    })
    .await;
    let [task] = &lines(&fleet, "tasks")[..] else {
        panic!("one grant, one task")
    };
    let concerned = &task["connections"][0];
    let id = concerned["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (&task["kind"], &concerned["action"]["code"]),
        (&"reauthorize".into(), &"reconnect".into()),
        "{task}"
    );
    let why = task["why"].as_str().expect("a reason").to_owned();
    let open = lines(&fleet, "alerts");
    let alert = open.first().expect("an alert");
    assert_eq!(
        (
            &alert["connections"][0]["id"],
            &alert["connections"][0]["settled"]
        ),
        (&id.clone().into(), &false.into()),
        "{alert}"
    );
    let of_one = shown(&fleet, &id);
    assert_eq!(of_one["advice"]["code"], "reconnect", "{of_one}");
    // The same for people.
    let named = format!("One (bluesky, {id})");
    let told = good(&fleet, &["tasks", "--workspace", "Acme"]);
    assert!(
        told.contains(&why) && told.trim_end().ends_with(&named),
        "{told}"
    );
    let told = good(&fleet, &["alerts", "--workspace", "Acme"]);
    assert!(told.contains(" open ") && told.contains(&named), "{told}");
    assert!(
        !format!("{open:?}{task}{told}").contains("canary"),
        "no token is told"
    );

    let connect = ["connect", "bluesky", "--workspace", "Acme", "--identifier"];
    let login = [&connect[..], &[person.handle.as_str()]].concat();
    let told = run_reading(&fleet, &person.password, &login);
    assert!(told.success, "{}{}", told.out, told.err);
    assert!(
        told.out.contains(&id) && told.out.contains("healthy"),
        "{}",
        told.out
    );
    assert_eq!(lines(&fleet, "tasks"), Vec::<Value>::new());
    assert_eq!(shown(&fleet, &id)["advice"], Value::Null);
    let told = good(&fleet, &["alerts", "--workspace", "Acme"]);
    assert!(
        told.contains(" settled ") && !told.contains(" open "),
        "{told}"
    );
}
