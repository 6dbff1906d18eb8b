//! Many calls at once, and the program itself.

use std::process::Stdio;
use std::sync::Arc;

use mooring_simulator::{Limits, NewBlueskyAccounts, Options, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::client::{Connection, post_json, start};

const CONNECTIONS: usize = 32;
const POSTS_EACH: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_posts_over_many_connections_are_all_in_the_ledger_once() {
    let simulator = Arc::new(start().await);
    let admin = simulator.admin();
    admin.set_limits(Limits {
        bluesky_write_points_per_hour: None,
        ..admin.limits()
    });
    let new = NewBlueskyAccounts {
        count: CONNECTIONS,
        ..NewBlueskyAccounts::default()
    };
    let accounts = admin.create_bluesky_accounts(&new).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for account in accounts {
        let simulator = Arc::clone(&simulator);
        tasks.spawn(async move {
            let mut connection = Connection::open(&simulator).await;
            for n in 0..POSTS_EACH {
                let body = json!({
                    "repo": account.did,
                    "collection": "app.bsky.feed.post",
                    "record": { "text": format!("post {n}"), "createdAt": "2026-11-23T15:00:00Z" },
                });
                let request = post_json("/bluesky/xrpc/com.atproto.repo.createRecord", &body);
                let reply = connection
                    .send(&request.token(&account.access_token))
                    .await
                    .unwrap();
                assert_eq!(reply.status, 200);
            }
        });
    }
    tasks.join_all().await;
    let summary = admin.ledger_summary();
    assert_eq!(
        (summary.posts, summary.doubled),
        (CONNECTIONS * POSTS_EACH, 0)
    );
    assert_eq!(admin.calls().total, u64::try_from(summary.posts).unwrap());
}

#[tokio::test]
async fn the_program_prints_its_urls_and_refuses_other_addresses() {
    let program = env!("CARGO_BIN_EXE_mooring-simulator");
    let mut child = Command::new(program)
        .args(["--bind", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .await
        .unwrap();
    let urls: Value = serde_json::from_str(&line).unwrap();
    assert!(
        urls["facebook_url"]
            .as_str()
            .unwrap()
            .ends_with("/facebook")
    );
    child.kill().await.unwrap();

    let refused = Command::new(program)
        .args(["--bind", "0.0.0.0:0"])
        .output()
        .await
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not a loopback address"));
    // A port that is taken is one clear line, too.
    let taken = Simulator::start(Options::default()).await.unwrap();
    let bind = taken.address().to_string();
    let refused = Command::new(program)
        .args(["--bind", &bind])
        .output()
        .await
        .unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot listen on"));
}
