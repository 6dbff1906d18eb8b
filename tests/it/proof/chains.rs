//! Chains on both databases: nobody forks one, nobody's late commit is missed, nothing in one is ever changed.

use chrono::TimeDelta;
use mooring_domain::{
    Change, Decision, Evidence, JobKind, Next, Poke, TargetId, Time, WorkspaceId,
    decision::Outcome,
    post::{Accepted, Verdict},
    proof::{self, Export, LedgerWork, Signer, Verified, verify, write},
    retry::Jitter,
    time::{days, hours, minutes, seconds},
};
use mooring_gateway::acts;
use mooring_store::{Actor, BegunPublish, Held, StoreError};
use mooring_tests::Engine;
use mooring_vault::{SigningKeys, new_key_text};
use sea_orm::{ConnectionTrait as _, Statement, TransactionTrait as _};
use uuid::Uuid;

use super::checked;
use crate::rules::{Desk, Place, done, on_both, start};

/// Takes the house's job.
async fn take(desk: &Desk, now: Time) -> Held {
    let house = WorkspaceId::from_uuid(Uuid::nil());
    let wish = Poke::House {
        kind: JobKind::Ledger,
        at: now,
    };
    desk.act_in(house, &done().poke(wish)).await;
    desk.take(JobKind::Ledger, Uuid::nil(), now).await
}

fn decide(desk: &Desk, work: &LedgerWork, now: Time) -> Decision {
    let keys = desk.store.signing_keys().expect("keys");
    let key = keys.active();
    let signer = Signer {
        key: key.id(),
        public: key.public(),
        sign: &|message| key.sign(message),
    };
    proof::chain(work, Some(&signer), now, Jitter::of(1))
}

/// Runs the ledger's job until nothing more is to be done.
async fn chain(desk: &Desk, now: Time) {
    for turn in 0..10 {
        // A wish at the same moment is due at once, however the run before ended.
        let now = now + seconds(turn);
        let held = take(desk, now).await;
        let work = desk.store.ledger_job(true, now).await.expect("the books");
        let idle = work.pending.is_empty() && work.ripe.is_empty();
        let mut decision = decide(desk, &work, now);
        decision.next = Next::Done;
        assert!(desk.apply(held.fence, decision, now).await.fenced);
        if idle {
            return;
        }
    }
    panic!("it is never through");
}

async fn day(desk: &Desk, of: Time) -> Export {
    let day = desk.store.ledger_of(desk.workspace, of.date_naive()).await;
    day.expect("the books answer")
}

/// Checks a file, sealed or not.
fn check(desk: &Desk, export: &Export) -> Verified {
    let public = desk.store.signing_keys().expect("keys").active().public();
    verify(write(export).as_bytes(), checked(public)).expect("it holds")
}

fn kinds(export: &Export) -> Vec<&'static str> {
    let entries = export.entries.iter();
    entries.map(|kept| kept.entry.body.kind()).collect()
}

/// What is told of one target.
fn about(export: &Export, target: TargetId) -> Vec<&'static str> {
    let entries = export.entries.iter().map(|kept| &kept.entry);
    let of_it = entries.filter(|entry| entry.about == target.to_string());
    of_it.map(|entry| entry.body.kind()).collect()
}

/// Publishes a target by hand, and looks at it where a verdict is given.
async fn publish(desk: &Desk, target: TargetId, remote: &str, verdict: Option<Verdict>) {
    let now = start() + minutes(1);
    let held = desk.take(JobKind::Publish, target.uuid(), now).await;
    let BegunPublish::Attempt(attempt, _) = desk.begin(&held, desk.me, now).await else {
        panic!("it begins");
    };
    let accepted = Evidence::Accepted {
        attempt: attempt.id,
        accepted: Accepted {
            remote_id: remote.to_owned(),
            permalink: None,
        },
        at: now,
    };
    desk.apply(held.fence, done().evidence(accepted), now).await;
    let held = desk.take(JobKind::Verify, attempt.id.uuid(), now).await;
    let Some(verdict) = verdict else {
        return;
    };
    let seen = Change::Verified {
        attempt: attempt.id,
        target,
        verdict,
        at: now,
    };
    desk.apply(held.fence, done().change(seen), now).await;
}

fn live() -> Verdict {
    Verdict::Live {
        permalink: Some("https://example.com/1".to_owned()),
        digest: None,
    }
}

async fn posted(desk: &Desk, place: Place, text: &str) -> TargetId {
    desk.post(place, text, start()).await.1
}

async fn is_done(desk: &Desk, target: TargetId) -> bool {
    let done = desk.store.done_targets(desk.workspace, &[target]).await;
    done.expect("the books answer")[&target]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_122_a_target_is_done_when_its_proof_is_in_the_ledger_and_not_before() {
    on_both(async |desk| {
        let place = desk.connect("done").await;
        let target = posted(&desk, place, "done").await;
        chain(&desk, start()).await;
        assert!(!is_done(&desk, target).await, "it is scheduled");
        publish(&desk, target, "r1", Some(live())).await;
        assert_eq!(desk.target(target).await.verdict.as_deref(), Some("live"));
        assert!(!is_done(&desk, target).await, "no proof is captured");
        chain(&desk, start() + minutes(2)).await;
        assert!(is_done(&desk, target).await);
        let unseen = posted(&desk, place, "unseen").await;
        publish(&desk, unseen, "r2", None).await;
        chain(&desk, start() + minutes(3)).await;
        assert!(!is_done(&desk, unseen).await, "nobody has looked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_every_step_of_a_publish_is_chained_and_its_day_is_signed() {
    on_both(async |desk| {
        let place = desk.connect("steps").await;
        let target = posted(&desk, place, "steps").await;
        publish(&desk, target, "r1", Some(live())).await;
        let cancelled = desk.post(place, "cancelled", start() + hours(2)).await.1;
        acts::cancel_target(&desk.store, &Actor::Cli, desk.workspace, cancelled, start())
            .await
            .expect("it is cancelled");
        chain(&desk, start() + minutes(2)).await;
        let open = day(&desk, start()).await;
        let wanted = ["intent", "request", "acceptance", "settlement", "read_back"];
        assert_eq!(about(&open, target), wanted);
        assert_eq!(about(&open, cancelled), ["intent", "outcome"]);
        assert_eq!(check(&desk, &open).unsealed.len(), 7);
        chain(&desk, start() + days(1)).await;
        let sealed = day(&desk, start()).await;
        let verified = check(&desk, &sealed);
        assert_eq!(
            (verified.unsealed, verified.keys),
            (vec![], vec!["t1".to_owned()])
        );
        assert!(verified.gapless && verified.whole_days);
        let keys = desk.store.ledger_keys().await.expect("the books answer");
        assert!(keys[0].first_used_at.is_some());
        // A second look finds nothing to do.
        chain(&desk, start() + days(3)).await;
        assert_eq!(day(&desk, start()).await, sealed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_of_two_that_go_on_from_one_end_the_second_writes_nothing() {
    on_both(async |desk| {
        let place = desk.connect("fork").await;
        for round in 0..6_i64 {
            let now = start() + minutes(round);
            posted(&desk, place, &format!("fork {round}")).await;
            let work = desk.store.ledger_job(true, now).await.expect("the books");
            // Two runs, each with a claim that holds, upon the same facts.
            let mut runs = Vec::new();
            for _ in 0..2 {
                let subject = Uuid::now_v7();
                desk.poke(JobKind::Ledger, subject, now).await;
                let held = desk.take(JobKind::Ledger, subject, now).await;
                let mut decision = decide(&desk, &work, now);
                decision.next = Next::Done;
                runs.push((held.fence, decision));
            }
            let [one, two] = [0, 1].map(|run| {
                let (fence, decision) = runs[run].clone();
                desk.try_apply(fence, decision, now)
            });
            let (one, two) = tokio::join!(one, two);
            let lost = match (&one, &two) {
                (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
                other => panic!("one of them: {other:?}"),
            };
            assert!(matches!(lost, StoreError::Contention(_)), "{lost:?}");
        }
        let verified = check(&desk, &day(&desk, start()).await);
        assert_eq!(verified.entries.len(), 6);
        assert!(verified.gapless);
    })
    .await;
}

/// On PostgreSQL a transaction may commit long after later ones; SQLite has one writer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_what_commits_late_is_chained_all_the_same() {
    let desk = Desk::new(Engine::Postgres).await;
    let place = desk.connect("late").await;
    let target = posted(&desk, place, "late").await;
    publish(&desk, target, "r1", Some(live())).await;
    let db = desk.store.connection();
    let late = db.begin().await.expect("a transaction");
    let sql = "INSERT INTO proofs (id, workspace_id, target_id, attempt_id, verdict, remote_id, seen_at) \
               SELECT $1, workspace_id, target_id, attempt_id, 'removed', remote_id, seen_at FROM proofs";
    let id = Uuid::from_u128(1);
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [id.into()]);
    late.execute_raw(statement).await.expect("a look");
    let other = posted(&desk, place, "meanwhile").await;
    chain(&desk, start() + minutes(2)).await;
    chain(&desk, start() + hours(3)).await;
    let before = day(&desk, start()).await;
    assert!(
        before
            .entries
            .iter()
            .any(|kept| kept.entry.about == other.to_string())
    );
    let looks = |export: &Export| {
        kinds(export)
            .iter()
            .filter(|kind| **kind == "read_back")
            .count()
    };
    assert_eq!(looks(&before), 1);
    late.commit().await.expect("late");
    chain(&desk, start() + hours(4)).await;
    assert_eq!(looks(&day(&desk, start()).await), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_the_database_itself_lets_nobody_change_the_ledger() {
    on_both(async |desk| {
        let place = desk.connect("final").await;
        posted(&desk, place, "final").await;
        chain(&desk, start()).await;
        chain(&desk, start() + days(1)).await;
        for act in [
            "UPDATE ledger SET entry = 'another'",
            "DELETE FROM ledger",
            "UPDATE ledger_roots SET statement = 'another'",
            "DELETE FROM ledger_roots",
        ] {
            let refused = desk.store.connection().execute_unprepared(act).await;
            let refused = refused.expect_err(act).to_string();
            assert!(refused.contains("append-only"), "{act}: {refused}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_a_chain_that_goes_on_after_a_restore_says_so() {
    on_both(async |desk| {
        let place = desk.connect("restored").await;
        posted(&desk, place, "before").await;
        chain(&desk, start()).await;
        let now = start() + minutes(30);
        acts::mark_restored(&desk.store, &Actor::Cli, start(), now)
            .await
            .expect("it is marked");
        chain(&desk, now).await;
        let told = day(&desk, start()).await;
        assert_eq!(kinds(&told)[..2], ["intent", "restored"]);
        chain(&desk, start() + days(1)).await;
        let sealed = day(&desk, start()).await;
        assert_eq!(sealed.roots[0].statement.restores, 1);
        check(&desk, &sealed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_a_broken_target_keeps_no_other_from_being_chained() {
    on_both(async |desk| {
        let place = desk.connect("broken").await;
        let broken = posted(&desk, place, "broken").await;
        let well = posted(&desk, place, "well").await;
        let sql = "UPDATE post_targets SET stage = 33 WHERE id = $1";
        let db = desk.store.connection();
        let values = [broken.uuid().into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        db.execute_raw(statement)
            .await
            .expect("a stage of no version");
        chain(&desk, start()).await;
        let told = day(&desk, start()).await;
        let about: Vec<_> = told.entries.iter().map(|kept| &kept.entry.about).collect();
        assert_eq!(about, [&well.to_string()]);
    })
    .await;
}

/// Two keys of one id would make roots that nobody can check.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_124_a_second_key_under_an_old_id_signs_nothing() {
    on_both(async |desk| {
        let place = desk.connect("keys").await;
        posted(&desk, place, "first").await;
        chain(&desk, start()).await;
        chain(&desk, start() + days(1)).await;
        posted(&desk, place, "second").await;
        chain(&desk, start() + days(1) + hours(1)).await;
        let text = new_key_text("t1").expect("a key");
        let other = SigningKeys::parse(text.expose()).expect("a key");
        let store = desk.store.clone().signing(other);
        let later = start() + days(2);
        let work = store.ledger_job(true, later).await.expect("the books");
        assert_eq!(work.ripe, []);
        let work = desk.store.ledger_job(true, later).await.expect("the books");
        assert_eq!(work.ripe.len(), 1, "the right one signs");
    })
    .await;
}

/// A run that does nothing comes back by itself, about once a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_looks_for_news_once_a_minute() {
    let idle = proof::chain(&LedgerWork::default(), None, start(), Jitter::of(3));
    assert_eq!(idle.outcome, Outcome::Nothing);
    let Next::At(at) = idle.next else {
        panic!("it lives on");
    };
    let within: TimeDelta = at - start();
    assert!(within > seconds(40) && within < seconds(80), "{within}");
}
