//! Rotating the key that seals.

use std::collections::BTreeMap;

use mooring_domain::{
    Event, Evidence, Lane, Platform, WorkspaceId,
    grant::Renewed,
    post::Stage,
    time::{hours, minutes},
};
use mooring_gateway::acts::{self, ActError};
use mooring_store::{Actor, Refusal, Secrets, StoreError, TokensStored};
use mooring_tests::{Engine, World, WorldOptions};
use mooring_vault::{KeyRing, Secret, Vault, VaultError, new_key_text};
use uuid::Uuid;

use super::safe::{Safe, done, meddle, on_both, start};

/// A refresh's answer, stored past any claim.
async fn renewed(safe: &Safe, grant: mooring_domain::GrantId, spent: i64) -> Option<TokensStored> {
    let evidence = Evidence::Renewed {
        grant,
        spent_version: spent,
        renewed: Renewed {
            access_expires_at: Some(start() + hours(4)),
            refresh_expires_at: None,
            scopes: None,
        },
        at: start() + hours(2),
    };
    let tokens = (
        grant,
        Secret::from("access-renewed"),
        Some(Secret::from("refresh-renewed")),
    );
    let secrets = Secrets {
        grants: vec![tokens],
        ..Secrets::default()
    };
    let fence = safe.held(grant).fence;
    let result = safe.result(fence, done().evidence(evidence), secrets, start());
    let applied = safe.store.apply_job(&result).await;
    applied.expect("evidence is kept").tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_a_rotation_seals_everything_anew_while_posts_go_out() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let mut lanes = WorldOptions::default().lanes;
        lanes.push(Lane::House);
        let w = World::with(WorldOptions {
            engine,
            lanes,
            ..WorldOptions::default()
        })
        .await;
        let account = w.connect(Platform::Bluesky).await;
        for platform in [Platform::Facebook, Platform::X, Platform::BlueskyOAuth] {
            w.connect(platform).await;
        }
        let posted = w.post(&account, "while keys change", minutes(1)).await;
        w.settle().await;
        let counts = w.store.sealed_counts().await.expect("counts");
        assert_eq!(counts.len(), 1, "{counts:?}");
        let before: BTreeMap<String, u64> = counts["world"].clone();
        assert!(
            before.len() >= 5,
            "every kind of secret is there: {before:?}"
        );

        acts::activate_vault_key(&w.store, &Actor::Cli, "next", w.now())
            .await
            .expect("the key is put in force");
        w.advance(minutes(10)).await;
        let counts = w.store.sealed_counts().await.expect("counts");
        assert_eq!(counts.keys().collect::<Vec<_>>(), ["next"]);
        w.assert_post(&posted, Stage::Accepted, Some("live")).await;
        let house = WorkspaceId::from_uuid(Uuid::nil());
        let events = w.store.events(house, 1_000).await.expect("events");
        let told = |name: &str| events.iter().find(|event| event.name == name);
        let activated = told("vault_key_activated").expect("who rotated, and when");
        assert_eq!(activated.actor, "cli");
        let resealed = told("vault_resealed").expect("it is said when all is sealed anew");
        let Ok(Event::VaultResealed {
            key, unreadable, ..
        }) = serde_json::from_value(resealed.data.clone())
        else {
            panic!("{:?}", resealed.data)
        };
        assert_eq!((key.as_str(), unreadable), ("next", 0));

        // Refreshes go on: their compare is on the version, which re-sealing leaves alone.
        w.advance(hours(3)).await;
        assert!(w.event_counts().await["token_refreshed"] > 0);
        assert!(!w.event_counts().await.contains_key("auth_state_changed"));
        w.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_tokens_that_a_refresh_stores_meanwhile_win_over_the_re_sealing() {
    on_both(async |safe| {
        let (one, other) = (safe.connect("one").await, safe.connect("other").await);
        safe.activate("k2").await;
        let (fence, reseal, batch) = safe.batch(start()).await;
        assert_eq!(
            (batch.seen.place.as_str(), batch.values.len()),
            ("grants.access_token", 2)
        );
        // The batch was read; now the refresh of one of them is stored.
        assert_eq!(renewed(&safe, one, 1).await, Some(TokensStored::Stored));
        safe.keep(fence, &reseal, batch, start()).await;
        let fresh = (
            "access-renewed".to_owned(),
            Some("refresh-renewed".to_owned()),
        );
        assert_eq!(
            safe.tokens(&safe.store, one).await,
            fresh,
            "the newer tokens stand"
        );

        safe.walk(start()).await;
        assert_eq!(safe.tokens(&safe.store, one).await, fresh);
        let kept = ("access-other".to_owned(), Some("refresh-other".to_owned()));
        assert_eq!(safe.tokens(&safe.store, other).await, kept);
        assert_eq!(safe.sealed_with().await, ["k2".to_owned()].into());
        // The other one was sealed anew under its feet, and its refresh is stored all the same.
        assert_eq!(renewed(&safe, other, 1).await, Some(TokensStored::Stored));
        assert_eq!(safe.tokens(&safe.store, other).await, fresh);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_re_sealing_counts_what_does_not_open_tells_it_and_leaves_it_alone() {
    on_both(async |safe| {
        let (one, other) = (safe.connect("one").await, safe.connect("other").await);
        let moved = "UPDATE grants SET refresh_token = access_token WHERE id = $1";
        safe.meddle(moved, [one.uuid().into()]).await;
        safe.activate("k2").await;
        safe.walk(start()).await;
        let counts = safe.store.sealed_counts().await.expect("counts");
        let left = BTreeMap::from([("grants.refresh_token".to_owned(), 1)]);
        assert_eq!(
            counts["k1"], left,
            "left alone, and k1 may not be removed yet"
        );
        assert_eq!(counts["k2"]["grants.access_token"], 2);
        assert_eq!(counts["k2"]["grants.refresh_token"], 1);
        let told = safe.told("sealed_unreadable").await;
        assert_eq!(told.len(), 1, "told once, by the walk");
        assert_eq!(told[0].subject, one.uuid());
        let active = safe.store.read_keys().await.expect("keys").expect("a key");
        assert_eq!((active.reseal.resealed, active.reseal.unreadable), (3, 1));
        safe.tokens(&safe.store, other).await;
        // What cannot be opened does not make it walk again.
        assert_eq!(safe.walk(start() + hours(48)).await, 1);
        assert_eq!(safe.told("sealed_unreadable").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_what_was_sealed_with_an_older_key_after_the_walk_is_found() {
    on_both(async |safe| {
        safe.connect("one").await;
        safe.activate("k2").await;
        safe.walk(start()).await;
        // A process that was started with yesterday's ring.
        let ring = KeyRing::parse(safe.keys[0].expose()).expect("a ring");
        let stale = safe
            .database
            .store_with(ring, mooring_domain::Policy::default())
            .await;
        let late = Safe {
            store: stale,
            workspace: safe.workspace,
            me: safe.me,
            keys: safe.keys.clone(),
            database: safe.database,
        };
        late.connect("late").await;
        assert!(late.sealed_with().await.contains("k1"));
        let known = Safe {
            store: safe.store,
            ..late
        };
        known.walk(start() + hours(48)).await;
        assert_eq!(known.sealed_with().await, ["k2".to_owned()].into());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_a_key_is_put_in_force_only_when_every_process_knows_it() {
    on_both(async |safe| {
        let grant = safe.connect("one").await;
        // Another process, whose key file has the old key only.
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys");
        std::fs::write(&file, safe.keys[0].expose()).expect("a file");
        let ring = KeyRing::from_file(&file).expect("a ring");
        let vault = Vault::of_file(ring, file.clone());
        let options = mooring_store::Options {
            url: safe.database.url.clone(),
            max_connections: 2,
        };
        let other = mooring_store::Store::open(options, vault, mooring_domain::Policy::default());
        let other = other.await.expect("it opens");
        let beat = || other.note_holder(other.mint(start()), "worker", "far", start());
        beat().await.expect("it is noted");
        let refused = acts::activate_vault_key(&safe.store, &Actor::Cli, "k2", start()).await;
        let refusal = Refusal::VaultKeyNotEverywhere {
            key: "k2".to_owned(),
            without: 1,
            processes: 1,
        };
        assert!(matches!(refused, Err(ActError::Refused(r)) if r == refusal));
        assert_eq!(
            safe.told("vault_key_activated").await.len(),
            1,
            "k1's, and no other"
        );
        let before = safe.store.read_keys().await.expect("keys").expect("a key");
        assert_eq!(before.reseal.key, "k1");

        // Its file gets the key; after a minute of silence its first word no longer counts.
        let both = safe.keys.each_ref().map(Secret::expose).join("\n");
        std::fs::write(&file, both).expect("a file");
        let later = start() + minutes(2);
        other.vault().reread().expect("it is read");
        let noted = other.note_holder(other.mint(later), "worker", "far", later);
        noted.await.expect("it is noted");
        acts::activate_vault_key(&safe.store, &Actor::Cli, "k2", later)
            .await
            .expect("everybody knows it");
        safe.walk(later).await;
        safe.tokens(&other, grant).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_142_a_process_with_a_wrong_key_or_none_opens_nothing_and_changes_nothing() {
    on_both(async |safe| {
        let grant = safe.connect("one").await;
        let before = mooring_tests::dump(&safe.store).await;
        // A key of the same name that is another one.
        let wrong = new_key_text("k1").expect("a key");
        let ring = KeyRing::parse(wrong.expose()).expect("a ring");
        let policy = mooring_domain::Policy::default();
        let wrong = safe.database.store_with(ring, policy.clone()).await;
        let refused = wrong.read_keys().await.expect_err("it is noticed");
        assert!(matches!(refused, StoreError::WrongKey { key } if key == "k1"));
        let refused = wrong
            .refresh_job(&safe.held(grant))
            .await
            .expect_err("it opens nothing");
        assert!(matches!(
            refused,
            StoreError::Sealed {
                source: VaultError::Tampered,
                ..
            }
        ));
        let ring = KeyRing::parse(safe.keys[1].expose()).expect("a ring");
        let none = safe.database.store_with(ring, policy).await;
        assert!(
            !none
                .read_keys()
                .await
                .expect("keys")
                .expect("a key")
                .known_here
        );
        let refused = none
            .refresh_job(&safe.held(grant))
            .await
            .expect_err("it opens nothing");
        assert!(matches!(
            refused,
            StoreError::Sealed {
                source: VaultError::UnknownKey(_),
                ..
            }
        ));
        assert_eq!(mooring_tests::dump(&safe.store).await, before);
        // Once the value is gone there is nothing to refuse.
        let gone = "UPDATE grants SET access_token = NULL WHERE id = $1";
        meddle(&safe.store, gone, [grant.uuid().into()]).await;
        let job = wrong
            .refresh_job(&safe.held(grant))
            .await
            .expect("it answers");
        assert!(job.expect("a grant").credentials.is_none());
    })
    .await;
}
