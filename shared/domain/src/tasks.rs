//! What people have to do before something stops: derived from facts and `now`, stored nowhere, so that a task closes by
//! itself when its reason is gone.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    connection::Facts,
    grant::AuthState,
    id::{ConnectionId, GrantId},
    policy::Policy,
    time::{Time, days},
};

/// What somebody has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Give the consent anew, at the platform's page.
    Reauthorize,
}

impl TaskKind {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reauthorize => "reauthorize",
        }
    }
}

/// Why somebody has to do it, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskWhy {
    /// The credential was taken back, or its account is out of its reach.
    Revoked,
    /// The platform refuses the credential.
    Refused,
    /// The credential has ended.
    Ended,
    /// A whole series of refreshes failed.
    RefreshExhausted,
    /// A permission that is needed is missing.
    PermissionMissing,
    /// The credential ends soon, and nothing but a person renews it.
    EndsSoon,
}

impl TaskWhy {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::Ended => "ended",
            Self::RefreshExhausted => "refresh_exhausted",
            Self::PermissionMissing => "permission_missing",
            Self::EndsSoon => "ends_soon",
        }
    }
}

/// What a connection's task is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskFacts {
    /// The connection.
    pub connection: ConnectionId,
    /// Its grant: one consent serves all of its connections.
    pub grant: GrantId,
    /// What health is judged by.
    pub facts: Facts,
    /// When a person last gave the consent.
    pub connected_at: Time,
    /// Since when it is broken, where the stream tells.
    pub broken_since: Option<Time>,
}

/// Something that a person has to do for a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What.
    pub kind: TaskKind,
    /// Why.
    pub why: TaskWhy,
    /// For which grant.
    pub grant: GrantId,
    /// Which of its connections hang on it.
    pub connections: Vec<ConnectionId>,
    /// Since when.
    pub opened_at: Time,
    /// By when: the end of the credential, and where it does not work any more, at once.
    pub due: Time,
}

/// The open tasks, the first due first: one for each grant and reason.
#[must_use]
pub fn tasks(of: &[TaskFacts], policy: &Policy, now: Time) -> Vec<Task> {
    let mut open: Vec<Task> = Vec::new();
    for facts in of {
        let Some(task) = task(facts, policy, now) else {
            continue;
        };
        let same = |one: &&mut Task| (one.grant, one.why) == (task.grant, task.why);
        match open.iter_mut().find(same) {
            None => open.push(task),
            Some(known) => {
                known.opened_at = known.opened_at.min(task.opened_at);
                known.due = known.due.min(task.due);
                known.connections.extend(task.connections);
            }
        }
    }
    open.sort_by_key(|task| (task.due, task.grant, task.why));
    open
}

fn task(of: &TaskFacts, policy: &Policy, now: Time) -> Option<Task> {
    let why = why(&of.facts, policy, now)?;
    let before_the_end = of
        .facts
        .ends_at
        .map(|end| opening(end, of.connected_at, policy));
    let broken = of.broken_since.unwrap_or(of.connected_at);
    let (opened_at, due) = match (why, of.facts.ends_at.zip(before_the_end)) {
        (TaskWhy::EndsSoon, Some((end, opening))) => (opening, end),
        (TaskWhy::Ended, Some((end, opening))) if end <= now => (opening, end),
        // Whatever broke it, its end had called before.
        (_, Some((end, opening))) if broken >= end => (opening, opening),
        (_, _) => (broken, broken),
    };
    Some(Task {
        kind: TaskKind::Reauthorize,
        why,
        grant: of.grant,
        connections: vec![of.connection],
        opened_at,
        due,
    })
}

fn why(facts: &Facts, policy: &Policy, now: Time) -> Option<TaskWhy> {
    let left = facts.ends_at.map(|end| end - now);
    match facts.auth_state {
        AuthState::Revoked => return Some(TaskWhy::Revoked),
        AuthState::Error => return Some(TaskWhy::Refused),
        AuthState::Expired => return Some(TaskWhy::Ended),
        AuthState::Connected => {}
    }
    if left.is_some_and(|left| left <= TimeDelta::zero()) {
        return Some(TaskWhy::Ended);
    }
    if facts.refresh_exhausted {
        return Some(TaskWhy::RefreshExhausted);
    }
    if !facts.scopes_missing.is_empty() {
        return Some(TaskWhy::PermissionMissing);
    }
    let soon = left.is_some_and(|left| left <= lead(policy));
    (soon && !facts.renews_itself).then_some(TaskWhy::EndsSoon)
}

/// When a task opens for an end: with the first warning, and never before there was a consent to give anew.
fn opening(end: Time, connected_at: Time, policy: &Policy) -> Time {
    let by_end = end - lead(policy);
    if connected_at < end {
        by_end.max(connected_at)
    } else {
        by_end
    }
}

/// How long before an end its task opens: with the first warning.
fn lead(policy: &Policy) -> TimeDelta {
    let first = policy.warn_days.iter().copied().max().unwrap_or(14);
    days(i64::from(first.max(1)))
}

#[cfg(test)]
#[path = "tasks_test.rs"]
mod tests;
