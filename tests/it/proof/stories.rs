//! Posts on their platforms, and what a stranger learns of them from a file.

use std::process::Command;

use mooring_domain::{
    Platform, Role,
    proof::{Refused, verify},
    time::{days, hours, minutes},
};
use mooring_gateway::acts;
use mooring_simulator::{LedgerFilter, Platform as Sim};
use mooring_store::Actor;
use mooring_tests::{Fleet, Posted, World};
use serde_json::Value;

use super::{ENGINES, bytes, checked, public_key, with_ledger};
use crate::cli::run;

/// A platform that nobody can look at afterwards, for posts of words.
fn blind() -> Platform {
    let row = |one: &Platform| one.capabilities();
    let mut all = Platform::ALL.into_iter();
    all.find(|one| !row(one).reads_back && row(one).formats[0].must_show().is_none())
        .expect("a platform that does not let anybody look")
}

async fn proof(world: &World, post: &Posted) -> (Vec<u8>, Value) {
    let api = world.api(Role::Viewer).await;
    let path = format!("/targets/{}/proof", post.target());
    let file = bytes(api.get(&path).await);
    let json = serde_json::from_slice(&file).expect("it is JSON");
    (file, json)
}

fn standing(json: &Value) -> (bool, Option<&str>) {
    let line = &json["head"]["targets"][0];
    (
        line["done"].as_bool().expect("a word"),
        line["verdict"].as_str(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_posts_on_three_platforms_are_proven_to_a_stranger() {
    for engine in ENGINES {
        let world = with_ledger(engine).await;
        let [stays, goes, unseen] = [
            world.connect(Platform::Bluesky).await,
            world.connect(Platform::Facebook).await,
            world.connect(blind()).await,
        ];
        world.settle().await;
        let stays = world.post(&stays, "all moored \u{2693}", minutes(5)).await;
        let goes = world.post(&goes, "soon gone", minutes(5)).await;
        let unseen = world.post(&unseen, "unseen", minutes(5)).await;
        world.advance(minutes(25)).await;
        let (_, json) = proof(&world, &goes).await;
        assert_eq!(standing(&json), (true, Some("live")));
        assert_eq!(json["roots"], serde_json::json!([]), "the day is not over");
        let remote = world.sim().ledger(&LedgerFilter::default());
        let remote = remote.iter().find(|one| one.text == "soon gone");
        let remote = remote.expect("it is there").remote_id.clone();
        world
            .sim()
            .delete_post(Sim::Facebook, &remote)
            .expect("it is taken down");
        // In big steps to the look after a day, and through it as it is: "gone" is believed of an account seen lately.
        world
            .pass_in_steps(hours(23) + minutes(30), minutes(30))
            .await;
        world.advance(minutes(30)).await;
        world.pass_in_steps(days(1), hours(2)).await;
        let api = world.api(Role::Viewer).await;
        let (key, public) = public_key(&api).await;
        for (post, wanted) in [
            (&stays, (true, Some("live"))),
            (&goes, (false, Some("removed"))),
            (&unseen, (true, Some("unverifiable"))),
        ] {
            let (file, json) = proof(&world, post).await;
            assert_eq!(standing(&json), wanted, "{}", post.text);
            let verified = verify(&file, checked(public)).expect("it holds");
            assert_eq!(verified.unsealed, [] as [u64; 0], "{}", post.text);
            assert_eq!(json["contents"][0]["content"]["text"], post.text.as_str());
            outside(&file, &key, public, &json);
            let of_post = format!("/posts/{}/proof", post.scheduled.post);
            let of_post = bytes(api.get(&of_post).await);
            verify(&of_post, checked(public)).expect("the post's holds too");
        }
        flips(&proof(&world, &goes).await.0, public);
        a_whole_day(&world, public).await;
        world.done().await;
    }
}

/// The program, and a judge that knows the paper alone, hold the file against the key; a changed one they refuse.
fn outside(file: &[u8], key: &str, public: [u8; 32], json: &Value) {
    let fleet = Fleet::new([]);
    let path = fleet.folder().join("a.proof.json");
    std::fs::write(&path, file).expect("a file");
    let told = run(&fleet, &["proof", "verify", "a.proof.json", "--key", key]);
    assert!(told.success, "{}", told.err);
    assert!(told.out.contains("signed by t1"), "{}", told.out);
    assert_eq!(judged(&path, public), Some(0));
    let mut forged = file.to_vec();
    let text = String::from_utf8_lossy(file);
    let entry = text.find("{\"entry\":").expect("an entry");
    forged[entry + 200] ^= 1;
    std::fs::write(&path, forged).expect("a file");
    let told = run(&fleet, &["proof", "verify", "a.proof.json", "--key", key]);
    assert!(!told.success && told.out.is_empty());
    let number = &json["head"]["numbers"][0];
    assert!(
        told.err.contains(&format!("entry {number}:")),
        "{}",
        told.err
    );
    assert_eq!(judged(&path, public), Some(1));
}

/// The exit status of `dev/proof-check`.
fn judged(path: &std::path::Path, public: [u8; 32]) -> Option<i32> {
    let judge = concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/proof-check");
    let mut command = Command::new("python3");
    command.arg(judge).arg(path).arg(hex::encode(public));
    command.output().expect("python3 runs").status.code()
}

/// Some bytes of a real file, all over it.
fn flips(file: &[u8], public: [u8; 32]) {
    for byte in (0..file.len()).step_by(29) {
        let mut flipped = file.to_vec();
        flipped[byte] ^= 1 << (byte % 8);
        let refused = verify(&flipped, checked(public));
        assert!(refused.is_err(), "byte {byte} counts for nothing");
    }
}

/// The ledger of a day is a file too, and a day without an entry is none.
async fn a_whole_day(world: &World, public: [u8; 32]) {
    let api = world.api(Role::Viewer).await;
    let first = (world.now() - days(2)).date_naive();
    let file = bytes(api.get(&format!("/proof/ledger?day={first}")).await);
    let verified = verify(&file, checked(public)).expect("it holds");
    assert!(verified.gapless && verified.whole_days && verified.unsealed.is_empty());
    let never = bytes(api.get("/proof/ledger?day=2020-02-02").await);
    assert_eq!(verify(&never, checked(public)), Err(Refused::Empty));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_a_proof_is_its_workspace_s_own() {
    let world = with_ledger(ENGINES[0]).await;
    let account = world.connect(Platform::Bluesky).await;
    let post = world.post(&account, "ours", minutes(1)).await;
    world.advance(minutes(5)).await;
    let (store, now) = (&world.store, world.now());
    let other = acts::create_workspace(store, &Actor::Cli, "Elsewhere", now)
        .await
        .expect("a workspace");
    let found = world.store.target_proof(other, post.target()).await;
    assert_eq!(found.expect("the books answer"), None);
    let api = world.api(Role::Viewer).await;
    for path in [
        "/targets/target_01936c1aa0007000800000000000abcd/proof",
        "/targets/nonsense/proof",
        "/posts/post_01936c1aa0007000800000000000abcd/proof",
    ] {
        let detail = api.get(path).await.problem(404, "not_found");
        assert!(!detail.is_empty());
    }
    let detail = api.get("/proof/ledger").await.problem(422, "invalid");
    assert!(detail.contains("2026-01-31"), "{detail}");
    world.done().await;
}

/// What the command line says to what is no proof, and to what is not sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_the_command_line_refuses_what_is_not_signed_unless_it_is_told_to() {
    let world = with_ledger(ENGINES[0]).await;
    let account = world.connect(Platform::Bluesky).await;
    let post = world.post(&account, "today", minutes(1)).await;
    world.advance(minutes(5)).await;
    let (file, _) = proof(&world, &post).await;
    let (key, _) = public_key(&world.api(Role::Viewer).await).await;
    let fleet = Fleet::new([]);
    std::fs::write(fleet.folder().join("today.json"), file).expect("a file");
    std::fs::write(fleet.folder().join("keys"), format!("{key}\n")).expect("a file");
    let verify = |more: &[&str]| {
        let mut args = vec!["proof", "verify", "today.json", "--key", "keys"];
        args.extend(more);
        run(&fleet, &args)
    };
    let told = verify(&[]);
    assert!(
        !told.success && told.err.contains("not sealed yet"),
        "{}",
        told.err
    );
    let told = verify(&["--unsealed"]);
    assert!(
        told.success && told.out.contains("done  live"),
        "{} {}",
        told.out,
        told.err
    );
    let told = run(
        &fleet,
        &["proof", "verify", "today.json", "--key", "no key"],
    );
    assert!(
        !told.success && told.err.contains("neither a public key"),
        "{}",
        told.err
    );
    let told = run(
        &fleet,
        &["proof", "verify", "missing.json", "--key", "keys"],
    );
    assert!(
        !told.success && told.err.contains("cannot be read"),
        "{}",
        told.err
    );
    world.done().await;
}

/// The embedded program makes a key, shows its public half alone, and exports what is not chained yet as what it is.
#[test]
fn row_124_the_embedded_program_shows_its_public_key_and_never_the_other() {
    let (fleet, connection) = crate::cli::with_a_connection();
    let post = run(
        &fleet,
        &[
            "post",
            "--workspace",
            "Acme",
            "--to",
            &connection,
            "--text",
            "x",
            "--at",
            "2100-01-01T00:00:00Z",
        ],
    );
    let target = post.out.lines().nth(1).expect("a target").trim().to_owned();
    let none = run(&fleet, &["proof", "key"]);
    assert!(
        none.success && none.out.is_empty(),
        "no process has made one: {}",
        none.out
    );
    let secret = "p1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    std::fs::write(fleet.folder().join("mooring-data/proof.keys"), secret).expect("a file");
    let told = run(&fleet, &["proof", "key"]);
    // The public key of this seed, by OpenSSL.
    let public = "p1:03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
    assert_eq!(told.out.trim(), public);
    let args = [
        "proof",
        "export",
        &target,
        "--workspace",
        "Acme",
        "--out",
        "x.json",
    ];
    assert!(run(&fleet, &args).success);
    let told = run(&fleet, &["proof", "verify", "x.json", "--key", public]);
    assert!(
        !told.success && told.err.contains("holds no entry"),
        "{}",
        told.err
    );
    let args = ["proof", "export", "conn_1", "--workspace", "Acme"];
    let told = run(&fleet, &args);
    assert!(
        !told.success && told.err.contains("neither a target nor a post"),
        "{}",
        told.err
    );
}
