//! Typed identifiers: a UUIDv7 that knows what it names.
//!
//! In the database an id is a plain UUID; shown to people it carries a prefix (`conn_0193…`), so that
//! a pasted id says what it is and a wrong one is refused with the reason.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::time::Time;

/// An identifier of a `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// What an [`Id`] can name.
pub trait Kind {
    /// Shown before the underscore: `conn` in `conn_0193…`.
    const PREFIX: &'static str;
}

/// The marker types behind the id aliases.
pub mod kind {
    use super::Kind;

    /// A tenant.
    pub enum Workspace {}
    /// A client label inside a workspace.
    pub enum Brand {}
    /// A registration of ours at a platform.
    pub enum App {}
    /// One OAuth credential of one provider user.
    pub enum Grant {}
    /// One destination.
    pub enum Connection {}
    /// A post, before it is spread over connections.
    pub enum Post {}
    /// An image or a video that we hold.
    pub enum Media {}
    /// A post on one connection.
    pub enum Target {}
    /// One try of an edition of a target.
    pub enum Attempt {}
    /// Evidence that a target is live.
    pub enum Proof {}
    /// An entry of the event stream.
    pub enum Event {}
    /// One run of one of our processes.
    pub enum Process {}
    /// A key to the API.
    pub enum Key {}
    /// One run of connecting an account.
    pub enum Connect {}
    /// A link to reconnect one connection by.
    pub enum Link {}
    /// Something that a platform told us on its own.
    pub enum News {}

    impl Kind for Workspace {
        const PREFIX: &'static str = "ws";
    }
    impl Kind for Brand {
        const PREFIX: &'static str = "brand";
    }
    impl Kind for App {
        const PREFIX: &'static str = "app";
    }
    impl Kind for Grant {
        const PREFIX: &'static str = "grant";
    }
    impl Kind for Connection {
        const PREFIX: &'static str = "conn";
    }
    impl Kind for Media {
        const PREFIX: &'static str = "media";
    }
    impl Kind for Post {
        const PREFIX: &'static str = "post";
    }
    impl Kind for Target {
        const PREFIX: &'static str = "target";
    }
    impl Kind for Attempt {
        const PREFIX: &'static str = "attempt";
    }
    impl Kind for Proof {
        const PREFIX: &'static str = "proof";
    }
    impl Kind for Event {
        const PREFIX: &'static str = "event";
    }
    impl Kind for Process {
        const PREFIX: &'static str = "proc";
    }
    impl Kind for Key {
        const PREFIX: &'static str = "key";
    }
    impl Kind for Connect {
        const PREFIX: &'static str = "connect";
    }
    impl Kind for Link {
        const PREFIX: &'static str = "link";
    }
    impl Kind for News {
        const PREFIX: &'static str = "news";
    }
}

/// A tenant's id.
pub type WorkspaceId = Id<kind::Workspace>;
/// A brand's id.
pub type BrandId = Id<kind::Brand>;
/// An app's id.
pub type AppId = Id<kind::App>;
/// A grant's id.
pub type GrantId = Id<kind::Grant>;
/// A connection's id.
pub type ConnectionId = Id<kind::Connection>;
/// See [`kind::Media`].
pub type MediaId = Id<kind::Media>;
/// A post's id.
pub type PostId = Id<kind::Post>;
/// A target's id. Its 16 bytes are also the trace id of the target's whole story.
pub type TargetId = Id<kind::Target>;
/// A publish attempt's id.
pub type AttemptId = Id<kind::Attempt>;
/// A proof's id.
pub type ProofId = Id<kind::Proof>;
/// An event's id.
pub type EventId = Id<kind::Event>;
/// A process's id.
pub type ProcessId = Id<kind::Process>;
/// An API key's id.
pub type KeyId = Id<kind::Key>;
/// The id of a run of connecting.
pub type ConnectId = Id<kind::Connect>;
/// A reconnect link's id.
pub type LinkId = Id<kind::Link>;
/// The id of something that a platform told us.
pub type NewsId = Id<kind::News>;

impl<K> Id<K> {
    /// An id of this moment: UUIDv7 from `now` and ten bytes of randomness of the caller's.
    #[must_use]
    pub fn mint(now: Time, entropy: [u8; 10]) -> Self {
        let ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(ms, &entropy).into_uuid())
    }

    /// Names an existing UUID; for reading from the database and from envelopes.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix names something else, or is missing.
    #[error("\"{text}\" is not a {wanted} id: it must look like {wanted}_0193a5c2…")]
    Prefix {
        /// What was given.
        text: String,
        /// The prefix that was wanted.
        wanted: &'static str,
    },
    /// The part behind the prefix is not a UUID.
    #[error(
        "\"{text}\" is not a {wanted} id: behind the prefix there must be 32 hexadecimal digits"
    )]
    Digits {
        /// What was given.
        text: String,
        /// The prefix that was wanted.
        wanted: &'static str,
    },
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or_else(|| IdError::Prefix {
                text: text.to_owned(),
                wanted: K::PREFIX,
            })?;
        Uuid::parse_str(digits)
            .map(Self::from_uuid)
            .map_err(|_| IdError::Digits {
                text: text.to_owned(),
                wanted: K::PREFIX,
            })
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.simple())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

// Written by hand because a derive would ask `K` for what only the UUID needs.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::from_ms;

    #[test]
    fn an_id_shows_its_kind_and_reads_itself_back() {
        let id = ConnectionId::mint(from_ms(1_764_000_000_000), [7; 10]);
        assert!(id.to_string().starts_with("conn_"));
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).expect("an id serializes");
        assert_eq!(serde_json::from_str::<ConnectionId>(&json).ok(), Some(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_both_kinds_named() {
        let id = GrantId::mint(from_ms(0), [1; 10]).to_string();
        let error = id
            .parse::<ConnectionId>()
            .expect_err("a grant is no connection");
        assert!(error.to_string().contains("not a conn id"), "{error}");
    }

    #[test]
    fn later_ids_sort_later() {
        let early = PostId::mint(from_ms(1_000), [255; 10]);
        let late = PostId::mint(from_ms(2_000), [0; 10]);
        assert!(early < late);
    }
}
