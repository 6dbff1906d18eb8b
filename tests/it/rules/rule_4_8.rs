//! Rule 4.8: evidence is never fenced. What a platform has accepted or issued is kept, whoever holds the job.

use mooring_domain::{
    AttemptId, Change, Decision, Evidence, JobKind, TargetId,
    grant::Renewed,
    post::{Accepted, Stage},
    time::{hours, seconds},
};
use mooring_store::{Applied, BegunPublish, Held, JobResult, Secrets, TokensStored};
use mooring_vault::Secret;

use super::{
    Desk, Place,
    desk::{after_leases, done, telling},
    on_both, start,
};

const REFRESH: JobKind = JobKind::Refresh;

/// A post that has begun under a claim.
async fn begun(desk: &Desk, place: Place, text: &str) -> (TargetId, Held, AttemptId) {
    let (_, target) = desk.post(place, text, start()).await;
    let held = desk.take(JobKind::Publish, target.uuid(), start()).await;
    let begun = desk.begin(&held, desk.me, start()).await;
    let BegunPublish::Attempt(attempt, _) = begun else {
        panic!("{begun:?}")
    };
    (target, held, attempt.id)
}

fn accepted(attempt: AttemptId, remote_id: &str) -> Decision {
    done().evidence(Evidence::Accepted {
        attempt,
        accepted: Accepted {
            remote_id: remote_id.to_owned(),
            permalink: Some(format!("https://bsky.example/{remote_id}")),
        },
        at: start() + seconds(2),
    })
}

/// How many attempts own this remote id.
async fn owners(desk: &Desk, remote_id: &str) -> i64 {
    let sql = "SELECT count(*) FROM publish_attempts WHERE remote_id = $1 AND settlement = 'found'";
    desk.number(sql, [remote_id.into()]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_evidence_is_not_fenced() {
    on_both(async |desk| {
        let place = desk.connect("late").await;
        let (target, old, attempt) = begun(&desk, place, "late news").await;
        let later = after_leases(start());
        let new = desk.take(JobKind::Publish, target.uuid(), later).await;
        let decision = accepted(attempt, "r1").change(Change::TargetMoved {
            target,
            edition: 1,
            stage: Stage::Removed,
            reason: None,
        });
        let applied = desk.apply(old.fence, decision, later).await;
        assert!(!applied.fenced, "the claim was taken over");
        let row = desk.target(target).await;
        assert_eq!(
            row.stage,
            Stage::Accepted,
            "the fact counts, the decision does not"
        );
        assert_eq!(row.permalink.as_deref(), Some("https://bsky.example/r1"));
        assert_eq!(owners(&desk, "r1").await, 1);
        assert_eq!(desk.told("target_accepted", target.uuid()).await, 1);
        assert_eq!(desk.runs(JobKind::Publish).await, 0);
        let verify = desk.row(JobKind::Verify, attempt.uuid()).await;
        assert_eq!(
            verify.run_at,
            start() + seconds(2),
            "it is looked at at once"
        );
        assert!(
            desk.apply(new.fence, done(), later).await.fenced,
            "the newer claim still holds"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_evidence_that_comes_again_changes_nothing() {
    on_both(async |desk| {
        let place = desk.connect("again").await;
        let (target, held, attempt) = begun(&desk, place, "again").await;
        assert!(
            desk.apply(held.fence, accepted(attempt, "r1"), start())
                .await
                .fenced
        );
        let before = desk.target(target).await;
        let verify = desk
            .take(JobKind::Verify, attempt.uuid(), start() + seconds(3))
            .await;
        assert!(
            desk.apply(verify.fence, done(), start() + seconds(3))
                .await
                .fenced
        );
        for remote_id in ["r1", "r2"] {
            let applied = desk
                .apply(held.fence, accepted(attempt, remote_id), start())
                .await;
            assert!(!applied.fenced);
        }
        assert_eq!(desk.target(target).await, before);
        assert_eq!(
            (owners(&desk, "r1").await, owners(&desk, "r2").await),
            (1, 0)
        );
        assert_eq!(desk.told("target_accepted", target.uuid()).await, 1);
        assert_eq!(
            desk.job(JobKind::Verify, attempt.uuid()).await,
            None,
            "no second look"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_evidence_lifts_a_target_from_every_end_but_removal() {
    on_both(async |desk| {
        let place = desk.connect("ends").await;
        let ends = [
            Stage::Missed,
            Stage::Cancelled,
            Stage::Failed,
            Stage::Unconfirmed,
        ];
        for stage in ends.into_iter().chain([Stage::Removed]) {
            let (target, held, attempt) = begun(&desk, place, stage.as_str()).await;
            let moved = Change::TargetMoved {
                target,
                edition: 1,
                stage,
                reason: Some("news".to_owned()),
            };
            assert!(
                desk.apply(held.fence, done().change(moved), start())
                    .await
                    .fenced
            );
            assert_eq!(desk.target(target).await.stage, stage);
            let late = accepted(attempt, &format!("r-{}", stage.as_str()));
            assert!(!desk.apply(held.fence, late, start()).await.fenced);
            let row = desk.target(target).await;
            assert_eq!(row.stage, stage.max(Stage::Accepted));
            assert_eq!(desk.told("target_accepted", target.uuid()).await, 1);
        }
    })
    .await;
}

/// A refresh that has begun.
async fn refreshing(desk: &Desk, place: Place) -> Held {
    desk.poke(REFRESH, place.grant.uuid(), start()).await;
    let held = desk.take(REFRESH, place.grant.uuid(), start()).await;
    let begun = desk.store.begin_refresh(&held, desk.me, start()).await;
    assert!(begun.expect("the books answer"), "it begins");
    held
}

/// What a platform's answer to a refresh becomes: the tokens `access-2` and `refresh`.
pub(super) fn renewal(desk: &Desk, held: &Held, place: Place, refresh: Option<&str>) -> JobResult {
    let now = start() + seconds(1);
    let renewed = Evidence::Renewed {
        grant: place.grant,
        spent_version: 1,
        renewed: Renewed {
            access_expires_at: Some(now + hours(2)),
            refresh_expires_at: None,
            scopes: None,
        },
        at: now,
    };
    let tokens = (
        place.grant,
        Secret::from("access-2"),
        refresh.map(Secret::from),
    );
    JobResult {
        secrets: Secrets {
            grants: vec![tokens],
            ..Secrets::default()
        },
        ..desk.result(held.fence, telling(now).evidence(renewed), now)
    }
}

/// The access and refresh token in store, and their version.
pub(super) async fn tokens(desk: &Desk, place: Place) -> (String, Option<String>, i64) {
    let (subject, now) = (place.connection.uuid(), start());
    desk.poke(JobKind::Check, subject, now).await;
    let held = desk.take(JobKind::Check, subject, now).await;
    let job = desk
        .store
        .check_job(&held, now)
        .await
        .expect("the books answer");
    let credentials = job
        .expect("the account is there")
        .credentials
        .expect("tokens");
    let rows = desk
        .store
        .connections(desk.workspace, now)
        .await
        .expect("the books answer");
    let row = rows
        .iter()
        .find(|row| row.id == place.connection)
        .expect("the account is there");
    (
        credentials.grant_token.expose().to_owned(),
        credentials
            .refresh_token
            .map(|token| token.expose().to_owned()),
        row.token_version,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_new_tokens_are_not_fenced_either() {
    on_both(async |desk| {
        let place = desk.connect("tokens").await;
        let old = refreshing(&desk, place).await;
        desk.take(REFRESH, place.grant.uuid(), after_leases(start()))
            .await;
        let result = renewal(&desk, &old, place, Some("refresh-2"));
        let applied = desk.store.apply_job(&result).await.expect("it is applied");
        let stored = Some(TokensStored::Stored);
        assert_eq!(
            applied,
            Applied {
                fenced: false,
                tokens: stored
            }
        );
        assert_eq!(desk.told("token_refreshed", place.grant.uuid()).await, 1);
        assert_eq!(
            desk.told("drift_repaired", uuid::Uuid::nil()).await,
            0,
            "no decision"
        );
        // The same news again is superfluous.
        let again = renewal(&desk, &old, place, Some("refresh-3"));
        let applied = desk.store.apply_job(&again).await.expect("it is applied");
        assert_eq!(applied.tokens, Some(TokensStored::Superseded));
        assert_eq!(desk.told("token_refreshed", place.grant.uuid()).await, 1);
        let (access, refresh, version) = tokens(&desk, place).await;
        assert_eq!(
            (access.as_str(), refresh.as_deref()),
            ("access-2", Some("refresh-2"))
        );
        assert_eq!(version, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_tokens_that_were_replaced_meanwhile_are_superseded() {
    on_both(async |desk| {
        let place = desk.connect("replaced").await;
        let held = refreshing(&desk, place).await;
        // A reconnect brings other tokens.
        let sql = "UPDATE grants SET token_version = 7 WHERE id = $1";
        desk.meddle(sql, [place.grant.uuid().into()]).await;
        let result = renewal(&desk, &held, place, Some("refresh-2"));
        let applied = desk.store.apply_job(&result).await.expect("it is applied");
        assert_eq!(
            applied,
            Applied {
                fenced: true,
                tokens: Some(TokensStored::Superseded)
            }
        );
        assert_eq!(desk.told("token_refreshed", place.grant.uuid()).await, 0);
        let (access, refresh, version) = tokens(&desk, place).await;
        assert_eq!(
            (access.as_str(), refresh.as_deref()),
            ("access-1", Some("refresh-1"))
        );
        assert_eq!(version, 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_tokens_for_a_grant_that_is_gone_are_reported_as_such() {
    on_both(async |desk| {
        let place = desk.connect("gone").await;
        let held = refreshing(&desk, place).await;
        let sql = "UPDATE grants SET access_token = NULL, refresh_token = NULL WHERE id = $1";
        desk.meddle(sql, [place.grant.uuid().into()]).await;
        let result = renewal(&desk, &held, place, Some("refresh-2"));
        let applied = desk.store.apply_job(&result).await.expect("it is applied");
        assert_eq!(
            applied.tokens,
            Some(TokensStored::GrantGone),
            "revoke them at the platform"
        );
        let sql =
            "SELECT count(*) FROM grants WHERE access_token IS NULL AND refresh_token IS NULL";
        assert_eq!(desk.number(sql, []).await, 1, "nothing was stored");
        assert_eq!(desk.told("token_refreshed", place.grant.uuid()).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_8_one_acceptance_from_two_hands_is_told_once() {
    on_both(async |desk| {
        let place = desk.connect("hands").await;
        for round in 0..10 {
            // The sender's late answer, and what the one who looked for it has found.
            let (target, old, attempt) = begun(&desk, place, &format!("round {round}")).await;
            let later = after_leases(start());
            let new = desk.take(JobKind::Publish, target.uuid(), later).await;
            let gate = desk.gate("publish_attempts", "id", attempt.uuid()).await;
            let remote_id = format!("r{round}");
            let late = desk.apply(old.fence, accepted(attempt, &remote_id), later);
            let found = desk.apply(new.fence, accepted(attempt, &remote_id), later);
            let (late, found) = desk.meet(gate, late, found).await;
            assert!(!late.fenced && found.fenced);
            assert_eq!(owners(&desk, &remote_id).await, 1);
            assert_eq!(
                desk.told("target_accepted", target.uuid()).await,
                1,
                "told once"
            );
        }
    })
    .await;
}
