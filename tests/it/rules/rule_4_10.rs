//! Rule 4.10: a process whose clock is wrong neither claims nor begins nor sends, until it is right again.

use mooring_domain::{JobKind, Lane, post::Stage, time::seconds};
use mooring_simulator::{LedgerFilter, NewBlueskyAccounts};
use uuid::Uuid;

use super::{Desk, Place, Quay, desk::ms, on_both, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_10_a_scheduler_with_a_wrong_clock_claims_nothing() {
    on_both(async |desk| {
        let id = Uuid::now_v7();
        desk.poke(JobKind::Check, id, start()).await;
        let quay = Quay::open(desk.store.clone(), start()).await;
        quay.trust(false);
        quay.beat(Lane::Check).await;
        quay.schedule();
        quay.asked_again(5).await;
        assert_eq!(
            desk.row(JobKind::Check, id).await.generation,
            0,
            "due, with room, and not claimed"
        );
        quay.trust(true);
        quay.until("it is claimed", async || {
            desk.row(JobKind::Check, id).await.generation > 0
        })
        .await;
        quay.close().await;
    })
    .await;
}

/// An account that the simulator knows.
async fn account(desk: &Desk, quay: &Quay) -> Place {
    let accounts = quay
        .simulator
        .admin()
        .create_bluesky_accounts(&NewBlueskyAccounts::default());
    let account = accounts.expect("an account").remove(0);
    let (access, refresh) = (
        account.access_token.to_string(),
        account.refresh_token.to_string(),
    );
    desk.connect_as(&account.did, &access, &refresh).await
}

/// Claims a job and puts it on its lane, as a scheduler with a right clock does.
async fn send(desk: &Desk, quay: &Quay, kind: JobKind, subject: Uuid) {
    let held = desk.take(kind, subject, quay.now()).await;
    quay.send(&held).await;
}

/// Sends a job to workers with a wrong clock: it comes back untouched and the platform hears nothing.
async fn comes_back(desk: &Desk, quay: &Quay, kind: JobKind, subject: Uuid) {
    quay.trust(false);
    send(desk, quay, kind, subject).await;
    let before = desk.row(kind, subject).await;
    quay.work(&[kind.lane()]);
    quay.until("it is given back", async || {
        desk.row(kind, subject).await.lease_until.is_none()
    })
    .await;
    let row = desk.row(kind, subject).await;
    assert_eq!(row.generation, before.generation, "the same claim");
    assert_eq!((row.attempt, row.losses, row.begun_at), (0, 0, None));
    assert_eq!(row.visible_at, before.visible_at, "it is due at once");
    assert_eq!(quay.simulator.admin().calls().total, 0, "nothing was sent");
    quay.trust(true);
    quay.set(quay.now() + ms(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_10_a_worker_with_a_wrong_clock_begins_and_sends_no_post() {
    on_both(async |desk| {
        let quay = Quay::open(desk.store.clone(), start()).await;
        let place = account(&desk, &quay).await;
        let (_, target) = desk.post(place, "on time", start()).await;
        comes_back(&desk, &quay, JobKind::Publish, target.uuid()).await;
        let row = desk.target(target).await;
        assert_eq!((row.stage, row.attempts), (Stage::Scheduled, 0));
        send(&desk, &quay, JobKind::Publish, target.uuid()).await;
        quay.until("it goes out", async || {
            desk.target(target).await.stage == Stage::Accepted
        })
        .await;
        assert_eq!(
            quay.simulator
                .admin()
                .ledger(&LedgerFilter::default())
                .len(),
            1
        );
        quay.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_4_10_a_worker_with_a_wrong_clock_spends_no_refresh_token() {
    on_both(async |desk| {
        let quay = Quay::open(desk.store.clone(), start()).await;
        let place = account(&desk, &quay).await;
        // Late enough for a refresh to be due, early enough for the token to live.
        quay.set(start() + seconds(6_000));
        let grant = place.grant.uuid();
        desk.poke(JobKind::Refresh, grant, quay.now()).await;
        comes_back(&desk, &quay, JobKind::Refresh, grant).await;
        let begun = "SELECT count(*) FROM grants WHERE refresh_begun_at IS NOT NULL";
        assert_eq!(desk.number(begun, []).await, 0);
        send(&desk, &quay, JobKind::Refresh, grant).await;
        quay.until("it is renewed", async || {
            desk.told("token_refreshed", grant).await == 1
        })
        .await;
        quay.close().await;
    })
    .await;
}
