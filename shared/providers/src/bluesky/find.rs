//! Looking for a post of which nobody knows the key: by its text and its time.
//!
//! The key of each post of ours is a timestamp identifier of our clock, and a repository lists its records newest key
//! first. So the list tells by itself when everything since the send was seen.

use http::Method;
use mooring_domain::{Failure, post::Finding};

use super::{
    Bluesky, broken, post, tid,
    wire::{POSTS, Record, Records},
};
use crate::{
    provider::{Access, Lost},
    wire::Op,
};

/// Most parts of the list that are read. An account that made 500 posts since the send is looked at by a person.
const PARTS: usize = 5;
/// Records per part: the most that the server gives.
const PART: &str = "100";

impl Bluesky {
    /// Reads the account's posts since the send. Without a token: they are public.
    pub(super) async fn search(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let mut look = Look::new(lost);
        let mut cursor: Option<String> = None;
        for _ in 0..PARTS {
            let mut call = self.call(access, Method::GET, "com.atproto.repo.listRecords")?;
            call = call
                .query("repo", &access.remote_id)
                .query("collection", POSTS)
                .query("limit", PART);
            if let Some(cursor) = &cursor {
                call = call.query("cursor", cursor);
            }
            let reply = self.transport.send(Op::Read, call).await?;
            if !reply.is_success() {
                return Err(self.unread(access, &reply).await);
            }
            let part: Records = reply.read("list of records")?;
            look.take(&access.remote_id, &part.records)?;
            cursor = part.cursor.filter(|_| !part.records.is_empty());
            if look.complete || cursor.is_none() {
                look.complete = true;
                break;
            }
        }
        Ok(look.judge(&access.remote_id))
    }
}

/// What was seen so far.
struct Look<'a> {
    lost: &'a Lost,
    digest: String,
    /// The microsecond of the send: nothing older is the lost post.
    from: u64,
    /// The oldest match so far. Of several the oldest is ours: the others were made by somebody who sent the same
    /// text later.
    found: Option<String>,
    /// The newest key that may come next.
    below: Option<String>,
    /// Everything since the send was seen.
    complete: bool,
}

impl<'a> Look<'a> {
    fn new(lost: &'a Lost) -> Self {
        Self {
            lost,
            digest: lost.content.digest(),
            from: u64::try_from(lost.not_before.timestamp_micros()).unwrap_or(0),
            found: None,
            below: None,
            complete: false,
        }
    }

    /// Reads a part of the list. Keys that are no timestamp identifiers are no keys of ours.
    fn take(&mut self, did: &str, records: &[Record]) -> Result<(), Failure> {
        for record in records {
            let key = post::rkey(&record.uri).filter(|key| record.uri == post::uri(did, key));
            let key = key.ok_or_else(|| broken("listRecords answered with something else"))?;
            let Some(at) = tid::micros(key) else { continue };
            // In another order the end of the list would prove nothing.
            if self.below.as_deref().is_some_and(|below| key >= below) {
                return Err(broken("listRecords is not in the order of its keys"));
            }
            self.below = Some(key.to_owned());
            if at < self.from {
                self.complete = true;
                return Ok(());
            }
            if record.digest() == self.digest && !self.lost.owned.contains(&record.uri) {
                self.found = Some(key.to_owned());
            }
        }
        Ok(())
    }

    fn judge(self, did: &str) -> Finding {
        match self.found {
            // A post without a text says nothing that could be compared.
            Some(_) if self.lost.content.text.trim().is_empty() => Finding::Unsure,
            Some(key) => Finding::Found(post::accepted(post::uri(did, &key), did, &key)),
            None if self.complete => Finding::Absent,
            None => Finding::Unsure,
        }
    }
}

#[cfg(test)]
mod tests {
    use mooring_domain::{post::Content, time::from_ms};

    use super::*;

    const DID: &str = "did:plc:x";
    const SENT_MS: i64 = 1_795_446_000_700;

    fn lost(owned: &[&str]) -> Lost {
        Lost {
            reference: None,
            handle: None,
            prepared: None,
            content: Content::text("Hello  world"),
            not_before: from_ms(SENT_MS),
            owned: owned.iter().map(|key| post::uri(DID, key)).collect(),
        }
    }

    /// The key of a post that was made so many milliseconds after the send.
    fn key(after: i64) -> String {
        tid::tid(from_ms(SENT_MS + after), 7)
    }

    fn record(key: &str, text: &str) -> Record {
        let uri = post::uri(DID, key);
        let value = serde_json::json!({ "uri": uri, "cid": "bafy", "value": { "text": text } });
        serde_json::from_value(value).expect("a record")
    }

    /// What the newest records, newest first, say; `complete`: there are no others.
    fn judged(lost: &Lost, records: &[(String, &str)], complete: bool) -> Result<Finding, Failure> {
        let mut look = Look::new(lost);
        let records: Vec<_> = records
            .iter()
            .map(|(key, text)| record(key, text))
            .collect();
        look.take(DID, &records)?;
        look.complete |= complete;
        Ok(look.judge(DID))
    }

    fn found(key: &str) -> Finding {
        Finding::Found(post::accepted(post::uri(DID, key), DID, key))
    }

    #[test]
    fn the_oldest_with_this_text_since_the_send_is_ours() {
        let list = [
            (key(9_000), "Hello world"),
            (key(2_000), "Hello world"),
            (key(1_000), "other"),
            (key(-1), "Hello world"),
        ];
        assert_eq!(judged(&lost(&[]), &list, false), Ok(found(&key(2_000))));
        let owned = lost(&[&key(2_000)]);
        assert_eq!(judged(&owned, &list, false), Ok(found(&key(9_000))));
    }

    #[test]
    fn a_post_from_before_the_send_ends_the_list_and_proves_absence() {
        let list = [(key(5), "other"), (key(-1), "Hello world")];
        assert_eq!(judged(&lost(&[]), &list, false), Ok(Finding::Absent));
        assert_eq!(judged(&lost(&[]), &list[..1], false), Ok(Finding::Unsure));
        assert_eq!(judged(&lost(&[]), &list[..1], true), Ok(Finding::Absent));
        assert_eq!(judged(&lost(&[]), &[], true), Ok(Finding::Absent));
    }

    #[test]
    fn keys_that_are_no_times_are_not_ours_and_end_nothing() {
        let list = [
            ("pinned".to_owned(), "Hello world"),
            (key(5), "other"),
            ("aaa".to_owned(), "Hello world"),
        ];
        assert_eq!(judged(&lost(&[]), &list, false), Ok(Finding::Unsure));
    }

    #[test]
    fn a_list_in_another_order_or_of_another_account_is_no_answer() {
        let ascending = [(key(3), "other"), (key(5), "Hello world")];
        assert!(judged(&lost(&[]), &ascending, true).is_err());
        let lost = lost(&[]);
        let others = Look::new(&lost).take("did:plc:y", &[record(&key(5), "x")]);
        assert!(matches!(others, Err(Failure::Contract { .. })));
    }

    #[test]
    fn a_post_without_a_text_cannot_be_recognised() {
        let mut lost = lost(&[]);
        lost.content.text = String::new();
        assert_eq!(judged(&lost, &[(key(5), "")], true), Ok(Finding::Unsure));
        assert_eq!(
            judged(&lost, &[(key(5), "words")], true),
            Ok(Finding::Absent)
        );
    }
}
