//! The changes of business state that a decision can bring.

use crate::{
    access::NewKey,
    connecting::{ConnectOutcome, Connecting, NewConnect, NewLink},
    connection::{
        Assessment, ConnectionSeen, Failing,
        life::{Edit, Removal},
    },
    grant::{AuthState, Warned},
    id::{
        AppId, AttemptId, BrandId, ConnectId, ConnectionId, GrantId, KeyId, LinkId, NewsId, PostId,
        TargetId, WorkspaceId,
    },
    news::News,
    plan::Plan,
    platform::Platform,
    post::{
        Media, Preparation, Settlement, Stage, Verdict,
        plan::{NewPost, PostEdit, PublishAgain},
    },
    proof::LedgerStep,
    reseal::Walk,
    restore::Restored,
    survey::Fate,
    time::Time,
};

/// One change of business state.
#[expect(
    clippy::large_enum_variant,
    reason = "the largest is what every check brings, and few are held at once"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What a check saw, and the health that follows.
    ConnectionSeen {
        /// The connection.
        connection: ConnectionId,
        /// The facts.
        seen: ConnectionSeen,
        /// The derived health, stored as an index.
        health: Assessment,
    },
    /// A verdict on a credential; holds only while these very tokens are stored and no refresh runs.
    GrantState {
        /// The grant.
        grant: GrantId,
        /// The tokens that the verdict is about.
        token_version: i64,
        /// The verdict.
        state: AuthState,
        /// The failure class behind it.
        why: &'static str,
    },
    /// A look that told nothing about the connection, and what it tells about the platform.
    LookFailed {
        /// The connection.
        connection: ConnectionId,
        /// Looks in a row at which the platform did not answer well; 0 = it did, this time.
        looks: u16,
        /// Since when it does not let us look; `None` = it does.
        failing: Option<Failing>,
        /// The failure class of the last one.
        why: &'static str,
        /// The derived health.
        health: Assessment,
    },
    /// People are warned of a grant's end, unless somebody has done so since these facts were loaded.
    EndWarned {
        /// The grant.
        grant: GrantId,
        /// The tokens that this is about.
        token_version: i64,
        /// The warning before this one.
        before: Option<Warned>,
        /// The warning.
        warned: Warned,
    },
    /// What a grant's list of destinations says about one connection; only while these very tokens are stored. Its own
    /// token travels beside the decision, where the list has one.
    Surveyed {
        /// The connection.
        connection: ConnectionId,
        /// The grant whose list it is.
        grant: GrantId,
        /// The tokens that listed it.
        token_version: i64,
        /// What has become of it.
        fate: Fate,
        /// When.
        at: Time,
    },
    /// The platform calls these tokens' access token ended before the time that we have stored: from now on
    /// it counts as ended, so that a refresh is due.
    AccessEnded {
        /// The grant.
        grant: GrantId,
        /// The tokens that this is about.
        token_version: i64,
        /// When we learnt it.
        at: Time,
    },
    /// What a probe of the token showed.
    GrantProbed {
        /// The grant.
        grant: GrantId,
        /// The tokens that were probed.
        token_version: i64,
        /// End of the access token, where the probe says it.
        access_expires_at: Option<Time>,
        /// Granted permissions, where the probe says them.
        scopes: Option<Vec<String>>,
        /// When.
        at: Time,
    },
    /// A refresh ended without new tokens.
    RefreshEnded {
        /// The grant.
        grant: GrantId,
        /// A whole series failed: health turns critical until one success.
        exhausted: bool,
        /// The answer was lost and the token may be spent: the refresh counts as begun until the next one.
        still_begun: bool,
    },
    /// A target's progress rises (it never falls: the store merges).
    TargetMoved {
        /// The target.
        target: TargetId,
        /// The edition this is about.
        edition: i32,
        /// The stage reached.
        stage: Stage,
        /// Why, as a stable code.
        reason: Option<String>,
    },
    /// What the steps before publishing have brought; only while the content is still this revision.
    TargetPrepared {
        /// The target.
        target: TargetId,
        /// Which revision of the content it is for.
        revision: i32,
        /// What the next step needs; `None` = begin anew.
        preparation: Option<Preparation>,
    },
    /// A dangling attempt is settled.
    AttemptSettled {
        /// The attempt.
        attempt: AttemptId,
        /// How.
        settlement: Settlement,
    },
    /// What a read-back saw: becomes a proof row and the target's newest verdict.
    Verified {
        /// The attempt.
        attempt: AttemptId,
        /// Its target.
        target: TargetId,
        /// The verdict.
        verdict: Verdict,
        /// When it was seen.
        at: Time,
    },
    /// A person says that they took a published copy down themselves. Refused where it was never published.
    TargetSaidRemoved {
        /// The target.
        target: TargetId,
        /// When they said so.
        at: Time,
    },
    /// A person published a target by hand. Refused while an attempt of it dangles, once it is published, and where the
    /// post belongs to another target.
    NativePublished(Box<NativePost>),
    /// A platform told us something: kept once, and merged by a job of its own.
    NewsCame(Box<NewsCame>),
    /// Something that a platform told us was merged.
    NewsMerged {
        /// It.
        news: NewsId,
        /// When.
        at: Time,
    },
    /// The next check of a grant probes its token, whoever did so a moment ago.
    ProbeWanted {
        /// The grant.
        grant: GrantId,
    },
    /// The word that a platform signs webhooks with, or asks for at the handshake. It travels beside the decision.
    WebhookSecretSet {
        /// The app.
        app: AppId,
    },
    /// A new tenant.
    WorkspaceCreated {
        /// Its id.
        workspace: WorkspaceId,
        /// Its name.
        name: String,
    },
    /// A new client label.
    BrandCreated {
        /// Its id.
        brand: BrandId,
        /// Its name.
        name: String,
    },
    /// A registration of ours at a platform. Its secret travels beside the decision.
    AppRegistered {
        /// Its id.
        app: AppId,
        /// The platform.
        platform: Platform,
        /// The platform's id for it.
        client_id: String,
        /// The platform's address, where it is not the public one.
        base_url: Option<String>,
    },
    /// A key to the API.
    KeyCreated(Box<NewKey>),
    /// A key that opens nothing any more.
    KeyRevoked {
        /// It.
        key: KeyId,
    },
    /// A run of connecting begins. Refused while the workspace has tried too often.
    ConnectBegun(Box<NewConnect>),
    /// A browser has come back with a run's state; refused where it had come before, or came too late.
    ConnectCalledBack {
        /// The run.
        connect: ConnectId,
    },
    /// A run's grant waits, sealed, for the person to choose.
    ConnectOffered {
        /// The run.
        connect: ConnectId,
        /// Until when.
        until: Time,
    },
    /// A run ends without anything connected; a run that has ended already is left alone.
    ConnectFailed {
        /// The run.
        connect: ConnectId,
        /// Why.
        outcome: ConnectOutcome,
    },
    /// A run's time is over, and what is sealed for it is forgotten; a run that is not over is left alone.
    ConnectLapsed {
        /// The run.
        connect: ConnectId,
    },
    /// A run ends well: its grant is kept, and what was chosen is connected, or works again.
    GrantConnected(Box<Connecting>),
    /// A link for somebody without a key.
    LinkMade(Box<NewLink>),
    /// Somebody goes by a link; refused where it was used or is over.
    LinkUsed {
        /// The link.
        link: LinkId,
    },
    /// What the workspace may connect.
    PlanSet {
        /// From now on.
        plan: Plan,
    },
    /// An image or a video whose bytes are stored.
    MediaAdded(Box<Media>),
    /// A connection (and, where new, its grant) brought in from outside.
    ConnectionImported(Box<NewConnection>),
    /// Connections that a person lets go: their tokens are deleted, what is pending on them is cancelled. Refused
    /// unless what happens is what was confirmed.
    ConnectionsRemoved(Removal),
    /// What a person says about a connection.
    ConnectionEdited {
        /// The connection.
        connection: ConnectionId,
        /// What they say.
        edit: Box<Edit>,
    },
    /// The main connection of its platform in its workspace; the one before steps back.
    MainConnection {
        /// It.
        connection: ConnectionId,
    },
    /// A post with its targets.
    PostScheduled(Box<NewPost>),
    /// Something else about a post none of whose targets has begun.
    PostEdited(Box<PostEdit>),
    /// A post none of whose targets must go out any more; refused where there is none to cancel.
    PostCancelled {
        /// The post.
        post: PostId,
    },
    /// A target that has ended goes out once more.
    PublishedAgain(Box<PublishAgain>),
    /// A target that must not go out; refused once it has begun.
    TargetCancelled {
        /// The target.
        target: TargetId,
    },
    /// Another key of the vault seals from now on, and what older ones have sealed is sealed anew. Refused while a
    /// running process does not know the key.
    VaultKeyActivated {
        /// Its id in the ring.
        key: String,
    },
    /// Re-sealing has come this far. The values sealed anew travel beside the decision; each is stored only where
    /// what was read is still there.
    Resealed {
        /// Under which activation.
        number: i64,
        /// Where the walk is.
        walk: Walk,
        /// How many values this walk could not open.
        unreadable: u64,
    },
    /// The proof ledger goes on.
    Ledger(Box<LedgerStep>),
    /// The database was restored from a backup: whatever may have gone out since dangles from now on. Refused
    /// while workers run; nothing happens when this restore is marked already.
    BackupRestored(Restored),
}

/// A post that a person published by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativePost {
    /// The target that it stands for.
    pub target: TargetId,
    /// The attempt that it becomes.
    pub attempt: AttemptId,
    /// The post's id at the platform.
    pub remote_id: String,
    /// Where people see it.
    pub url: String,
    /// When it was told to us.
    pub at: Time,
}

/// News for one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsCame {
    /// Its row.
    pub id: NewsId,
    /// The app whose secret signed it.
    pub app: AppId,
    /// The app's platform.
    pub platform: Platform,
    /// What was told.
    pub news: News,
    /// When it came.
    pub at: Time,
}

/// A connection to create. Its tokens travel beside the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// The connection's id.
    pub connection: ConnectionId,
    /// The grant's id.
    pub grant: GrantId,
    /// Whether the grant is created with it, or exists.
    pub grant_is_new: bool,
    /// The brand, where there is one.
    pub brand: Option<BrandId>,
    /// Our app at the platform, where the grant belongs to one.
    pub app: Option<AppId>,
    /// The platform.
    pub platform: Platform,
    /// The account's id at the platform.
    pub remote_id: String,
    /// The provider user behind the grant.
    pub remote_user_id: String,
    /// Shown to people.
    pub name: String,
    /// Base URL of the account's own server, where the platform has such.
    pub host: Option<String>,
    /// When the tokens were issued, where known.
    pub issued_at: Option<Time>,
    /// End of the access token.
    pub access_expires_at: Option<Time>,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// End of the refresh token.
    pub refresh_expires_at: Option<Time>,
    /// Granted permissions, where known.
    pub scopes: Option<Vec<String>>,
}
