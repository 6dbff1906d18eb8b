//! No secret leaves its place: tokens, passwords and keys go through the whole system, then everything that it has
//! said and stored is searched for them.
//!
//! The platforms help: for a while they repeat every secret in the bodies of their errors.

mod hooks;
mod search;

use mooring_domain::{
    Platform,
    time::{days, hours, minutes},
};
use mooring_providers::{BaseUrls, Credentials, Registry};
use mooring_runtime::{Clock, Config, Context, SystemClock};
use mooring_simulator::{Fault, FaultKind, Platform as Sim};
use mooring_tests::{RedisLog, Rig, RigAccount, dump, hex};
use mooring_vault::Secret;
use serde_json::{Value, json};

use search::Search;

/// A harmless word that is planted where secrets must not be: a search that does not find it finds nothing.
const MARKER: &str = "harmless-buoy";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_143_no_secret_is_in_any_log_span_table_key_or_answer() {
    let mut rig = Rig::start(MARKER, "trace").await;
    let redis = RedisLog::start(&rig.prefix);
    let accounts = accounts(&rig);
    let mut search = Search::new(&rig, &accounts);
    let connect_said = connect_by_password(&rig, &accounts[2]).await;
    echo_everything(&rig, &search);
    rig.import(&accounts.iter().collect::<Vec<_>>());
    rig.settle().await;
    for (number, account) in accounts.iter().enumerate() {
        rig.post(account, &format!("{MARKER} {number}")).await;
    }
    rig.advance(hours(5)).await;
    look_around(&rig);
    let hooks_said = hooks::told(&rig, &search);
    let answers = answers(&rig).await;
    let (status, metrics) = (
        rig.gateway("/api/v1/status").await,
        rig.admin("/metrics").await,
    );
    rig.stop().await;

    let struck: u64 = rig.sim().faults().hits.values().sum();
    assert_eq!(struck, ECHOES, "every repeating error was really answered");
    search.harvest(&rig);
    search.proves_itself(&rig);
    // The name of the key in front of each sealed token shows that bytes are searched, too.
    let key_name = hex(b"buoy");
    let places = [
        ("logs", rig.fleet.logs(), vec![MARKER]),
        ("spans", rig.collector.everything(), vec![MARKER]),
        ("commands to Redis", redis.commands(), vec![MARKER]),
        ("keys of Redis", redis.dump().await, vec![MARKER]),
        ("tables", dump(&rig.store).await, vec![MARKER, &key_name]),
        ("errors of connecting", connect_said, vec!["ProviderDown"]),
        ("answers to webhooks", hooks_said, vec!["Err("]),
        ("answers of the API", answers, vec!["connection_imported"]),
        ("status API", status.1, vec!["healthy"]),
        ("metrics", metrics.1, vec!["bluesky"]),
    ];
    assert_eq!((status.0, metrics.0), (200, 200));
    let mut hits = Vec::new();
    for (place, text, planted) in &places {
        let missing: Vec<_> = planted
            .iter()
            .filter(|word| !text.contains(**word))
            .collect();
        assert!(
            missing.is_empty(),
            "{missing:?} is not in the {place}: nothing was searched there"
        );
        hits.extend(search.hits(place, text));
    }
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_143_an_import_does_not_repeat_a_token_that_stands_in_the_wrong_place() {
    let rig = Rig::start(MARKER, "trace").await;
    let account = rig.account(Platform::Bluesky, hours(2));
    let search = Search(account.secrets.clone());
    let token = account.row["access_token"].clone();
    let text = token.as_str().expect("a text");
    let mut rows = vec![
        format!("{{\"workspace\": \"Harbour\", {text}}}"),
        format!("{token}"),
        format!("{{{token}: 1}}"),
    ];
    for field in [
        "workspace",
        "brand",
        "platform",
        "issued_at",
        "access_expires_at",
        "scopes",
        "host",
    ] {
        let mut row = account.row.clone();
        row[field] = token.clone();
        row["refresh_token"] = Value::Null;
        rows.push(row.to_string());
    }
    let file = rig.file("bad.jsonl", &rows.join("\n"));
    assert!(
        !rig.succeeds(&["import", "connections", &file]),
        "bad rows are refused"
    );
    let csv = format!(
        "workspace,platform,remote_id,name,access_token\n{text},{text},x,y,{text}\nHarbour,{text},\"{text}\n"
    );
    let file = rig.file("bad.csv", &csv);
    assert!(
        !rig.succeeds(&["import", "connections", &file]),
        "bad records are refused"
    );
    let logs = rig.fleet.logs();
    assert!(logs.contains("line 1"), "problems are listed: {logs}");
    let hits = search.hits("output of the import", &logs);
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}

/// Two of each platform: one whose token is renewed at once, one with a full life.
fn accounts(rig: &Rig) -> [RigAccount; 4] {
    [
        rig.account(Platform::Facebook, days(3)),
        rig.account(Platform::Facebook, days(60)),
        rig.account(Platform::Bluesky, minutes(10)),
        rig.account(Platform::Bluesky, hours(2)),
    ]
}

/// How many errors with secrets in them the platforms answer: those of [`echo_everything`], and one to a log-in.
const ECHOES: u64 = 11;

/// Lets both platforms repeat every secret in errors of every kind of call.
fn echo_everything(rig: &Rig, search: &Search) {
    let said = search
        .0
        .iter()
        .map(|(_, secret)| secret.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let token = search.0[0].1.clone();
    let graph = |code: i64| json!({"error": {"message": said, "type": token, "code": code, "error_user_msg": said, "fbtrace_id": token}});
    let xrpc = |name: &str| json!({"error": name, "message": said});
    let status = |code, body: Value| FaultKind::Status {
        code,
        body: Some(body),
    };
    let created = |code, body: Value| FaultKind::ErrorAlthoughCreated {
        code: Some(code),
        body: Some(body),
    };
    let faults = [
        Fault::new(Sim::Facebook, "check", status(400, graph(999_999))),
        Fault::new(Sim::Facebook, "refresh", status(500, graph(2))),
        Fault::new(Sim::Facebook, "publish", created(400, graph(1))),
        Fault::new(Sim::Facebook, "read_back", status(400, graph(999_998))),
        Fault::new(Sim::Facebook, "find", status(500, graph(1))),
        Fault::new(Sim::Bluesky, "check", status(400, xrpc(&token))),
        Fault::new(
            Sim::Bluesky,
            "refresh",
            status(500, xrpc("InternalServerError")),
        ),
        Fault::new(Sim::Bluesky, "publish", created(400, xrpc(&said))),
        Fault::new(Sim::Bluesky, "read_back", status(400, xrpc(&token))),
        Fault::new(
            Sim::Bluesky,
            "getRepoStatus",
            status(418, Value::String(said.clone())),
        ),
    ];
    assert_eq!(faults.len() as u64 + 1, ECHOES);
    for fault in faults {
        rig.sim().add_fault(fault.times(1)).expect("a fault");
    }
}

/// Connects with an app password, first in vain (the platform repeats it) and then with success. Returns everything
/// that could be printed of it.
async fn connect_by_password(rig: &Rig, account: &RigAccount) -> String {
    let (_context, registry) = adapters(rig);
    let (_, password) = account
        .secrets
        .iter()
        .find(|(name, _)| name.contains("password"))
        .expect("a password");
    let credentials = Credentials::Password {
        host: None,
        identifier: account.remote_id.clone(),
        password: Secret::from(password.as_str()),
        factor: None,
    };
    let body = json!({"error": "InternalServerError", "message": password});
    let kind = FaultKind::Status {
        code: 500,
        body: Some(body),
    };
    rig.sim()
        .add_fault(Fault::new(Sim::Bluesky, "connect", kind).times(1))
        .expect("a fault");
    let adapter = registry.of(Platform::Bluesky);
    let refused = adapter
        .connect(credentials.clone())
        .await
        .expect_err("the platform refuses it");
    let connected = adapter
        .connect(credentials.clone())
        .await
        .expect("the platform takes it");
    format!("{refused:?} {refused} {credentials:?} {connected:?}")
}

/// What the API answers to somebody who may see everything.
async fn answers(rig: &Rig) -> String {
    let add = [
        "api-key",
        "add",
        "--name",
        "canary",
        "--workspace",
        "Harbour",
        "--role",
        "admin",
    ];
    let key = rig.mooring(&add);
    let mut said = String::new();
    for path in [
        "/api/v1/me",
        "/api/v1/keys",
        "/api/v1/audit",
        "/api/v1/openapi.json",
    ] {
        let (status, body) = rig.api(path, key.trim()).await;
        assert_eq!(status, 200, "{path}: {body}");
        said += &body;
    }
    said
}

/// Adapters of every platform, by way of the wire.
fn adapters(rig: &Rig) -> (Context, Registry) {
    let mut config = Config::default();
    config.http.allow_private_addresses = true;
    let context = Context::with_clock("test", config, std::sync::Arc::new(SystemClock::new()))
        .expect("a context");
    let urls = BaseUrls {
        bluesky: format!("{}/bluesky", rig.wire.url())
            .parse()
            .expect("a URL"),
        ..BaseUrls::default()
    };
    let clock: std::sync::Arc<dyn Clock> = std::sync::Arc::clone(&context.clock);
    let registry = Registry::new(&context.http, &clock, &urls);
    (context, registry)
}

/// Commands that show things.
fn look_around(rig: &Rig) {
    let commands: [&[&str]; 7] = [
        &["status"],
        &["status", "--workspace", "Harbour"],
        &["doctor"],
        &["config", "print"],
        &["workspace", "list"],
        &["keys", "status"],
        &["keys", "status", "--json"],
    ];
    // The doctor may find something; what it says is searched all the same.
    let shown = commands.iter().filter(|args| rig.succeeds(args)).count();
    assert!(shown >= 6, "only {shown} of the commands showed something");
}
