//! Posts as people plan them: by the API, as a whole and in parts, kept apart, not twice, once more.

mod again;
mod api;
mod spacing;
mod states;
mod times;
mod twice;

use mooring_domain::TargetId;
use mooring_tests::{Account, World};
use serde_json::{Value, json};

/// The simplest post on some accounts, due in so many minutes.
fn plan(w: &World, to: &[&Account], text: &str, minutes: i64) -> Value {
    let to: Vec<String> = to.iter().map(|one| one.connection.to_string()).collect();
    let due = w.now() + mooring_domain::time::minutes(minutes);
    json!({"connections": to, "text": text, "due": due})
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field}: {value}"))
}

/// One target's id, as text and as an id.
fn target(post: &Value, place: usize) -> (String, TargetId) {
    let id = text(&post["targets"][place], "id").to_owned();
    let read = id.parse().expect("a target's id");
    (id, read)
}

/// When each of these texts came to exist at its platform, in minutes since `from`; in the order of the texts.
fn minutes_out(w: &World, from: mooring_domain::Time, texts: &[&str]) -> Vec<Option<i64>> {
    let ledger = w.sim().ledger(&mooring_simulator::LedgerFilter::default());
    let out = texts.iter().map(|text| {
        let entry = ledger.iter().find(|entry| entry.text == **text)?;
        Some((entry.created_at - from.timestamp_millis()) / 60_000)
    });
    out.collect()
}
