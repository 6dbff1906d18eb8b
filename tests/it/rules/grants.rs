//! What the books owe to grants: rows and guards of the product that no provider is needed for.

use mooring_domain::{
    Change, Event, JobKind,
    connection::Health,
    grant::{AuthState, Warned},
    time::{days, hours, minutes, seconds},
};
use sea_orm::ConnectionTrait as _;

use super::{
    Desk, Place,
    desk::done,
    on_both,
    rule_4_8::{renewal, tokens},
    start,
};

async fn health(desk: &Desk, place: Place, later: chrono::TimeDelta) -> Health {
    let facts = desk
        .store
        .connection_facts(desk.workspace, place.connection, start() + later)
        .await
        .expect("the books answer");
    facts.expect("the connection exists").health.health
}

/// A check has seen the account well.
async fn seen_well(desk: &Desk, place: Place) {
    let ms = start().timestamp_millis();
    desk.meddle(
        "UPDATE connections SET account = 'accessible', checked_at = $1, used_at = $1 WHERE id = $2",
        [ms.into(), place.connection.uuid().into()],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_007_refreshing_is_shown_while_the_refresh_holds_its_lease_and_no_longer() {
    on_both(async |desk| {
        let place = desk.connect("rotating").await;
        seen_well(&desk, place).await;
        let grant = place.grant.uuid();
        assert_eq!(health(&desk, place, seconds(0)).await, Health::Healthy);
        desk.poke(JobKind::Refresh, grant, start()).await;
        let held = desk.take(JobKind::Refresh, grant, start()).await;
        assert!(
            desk.store
                .begin_refresh(&held, desk.me, start())
                .await
                .expect("the books answer")
        );
        assert_eq!(health(&desk, place, seconds(59)).await, Health::Refreshing);
        assert_eq!(health(&desk, place, seconds(60)).await, Health::Healthy);
        // The answer was lost: the refresh counts as begun, and does not run any more.
        let lost = done().change(Change::RefreshEnded {
            grant: place.grant,
            exhausted: false,
            still_begun: true,
        });
        assert!(desk.apply(held.fence, lost, start()).await.fenced);
        assert_eq!(health(&desk, place, seconds(1)).await, Health::Healthy);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_06_a_refresh_token_cannot_be_emptied_while_its_grant_is_kept() {
    on_both(async |desk| {
        let place = desk.connect("kept").await;
        let emptied = desk
            .store
            .connection()
            .execute_unprepared("UPDATE grants SET refresh_token = NULL")
            .await;
        let error = emptied.expect_err("the database refuses").to_string();
        assert!(error.contains("cannot be emptied"), "{error}");
        let (_, refresh, _) = tokens(&desk, place).await;
        assert_eq!(refresh.as_deref(), Some("refresh-1"));
        // A disconnect takes both.
        desk.meddle(
            "UPDATE grants SET refresh_token = NULL, access_token = NULL WHERE id = $1",
            [place.grant.uuid().into()],
        )
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_18_a_refresh_writes_nothing_on_connections() {
    on_both(async |desk| {
        let place = desk.connect("chosen").await;
        // Whatever a refresh writes there, this refuses.
        let guard = if desk.store.is_postgres() {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'a refresh wrote here'; END $$; \
             CREATE TRIGGER refuse BEFORE UPDATE ON connections \
             FOR EACH ROW EXECUTE FUNCTION refuse()"
        } else {
            "CREATE TRIGGER refuse BEFORE UPDATE ON connections \
             BEGIN SELECT RAISE(ABORT, 'a refresh wrote here'); END"
        };
        desk.store
            .connection()
            .execute_unprepared(guard)
            .await
            .expect("a trigger");
        let grant = place.grant.uuid();
        desk.poke(JobKind::Refresh, grant, start()).await;
        let held = desk.take(JobKind::Refresh, grant, start()).await;
        let begun = desk.store.begin_refresh(&held, desk.me, start()).await;
        assert!(begun.expect("the books answer"));
        let renewed = renewal(&desk, &held, place, Some("refresh-2"));
        let applied = desk.store.apply_job(&renewed).await;
        assert!(applied.expect("nothing was written there").fenced);
    })
    .await;
}

/// The grant is found taken back at this time.
async fn taken_back(desk: &Desk, place: Place, version: i64, later: chrono::TimeDelta) {
    let subject = place.connection.uuid();
    desk.poke(JobKind::Check, subject, start()).await;
    let held = desk.take(JobKind::Check, subject, start() + later).await;
    let verdict = Change::GrantState {
        grant: place.grant,
        token_version: version,
        state: AuthState::Revoked,
        why: "token_revoked",
    };
    let decision = done().change(verdict);
    assert!(
        desk.apply(held.fence, decision, start() + later)
            .await
            .fenced
    );
}

/// A person reconnects: new tokens, and a new beginning.
async fn reconnected(desk: &Desk, place: Place, later: chrono::TimeDelta) {
    let at = (start() + later).timestamp_millis();
    desk.meddle(
        "UPDATE grants SET state = 'connected', token_version = token_version + 1, connected_at = $1 WHERE id = $2",
        [at.into(), place.grant.uuid().into()],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_022_a_grant_that_is_taken_back_again_after_a_reconnect_is_flapping() {
    on_both(async |desk| {
        let place = desk.connect("flapping").await;
        let grant = place.grant.uuid();
        taken_back(&desk, place, 1, hours(2)).await;
        assert_eq!(desk.told("grant_flapping", grant).await, 0);
        reconnected(&desk, place, days(1)).await;
        taken_back(&desk, place, 2, days(3)).await;
        assert_eq!(desk.told("grant_flapping", grant).await, 1);
        let events = desk.store.events(desk.workspace, 100).await;
        let told = events.expect("the books answer");
        let told = told.iter().find(|event| event.name == "grant_flapping");
        let told: Event = serde_json::from_value(told.expect("told").data.clone()).expect("reads");
        assert!(matches!(
            told,
            Event::GrantFlapping { flaps: 2, connections, .. } if connections == [place.connection]
        ));
        reconnected(&desk, place, days(4)).await;
        let facts = desk
            .store
            .connection_facts(desk.workspace, place.connection, start() + days(5))
            .await
            .expect("the books answer")
            .expect("the connection exists");
        let reasons: Vec<_> = facts
            .health
            .reasons
            .iter()
            .map(mooring_domain::connection::Reason::code)
            .collect();
        assert!(reasons.contains(&"flapping"), "{reasons:?}");
        // A verdict that is not new changes nothing.
        taken_back(&desk, place, 2, days(5)).await;
        assert_eq!(desk.told("grant_flapping", grant).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_130_of_two_checks_that_would_warn_one_does() {
    on_both(async |desk| {
        let place = desk.connect("ending").await;
        let subject = place.connection.uuid();
        let warn = |before, days| {
            done().change(Change::EndWarned {
                grant: place.grant,
                token_version: 1,
                before,
                warned: Warned {
                    end: start() + mooring_domain::time::days(14),
                    days,
                },
            })
        };
        for before in [None, None] {
            desk.poke(JobKind::Check, subject, start()).await;
            let held = desk.take(JobKind::Check, subject, start()).await;
            desk.apply(held.fence, warn(before, 14), start()).await;
        }
        let grant = place.grant.uuid();
        assert_eq!(desk.told("ends_in", grant).await, 1);
        let before = Some(Warned {
            end: start() + days(14),
            days: 14,
        });
        desk.poke(JobKind::Check, subject, start()).await;
        let held = desk.take(JobKind::Check, subject, start()).await;
        desk.apply(held.fence, warn(before, 7), start()).await;
        assert_eq!(desk.told("ends_in", grant).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_17_every_status_carries_when_it_was_seen_and_an_old_one_is_unknown() {
    on_both(async |desk| {
        let place = desk.connect("seen").await;
        seen_well(&desk, place).await;
        assert_eq!(health(&desk, place, hours(1)).await, Health::Healthy);
        assert_eq!(
            health(&desk, place, hours(3) + minutes(1)).await,
            Health::Unknown,
            "although nothing was written since"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_034_a_new_id_that_is_connected_already_is_not_taken() {
    on_both(async |desk| {
        let (place, other) = (desk.connect("old").await, desk.connect("new").await);
        let grant = place.grant.uuid();
        let relink = |id: &str, token_version| {
            done().change(Change::Surveyed {
                connection: place.connection,
                grant: place.grant,
                token_version,
                fate: mooring_domain::survey::Fate::Relinked {
                    remote_id: id.to_owned(),
                },
                at: start(),
            })
        };
        for (id, version, told) in [
            ("did:plc:new", 1, 0),
            ("did:plc:newer", 9, 0),
            ("did:plc:newer", 1, 1),
        ] {
            desk.poke(JobKind::Survey, grant, start()).await;
            let held = desk.take(JobKind::Survey, grant, start()).await;
            desk.apply(held.fence, relink(id, version), start()).await;
            let subject = place.connection.uuid();
            assert_eq!(
                desk.told("connection_relinked", subject).await,
                told,
                "{id}"
            );
        }
        let rows = desk.store.connections(desk.workspace, start()).await;
        let rows = rows.expect("the books answer");
        let id_of = |id| {
            rows.iter()
                .find(|row| row.id == id)
                .map(|row| row.remote_id.as_str())
        };
        assert_eq!(id_of(place.connection), Some("did:plc:newer"));
        assert_eq!(id_of(other.connection), Some("did:plc:new"), "untouched");
    })
    .await;
}
