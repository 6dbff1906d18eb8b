//! What people see of a connection.

use chrono::{DateTime, Utc};
use mooring_domain::{
    Policy, Role, Time,
    connection::{
        AccountFacts, AccountKind, AccountRole, AccountState, Publishing, Reason, projection,
    },
};
use mooring_store::{ConnectionView, Published};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::posts::Sent;
use crate::acts::AdviceView;

/// A connection, as lists show it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Card {
    #[serde(skip)]
    pub(crate) uuid: Uuid,
    /// Its id.
    id: String,
    /// The platform, by the way in: `facebook`, `linkedin_page`, ….
    platform: &'static str,
    /// What people call the network behind it.
    network: &'static str,
    /// The account's id at the platform.
    remote_id: String,
    /// Its name.
    name: String,
    /// The client label.
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    /// Words to find it by.
    labels: Vec<String>,
    /// Whether it is the main one of its platform.
    main: bool,
    /// Whether the user behind it is no person.
    service_account: bool,
    /// healthy, warning, critical, unknown, refreshing or removed. Judged now.
    health: &'static str,
    /// Why, as stable codes, strongest first.
    reasons: Vec<&'static str>,
    /// connected, expired, revoked, error or removed.
    auth_state: &'static str,
    /// `green`: it publishes and reads. `amber`: somebody must do something first.
    colour: &'static str,
    /// active, warning or error.
    state: &'static str,
    /// The icon of this state.
    icon: &'static str,
    /// Whether a reconnect is what it needs.
    needs_reconnect: bool,
    /// One sentence for people.
    status_text: &'static str,
    /// What to do about it now; missing where nothing wants doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<AdviceView>,
    /// Whether it may publish, by its permissions and its account: full, `text_only`, none or unknown.
    publish: &'static str,
    /// Last check that could tell.
    checked_at: Option<DateTime<Utc>>,
    /// When a person last connected it.
    connected_at: DateTime<Utc>,
    /// When it ends unless somebody reconnects it, where that is known.
    ends_at: Option<DateTime<Utc>>,
    /// When it was disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_at: Option<DateTime<Utc>>,
    /// Why: `disconnected` or `kill_switch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_why: Option<String>,
}

/// A connection with everything that is known about it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Detail {
    #[serde(flatten)]
    card: Card,
    /// Its grant: one credential may serve several connections.
    grant: String,
    /// When its tokens were last renewed, or issued.
    refreshed_at: DateTime<Utc>,
    /// Last successful use of the token.
    used_at: Option<DateTime<Utc>>,
    /// Where the account stands at the platform: accessible, hidden, `role_lost`, unavailable or checkpoint.
    account: Option<&'static str>,
    /// What the platform told about the account: its kind, the role there, its limits.
    about: About,
    /// Who answers for it.
    owner: Option<String>,
    /// What to do, and whom to call, when it fails.
    escalation: Option<String>,
    /// The least time between two posts in seconds, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    spacing_s: Option<i64>,
    /// How to get at it. Shown to admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_note: Option<String>,
    /// What the credential may do. Shown to admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
    /// The newest posts that went out through it.
    recent_posts: Vec<Sent>,
    /// What to send along when asking for help; missing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    support: Option<String>,
}

/// Permissions, in the platform's own names.
#[derive(Serialize, ToSchema)]
pub(crate) struct Permissions {
    /// Granted ones, where known.
    granted: Option<Vec<String>>,
    /// Those that are needed.
    required: Vec<&'static str>,
    /// Needed ones that are not granted.
    missing: Vec<String>,
}

/// What an account is, as far as its platform tells; what it does not tell is missing.
#[derive(Serialize, ToSchema)]
pub(crate) struct About {
    /// business, creator, personal, page, channel or bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    kind: Option<AccountKind>,
    /// What the person behind the credential is there: admin, editor, moderator, viewer or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    role: Option<AccountRole>,
    /// Whether the account may be published to: allowed, role, `account_kind`, region, `old_method` or `not_offered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    publishing: Option<&'static str>,
    /// The subscription that its limits follow from, in the platform's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
    /// Longest text that it may post, in the platform's unit; missing: the platform's own limit holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_max: Option<u32>,
    /// Longest video that it may post, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    video_max_s: Option<u32>,
    /// Who may be shown its posts, in the platform's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<Vec<String>>,
    /// Country or region, as the platform names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Whether the platform has verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
}

impl About {
    fn of(about: AccountFacts) -> Self {
        Self {
            kind: about.kind,
            role: about.role,
            publishing: about.publishing.map(Publishing::code),
            tier: about.tier,
            text_max: about.text_max,
            video_max_s: about.video_max_s,
            audiences: about.audiences,
            region: about.region,
            verified: about.verified,
        }
    }
}

impl Card {
    pub(crate) fn of(view: &ConnectionView, policy: &Policy, now: Time) -> Self {
        let standing = view.standing();
        let row = view.platform.capabilities();
        let removed = view.removed.is_some();
        let reasons = view.assessment.reasons.iter().map(Reason::code);
        Self {
            uuid: view.id.uuid(),
            id: view.id.to_string(),
            platform: row.name,
            network: row.network,
            remote_id: view.remote_id.clone(),
            name: view.name.clone(),
            brand: view.brand.as_ref().map(|(_, name)| name.clone()),
            labels: view.labels.clone(),
            main: view.main,
            service_account: view.service_account,
            health: standing.health(),
            reasons: if removed {
                Vec::new()
            } else {
                reasons.collect()
            },
            auth_state: standing.auth_state(),
            colour: standing.colour().as_str(),
            state: standing.signal().as_str(),
            icon: standing.signal().icon(),
            needs_reconnect: standing.needs_reconnect(),
            status_text: standing.status_text(),
            advice: view.advice(policy, now).map(AdviceView::from),
            publish: standing
                .publish(view.platform, view.granted.as_deref())
                .as_str(),
            checked_at: view.facts.checked_at,
            connected_at: view.connected_at,
            ends_at: view.facts.ends_at.filter(|_| !removed),
            removed_at: view.removed.as_ref().map(|(at, _)| *at),
            removed_why: view.removed.as_ref().map(|(_, why)| why.clone()),
        }
    }
}

impl Detail {
    pub(crate) fn of(card: Card, view: ConnectionView, posts: Vec<Published>, role: Role) -> Self {
        let is_admin = role >= Role::Admin;
        let well = view.assessment.reasons.is_empty() && view.removed.is_none();
        let support = (!well).then(|| {
            let (standing, platform) = (view.standing(), view.platform);
            projection::support_text(&standing, platform, &card.id, view.facts.checked_at)
        });
        let permissions = is_admin.then(|| Permissions {
            granted: view.granted,
            required: view.platform.capabilities().required_scopes.to_vec(),
            missing: view.facts.scopes_missing,
        });
        Self {
            card,
            grant: view.grant.to_string(),
            refreshed_at: view.refreshed_at,
            used_at: view.facts.used_at,
            account: view.facts.account.map(AccountState::as_str),
            about: About::of(view.about),
            owner: view.owner,
            escalation: view.escalation,
            spacing_s: view.spacing.map(|span| span.num_seconds()),
            admin_note: view.admin_note.filter(|_| is_admin),
            permissions,
            recent_posts: posts.into_iter().map(Sent::from).collect(),
            support,
        }
    }
}
