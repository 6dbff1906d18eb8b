//! Checking a proof: nothing is needed but the file and a public key.

use std::collections::HashMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Body, Content, Digest, Entry, Kept, Root, VERSION, canonical,
    file::{self, FileHead, is_intended, lay_out, target_lines},
    merkle,
    root::day_of,
};
use crate::{
    id::WorkspaceId,
    time::{Time, from_ms},
};

/// What is known about a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is of this key over these bytes.
    Good,
    /// It is not.
    Bad,
    /// There is no public key of this id.
    UnknownKey,
}

/// Why a file proves nothing. What is named is where it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The file's own structure.
    #[error("line {line} is not as a proof has it ({what}): the file was changed or cut off")]
    Layout {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The version.
    #[error(
        "the proof is of format version {0}, and this program reads version {VERSION}: use a newer one"
    )]
    Version(u32),
    /// An entry.
    #[error("entry {number}: {what}")]
    Entry {
        /// Its number in the chain.
        number: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A signed root.
    #[error("the root of {day}: {what}")]
    Root {
        /// Which day.
        day: String,
        /// What is wrong.
        what: &'static str,
    },
    /// What is said to have been sent.
    #[error("the content of {target} is not what the entries say was wanted: it was changed")]
    Content {
        /// Whose.
        target: String,
    },
    /// There is nothing in it.
    #[error("it holds no entry, so it proves nothing: what it is about is not chained yet")]
    Empty,
    /// The first line says other things than the entries.
    #[error("the first line says other things than the entries: it was changed")]
    Head,
}

/// A file that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Whose chain.
    pub workspace: WorkspaceId,
    /// What it proves.
    pub subject: String,
    /// The entries, by number.
    pub entries: Vec<Entry>,
    /// The numbers of those under no signed root yet: only hashes hold them together, which whoever changes the file
    /// can make anew.
    pub unsealed: Vec<u64>,
    /// The keys that signed.
    pub keys: Vec<String>,
    /// Each target that it speaks of.
    pub targets: Vec<TargetChecked>,
    /// Whether the entries follow each other without a gap.
    pub gapless: bool,
    /// Whether every entry of every signed day in it is there.
    pub whole_days: bool,
}

/// Where a target stands by the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetChecked {
    /// The target.
    pub target: String,
    /// Verified, and captured.
    pub done: bool,
    /// The newest verdict.
    pub verdict: Option<String>,
    /// When that was seen.
    pub seen_at: Option<Time>,
    /// Where people see it.
    pub permalink: Option<String>,
}

/// Checks a file. `check` answers for a signature: the key's id, the bytes, the signature in hex.
pub fn verify(
    file: &[u8],
    check: impl Fn(&str, &[u8], &str) -> Checked,
) -> Result<Verified, Refused> {
    // What is no text is put right here and found out by the hashes, which then name its place.
    let text = String::from_utf8_lossy(file);
    let parts = Parts::split(&text)?;
    let head: FileHead = read(parts.head).ok_or(layout(1, "its first line does not read"))?;
    if head.v != VERSION {
        return Err(Refused::Version(head.v));
    }
    if head.numbers.is_empty() {
        return Err(Refused::Empty);
    }
    let entries = read_entries(&parts, &head)?;
    let roots = read_roots(&parts, &head, &check)?;
    let unsealed = under_roots(&entries, &roots)?;
    let contents = read_contents(&parts, &entries)?;
    let plain: Vec<Entry> = entries.iter().map(|kept| kept.entry.clone()).collect();
    let derived = FileHead {
        numbers: plain.iter().map(|entry| entry.number).collect(),
        targets: target_lines(plain.iter()),
        ..head.clone()
    };
    if derived != head || !is_about(&head.subject, &plain) {
        return Err(Refused::Head);
    }
    // Each line is canonical by now; this holds what is between them.
    let again = lay_out(
        &canonical::of(&head),
        &lines(&contents),
        &lines(&entries),
        &lines(&roots),
    );
    if again.as_bytes() != file {
        return Err(layout(1, "something is between the lines"));
    }
    let mut keys: Vec<_> = roots
        .iter()
        .map(|root| root.statement.key.clone())
        .collect();
    keys.sort();
    keys.dedup();
    Ok(Verified {
        workspace: head.workspace,
        targets: head
            .targets
            .iter()
            .map(|line| checked(line, &plain))
            .collect(),
        subject: head.subject,
        gapless: plain
            .windows(2)
            .all(|pair| pair[0].number + 1 == pair[1].number),
        whole_days: roots.iter().all(|root| is_whole(root, &plain)),
        entries: plain,
        unsealed,
        keys,
    })
}

/// The file's lines by section.
struct Parts<'a> {
    head: &'a str,
    contents: Vec<&'a str>,
    entries: Vec<&'a str>,
    roots: Vec<&'a str>,
    entries_from: usize,
}

impl<'a> Parts<'a> {
    /// Finds the sections by their opening lines. How many entries there must be, the head says: an entry that was cut
    /// in two by a changed byte is then still found at its place.
    fn split(text: &'a str) -> Result<Self, Refused> {
        let all: Vec<&str> = text.split('\n').collect();
        let first = all.first().copied().unwrap_or_default();
        let head = first.strip_prefix(file::OPENING);
        let head = head.and_then(|rest| rest.strip_suffix(file::CONTENTS));
        let head = head.ok_or(layout(1, "it begins otherwise"))?;
        let find = |wanted: &str| all.iter().position(|line| *line == wanted);
        let entries = find(file::ENTRIES).ok_or(layout(2, "its entries do not begin"))?;
        let roots = find(file::ROOTS);
        let end = find(file::CLOSING);
        let roots = roots.ok_or(layout(entries + 2, "its roots do not begin"))?;
        let end = end.ok_or(layout(roots + 2, "it does not end"))?;
        if !(0 < entries && entries < roots && roots < end) {
            return Err(layout(entries + 1, "its parts are in another order"));
        }
        Ok(Self {
            head,
            contents: all[1..entries].to_vec(),
            entries: all[entries + 1..roots].to_vec(),
            roots: all[roots + 1..end].to_vec(),
            entries_from: entries + 2,
        })
    }
}

const fn layout(line: usize, what: &'static str) -> Refused {
    Refused::Layout { line, what }
}

/// Reads a line that has exactly one spelling.
fn read<T: DeserializeOwned + Serialize>(line: &str) -> Option<T> {
    let value: Value = serde_json::from_str(line).ok()?;
    let read: T = serde_json::from_value(value).ok()?;
    (canonical::of(&read) == line).then_some(read)
}

/// A line without the comma that parts it from the next.
fn bare<'a>(lines: &[&'a str], index: usize) -> Option<&'a str> {
    let line = lines.get(index)?;
    if index + 1 < lines.len() {
        line.strip_suffix(',')
    } else {
        Some(line)
    }
}

fn lines(all: &[impl Serialize]) -> Vec<String> {
    all.iter().map(canonical::of).collect()
}

fn read_entries(parts: &Parts<'_>, head: &FileHead) -> Result<Vec<Kept>, Refused> {
    let mut entries: Vec<Kept> = Vec::with_capacity(head.numbers.len());
    let mut newest: HashMap<&str, Digest> = HashMap::new();
    let mut read_all = Vec::with_capacity(head.numbers.len());
    for (index, number) in head.numbers.iter().enumerate() {
        let refused = |what| Refused::Entry {
            number: *number,
            what,
        };
        let line = bare(&parts.entries, index).ok_or(refused("it is missing or cut off"))?;
        let kept: Kept = read(line).ok_or(refused("it was changed: it does not read"))?;
        check_entry(&kept, *number, head.workspace).map_err(refused)?;
        read_all.push(kept);
    }
    if parts.entries.len() != head.numbers.len() {
        let line = parts.entries_from + head.numbers.len();
        return Err(layout(line, "there are more entries than it says"));
    }
    for kept in &read_all {
        let refused = |what| Refused::Entry {
            number: kept.entry.number,
            what,
        };
        if let Some(last) = entries.last() {
            follows(&last.entry, last.hash, &kept.entry).map_err(refused)?;
        }
        // A day of the whole ledger begins in the middle of everybody's story.
        let begins = head.subject == LEDGER && !newest.contains_key(kept.entry.about.as_str());
        if !begins && newest.get(kept.entry.about.as_str()).copied() != kept.entry.before {
            return Err(refused(
                "the entry before it about the same thing is missing",
            ));
        }
        newest.insert(&kept.entry.about, kept.hash);
        entries.push(kept.clone());
    }
    Ok(entries)
}

/// What a file over everything that was appended is about.
const LEDGER: &str = "ledger";

fn check_entry(kept: &Kept, number: u64, workspace: WorkspaceId) -> Result<(), &'static str> {
    let entry = &kept.entry;
    if entry.hash() != kept.hash {
        return Err("it was changed: its hash is another");
    }
    if entry.v != VERSION {
        return Err("it is of another version: use a newer program");
    }
    if entry.number != number {
        return Err("it stands where another was: entries were exchanged");
    }
    if entry.workspace != workspace {
        return Err("it is of another workspace");
    }
    Ok(())
}

/// Whether an entry can stand behind another in a chain.
fn follows(last: &Entry, hash: Digest, entry: &Entry) -> Result<(), &'static str> {
    if entry.number <= last.number {
        return Err("it stands behind a later one");
    }
    if entry.chained_at < last.chained_at {
        return Err("it was appended before the one that it follows");
    }
    if entry.number == last.number + 1 && entry.previous != Some(hash) {
        return Err("it does not follow the entry before it");
    }
    Ok(())
}

/// Whether these are hexadecimal digits in their one spelling: a capital would read alike, and be another byte.
fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

fn read_roots(
    parts: &Parts<'_>,
    head: &FileHead,
    check: &impl Fn(&str, &[u8], &str) -> Checked,
) -> Result<Vec<Root>, Refused> {
    let mut roots: Vec<Root> = Vec::with_capacity(parts.roots.len());
    for index in 0..parts.roots.len() {
        let nth = || format!("day {} of the file", index + 1);
        let refused = |day: String, what| Refused::Root { day, what };
        let line = bare(&parts.roots, index);
        let root: Option<Root> = line.and_then(read);
        let root = root.ok_or_else(|| refused(nth(), "it was changed: it does not read"))?;
        let statement = &root.statement;
        let day = statement.day.to_string();
        if statement.v != VERSION {
            return Err(Refused::Version(statement.v));
        }
        if !is_hex(&root.signature) {
            return Err(refused(
                day,
                "its signature is spelt otherwise: it was changed",
            ));
        }
        match check(&statement.key, &statement.message(), &root.signature) {
            Checked::Good => {}
            Checked::Bad => {
                return Err(refused(day, "it was changed, or another key signed it"));
            }
            Checked::UnknownKey => {
                return Err(refused(
                    day,
                    "it is signed by a key that was not given: give that public key too",
                ));
            }
        }
        if statement.workspace != head.workspace {
            return Err(refused(day, "it is of another workspace"));
        }
        if let Some(last) = roots.last() {
            let next = statement.first == last.statement.last + 1;
            let later = statement.day > last.statement.day;
            if !later || (next && statement.previous != Some(last.statement.hash())) {
                return Err(refused(day, "it does not follow the day before it"));
            }
        }
        roots.push(root);
    }
    Ok(roots)
}

/// Climbs from each entry to its root; the numbers of those that have none.
fn under_roots(entries: &[Kept], roots: &[Root]) -> Result<Vec<u64>, Refused> {
    let mut unsealed = Vec::new();
    let mut used = vec![false; roots.len()];
    for kept in entries {
        let number = kept.entry.number;
        let refused = |what| Refused::Entry { number, what };
        let Some(inclusion) = &kept.inclusion else {
            unsealed.push(number);
            continue;
        };
        let place = roots
            .iter()
            .position(|root| root.statement.day == inclusion.day);
        let place = place.ok_or(refused("the root of its day is missing"))?;
        used[place] = true;
        let statement = &roots[place].statement;
        if day_of(from_ms(kept.entry.chained_at)) != inclusion.day {
            return Err(refused("it was not appended on that day"));
        }
        let index = number.checked_sub(statement.first);
        let index = index.ok_or(refused("it is not of that day"))?;
        let reached = merkle::climb(kept.hash, index, statement.size(), &inclusion.path);
        if reached != Some(statement.root) {
            return Err(refused("it does not lead to the signed root of its day"));
        }
    }
    match used.iter().position(|used| !used) {
        None => Ok(unsealed),
        Some(index) => Err(Refused::Root {
            day: roots[index].statement.day.to_string(),
            what: "no entry leads to it",
        }),
    }
}

fn read_contents(parts: &Parts<'_>, entries: &[Kept]) -> Result<Vec<Content>, Refused> {
    let mut contents = Vec::with_capacity(parts.contents.len());
    for index in 0..parts.contents.len() {
        let line = bare(&parts.contents, index);
        let content: Option<Content> = line.and_then(read);
        let content = content.ok_or(layout(index + 2, "a content does not read"))?;
        if !is_intended(&content, entries.iter().map(|kept| &kept.entry)) {
            return Err(Refused::Content {
                target: content.target.to_string(),
            });
        }
        contents.push(content);
    }
    Ok(contents)
}

/// Whether all of a day's entries are there.
fn is_whole(root: &Root, entries: &[Entry]) -> bool {
    let statement = &root.statement;
    let of_day = |entry: &&Entry| (statement.first..=statement.last).contains(&entry.number);
    entries.iter().filter(of_day).count() as u64 == statement.size()
}

/// Whether every entry is about what the file says that it proves.
fn is_about(subject: &str, entries: &[Entry]) -> bool {
    let of_post = |about: &str| {
        entries.iter().any(|entry| match &entry.body {
            Body::Intent(intent) => entry.about == about && intent.post.to_string() == subject,
            _ => false,
        })
    };
    subject == LEDGER
        || entries.iter().all(|entry| {
            matches!(entry.body, Body::Restored(_))
                || entry.about == subject
                || of_post(&entry.about)
        })
}

fn checked(line: &file::TargetLine, entries: &[Entry]) -> TargetChecked {
    let looks = entries.iter().filter(|entry| entry.about == line.target);
    let looks = looks.filter_map(|entry| match &entry.body {
        Body::ReadBack(look) => Some((entry.at, look)),
        _ => None,
    });
    let newest = looks.max_by_key(|(at, _)| *at);
    TargetChecked {
        target: line.target.clone(),
        done: line.done,
        verdict: line.verdict.clone(),
        seen_at: newest.and_then(|(at, _)| at).map(from_ms),
        permalink: newest.and_then(|(_, look)| look.permalink.clone()),
    }
}
