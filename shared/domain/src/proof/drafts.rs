//! From rows to entries: what the books know about a target, as facts of the ledger.

use serde_json::Value;

use super::{
    Acceptance, Answer, Body, Intent, Outcome, ReadBack, Request, Restored, Settled,
    content_digest, entry::about,
};
use crate::{
    failure::Failure,
    id::{AttemptId, ConnectionId, PostId, ProofId, TargetId, WorkspaceId},
    platform::Platform,
    post::{Settlement, Stage},
    time::Time,
};

/// A target as the books have it.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSeen {
    /// It.
    pub target: TargetId,
    /// Its post.
    pub post: PostId,
    /// Through which connection.
    pub connection: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// The account's id there.
    pub account: String,
    /// The edition.
    pub edition: i32,
    /// How far it has come.
    pub stage: Stage,
    /// Why, as a stable code.
    pub reason: Option<String>,
    /// When it is due.
    pub due: Time,
    /// When its post was scheduled.
    pub scheduled_at: Time,
    /// The content's revision …
    pub revision: i32,
    /// … and the content, as it is stored.
    pub content: Value,
    /// SHA-256 of what it shows, in its order.
    pub media_sha256: Vec<String>,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptSeen>,
    /// Every look, oldest first.
    pub looks: Vec<LookSeen>,
}

/// An attempt as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptSeen {
    /// It.
    pub attempt: AttemptId,
    /// The edition that it tried.
    pub edition: i32,
    /// Its number within the edition.
    pub number: i32,
    /// The content's revision.
    pub revision: i32,
    /// Our key at the platform.
    pub reference: Option<String>,
    /// Fingerprint of the text.
    pub text_sha256: String,
    /// When it began.
    pub begun_at: Time,
    /// When its call is known to have ended.
    pub call_ended_at: Option<Time>,
    /// With which failure.
    pub failure: Option<Failure>,
    /// The platform's id for an order.
    pub handle: Option<String>,
    /// The acceptance: when, the post's id, where people see it.
    pub accepted: Option<(Time, String, Option<String>)>,
    /// How it was settled.
    pub settlement: Option<Settlement>,
    /// It stands for a forgotten time.
    pub forgotten: bool,
}

/// A look as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookSeen {
    /// Its id.
    pub proof: ProofId,
    /// The attempt whose post was looked for.
    pub attempt: AttemptId,
    /// live, altered, removed or unverifiable.
    pub verdict: String,
    /// The post's id at the platform.
    pub remote_id: String,
    /// Where people see it.
    pub permalink: Option<String>,
    /// Fingerprint of the text that was seen.
    pub text_sha256: Option<String>,
    /// When.
    pub seen_at: Time,
}

/// A restore of the database as the books have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreSeen {
    /// Its id.
    pub id: uuid::Uuid,
    /// When the backup was taken.
    pub taken_at: Time,
    /// When the restore was marked.
    pub marked_at: Time,
}

/// An entry that has no place in a chain yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it is about.
    pub about: String,
    /// The fact behind it.
    pub source: String,
    /// When it happened, where that is known.
    pub at: Option<Time>,
    /// The fact.
    pub body: Body,
}

/// Every entry that a target calls for by now, in the order in which things happened.
#[must_use]
pub fn drafts(seen: &TargetSeen) -> Vec<Draft> {
    let mut all = vec![intent(seen)];
    for attempt in &seen.attempts {
        all.extend(of_attempt(seen, attempt));
    }
    all.extend(seen.looks.iter().map(|look| read_back(seen, look)));
    if seen.stage.is_settled() && seen.stage != Stage::Accepted {
        let source = format!("outcome:{}:{}", seen.edition, seen.stage.as_str());
        let body = Body::Outcome(Outcome {
            edition: seen.edition,
            stage: seen.stage,
            reason: seen.reason.clone(),
        });
        all.push(draft(seen, &source, None, body));
    }
    all
}

/// The entry with which a chain goes on after the database was restored.
pub(super) fn restored(workspace: WorkspaceId, seen: &RestoreSeen) -> Draft {
    Draft {
        about: workspace.to_string(),
        source: format!("{workspace}:restored:{}", seen.id.simple()),
        at: Some(seen.marked_at),
        body: Body::Restored(Restored {
            taken_at: seen.taken_at.timestamp_millis(),
            marked_at: seen.marked_at.timestamp_millis(),
        }),
    }
}

fn draft(seen: &TargetSeen, source: &str, at: Option<Time>, body: Body) -> Draft {
    Draft {
        about: about(seen.target),
        source: format!("{}:{source}", seen.target),
        at,
        body,
    }
}

/// What is wanted now. What was wanted before, and changed before this looked, is told by the stream alone; but what an
/// attempt sends cannot change any more, so the intent behind every request is chained.
fn intent(seen: &TargetSeen) -> Draft {
    let due = seen.due.timestamp_millis();
    let source = format!("intent:{}:{}:{due}", seen.edition, seen.revision);
    let first = seen.edition == 1 && seen.revision == 1;
    let body = Body::Intent(Intent {
        post: seen.post,
        connection: seen.connection,
        platform: seen.platform,
        account: seen.account.clone(),
        edition: seen.edition,
        revision: seen.revision,
        due,
        content_sha256: content_digest(&seen.content),
        media_sha256: seen.media_sha256.clone(),
    });
    draft(seen, &source, first.then_some(seen.scheduled_at), body)
}

fn of_attempt(seen: &TargetSeen, attempt: &AttemptSeen) -> Vec<Draft> {
    let of = |what: &str| format!("{what}:{}", attempt.attempt);
    let same_content = attempt.revision == seen.revision;
    let request = Body::Request(Request {
        attempt: attempt.attempt,
        edition: attempt.edition,
        number: attempt.number,
        revision: attempt.revision,
        reference: attempt.reference.clone(),
        text_sha256: attempt.text_sha256.clone(),
        content_sha256: same_content.then(|| content_digest(&seen.content)),
        forgotten: attempt.forgotten,
    });
    let begun = Some(attempt.begun_at);
    let mut all = vec![draft(seen, &of("request"), begun, request)];
    if let Some(at) = attempt.call_ended_at {
        let class = attempt
            .failure
            .as_ref()
            .map_or("processing", Failure::class);
        let answer = Body::Answer(Answer {
            attempt: attempt.attempt,
            class: class.to_owned(),
            failure: attempt.failure.clone(),
            handle: attempt.handle.clone(),
        });
        all.push(draft(seen, &of("answer"), Some(at), answer));
    }
    if let Some((at, remote_id, permalink)) = &attempt.accepted {
        let acceptance = Body::Acceptance(Acceptance {
            attempt: attempt.attempt,
            remote_id: remote_id.clone(),
            permalink: permalink.clone(),
        });
        all.push(draft(seen, &of("acceptance"), Some(*at), acceptance));
    }
    if let Some(settlement) = attempt.settlement {
        let settled = Body::Settlement(Settled {
            attempt: attempt.attempt,
            settlement,
        });
        // An acceptance that comes after all settles an attempt anew.
        let source = format!("settlement:{}:{}", attempt.attempt, settlement.as_str());
        all.push(draft(seen, &source, None, settled));
    }
    all
}

fn read_back(seen: &TargetSeen, look: &LookSeen) -> Draft {
    let body = Body::ReadBack(ReadBack {
        proof: look.proof,
        attempt: look.attempt,
        verdict: look.verdict.clone(),
        remote_id: look.remote_id.clone(),
        permalink: look.permalink.clone(),
        text_sha256: look.text_sha256.clone(),
    });
    let source = format!("look:{}", look.proof);
    draft(seen, &source, Some(look.seen_at), body)
}
