//! A database as one text.

use std::fmt::Write as _;

use mooring_store::Store;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};

/// Every row of every table, one per line behind its table's name. Bytes are in lower-case hex.
pub async fn dump(store: &Store) -> String {
    let db = store.connection();
    let tables = if store.is_postgres() {
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
    };
    let mut text = String::new();
    for table in column(db, tables).await {
        let rows = if store.is_postgres() {
            format!(r#"SELECT line::text FROM "{table}" AS line"#)
        } else {
            sqlite_rows(db, &table).await
        };
        for row in column(db, &rows).await {
            writeln!(text, "{table}: {row}").expect("a String takes every write");
        }
    }
    text
}

/// SQLite has no text of a whole row: each column is quoted, and bytes become `X'…'`.
async fn sqlite_rows(db: &DatabaseConnection, table: &str) -> String {
    let columns = column(
        db,
        &format!("SELECT name FROM pragma_table_info('{table}')"),
    )
    .await;
    let quoted: Vec<String> = columns
        .iter()
        .map(|name| format!(r#"quote("{name}")"#))
        .collect();
    format!(
        r#"SELECT lower({0}) || ' ' || {0} FROM "{table}""#,
        quoted.join(" || ',' || ")
    )
}

async fn column(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    let rows = db
        .query_all_raw(statement)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter()
        .map(|row| row.try_get_by_index(0).expect("a text"))
        .collect()
}
