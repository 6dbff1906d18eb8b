//! Why an act does not happen.

use mooring_domain::{ConnectionId, PostId, TargetId, Time};

use crate::StoreError;

/// Why an act was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The target is on its way or beyond.
    #[error(
        "{target} has begun to be published (stage {stage}): it can no longer be changed or cancelled"
    )]
    AlreadyBegun {
        /// Which.
        target: TargetId,
        /// How far it has come.
        stage: String,
    },
    /// Another post says the same on the same connection within a day.
    #[error(
        "{post} says the same on {connection} at {}, less than a day apart: change one of them, or allow the duplicate",
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    )]
    Duplicate {
        /// The other post.
        post: PostId,
        /// Where.
        connection: ConnectionId,
        /// When people see it, or have seen it.
        at: Time,
    },
    /// Somebody else has changed it since it was read.
    #[error("{what} was changed by somebody else at the same time: look at it, and repeat this")]
    ChangedMeanwhile {
        /// What.
        what: String,
    },
    /// The target goes out by itself.
    #[error("{target} has not ended yet, and goes out by itself: change it, or cancel it first")]
    NotEnded {
        /// Which.
        target: TargetId,
    },
    /// What became of the target's last attempt is not known yet.
    #[error(
        "{target} may be live: its last attempt is on its way, or what became of it is being found out; try again when that is settled"
    )]
    AttemptDangles {
        /// Which.
        target: TargetId,
    },
    /// The target is out, and settled.
    #[error(
        "{target} is published{}, and settled: to publish it a second time, say that you want it even if published",
        permalink.as_ref().map(|link| format!(" ({link})")).unwrap_or_default()
    )]
    Published {
        /// Which.
        target: TargetId,
        /// Where people see it.
        permalink: Option<String>,
    },
    /// Nobody knows whether the target is out.
    #[error(
        "nobody knows whether {target} is out: look at the platform, and say that you want it even if published"
    )]
    Unconfirmed {
        /// Which.
        target: TargetId,
    },
    /// There is no such thing in this workspace.
    #[error("{what} does not exist in this workspace")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The account is connected already.
    #[error(
        "{platform} account {remote_id} is connected in this workspace already: leave it out, or reconnect it"
    )]
    AlreadyConnected {
        /// The platform.
        platform: String,
        /// The account.
        remote_id: String,
    },
    /// A running process does not know the vault's key yet.
    #[error(
        "{without} of {processes} running process(es) do not know key {key} yet: add it to vault.keys everywhere, and repeat this"
    )]
    VaultKeyNotEverywhere {
        /// The key's id.
        key: String,
        /// How many do not know it.
        without: usize,
        /// How many run.
        processes: usize,
    },
    /// The account lives in another workspace.
    #[error(
        "{name} ({platform}) is connected in another workspace: disconnect it there first, or ask an admin of both to copy it"
    )]
    ConnectedElsewhere {
        /// The platform.
        platform: String,
        /// What people call the account.
        name: String,
    },
    /// The workspace's plan has not got the platform.
    #[error(
        "{platform} is not part of this workspace's plan: ask an admin of the installation to add it; what is connected stays"
    )]
    PlanPlatform {
        /// The network.
        platform: String,
    },
    /// The workspace's plan allows no more accounts of the platform.
    #[error(
        "the plan allows {limit} {platform} account(s), and so many are connected: disconnect one, or ask an admin of the installation for more; what is connected stays"
    )]
    PlanLimit {
        /// The network.
        platform: String,
        /// How many.
        limit: u32,
    },
    /// Too many runs of connecting came to nothing.
    #[error(
        "too many attempts at connecting came to nothing: connecting is refused for an hour, until {}",
        until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    )]
    TooManyAttempts {
        /// Until when.
        until: Time,
    },
    /// The run of connecting, or the link, was used or is over.
    #[error("this was used already, or its time is over: begin anew")]
    Over,
    /// The connection was disconnected.
    #[error("{connection} was disconnected: connect the account again first")]
    ConnectionRemoved {
        /// Which.
        connection: ConnectionId,
    },
    /// Nobody confirmed what this would do, or it would do something else by now.
    #[error("this was not confirmed: look at what it does, and repeat it with that confirmation")]
    ConfirmationNeeded,
    /// It was never published.
    #[error(
        "{target} was never published (stage {stage}): there is nothing of it to take down; cancel it instead"
    )]
    NotPublished {
        /// Which.
        target: TargetId,
        /// How far it has come.
        stage: String,
    },
    /// It is published already.
    #[error("{target} is published already: sync its post to see where")]
    AlreadyPublished {
        /// Which.
        target: TargetId,
    },
    /// The post belongs to another target.
    #[error("this post belongs to {owner} already: one post stands for one target")]
    PostOwned {
        /// Whose it is.
        owner: TargetId,
    },
    /// Workers run on the database.
    #[error(
        "{workers} worker process(es) run on this database, and may have sent something by now: stop them, restore the backup again, and repeat this before anything else starts"
    )]
    StillAtWork {
        /// How many.
        workers: usize,
    },
}

/// Why an act did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for ApplyError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
