//! Counts every request, whatever became of it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::ledger::Platform;
use crate::sites;

/// What a call is for, in words that all platforms share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Log-in, consent, code exchange, look-ups on the way to a connection.
    Connect,
    /// New token for old.
    Refresh,
    /// Is token, account and permission in order?
    Check,
    /// The call after which a post exists.
    Publish,
    /// Upload of media that alone publishes nothing.
    Upload,
    /// One known post is read.
    ReadBack,
    /// Recent posts are listed.
    Find,
    /// A post is deleted.
    Delete,
    /// Permissions or sessions are given back.
    Disconnect,
    /// No endpoint of ours.
    Unknown,
}

impl Operation {
    /// The name in fault rules and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Refresh => "refresh",
            Self::Check => "check",
            Self::Publish => "publish",
            Self::Upload => "upload",
            Self::ReadBack => "read_back",
            Self::Find => "find",
            Self::Delete => "delete",
            Self::Disconnect => "disconnect",
            Self::Unknown => "unknown",
        }
    }
}

/// How often an operation was asked for, and what the callers saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallCount {
    /// Requests that came in.
    pub calls: u64,
    /// Answered with a status below 400.
    pub succeeded: u64,
    /// Answered with a status of 400 or more.
    pub failed: u64,
    /// Not answered: the connection was dropped.
    pub unanswered: u64,
}

/// Calls of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountCalls {
    /// Where.
    pub platform: Platform,
    /// Page id, user id or DID; empty when the call names no account we know.
    pub account: String,
    /// What for.
    pub operation: Operation,
    /// How often.
    #[serde(flatten)]
    pub count: CallCount,
}

/// Every call since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallReport {
    /// All requests to the platforms.
    pub total: u64,
    /// By `platform.operation`.
    pub by_operation: BTreeMap<String, CallCount>,
    /// By `platform.endpoint`.
    pub by_endpoint: BTreeMap<String, CallCount>,
    /// By account and operation.
    pub by_account: Vec<AccountCalls>,
}

/// What the caller saw.
#[derive(Clone, Copy)]
pub(crate) enum Seen {
    Success,
    Failure,
    Nothing,
}

#[derive(Default)]
pub(crate) struct Calls {
    by_endpoint: HashMap<(Platform, Operation, &'static str), CallCount>,
    by_account: HashMap<(Platform, Operation), HashMap<String, CallCount>>,
}

impl Calls {
    pub(crate) fn record(
        &mut self,
        platform: Platform,
        operation: Operation,
        endpoint: &'static str,
        account: &str,
        seen: Seen,
    ) {
        let all = self
            .by_endpoint
            .entry((platform, operation, endpoint))
            .or_default();
        all.add(seen);
        let accounts = self.by_account.entry((platform, operation)).or_default();
        match accounts.get_mut(account) {
            Some(count) => count.add(seen),
            None => accounts.entry(account.to_owned()).or_default().add(seen),
        }
    }

    pub(crate) fn report(&self) -> CallReport {
        let mut report = CallReport {
            total: 0,
            by_operation: BTreeMap::new(),
            by_endpoint: BTreeMap::new(),
            by_account: Vec::new(),
        };
        for ((platform, operation, endpoint), count) in &self.by_endpoint {
            let prefix = platform.as_str();
            report.total += count.calls;
            let operation = format!("{prefix}.{}", operation.as_str());
            report
                .by_operation
                .entry(operation)
                .or_default()
                .merge(*count);
            report
                .by_endpoint
                .entry(format!("{prefix}.{endpoint}"))
                .or_default()
                .merge(*count);
        }
        for ((platform, operation), accounts) in &self.by_account {
            let row = |(account, count): (&String, &CallCount)| AccountCalls {
                platform: *platform,
                account: account.clone(),
                operation: *operation,
                count: *count,
            };
            report.by_account.extend(accounts.iter().map(row));
        }
        let key = |c: &AccountCalls| (c.platform, c.account.clone(), c.operation);
        report.by_account.sort_by_cached_key(key);
        report
    }
}

impl CallCount {
    fn add(&mut self, seen: Seen) {
        self.calls += 1;
        match seen {
            Seen::Success => self.succeeded += 1,
            Seen::Failure => self.failed += 1,
            Seen::Nothing => self.unanswered += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.unanswered += other.unanswered;
    }
}

impl Platform {
    /// The name in paths, rules and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        sites::of(self).name
    }
}
