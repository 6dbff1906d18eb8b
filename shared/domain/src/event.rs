//! The one stream of events. Audit, alerts, live page, reports, webhooks and metrics read it.

mod asking;
mod facets;
mod payloads;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    connection::Health,
    grant::AuthState,
    id::{
        AttemptId, ConnectId, ConnectionId, GrantId, KeyId, LinkId, MediaId, NewsId, PostId,
        TargetId, WorkspaceId,
    },
    job::{JobKind, Lane},
    plan::Plan,
    platform::Platform,
    post::PostState,
    time::Time,
};

pub use payloads::{
    ConnectionRemoved, CopyBegun, KeyCreated, NativePublished, SettledTarget, Severity,
    TargetPublishedAgain, WorkspaceDisconnected,
};

/// Something that happened, in the words that readers may rely on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A tenant was created.
    WorkspaceCreated {
        /// It.
        workspace: WorkspaceId,
    },
    /// A key to the API was made.
    KeyCreated(KeyCreated),
    /// A key to the API was taken back.
    KeyRevoked {
        /// It.
        key: KeyId,
    },
    /// A connection was brought in.
    ConnectionImported {
        /// It.
        connection: ConnectionId,
        /// Its grant.
        grant: GrantId,
    },
    /// An account is connected: the end of connecting, for whoever waits for it.
    ConnectionConnected {
        /// The connection.
        connection: ConnectionId,
        /// Its grant.
        grant: GrantId,
        /// Whether it had been connected before, and its history is back.
        returned: bool,
        /// Whether it is a copy of a connection of another workspace.
        #[serde(default)]
        copied: bool,
    },
    /// A copy of a connection to another workspace was begun.
    CopyBegun(CopyBegun),
    /// A connection was copied: its account is connected in another workspace too, by a consent of its own.
    ConnectionCopied {
        /// The connection.
        connection: ConnectionId,
        /// The copy.
        copy: ConnectionId,
        /// The workspace of the copy.
        workspace: WorkspaceId,
    },
    /// A connection has new tokens from its person.
    ConnectionReconnected {
        /// The connection.
        connection: ConnectionId,
        /// Its grant.
        grant: GrantId,
        /// What had made it necessary, as a stable word.
        why: String,
        /// Required permissions that the person declined.
        declined: Vec<String>,
    },
    /// A run of connecting ended without anything connected.
    ConnectFailed {
        /// The run.
        connect: ConnectId,
        /// What it was to reconnect, where it was to.
        connection: Option<ConnectionId>,
        /// Why, as a stable code.
        code: String,
    },
    /// What a run of connecting brought and nobody chose, or was refused, is forgotten and given back at the platform.
    OfferLapsed {
        /// The run.
        connect: ConnectId,
        /// Why it was not given back, where it was not: `held_elsewhere`, or a failure class.
        kept: Option<String>,
    },
    /// A link was made for somebody without a key.
    ReconnectLinkMade {
        /// The link.
        link: LinkId,
        /// What it reconnects.
        connection: ConnectionId,
        /// When it ends.
        expires_at: Time,
    },
    /// Somebody went by a link.
    ReconnectLinkUsed {
        /// The link.
        link: LinkId,
        /// What it reconnects.
        connection: ConnectionId,
    },
    /// What a workspace may connect was changed.
    PlanChanged {
        /// It.
        workspace: WorkspaceId,
        /// From now on.
        plan: Plan,
    },
    /// A person let a connection go. Its history stays.
    ConnectionRemoved(ConnectionRemoved),
    /// Every connection of a workspace was let go in one act.
    WorkspaceDisconnected(WorkspaceDisconnected),
    /// An account that had been disconnected is connected again, as the same connection with its history.
    ConnectionRevived {
        /// It.
        connection: ConnectionId,
        /// Its grant.
        grant: GrantId,
    },
    /// A credential of ours was given back at the platform.
    GrantRevokedAtPlatform {
        /// The grant.
        grant: GrantId,
    },
    /// A deleted credential could not be given back at the platform: it lives on there until it ends by itself.
    RevocationFailed {
        /// The grant.
        grant: GrantId,
        /// The failure class; `held_elsewhere` where the same user's consent serves another grant; `sealed` where the
        /// stored tokens could not be opened; `database_away` where it could not be asked.
        class: String,
    },
    /// A person said something about a connection.
    ConnectionEdited {
        /// It.
        connection: ConnectionId,
        /// The names of what they said.
        fields: Vec<String>,
    },
    /// Another connection is the main one of its platform.
    MainConnectionSet {
        /// It.
        connection: ConnectionId,
        /// The main one before.
        before: Option<ConnectionId>,
    },
    /// A person wants a connection looked at.
    CheckRequested {
        /// It.
        connection: ConnectionId,
    },
    /// A person wants every connection looked at.
    ChecksRequested {
        /// The workspace.
        workspace: WorkspaceId,
        /// How many.
        connections: u64,
    },
    /// More happens on a connection than usual. Told once in its time.
    UnusualActivity {
        /// The connection.
        connection: ConnectionId,
        /// What, as a stable code: `scheduling`.
        what: String,
        /// How often within the hour.
        count: u64,
    },
    /// A connection's derived health changed.
    HealthChanged {
        /// The connection.
        connection: ConnectionId,
        /// Before.
        from: Health,
        /// After.
        to: Health,
        /// Why, strongest first.
        reasons: Vec<String>,
    },
    /// A platform has not let us look at a connection for so long that waiting is no advice any more. Told once for
    /// each such time.
    ConnectionStuck {
        /// The connection.
        connection: ConnectionId,
        /// Since when.
        since: Time,
        /// The failure class of the last look.
        class: String,
    },
    /// A connection shows another name at its platform.
    ConnectionRenamed {
        /// The connection.
        connection: ConnectionId,
        /// Its name now.
        name: String,
    },
    /// What an account is, or what may be done there, has changed.
    AccountChanged {
        /// The connection.
        connection: ConnectionId,
        /// What, by the names of [`AccountFacts`](crate::connection::AccountFacts).
        what: Vec<String>,
    },
    /// An account has another id at its platform; the connection goes on with it.
    ConnectionRelinked {
        /// The connection.
        connection: ConnectionId,
        /// Its id before.
        from: String,
        /// Its id now.
        to: String,
    },
    /// A grant reaches none of its connections any more: all of them are not connected.
    ProfileGone {
        /// The grant.
        grant: GrantId,
        /// Its connections.
        connections: Vec<ConnectionId>,
    },
    /// A credential ends, and nothing but a person's consent renews it.
    EndsIn {
        /// The grant.
        grant: GrantId,
        /// The threshold that was passed, in days before the end.
        days: i32,
        /// The end.
        ends_at: Time,
        /// What ends with it.
        connections: Vec<ConnectionId>,
    },
    /// A password was changed, or the platform saw another threat to the account, and ended the credential.
    SecurityEvent {
        /// The grant.
        grant: GrantId,
        /// What must be reconnected.
        connections: Vec<ConnectionId>,
    },
    /// A credential is taken back again and again soon after it was connected: reconnecting once more will not help.
    GrantFlapping {
        /// The grant.
        grant: GrantId,
        /// How often in a row.
        flaps: u16,
        /// What hangs on it.
        connections: Vec<ConnectionId>,
    },
    /// A platform behaves in a way that we do not know, or refuses our app.
    ProviderChanged {
        /// The connection or grant that met it.
        subject: Uuid,
        /// The platform.
        platform: Platform,
        /// The failure class: `contract` or `app_access`.
        class: String,
        /// What was seen: a status, or words of ours. Never a word of the platform's: it may repeat a token.
        detail: String,
    },
    /// A credential's state changed.
    AuthStateChanged {
        /// The grant.
        grant: GrantId,
        /// After.
        to: AuthState,
        /// The failure class behind it.
        why: String,
    },
    /// A credential was renewed.
    TokenRefreshed {
        /// The grant.
        grant: GrantId,
        /// End of the new access token.
        access_expires_at: Option<Time>,
    },
    /// A refresh failed and will be tried again.
    RefreshFailed {
        /// The grant.
        grant: GrantId,
        /// Which attempt of the series.
        attempt: u16,
        /// The failure class.
        class: String,
    },
    /// A whole series of refresh attempts failed.
    RefreshExhausted {
        /// The grant.
        grant: GrantId,
        /// The last failure class.
        class: String,
    },
    /// A rotated token was lost between the platform's answer and our commit.
    RotationLost {
        /// The grant.
        grant: GrantId,
    },
    /// An image or a video was added.
    MediaAdded {
        /// It.
        media: MediaId,
        /// Its media type.
        mime: String,
        /// Its length.
        bytes: u64,
    },
    /// A post was accepted for scheduling.
    PostScheduled {
        /// The post.
        post: PostId,
        /// How many targets.
        targets: usize,
        /// When it is due.
        due: Time,
    },
    /// A post's content was changed before anything went out.
    PostEdited {
        /// The post.
        post: PostId,
    },
    /// A target will not go out.
    TargetCancelled {
        /// The target.
        target: TargetId,
        /// Why, as a stable code.
        reason: String,
    },
    /// A target was too late to go out.
    TargetMissed {
        /// The target.
        target: TargetId,
        /// Why, as a stable code.
        reason: String,
    },
    /// The platform took a target's post.
    TargetAccepted {
        /// The target.
        target: TargetId,
        /// By which attempt.
        attempt: AttemptId,
        /// The post's id at the platform.
        remote_id: String,
    },
    /// The platform took an order for a target's post and works on it.
    TargetProcessing {
        /// The target.
        target: TargetId,
        /// By which attempt.
        attempt: AttemptId,
    },
    /// The outcome of an attempt is unknown; it is being looked for.
    OutcomeUnknown {
        /// The target.
        target: TargetId,
        /// The attempt.
        attempt: AttemptId,
        /// The failure class, or `backup_restored`.
        class: String,
    },
    /// A target failed for good.
    TargetFailed {
        /// The target.
        target: TargetId,
        /// The failure class.
        class: String,
    },
    /// Whether a target is live cannot be found out; a person must look.
    TargetUnconfirmed {
        /// The target.
        target: TargetId,
        /// The attempt.
        attempt: AttemptId,
    },
    /// A person publishes a target once more.
    TargetPublishedAgain(TargetPublishedAgain),
    /// Every target of a post has ended, or what people see of it has changed since: its state as a whole, and where
    /// each part of it is. Told once per state.
    PostSettled {
        /// The post.
        post: PostId,
        /// The state.
        state: PostState,
        /// Its targets.
        targets: Vec<SettledTarget>,
    },
    /// A read-back changed the verdict on a target.
    TargetVerified {
        /// The target.
        target: TargetId,
        /// The attempt.
        attempt: AttemptId,
        /// live, altered, removed or unverifiable.
        verdict: String,
    },
    /// A person had a post compared with its platforms.
    PostSynced {
        /// The post.
        post: PostId,
        /// Of how many targets something was learnt.
        targets: usize,
    },
    /// A person says that they took a target's copy down themselves.
    TargetSaidRemoved {
        /// The target.
        target: TargetId,
    },
    /// A person published a target by hand, and told us where.
    NativePublished(NativePublished),
    /// A person had a platform ask us to delete their data: their tokens are gone, and what hung on them is disconnected.
    DataDeleted {
        /// The request.
        news: NewsId,
        /// What was disconnected.
        connections: Vec<ConnectionId>,
    },
    /// A job lost its worker too often and was parked.
    JobPoisoned {
        /// The kind.
        kind: JobKind,
        /// The subject.
        subject: Uuid,
        /// Expired leases in a row.
        losses: i32,
    },
    /// A lane in Redis came back empty; its un-begun jobs were released.
    LaneLost {
        /// The lane.
        lane: Lane,
        /// How many jobs were released.
        released: u64,
    },
    /// A lane carried something that is no envelope.
    EnvelopeDropped {
        /// The lane.
        lane: Lane,
        /// Why it could not be read.
        reason: String,
    },
    /// Another key seals stored secrets from now on.
    VaultKeyActivated {
        /// Its id.
        key: String,
        /// The one before.
        before: Option<String>,
    },
    /// Everything under older keys was sealed anew.
    VaultResealed {
        /// The active key.
        key: String,
        /// How many values were sealed anew.
        resealed: u64,
        /// How many could not be opened, and were left alone.
        unreadable: u64,
    },
    /// Stored secrets do not open: they were changed, moved from another place, or their key is missing.
    SealedUnreadable {
        /// Where they stand, `table.column`.
        place: String,
        /// How many.
        rows: u64,
        /// The row of the first.
        row: Uuid,
    },
    /// The database was restored from a backup. What may have gone out since is looked for before it is sent.
    BackupRestored {
        /// When the backup was taken.
        taken_at: Time,
        /// How many targets are looked for.
        targets: u64,
        /// How many credentials may have been renewed in the time that was forgotten.
        grants: u64,
    },
    /// The books disagreed and were repaired.
    DriftRepaired {
        /// What was wrong, as a stable code.
        what: String,
        /// How many rows.
        rows: u64,
    },
    /// The books disagree, and what is wrong mends itself or must be looked into.
    DriftFound {
        /// What is wrong, as a stable code.
        what: String,
        /// How many rows.
        rows: u64,
    },
}
