//! `mooring restored`.

use mooring_runtime::{Clock as _, SystemClock};
use mooring_tests::{Database, Engine, Fleet};

use super::{KEYS, embedded, good, run, up};

#[tokio::test]
async fn a_time_that_cannot_be_meant_is_refused_and_marks_nothing() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = Database::fresh(engine).await;
        let fleet = Fleet::new([
            ("MOORING_DATABASE_URL", database.url.clone()),
            ("MOORING_VAULT__KEYS", KEYS.to_owned()),
        ]);
        let restored = |time: &str| run(&fleet, &["restored", "--backup-taken-at", time]);
        restored("2999-01-01T00:00:00Z").refused(&[
            "mooring restored: backup-taken-at: lies in the future",
            "with its time zone",
        ]);
        restored("2001-01-01T00:00:00Z").refused(&[
            "backup-taken-at: is more than 90 days ago",
            "check the year",
        ]);
        for text in ["", "yesterday", "2026-01-31", "2026-01-31 12:00"] {
            restored(text).refused(&[
                "--backup-taken-at",
                "is no time; write it as 2026-01-31T12:00:00Z",
            ]);
        }
        run(&fleet, &["restored"]).failed(&[]);
        let now = SystemClock::new().now().to_rfc3339();
        let said = good(&fleet, &["restored", "--backup-taken-at", &now]);
        assert!(
            said.starts_with("0 target(s) may have been published since "),
            "{said}"
        );
        let again = good(&fleet, &["restored", "--backup-taken-at", &now]);
        assert!(
            again.starts_with("marked already, at ")
                && again.contains(" by cli; nothing was changed\n"),
            "{again}"
        );
    }
}

#[tokio::test]
async fn an_embedded_database_is_not_marked_under_the_process_that_works_on_it() {
    let fleet = embedded();
    let (_up, _) = up(&fleet, "up").await;
    run(
        &fleet,
        &["restored", "--backup-taken-at", "2026-01-31T12:00:00Z"],
    )
    .refused(&["another mooring process works on", "stop it first"]);
}
