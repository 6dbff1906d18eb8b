//! What every event has: a stable name, a weight, a subject.

use uuid::Uuid;

use super::{
    ConnectionRemoved, CopyBegun, Event, KeyCreated, NativePublished, Severity,
    TargetPublishedAgain, WorkspaceDisconnected,
};
use crate::{
    connection::Health,
    grant::AuthState,
    id::{ConnectionId, TargetId},
};

impl Event {
    /// The names that the audit shows: acts of people, and what was done with credentials.
    pub const AUDITED: &[&str] = &[
        "workspace_created",
        "key_created",
        "key_revoked",
        "connection_imported",
        "connection_connected",
        "connection_reconnected",
        "copy_begun",
        "connection_copied",
        "connect_failed",
        "offer_lapsed",
        "reconnect_link_made",
        "reconnect_link_used",
        "plan_changed",
        "connection_removed",
        "workspace_disconnected",
        "connection_revived",
        "grant_revoked_at_platform",
        "revocation_failed",
        "connection_edited",
        "main_connection_set",
        "check_requested",
        "checks_requested",
        "unusual_activity",
        "token_refreshed",
        "refresh_failed",
        "refresh_exhausted",
        "rotation_lost",
        "auth_state_changed",
        "security_event",
        "grant_flapping",
        "profile_gone",
        "connection_relinked",
        "media_added",
        "post_scheduled",
        "post_edited",
        "target_cancelled",
        "post_synced",
        "target_said_removed",
        "native_published",
        "data_deleted",
        "target_published_again",
        "vault_key_activated",
        "vault_resealed",
        "backup_restored",
    ];

    /// The stable name: `event.name` in logs, the `event` field in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WorkspaceCreated { .. } => "workspace_created",
            Self::KeyCreated(_) => "key_created",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::ConnectionImported { .. } => "connection_imported",
            Self::ConnectionConnected { .. } => "connection_connected",
            Self::ConnectionReconnected { .. } => "connection_reconnected",
            Self::CopyBegun(_) => "copy_begun",
            Self::ConnectionCopied { .. } => "connection_copied",
            Self::ConnectFailed { .. } => "connect_failed",
            Self::OfferLapsed { .. } => "offer_lapsed",
            Self::ReconnectLinkMade { .. } => "reconnect_link_made",
            Self::ReconnectLinkUsed { .. } => "reconnect_link_used",
            Self::PlanChanged { .. } => "plan_changed",
            Self::ConnectionRemoved(_) => "connection_removed",
            Self::WorkspaceDisconnected(_) => "workspace_disconnected",
            Self::ConnectionRevived { .. } => "connection_revived",
            Self::GrantRevokedAtPlatform { .. } => "grant_revoked_at_platform",
            Self::RevocationFailed { .. } => "revocation_failed",
            Self::ConnectionEdited { .. } => "connection_edited",
            Self::MainConnectionSet { .. } => "main_connection_set",
            Self::CheckRequested { .. } => "check_requested",
            Self::ChecksRequested { .. } => "checks_requested",
            Self::UnusualActivity { .. } => "unusual_activity",
            Self::HealthChanged { .. } => "health_changed",
            Self::ConnectionStuck { .. } => "connection_stuck",
            Self::ConnectionRenamed { .. } => "connection_renamed",
            Self::AccountChanged { .. } => "account_changed",
            Self::ConnectionRelinked { .. } => "connection_relinked",
            Self::ProfileGone { .. } => "profile_gone",
            Self::EndsIn { .. } => "ends_in",
            Self::SecurityEvent { .. } => "security_event",
            Self::GrantFlapping { .. } => "grant_flapping",
            Self::ProviderChanged { .. } => "provider_changed",
            Self::AuthStateChanged { .. } => "auth_state_changed",
            Self::TokenRefreshed { .. } => "token_refreshed",
            Self::RefreshFailed { .. } => "refresh_failed",
            Self::RefreshExhausted { .. } => "refresh_exhausted",
            Self::RotationLost { .. } => "rotation_lost",
            Self::MediaAdded { .. } => "media_added",
            Self::PostScheduled { .. } => "post_scheduled",
            Self::PostEdited { .. } => "post_edited",
            Self::TargetCancelled { .. } => "target_cancelled",
            Self::TargetMissed { .. } => "target_missed",
            Self::TargetAccepted { .. } => "target_accepted",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::TargetFailed { .. } => "target_failed",
            Self::TargetProcessing { .. } => "target_processing",
            Self::TargetUnconfirmed { .. } => "target_unconfirmed",
            Self::TargetPublishedAgain(_) => "target_published_again",
            Self::PostSettled { .. } => "post_settled",
            Self::TargetVerified { .. } => "target_verified",
            Self::PostSynced { .. } => "post_synced",
            Self::TargetSaidRemoved { .. } => "target_said_removed",
            Self::NativePublished(_) => "native_published",
            Self::DataDeleted { .. } => "data_deleted",
            Self::JobPoisoned { .. } => "job_poisoned",
            Self::LaneLost { .. } => "lane_lost",
            Self::EnvelopeDropped { .. } => "envelope_dropped",
            Self::VaultKeyActivated { .. } => "vault_key_activated",
            Self::VaultResealed { .. } => "vault_resealed",
            Self::SealedUnreadable { .. } => "sealed_unreadable",
            Self::BackupRestored { .. } => "backup_restored",
            Self::DriftRepaired { .. } => "drift_repaired",
            Self::DriftFound { .. } => "drift_found",
        }
    }

    /// How much it wants to be seen.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::HealthChanged {
                to: Health::Critical,
                ..
            }
            | Self::ProfileGone { .. }
            | Self::SecurityEvent { .. }
            | Self::RefreshExhausted { .. }
            | Self::RotationLost { .. }
            | Self::TargetMissed { .. }
            | Self::TargetFailed { .. }
            | Self::TargetUnconfirmed { .. }
            | Self::SealedUnreadable { .. }
            | Self::JobPoisoned { .. } => Severity::Critical,
            Self::AuthStateChanged { to, .. } if *to != AuthState::Connected => Severity::Critical,
            Self::TargetVerified { verdict, .. }
                if verdict == "removed" || verdict == "altered" =>
            {
                Severity::Critical
            }
            Self::HealthChanged {
                to: Health::Warning | Health::Unknown,
                ..
            }
            | Self::EndsIn { .. }
            | Self::ConnectionStuck { .. }
            | Self::GrantFlapping { .. }
            | Self::ProviderChanged { .. }
            | Self::RefreshFailed { .. }
            | Self::ConnectFailed { .. }
            | Self::WorkspaceDisconnected(_)
            | Self::RevocationFailed { .. }
            | Self::UnusualActivity { .. }
            | Self::DataDeleted { .. }
            | Self::OutcomeUnknown { .. }
            | Self::LaneLost { .. }
            | Self::EnvelopeDropped { .. }
            | Self::BackupRestored { .. }
            | Self::DriftRepaired { .. }
            | Self::DriftFound { .. } => Severity::Warning,
            _ => Severity::Info,
        }
    }

    /// The target that has ended by this, or was taken down: what people see of its post may be another state now.
    #[must_use]
    pub fn ended_target(&self) -> Option<TargetId> {
        match self {
            Self::TargetCancelled { target, .. }
            | Self::TargetMissed { target, .. }
            | Self::TargetAccepted { target, .. }
            | Self::TargetFailed { target, .. }
            | Self::TargetUnconfirmed { target, .. }
            | Self::TargetSaidRemoved { target } => Some(*target),
            Self::TargetVerified {
                target, verdict, ..
            } if verdict == "removed" => Some(*target),
            _ => None,
        }
    }

    /// What the event is about: the id that readers look it up by (nil for the house itself).
    #[must_use]
    pub fn subject(&self) -> Uuid {
        match self {
            Self::WorkspaceCreated { workspace }
            | Self::PlanChanged { workspace, .. }
            | Self::WorkspaceDisconnected(WorkspaceDisconnected { workspace, .. })
            | Self::ChecksRequested { workspace, .. } => workspace.uuid(),
            Self::ConnectFailed {
                connect,
                connection,
                ..
            } => connection.map_or(connect.uuid(), ConnectionId::uuid),
            Self::OfferLapsed { connect, .. } => connect.uuid(),
            Self::KeyCreated(KeyCreated { key, .. }) | Self::KeyRevoked { key } => key.uuid(),
            Self::ConnectionImported { connection, .. }
            | Self::ConnectionConnected { connection, .. }
            | Self::ConnectionReconnected { connection, .. }
            | Self::CopyBegun(CopyBegun { connection, .. })
            | Self::ConnectionCopied { connection, .. }
            | Self::ReconnectLinkMade { connection, .. }
            | Self::ReconnectLinkUsed { connection, .. }
            | Self::ConnectionRemoved(ConnectionRemoved { connection, .. })
            | Self::ConnectionRevived { connection, .. }
            | Self::ConnectionEdited { connection, .. }
            | Self::MainConnectionSet { connection, .. }
            | Self::CheckRequested { connection }
            | Self::UnusualActivity { connection, .. }
            | Self::HealthChanged { connection, .. }
            | Self::ConnectionStuck { connection, .. }
            | Self::ConnectionRenamed { connection, .. }
            | Self::AccountChanged { connection, .. }
            | Self::ConnectionRelinked { connection, .. } => connection.uuid(),
            Self::ProfileGone { grant, .. }
            | Self::EndsIn { grant, .. }
            | Self::SecurityEvent { grant, .. }
            | Self::GrantFlapping { grant, .. }
            | Self::GrantRevokedAtPlatform { grant }
            | Self::RevocationFailed { grant, .. }
            | Self::AuthStateChanged { grant, .. }
            | Self::TokenRefreshed { grant, .. }
            | Self::RefreshFailed { grant, .. }
            | Self::RefreshExhausted { grant, .. }
            | Self::RotationLost { grant } => grant.uuid(),
            Self::MediaAdded { media, .. } => media.uuid(),
            Self::PostScheduled { post, .. }
            | Self::PostEdited { post }
            | Self::PostSynced { post, .. }
            | Self::PostSettled { post, .. } => post.uuid(),
            Self::DataDeleted { news, .. } => news.uuid(),
            Self::TargetCancelled { target, .. }
            | Self::TargetMissed { target, .. }
            | Self::TargetAccepted { target, .. }
            | Self::OutcomeUnknown { target, .. }
            | Self::TargetFailed { target, .. }
            | Self::TargetProcessing { target, .. }
            | Self::TargetUnconfirmed { target, .. }
            | Self::TargetSaidRemoved { target }
            | Self::NativePublished(NativePublished { target, .. })
            | Self::TargetPublishedAgain(TargetPublishedAgain { target, .. })
            | Self::TargetVerified { target, .. } => target.uuid(),
            Self::ProviderChanged { subject, .. } | Self::JobPoisoned { subject, .. } => *subject,
            Self::SealedUnreadable { row, .. } => *row,
            Self::LaneLost { .. }
            | Self::EnvelopeDropped { .. }
            | Self::VaultKeyActivated { .. }
            | Self::VaultResealed { .. }
            | Self::BackupRestored { .. }
            | Self::DriftRepaired { .. }
            | Self::DriftFound { .. } => Uuid::nil(),
        }
    }
}
