//! Signed addresses: ours open one file for a while, all others nothing.

use chrono::TimeDelta;

use super::*;
use crate::media::{FileType, LinkError, LinkKeys};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const SHA: &str = "aa00000000000000000000000000000000000000000000000000000000000001";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_100, 0).unwrap()
}

fn store(url: &str, keys: &str) -> MediaStore {
    let keys = LinkKeys::parse(keys).unwrap();
    MediaStore::in_memory(1).with_links(Some(url.parse().unwrap()), keys)
}

/// Workspace, file, expiry and signature of an address.
fn parts(url: &Url) -> [String; 4] {
    let path: Vec<_> = url.path_segments().unwrap().map(str::to_owned).collect();
    let query: Vec<_> = url
        .query_pairs()
        .map(|(_, value)| value.into_owned())
        .collect();
    let [.., workspace, file] = path.as_slice() else {
        panic!("{url}");
    };
    [
        workspace.clone(),
        file.clone(),
        query[0].clone(),
        query[1].clone(),
    ]
}

fn open(store: &MediaStore, parts: &[String; 4], now: DateTime<Utc>) -> Result<Link, LinkError> {
    let [workspace, file, expires, signature] = parts;
    store.open_link(workspace, file, expires, signature, now)
}

#[test]
fn our_address_opens_its_file_until_it_expires() {
    let store = store("https://media.example/base/", KEY);
    let workspace = Uuid::from_u128(7);
    let until = now() + TimeDelta::minutes(15);
    let url = store.link(workspace, SHA, FileType::Png, until).unwrap();
    let start = format!("https://media.example/base/m/{workspace}/{SHA}.png?e=");
    assert!(url.as_str().starts_with(&start), "{url}");
    let parts = parts(&url);
    let link = open(&store, &parts, now()).unwrap();
    assert_eq!(
        (link.workspace, &*link.sha256, link.file_type),
        (workspace, SHA, FileType::Png)
    );
    assert!(link.expires_s >= until.timestamp() && link.expires_s % 3_600 == 0);
    let end = DateTime::from_timestamp(link.expires_s, 0).unwrap();
    assert!(open(&store, &parts, end - TimeDelta::seconds(1)).is_ok());
    assert_eq!(open(&store, &parts, end), Err(LinkError::Expired));
    // The same step again, a minute later, gives the platform the same address.
    let again = store.link(workspace, SHA, FileType::Png, until + TimeDelta::minutes(1));
    assert_eq!(again, Some(url));
}

#[test]
fn every_changed_part_makes_a_forgery() {
    let store = store("https://media.example", KEY);
    let url = store
        .link(Uuid::from_u128(7), SHA, FileType::Png, now())
        .unwrap();
    let good = parts(&url);
    assert!(open(&store, &good, now() - TimeDelta::days(1)).is_ok());
    let changes: [(usize, String); 7] = [
        (0, Uuid::from_u128(8).to_string()),
        (1, format!("{}2.png", &SHA[..63])),
        (1, format!("{SHA}.mp4")),
        (2, "9999999999".to_owned()),
        (3, good[3].chars().rev().collect()),
        (3, String::new()),
        (3, "not base64!".to_owned()),
    ];
    for (at, value) in changes {
        let mut forged = good.clone();
        forged[at] = value;
        assert_eq!(
            open(&store, &forged, now()),
            Err(LinkError::Forged),
            "{forged:?}"
        );
    }
}

#[test]
fn keys_are_replaced_one_after_the_other() {
    let old = store("https://media.example", KEY);
    let both = store("https://media.example", &format!("{OTHER}, {KEY}"));
    let new = store("https://media.example", OTHER);
    let made = |store: &MediaStore| {
        parts(
            &store
                .link(
                    Uuid::nil(),
                    SHA,
                    FileType::Jpeg,
                    now() + TimeDelta::hours(1),
                )
                .unwrap(),
        )
    };
    assert!(open(&both, &made(&old), now()).is_ok());
    assert!(open(&new, &made(&both), now()).is_ok());
    assert_eq!(open(&new, &made(&old), now()), Err(LinkError::Forged));
}

#[test]
fn without_key_or_address_there_are_no_links() {
    let nothing = MediaStore::in_memory(1);
    assert!(!nothing.is_public());
    assert_eq!(nothing.link(Uuid::nil(), SHA, FileType::Jpeg, now()), None);
    // A signature made with no key at all must not pass where there is no key.
    let forged = ["w", "f", "1", ""].map(str::to_owned);
    assert_eq!(open(&nothing, &forged, now()), Err(LinkError::Forged));
    assert!(LinkKeys::parse("short").is_none() && LinkKeys::parse(&format!("{KEY},x")).is_none());
    assert!(!format!("{:?}", LinkKeys::parse(KEY)).contains(KEY));
}
