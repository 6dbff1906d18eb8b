//! What the compiler does not ask for: a new platform's addresses stand in every list, and people read of it.

use std::{collections::BTreeSet, fs, path::Path};

use mooring_domain::Platform;
use mooring_providers::BaseUrls;
use mooring_runtime::config::PlatformsConfig;
use serde::Serialize;

fn page(name: &str) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(top.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The papers that lack a word about a platform.
fn lacking(name: &str, what: impl Fn(Platform, &str) -> bool) -> Vec<String> {
    let text = page(name);
    let missing = Platform::ALL.into_iter().filter(|one| !what(*one, &text));
    missing.map(|one| format!("{name}: {one}")).collect()
}

#[test]
fn every_platform_stands_in_the_papers() {
    let row_of_table = |one: Platform, text: &str| {
        let head = text.lines().find(|line| line.starts_with("| case |"));
        head.is_some_and(|head| head.contains(&format!("| {one} |")))
    };
    let network = |one: Platform| one.capabilities().network;
    let heading = |one: Platform, text: &str| {
        let mut heads = text.lines().filter_map(|line| line.strip_prefix("## "));
        heads.any(|head| head.contains(network(one)))
    };
    let named = |one: Platform, text: &str| text.contains(&format!("`{one}`"));
    let simulated = |one: Platform, text: &str| {
        let site = network(one).to_lowercase();
        text.contains(&format!("under `/{site}"))
    };
    let lacking = [
        lacking("docs/platforms.md", row_of_table),
        lacking("docs/failures.md", heading),
        lacking("docs/how-to/import-connections.md", named),
        lacking("simulator/README.md", simulated),
        lacking("README.md", |one, text| text.contains(network(one))),
    ]
    .concat();
    assert!(lacking.is_empty(), "not a word in {lacking:?}");
}

/// The names of a structure's fields.
fn fields(of: &impl Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(of).expect("a structure");
    let fields = value.as_object().expect("fields").keys();
    fields.cloned().collect()
}

#[test]
fn each_names_every_address() {
    let addresses = fields(&BaseUrls::default());
    let addresses = addresses
        .into_iter()
        .filter(|name| !name.ends_with("_version"));
    let named = BaseUrls::names().into_iter().map(str::to_owned);
    assert_eq!(named.collect::<BTreeSet<_>>(), addresses.collect());

    let config = PlatformsConfig::default();
    let keys = config.each().map(|(key, _)| key.replace("platforms.", ""));
    assert_eq!(BTreeSet::from(keys), fields(&config));
}
