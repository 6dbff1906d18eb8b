//! The proof ledger: chains, signed roots, keys, and the news that wait to be chained.
//!
//! The news are noted by triggers, in the transaction that writes the fact: whenever it commits, they are there, and
//! they stay until they are chained. So nobody's late commit is missed, and binaries of the release before feed the
//! ledger too.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, pk_uuid, string, string_null, text, uuid},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [entries(), roots(), heads(), keys(), pending()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns, unique) in INDEXES {
            let mut index = Index::create();
            index.name(*name).table(*table);
            for column in *columns {
                index.col(*column);
            }
            if *unique {
                index.unique();
            }
            manager.create_index(index).await?;
        }
        let db = manager.get_connection();
        // Whatever happened before there was a ledger is chained now, and says when it was.
        db.execute_unprepared(
            "INSERT INTO ledger_pending (workspace_id, target_id)
             SELECT workspace_id, id FROM post_targets ORDER BY id",
        )
        .await?;
        for statement in statements(manager, true) {
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in statements(manager, false) {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        manager
            .drop_index(Index::drop().name(DUE.0).table(DUE.1).to_owned())
            .await?;
        super::drop_tables(
            manager,
            &[
                "ledger_pending",
                "ledger_keys",
                "ledger_heads",
                "ledger_roots",
                "ledger",
            ],
        )
        .await
    }
}

type IndexRow = (&'static str, &'static str, &'static [&'static str], bool);

/// What was due in a period: the verified publish rate asks for it.
const DUE: IndexRow = (
    "post_targets_period",
    "post_targets",
    &["workspace_id", "due_at"],
    false,
);

const INDEXES: &[IndexRow] = &[
    ("ledger_source", "ledger", &["workspace_id", "source"], true),
    ("ledger_about", "ledger", &["about", "number"], false),
    ("ledger_heads_open", "ledger_heads", &["open_since"], false),
    DUE,
];

fn entries() -> TableCreateStatement {
    Table::create()
        .table("ledger")
        .col(uuid("workspace_id"))
        .col(big_integer("number"))
        .col(string("about"))
        .col(string("source"))
        .col(string("kind"))
        .col(big_integer("chained_at"))
        .col(string("hash"))
        // The canonical text that is hashed, byte by byte.
        .col(text("entry"))
        // Two can never go on from one end.
        .primary_key(Index::create().col("workspace_id").col("number"))
        .to_owned()
}

fn roots() -> TableCreateStatement {
    Table::create()
        .table("ledger_roots")
        .col(uuid("workspace_id"))
        .col(string("day"))
        .col(big_integer("first"))
        .col(big_integer("last"))
        // The canonical text that is signed, and the signature in hex.
        .col(text("statement"))
        .col(string("signature"))
        .primary_key(Index::create().col("workspace_id").col("day"))
        .to_owned()
}

fn heads() -> TableCreateStatement {
    Table::create()
        .table("ledger_heads")
        .col(pk_uuid("workspace_id"))
        .col(big_integer("number"))
        .col(string("hash"))
        .col(big_integer("chained_at"))
        .col(big_integer("sealed"))
        .col(string_null("root_day"))
        .col(string_null("root_hash"))
        .col(big_integer_null("open_since"))
        .to_owned()
}

fn keys() -> TableCreateStatement {
    Table::create()
        .table("ledger_keys")
        .col(string("id").primary_key())
        .col(string("public_key"))
        .col(big_integer("first_used_at"))
        .to_owned()
}

fn pending() -> TableCreateStatement {
    Table::create()
        .table("ledger_pending")
        .col(
            ColumnDef::new("id")
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(uuid("workspace_id"))
        .col(uuid("target_id"))
        .to_owned()
}

/// A trigger: its name, after what, on which table, when, and whose news it is (by [`NOTE`]).
type TriggerRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    usize,
);

/// A publish writes a target's row, an attempt's and its end; what says nothing new is not noted.
const TRIGGERS: &[TriggerRow] = &[
    ("ledger_target_new", "INSERT", "post_targets", "", 0),
    (
        "ledger_target_moved",
        "UPDATE",
        "post_targets",
        // Begun and accepted are told by the attempts.
        "WHEN (OLD.due_at <> NEW.due_at OR OLD.edition <> NEW.edition \
         OR (OLD.stage <> NEW.stage AND NEW.stage IN (20, 30, 40, 50, 70)))",
        0,
    ),
    ("ledger_attempt_new", "INSERT", "publish_attempts", "", 1),
    (
        "ledger_attempt_moved",
        "UPDATE",
        "publish_attempts",
        "WHEN ((OLD.call_ended_at IS NULL) <> (NEW.call_ended_at IS NULL) \
         OR (OLD.accepted_at IS NULL) <> (NEW.accepted_at IS NULL) \
         OR COALESCE(OLD.settlement, '') <> COALESCE(NEW.settlement, ''))",
        1,
    ),
    ("ledger_look_new", "INSERT", "proofs", "", 1),
    (
        "ledger_post_moved",
        "UPDATE",
        "posts",
        "WHEN (OLD.revision <> NEW.revision)",
        2,
    ),
];

/// Notes a target that is new, one that something is about, and those of a post.
const NOTE: [&str; 3] = [
    "INSERT INTO ledger_pending (workspace_id, target_id) VALUES (NEW.workspace_id, NEW.id);",
    "INSERT INTO ledger_pending (workspace_id, target_id) VALUES (NEW.workspace_id, NEW.target_id);",
    "INSERT INTO ledger_pending (workspace_id, target_id) \
     SELECT workspace_id, id FROM post_targets WHERE post_id = NEW.id;",
];

/// Tables that only grow.
const FINAL: [&str; 2] = ["ledger", "ledger_roots"];

/// The triggers, made or taken away.
fn statements(manager: &SchemaManager<'_>, up: bool) -> Vec<String> {
    let postgres = manager.get_database_backend() == DbBackend::Postgres;
    match (postgres, up) {
        (true, true) => postgres_up(),
        (true, false) => postgres_down(),
        (false, true) => sqlite_up(),
        (false, false) => sqlite_down(),
    }
}

fn postgres_up() -> Vec<String> {
    let mut all = Vec::new();
    for (index, note) in NOTE.iter().enumerate() {
        all.push(format!(
            "CREATE FUNCTION ledger_note_{index}() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN {note} RETURN NULL; END $$"
        ));
    }
    for (name, after, table, when, note) in TRIGGERS {
        all.push(format!(
            "CREATE TRIGGER {name} AFTER {after} ON {table}
             FOR EACH ROW {when} EXECUTE FUNCTION ledger_note_{note}()"
        ));
    }
    all.push(
        "CREATE FUNCTION ledger_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
            .to_owned(),
    );
    for table in FINAL {
        all.push(format!(
            "CREATE TRIGGER {table}_final BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
             FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_final()"
        ));
    }
    all
}

fn postgres_down() -> Vec<String> {
    let triggers = TRIGGERS
        .iter()
        .map(|(name, _, table, ..)| (*name).to_owned() + " ON " + table);
    let finals = FINAL
        .iter()
        .map(|table| format!("{table}_final ON {table}"));
    let triggers = triggers.chain(finals);
    let mut all: Vec<_> = triggers
        .map(|trigger| format!("DROP TRIGGER IF EXISTS {trigger}"))
        .collect();
    let notes = (0..NOTE.len()).map(|index| format!("ledger_note_{index}"));
    let functions = notes.chain(["ledger_is_final".to_owned()]);
    all.extend(functions.map(|name| format!("DROP FUNCTION IF EXISTS {name}")));
    all
}

fn sqlite_up() -> Vec<String> {
    let notes = TRIGGERS.iter().map(|(name, after, table, when, note)| {
        let note = NOTE[*note];
        format!(
            "CREATE TRIGGER {name} AFTER {after} ON {table} FOR EACH ROW {when} BEGIN {note} END"
        )
    });
    let mut all: Vec<_> = notes.collect();
    for table in FINAL {
        for act in ["UPDATE", "DELETE"] {
            all.push(format!(
                "CREATE TRIGGER {table}_final_{act} BEFORE {act} ON {table}
                 BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            ));
        }
    }
    all
}

fn sqlite_down() -> Vec<String> {
    let triggers = TRIGGERS.iter().map(|(name, ..)| (*name).to_owned());
    let finals = FINAL
        .iter()
        .flat_map(|table| ["UPDATE", "DELETE"].map(|act| format!("{table}_final_{act}")));
    triggers
        .chain(finals)
        .map(|name| format!("DROP TRIGGER IF EXISTS {name}"))
        .collect()
}
