//! What people do with a connection once it is there: let it go, make it the main one, say whose it is.

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use crate::{
    access::Role,
    acts::act,
    decision::{Change, Decision, Poke},
    event::{CopyBegun, Event},
    id::{BrandId, ConnectId, ConnectionId, TargetId, WorkspaceId},
    platform::{Platform, RevokeReach},
    time::Time,
};

use super::check_poke;

/// The reason of targets that a disconnect cancels.
pub const CONNECTION_REMOVED: &str = "connection_removed";

/// Which connections an act lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// One.
    One(ConnectionId),
    /// Every one of the workspace: the kill switch.
    All,
}

impl Which {
    /// Why they are gone, as a stable code.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::One(_) => "disconnected",
            Self::All => "kill_switch",
        }
    }
}

/// What letting go would do, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impact {
    /// The connections, in the order of their ids.
    pub connections: Vec<ConnectionId>,
    /// Targets that will be cancelled, in the order of their ids, and when they are due.
    pub pending: Vec<(TargetId, Time)>,
    /// Targets that are on their way: what has been sent cannot be called back.
    pub in_flight: Vec<TargetId>,
}

impl Impact {
    /// What a person confirms: a digest of what they were shown.
    ///
    /// For one connection that is each post that will not go out. The kill switch is about connections alone: after a
    /// breach it must not be refused because somebody scheduled a post meanwhile.
    #[must_use]
    pub fn confirmation(&self, which: Which) -> String {
        let mut digest = Sha256::new();
        digest.update(which.why());
        for connection in &self.connections {
            digest.update(connection.uuid());
        }
        if matches!(which, Which::One(_)) {
            for (target, due) in &self.pending {
                digest.update(target.uuid());
                digest.update(due.timestamp_millis().to_be_bytes());
            }
        }
        hex::encode(&digest.finalize()[..16])
    }
}

/// Connections to let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub which: Which,
    /// What the person confirmed: [`Impact::confirmation`] of what they were shown.
    pub confirmed: String,
}

/// Lets connections go: tokens deleted, pending targets cancelled, history kept. What became of each target only the
/// database can tell, so it tells the events.
#[must_use]
pub fn disconnect(removal: Removal) -> Decision {
    act().change(Change::ConnectionsRemoved(removal))
}

/// What a person says about a connection; `None` = as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// Who answers for it.
    pub owner: Option<Option<String>>,
    /// For admins only: how to get at it.
    pub admin_note: Option<Option<String>>,
    /// What to do, and whom to call, when it fails.
    pub escalation: Option<Option<String>>,
    /// Whether the user behind it is no person.
    pub service_account: Option<bool>,
    /// Words to find it by.
    pub labels: Option<Vec<String>>,
    /// The client label.
    pub brand: Option<Option<BrandId>>,
    /// The least time between two sends; nothing = as the policy says.
    pub spacing: Option<Option<TimeDelta>>,
}

impl Edit {
    /// The names of what it says something about.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        [
            ("owner", self.owner.is_some()),
            ("admin_note", self.admin_note.is_some()),
            ("escalation", self.escalation.is_some()),
            ("service_account", self.service_account.is_some()),
            ("labels", self.labels.is_some()),
            ("brand", self.brand.is_some()),
            ("spacing", self.spacing.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, told)| told.then_some(name))
        .collect()
    }
}

/// New words about a connection. The event names the fields; their text may be for admins only.
#[must_use]
pub fn edit(decision: Decision, connection: ConnectionId, edit: Edit) -> Decision {
    let fields = edit.fields().into_iter().map(str::to_owned).collect();
    decision
        .event(Event::ConnectionEdited { connection, fields })
        .change(Change::ConnectionEdited {
            connection,
            edit: Box::new(edit),
        })
}

/// Makes a connection the main one of its platform in its workspace; the one before steps back.
#[must_use]
pub fn set_main(connection: ConnectionId) -> Decision {
    act().change(Change::MainConnection { connection })
}

/// Looks at a connection now: a password was changed, an owner has left.
#[must_use]
pub fn check_now(connection: ConnectionId, platform: Platform, now: Time) -> Decision {
    act()
        .poke(check_poke(connection, platform, now))
        .event(Event::CheckRequested { connection })
}

/// Looks at every connection of the workspace now.
#[must_use]
pub fn check_all(workspace: WorkspaceId, connections: u64, now: Time) -> Decision {
    act()
        .poke(Poke::EveryCheck(now))
        .event(Event::ChecksRequested {
            workspace,
            connections,
        })
}

/// Why a connection may not be copied to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CopyRefused {
    /// It is there already.
    #[error("is the workspace that it is in; name another one")]
    SameWorkspace,
    /// The key does not open the other workspace, or may not connect there.
    #[error(
        "copying needs the right to connect in both workspaces: use a key that is operator in both, or send one of the other workspace as Mooring-Other-Key"
    )]
    NoRight,
}

/// Whether a key with these roles may copy a connection from one workspace to another: it must be allowed to connect
/// in both.
///
/// The copy is a run of connecting of its own: a refresh token that works once cannot be shared, for the second use
/// ends the session of both.
pub fn may_copy(
    roles: &[(WorkspaceId, Role)],
    from: WorkspaceId,
    to: WorkspaceId,
) -> Result<(), CopyRefused> {
    if from == to {
        return Err(CopyRefused::SameWorkspace);
    }
    let connects = |wanted: WorkspaceId| {
        let mut roles = roles.iter();
        roles.any(|(workspace, role)| *workspace == wanted && *role >= Role::Operator)
    };
    if connects(from) && connects(to) {
        Ok(())
    } else {
        Err(CopyRefused::NoRight)
    }
}

/// A copy has begun in another workspace; the connection's own stream tells so.
#[must_use]
pub fn copy_begun(
    connection: ConnectionId,
    connect: ConnectId,
    workspace: WorkspaceId,
) -> Decision {
    act().event(Event::CopyBegun(CopyBegun {
        connection,
        connect,
        workspace,
    }))
}

/// Whether a credential may be given back at its platform: not where that would end another one that is in use.
///
/// `user_holds`: the same user has given us another credential, in any workspace, by any way in. `token_held`: another
/// credential in use is this very one (it was brought in twice).
#[must_use]
pub const fn may_give_back(reach: RevokeReach, user_holds: bool, token_held: bool) -> bool {
    match reach {
        RevokeReach::Token => !token_held,
        RevokeReach::Consent => !user_holds,
    }
}

/// More is scheduled on one connection within an hour than anybody does by hand, and it was not told in this hour.
#[must_use]
pub const fn is_unusual(scheduled_in_hour: u64, told_in_hour: bool, limit: u64) -> bool {
    scheduled_in_hour > limit && !told_in_hour
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::from_ms;

    fn impact() -> Impact {
        let at = from_ms(1_800_000_000_000);
        Impact {
            connections: vec![ConnectionId::mint(at, [1; 10])],
            pending: vec![(TargetId::mint(at, [2; 10]), at)],
            in_flight: Vec::new(),
        }
    }

    #[test]
    fn row_047_a_confirmation_is_for_what_was_shown() {
        let shown = impact();
        let which = Which::One(shown.connections[0]);
        let confirmed = shown.confirmation(which);
        assert_eq!(shown.confirmation(which), confirmed);
        let mut moved = impact();
        moved.pending[0].1 = from_ms(1_800_000_060_000);
        let mut more = impact();
        let late = from_ms(1_800_000_000_001);
        more.pending.push((TargetId::mint(late, [3; 10]), late));
        for other in [&moved, &more] {
            assert_ne!(other.confirmation(which), confirmed);
        }
        assert_ne!(shown.confirmation(Which::All), confirmed);
        assert_eq!(
            more.confirmation(Which::All),
            shown.confirmation(Which::All),
            "the kill switch does not wait for a quiet moment"
        );
    }

    #[test]
    fn row_060_copying_needs_the_right_to_connect_in_both_workspaces() {
        let at = from_ms(1_800_000_000_000);
        let (here, there) = (
            WorkspaceId::mint(at, [1; 10]),
            WorkspaceId::mint(at, [2; 10]),
        );
        let may = |roles: &[(WorkspaceId, Role)]| may_copy(roles, here, there);
        let refused = Err(CopyRefused::NoRight);
        assert_eq!(may(&[(here, Role::Admin)]), refused);
        assert_eq!(may(&[(there, Role::Admin)]), refused);
        assert_eq!(may(&[(here, Role::Admin), (there, Role::Viewer)]), refused);
        assert_eq!(may(&[(here, Role::Viewer), (there, Role::Admin)]), refused);
        assert_eq!(
            may(&[(here, Role::Operator), (there, Role::Operator)]),
            Ok(())
        );
        let both = [(here, Role::Admin)];
        assert_eq!(may_copy(&both, here, here), Err(CopyRefused::SameWorkspace));
    }

    #[test]
    fn a_consent_that_serves_another_credential_is_not_withdrawn() {
        let may = may_give_back;
        assert!(may(RevokeReach::Consent, false, false));
        assert!(!may(RevokeReach::Consent, true, false));
        assert!(may(RevokeReach::Token, true, false), "it ends alone");
        assert!(!may(RevokeReach::Token, true, true), "it is the same one");
    }

    #[test]
    fn row_059_a_burst_is_unusual_once_in_its_hour() {
        assert!(!is_unusual(100, false, 100));
        assert!(is_unusual(101, false, 100));
        assert!(!is_unusual(101, true, 100));
    }

    #[test]
    fn an_edit_tells_which_fields_and_not_their_text() {
        let told = Edit {
            admin_note: Some(Some("the safe's number".to_owned())),
            labels: Some(Vec::new()),
            ..Edit::default()
        };
        assert_eq!(told.fields(), ["admin_note", "labels"]);
        let connection = impact().connections[0];
        let decision = edit(act(), connection, told);
        let event = serde_json::to_string(&decision.events).unwrap();
        assert!(!event.contains("safe"), "{event}");
    }
}
