//! A proof as a file: JSON with one fixed layout, a line for each entry.
//!
//! Every byte is determined by what the file says, and everything that it says is bound by hashes to its entries or by a
//! signature: whoever changes any byte is found out, and because a line holds one entry, it is known which was changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Body, Captured, Day, Digest, Entry, Root, VERSION, canonical, content_digest, done::is_done,
};
use crate::{
    id::{TargetId, WorkspaceId},
    post::Stage,
};

pub(super) const OPENING: &str = r#"{"format":"mooring.proof","head":"#;
pub(super) const CONTENTS: &str = r#","contents":["#;
pub(super) const ENTRIES: &str = r#"],"entries":["#;
pub(super) const ROOTS: &str = r#"],"roots":["#;
pub(super) const CLOSING: &str = "]}";

/// What a file is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Whose chain.
    pub workspace: WorkspaceId,
    /// What it proves: a target, a post, or `ledger` for everything that was appended on a day.
    pub subject: String,
    /// What was sent, as it is stored now.
    pub contents: Vec<Content>,
    /// The entries, by number.
    pub entries: Vec<Kept>,
    /// The roots that they lead to, by day.
    pub roots: Vec<Root>,
}

/// What a target says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The target.
    pub target: TargetId,
    /// The revision.
    pub revision: i32,
    /// Text, link, media with their digests.
    pub content: Value,
}

/// An entry in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The entry.
    pub entry: Entry,
    /// Its hash.
    pub hash: Digest,
    /// How it leads to a signed root; `None`: its day is not over, or not sealed yet.
    pub inclusion: Option<Inclusion>,
}

/// The way from an entry to its day's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// The day.
    pub day: Day,
    /// The hashes beside the way, from the leaf upwards (RFC 9162, 2.1.3).
    pub path: Vec<Digest>,
}

/// The first line: what the rest is about. All of it follows from the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileHead {
    /// The numbers of the entries, in their order.
    pub(super) numbers: Vec<u64>,
    pub(super) subject: String,
    pub(super) targets: Vec<TargetLine>,
    pub(super) v: u32,
    pub(super) workspace: WorkspaceId,
}

/// Where a target stands by the entries of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TargetLine {
    pub(super) done: bool,
    pub(super) target: String,
    pub(super) verdict: Option<String>,
}

/// Writes the file. Contents that no entry speaks of are left out: they prove nothing.
#[must_use]
pub fn write(export: &Export) -> String {
    let head = FileHead {
        numbers: export
            .entries
            .iter()
            .map(|kept| kept.entry.number)
            .collect(),
        subject: export.subject.clone(),
        targets: target_lines(export.entries.iter().map(|kept| &kept.entry)),
        v: VERSION,
        workspace: export.workspace,
    };
    let spoken_of = export.contents.iter().filter(|content| {
        let entries = export.entries.iter().map(|kept| &kept.entry);
        is_intended(content, entries)
    });
    let contents: Vec<_> = spoken_of.map(canonical::of).collect();
    let entries: Vec<_> = export.entries.iter().map(canonical::of).collect();
    let roots: Vec<_> = export.roots.iter().map(canonical::of).collect();
    lay_out(&canonical::of(&head), &contents, &entries, &roots)
}

/// The one layout.
pub(super) fn lay_out(
    head: &str,
    contents: &[String],
    entries: &[String],
    roots: &[String],
) -> String {
    let mut text = format!("{OPENING}{head}{CONTENTS}\n");
    for (lines, end) in [(contents, ENTRIES), (entries, ROOTS), (roots, CLOSING)] {
        for (index, line) in lines.iter().enumerate() {
            text.push_str(line);
            text.push_str(if index + 1 < lines.len() { ",\n" } else { "\n" });
        }
        text.push_str(end);
        text.push('\n');
    }
    text
}

/// Whether an intent speaks of this very content.
pub(super) fn is_intended<'a>(
    content: &Content,
    mut entries: impl Iterator<Item = &'a Entry>,
) -> bool {
    let digest = content_digest(&content.content);
    let target = content.target.to_string();
    entries.any(|entry| match &entry.body {
        Body::Intent(intent) => {
            entry.about == target
                && intent.revision == content.revision
                && intent.content_sha256 == digest
        }
        _ => false,
    })
}

/// Where each target stands by these entries, in the order in which they first speak of it.
pub(super) fn target_lines<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<TargetLine> {
    let mut stories: Vec<(&str, Vec<&Entry>)> = Vec::new();
    for entry in entries.filter(|entry| !matches!(entry.body, Body::Restored(_))) {
        match stories.iter_mut().find(|(about, _)| *about == entry.about) {
            Some((_, story)) => story.push(entry),
            None => stories.push((&entry.about, vec![entry])),
        }
    }
    let lines = stories.into_iter().map(|(about, story)| {
        let (stage, verdict) = standing(&story);
        let captured = verdict.map(|verdict| Captured {
            verdict: verdict.to_owned(),
        });
        TargetLine {
            done: is_done(stage, verdict, captured.as_ref()),
            target: about.to_owned(),
            verdict: verdict.map(str::to_owned),
        }
    });
    lines.collect()
}

/// How far the newest edition has come by a target's entries, and the newest verdict on it.
fn standing<'a>(story: &[&'a Entry]) -> (Stage, Option<&'a str>) {
    let editions = story.iter().filter_map(|entry| match &entry.body {
        Body::Intent(intent) => Some(intent.edition),
        Body::Request(request) => Some(request.edition),
        _ => None,
    });
    let edition = editions.max().unwrap_or(1);
    let attempts: Vec<_> = story
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Request(request) if request.edition == edition => Some(request.attempt),
            _ => None,
        })
        .collect();
    let (mut stage, mut looked) = (Stage::Scheduled, None);
    for entry in story {
        let reached = match &entry.body {
            Body::Request(request) if request.edition == edition => Stage::Begun,
            Body::Acceptance(one) if attempts.contains(&one.attempt) => Stage::Accepted,
            Body::Outcome(outcome) if outcome.edition == edition => outcome.stage,
            Body::ReadBack(look) if attempts.contains(&look.attempt) => {
                if looked.is_none_or(|(at, _)| entry.at >= at) {
                    looked = Some((entry.at, look.verdict.as_str()));
                }
                continue;
            }
            _ => continue,
        };
        stage = stage.max(reached);
    }
    (stage, looked.map(|(_, verdict)| verdict))
}
