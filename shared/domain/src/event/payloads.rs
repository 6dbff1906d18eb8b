//! What some events carry: those with several fields of their own, and how much an event wants to be seen.

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    id::{AttemptId, ConnectId, ConnectionId, GrantId, KeyId, TargetId, WorkspaceId},
    platform::Platform,
    post::PostState,
    time::Time,
};

/// A person let a connection go. Its history stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRemoved {
    /// It.
    pub connection: ConnectionId,
    /// Its grant.
    pub grant: GrantId,
    /// `disconnected` or `kill_switch`.
    pub why: String,
    /// How many pending targets were cancelled.
    pub cancelled: u64,
    /// How many targets were on their way and finish.
    pub in_flight: u64,
}

/// Every connection of a workspace was let go in one act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceDisconnected {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// How many connections.
    pub connections: u64,
    /// How many pending targets were cancelled.
    pub cancelled: u64,
}

/// A person publishes a target once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetPublishedAgain {
    /// The target.
    pub target: TargetId,
    /// The new edition.
    pub edition: i32,
    /// When it is due.
    pub due: Time,
}

/// A person published a target by hand, and told us where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativePublished {
    /// The target.
    pub target: TargetId,
    /// The attempt that it became.
    pub attempt: AttemptId,
    /// Where people see it.
    pub url: String,
}

/// A copy of a connection to another workspace was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyBegun {
    /// The connection.
    pub connection: ConnectionId,
    /// The run in the other workspace that makes the copy.
    pub connect: ConnectId,
    /// The other workspace.
    pub workspace: WorkspaceId,
}

/// A key to the API was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    /// It.
    pub key: KeyId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// One target of a post that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledTarget {
    /// It.
    pub target: TargetId,
    /// Its platform.
    pub platform: Platform,
    /// How it ended.
    pub state: PostState,
    /// Where people see it.
    pub permalink: Option<String>,
}

/// How much an event wants to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    Info,
    /// Somebody should look some time.
    Warning,
    /// Somebody must act.
    Critical,
}
