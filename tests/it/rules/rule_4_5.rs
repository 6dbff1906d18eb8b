//! Rule 4.5: begin consumes a claim, and is one transaction with the target's lock, the revision and the attempt.

use mooring_domain::{JobKind, TargetId, acts, post::Stage, time::seconds};
use mooring_store::{BeginPublish, BegunPublish, Held};

use super::{
    Desk, Place,
    desk::{after_leases, edited, ms},
    on_both, start,
};

const ROUNDS: usize = 50;

/// A target that is due and claimed.
async fn due(desk: &Desk, place: Place, text: &str) -> (TargetId, Held) {
    let (_, target) = desk.post(place, text, start()).await;
    (
        target,
        desk.take(JobKind::Publish, target.uuid(), start()).await,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_5_two_workers_with_one_claim_begin_it_once() {
    on_both(async |desk| {
        let place = desk.connect("twice").await;
        let mut firsts = 0;
        for round in 0..ROUNDS {
            let (target, held) = due(&desk, place, &format!("round {round}")).await;
            let gate = desk.gate("jobs", "subject_id", target.uuid()).await;
            let mine = desk.begin(&held, desk.me, start());
            let theirs = desk.begin(&held, desk.other, start());
            let answers = desk.meet(gate, mine, theirs).await;
            let won = |begun: &BegunPublish| matches!(begun, BegunPublish::Attempt(..));
            let lost = |begun: &BegunPublish| matches!(begun, BegunPublish::Lost);
            assert!(
                won(&answers.0) && lost(&answers.1) || lost(&answers.0) && won(&answers.1),
                "{answers:?}"
            );
            firsts += usize::from(won(&answers.0));
            let row = desk.target(target).await;
            assert_eq!((row.stage, row.attempts), (Stage::Begun, 1));
            assert_eq!(desk.row(JobKind::Publish, target.uuid()).await.attempt, 1);
        }
        assert!(firsts > 0, "the one who came first never won");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_5_a_look_and_a_refresh_begin_once_too() {
    on_both(async |desk| {
        let place = desk.connect("once").await;
        let looking = BeginPublish {
            reference: None,
            send: false,
            revision: None,
        };
        for round in 0..10 {
            let (target, held) = due(&desk, place, &format!("look {round}")).await;
            let gate = desk.gate("jobs", "subject_id", target.uuid()).await;
            let begin = |who| desk.store.begin_publish(&held, &looking, who, start());
            let (a, b) = desk.meet(gate, begin(desk.me), begin(desk.other)).await;
            let answers = [a.expect("the books answer"), b.expect("the books answer")];
            let count =
                |of: fn(&BegunPublish) -> bool| answers.iter().filter(|one| of(one)).count();
            assert_eq!(
                count(|one| matches!(one, BegunPublish::Looking)),
                1,
                "{answers:?}"
            );
            assert_eq!(
                count(|one| matches!(one, BegunPublish::Lost)),
                1,
                "{answers:?}"
            );
        }
        let grant = place.grant.uuid();
        desk.poke(JobKind::Refresh, grant, start()).await;
        let held = desk.take(JobKind::Refresh, grant, start()).await;
        let gate = desk.gate("jobs", "subject_id", grant).await;
        let begin = |who| desk.store.begin_refresh(&held, who, start());
        let (a, b) = desk.meet(gate, begin(desk.me), begin(desk.other)).await;
        assert!(
            a.expect("the books answer") ^ b.expect("the books answer"),
            "one of both"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_5_begin_wants_enough_left_of_its_lease() {
    on_both(async |desk| {
        let place = desk.connect("late").await;
        let (target, held) = due(&desk, place, "late").await;
        let budget = desk.store.policy().lease(JobKind::Publish.lane()).budget;
        let late = held.lease_until - budget;
        for at in [
            held.lease_until + seconds(1),
            held.lease_until,
            late + ms(1),
            late,
        ] {
            let begun = desk.begin(&held, desk.me, at).await;
            assert!(matches!(begun, BegunPublish::Lost), "at {at}: {begun:?}");
        }
        assert_eq!(desk.target(target).await.attempts, 0);
        let begun = desk.begin(&held, desk.me, late - ms(1)).await;
        let BegunPublish::Attempt(attempt, _) = begun else {
            panic!("{begun:?}")
        };
        assert_eq!(
            attempt.send_by, held.lease_until,
            "nothing is sent after the lease"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_5_a_claim_that_was_taken_over_begins_nothing() {
    on_both(async |desk| {
        let place = desk.connect("over").await;
        let (target, old) = due(&desk, place, "over").await;
        let later = after_leases(start());
        let new = desk.take(JobKind::Publish, target.uuid(), later).await;
        let begun = desk.begin(&old, desk.me, later).await;
        assert!(matches!(begun, BegunPublish::Lost), "{begun:?}");
        let begun = desk.begin(&new, desk.other, later).await;
        assert!(matches!(begun, BegunPublish::Attempt(..)), "{begun:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_5_cancel_comes_wholly_before_begin_or_is_refused() {
    on_both(async |desk| {
        let place = desk.connect("cancel").await;
        let (mut sent, mut cancelled) = (0, 0);
        for round in 0..ROUNDS {
            let (target, held) = due(&desk, place, &format!("round {round}")).await;
            let gate = desk.gate("post_targets", "id", target.uuid()).await;
            let decision = acts::cancel_target(target);
            let cancel = desk.try_act(&decision);
            let begin = desk.begin(&held, desk.me, start());
            let (cancel, begin) = if round % 2 == 0 {
                desk.meet(gate, cancel, begin).await
            } else {
                let (begin, cancel) = desk.meet(gate, begin, cancel).await;
                (cancel, begin)
            };
            let row = desk.target(target).await;
            match begin {
                BegunPublish::Attempt(..) => {
                    sent += 1;
                    assert!(cancel.is_err(), "cancelled although it had begun");
                    assert_eq!((row.stage, row.attempts), (Stage::Begun, 1));
                }
                BegunPublish::Changed => {
                    cancelled += 1;
                    cancel.expect("somebody must have been first");
                    assert_eq!((row.stage, row.attempts), (Stage::Cancelled, 0));
                    let job = desk.row(JobKind::Publish, target.uuid()).await;
                    assert_eq!(
                        (job.begun_at, job.attempt),
                        (None, 0),
                        "nothing was consumed"
                    );
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent + cancelled, ROUNDS);
        assert!(
            sent > 0 && cancelled > 0,
            "one of both always came first: {sent}, {cancelled}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_5_what_is_sent_is_the_revision_that_the_attempt_names() {
    on_both(async |desk| {
        let place = desk.connect("edit").await;
        let (mut old, mut new) = (0, 0);
        for round in 0..ROUNDS {
            let (post, target) = desk.post(place, &format!("old {round}"), start()).await;
            let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
            let gate = desk.gate("posts", "id", post.uuid()).await;
            let decision = edited(post, &format!("new {round}"));
            let edit = desk.try_act(&decision);
            let begin = desk.begin(&held, desk.me, start());
            let (edit, begin) = if round % 2 == 0 {
                desk.meet(gate, edit, begin).await
            } else {
                let (begin, edit) = desk.meet(gate, begin, edit).await;
                (edit, begin)
            };
            let BegunPublish::Attempt(attempt, sent) = begin else {
                panic!("{begin:?}")
            };
            let sql = "SELECT CAST(revision AS bigint) FROM publish_attempts WHERE id = $1";
            let revision = desk.number(sql, [attempt.id.uuid().into()]).await;
            let edited = edit.is_ok();
            *if edited { &mut new } else { &mut old } += 1;
            let words = if edited { "new" } else { "old" };
            assert_eq!(sent.text, format!("{words} {round}"), "edited: {edited}");
            assert_eq!(revision, 1 + i64::from(edited), "edited: {edited}");
            assert_eq!(attempt.edition, 1);
        }
        assert!(
            new > 0 && old > 0,
            "one of both always came first: {new}, {old}"
        );
    })
    .await;
}

#[tokio::test]
async fn rule_4_5_what_was_prepared_for_an_older_revision_is_not_sent() {
    on_both(async |desk| {
        let place = desk.connect("prepared").await;
        let (post, target) = desk.post(place, "old", start()).await;
        let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
        let edit = edited(post, "new");
        desk.try_act(&edit).await.expect("nothing has begun");
        let late = desk.begin_for(&held, desk.me, Some(1), start()).await;
        assert!(matches!(late, BegunPublish::Changed), "{late:?}");
        assert_eq!(desk.target(target).await.attempts, 0, "nothing was written");
        let begun = desk.begin_for(&held, desk.me, Some(2), start()).await;
        let BegunPublish::Attempt(_, sent) = begun else {
            panic!("the claim was not consumed before: {begun:?}")
        };
        assert_eq!(sent.text, "new");
    })
    .await;
}
