//! Connecting and reconnecting: the runs that people begin, and what comes of them.
//!
//! A run begins with a state that works once, goes through the person's browser (or takes a password for one call),
//! and ends connected, reconnected, or with a code that says why not. Only a run that ends well changes anything but
//! itself.

use chrono::TimeDelta;

use crate::{
    acts::act,
    connection::life::may_give_back,
    decision::{Change, Decision, Poke},
    event::Event,
    grant::{AuthState, GrantFacts, refresh_due, refresh_poke},
    id::{AppId, ConnectId, ConnectionId, GrantId, LinkId},
    platform::{Platform, RevokeReach},
    policy::Policy,
    time::{Time, hours, minutes},
};

/// How long a person has at the platform's page.
pub const CONSENT_LIFE: TimeDelta = minutes(10);
/// How long an offer of destinations stands.
pub const OFFER_LIFE: TimeDelta = minutes(15);
/// How long after a run's end the house forgets what is sealed for it: whoever chose at the last moment is through.
pub const LAPSE_AFTER: TimeDelta = minutes(1);
/// How long after its end an offer may wait to be given back; what is sealed is then forgotten without.
pub const LAPSE_PATIENCE: TimeDelta = minutes(45);
/// How long a reconnect link works, unless somebody says otherwise.
pub const LINK_LIFE: TimeDelta = hours(72);
/// Attempts at connecting are counted over this long, and refused for this long once there were too many.
pub const ATTEMPTS_WINDOW: TimeDelta = hours(1);

/// How a run stands or has ended, as browsers and callers of the API see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectOutcome {
    /// The platform has answered well; the destinations wait to be chosen.
    Offered,
    /// The chosen destinations are connected.
    Connected,
    /// The connection works again.
    Reconnected,
    /// The person said no at the platform.
    Denied,
    /// Nobody came back in time: a closed window, or a consent that took too long.
    Expired,
    /// What came back belongs to no run of ours.
    StateUnknown,
    /// What came back had come back before.
    StateUsed,
    /// What came back came in another browser than the one that began.
    WrongBrowser,
    /// The platform did not accept its own code.
    CodeRefused,
    /// The platform does not accept our app.
    AppRefused,
    /// The platform failed, or answered with an error.
    ProviderError,
    /// The log-in reaches nothing that can be connected.
    NoDestination,
    /// Another account than the one that was to be reconnected, or copied.
    AccountMismatch,
    /// The right person, but the account is no longer among what they reach.
    AccountGone,
    /// The account lives in another workspace.
    ConnectedElsewhere,
    /// The workspace's plan does not allow it.
    PlanRefused,
}

impl ConnectOutcome {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::Offered,
        Self::Connected,
        Self::Reconnected,
        Self::Denied,
        Self::Expired,
        Self::StateUnknown,
        Self::StateUsed,
        Self::WrongBrowser,
        Self::CodeRefused,
        Self::AppRefused,
        Self::ProviderError,
        Self::NoDestination,
        Self::AccountMismatch,
        Self::AccountGone,
        Self::ConnectedElsewhere,
        Self::PlanRefused,
    ];

    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Connected => "connected",
            Self::Reconnected => "reconnected",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::StateUnknown => "state_unknown",
            Self::StateUsed => "state_used",
            Self::WrongBrowser => "wrong_browser",
            Self::CodeRefused => "code_refused",
            Self::AppRefused => "app_refused",
            Self::ProviderError => "provider_error",
            Self::NoDestination => "no_destination",
            Self::AccountMismatch => "account_mismatch",
            Self::AccountGone => "account_gone",
            Self::ConnectedElsewhere => "connected_elsewhere",
            Self::PlanRefused => "plan_refused",
        }
    }

    /// Reads the code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether accounts were connected by it.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Connected | Self::Reconnected)
    }
}

/// A run that begins. What its adapter must keep travels sealed beside the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnect {
    /// Its id.
    pub connect: ConnectId,
    /// By which way in.
    pub platform: Platform,
    /// SHA-256 of the state that goes through the browser, in hex.
    pub state_digest: String,
    /// What is to be reconnected, where this is no new connection.
    pub connection: Option<ConnectionId>,
    /// What is copied, where this makes a copy: a connection of another workspace, whose account alone will do.
    pub copied_from: Option<ConnectionId>,
    /// The link that it came by.
    pub link: Option<LinkId>,
    /// Our app at the platform.
    pub app: Option<AppId>,
    /// Where the platform sends the browser back to.
    pub redirect_uri: String,
    /// The account's own server, where one was named.
    pub host: Option<String>,
    /// Where we send the browser on to.
    pub return_url: Option<String>,
}

/// A link that reconnects one connection, for somebody without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// Its id.
    pub link: LinkId,
    /// What it reconnects.
    pub connection: ConnectionId,
    /// SHA-256 of its text, in hex.
    pub digest: String,
    /// When it ends.
    pub expires_at: Time,
}

/// A grant that has come, with what it reaches. The tokens travel sealed beside the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connecting {
    /// The run that ends by this.
    pub connect: ConnectId,
    /// What is reconnected, where this is a reconnect; then nothing else becomes connected.
    pub reconnects: Option<ConnectionId>,
    /// The grant's id, if the workspace has none of this user yet.
    pub grant: GrantId,
    /// The way in.
    pub platform: Platform,
    /// Our app.
    pub app: Option<AppId>,
    /// The provider user behind the grant.
    pub remote_user_id: String,
    /// Base URL of the account's own server, where the platform has such.
    pub host: Option<String>,
    /// End of the access token.
    pub access_expires_at: Option<Time>,
    /// Whether a refresh token came along.
    pub has_refresh_token: bool,
    /// End of the refresh token.
    pub refresh_expires_at: Option<Time>,
    /// Granted permissions, where the platform says them.
    pub scopes: Option<Vec<String>>,
    /// Everything that the grant reaches.
    pub reached: Vec<Arriving>,
}

/// A destination that a new grant reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arriving {
    /// The id that it gets, if it is new here.
    pub connection: ConnectionId,
    /// What it is.
    pub platform: Platform,
    /// Its id at the platform.
    pub remote_id: String,
    /// What people call it.
    pub name: String,
    /// Whether the person chose it.
    pub chosen: bool,
}

/// A run that begins; one that came by a link uses it up.
#[must_use]
pub fn begin(new: NewConnect) -> Decision {
    let mut decision = act();
    if let (Some(link), Some(connection)) = (new.link, new.connection) {
        decision = decision
            .change(Change::LinkUsed { link })
            .event(Event::ReconnectLinkUsed { link, connection });
    }
    decision.change(Change::ConnectBegun(Box::new(new)))
}

/// A browser has come back with the run's state. From now on the state is spent.
#[must_use]
pub fn call_back(connect: ConnectId) -> Decision {
    act().change(Change::ConnectCalledBack { connect })
}

/// The platform has answered; the person may choose until the offer ends.
#[must_use]
pub fn offer(connect: ConnectId, now: Time) -> Decision {
    act().change(Change::ConnectOffered {
        connect,
        until: now + OFFER_LIFE,
    })
}

/// A run that ends without anything connected.
#[must_use]
pub fn fail(connect: ConnectId, outcome: ConnectOutcome) -> Decision {
    act().change(Change::ConnectFailed { connect, outcome })
}

/// A run that ends well.
#[must_use]
pub fn complete(mut new: Connecting, now: Time) -> Decision {
    let row = new.platform.capabilities();
    new.access_expires_at = plausible_end(new.access_expires_at, row.access_lifetime, now);
    new.refresh_expires_at = plausible_end(new.refresh_expires_at, row.refresh_lifetime, now);
    act().change(Change::GrantConnected(Box::new(new)))
}

/// What becomes of a credential that was offered and that nobody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchosen {
    /// It may be given back at its platform.
    GiveBack,
    /// Not now: a person is about to choose from, or come back with, the same consent.
    Later,
    /// Never: giving it back would end a credential that is in use.
    Leave,
}

/// What is known about the user whose credential nobody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserNow {
    /// They have given us another credential that is in use.
    pub holds: bool,
    /// A credential in use is this very one.
    pub token_held: bool,
    /// A run that is open may live by the same consent.
    pub connects: bool,
}

/// What becomes of a credential that was offered until `ended` and that nobody chose.
#[must_use]
pub fn unchosen(reach: RevokeReach, user: UserNow, ended: Time, now: Time) -> Unchosen {
    if !may_give_back(reach, user.holds, user.token_held) {
        return Unchosen::Leave;
    }
    match reach {
        RevokeReach::Consent if user.connects && now < ended + LAPSE_PATIENCE => Unchosen::Later,
        RevokeReach::Consent if user.connects => Unchosen::Leave,
        RevokeReach::Consent | RevokeReach::Token => Unchosen::GiveBack,
    }
}

/// Forgets what is sealed for a run whose time is over. `offered`: it held a credential; given back, or why not.
#[must_use]
pub fn lapse(connect: ConnectId, offered: Option<Result<(), &str>>) -> Decision {
    let decision = act().change(Change::ConnectLapsed { connect });
    match offered {
        None => decision,
        Some(given_back) => decision.event(Event::OfferLapsed {
            connect,
            kept: given_back.err().map(str::to_owned),
        }),
    }
}

/// A link for somebody without a key.
#[must_use]
pub fn make_link(new: NewLink) -> Decision {
    act()
        .event(Event::ReconnectLinkMade {
            link: new.link,
            connection: new.connection,
            expires_at: new.expires_at,
        })
        .change(Change::LinkMade(Box::new(new)))
}

/// An end that the platform can have meant: one far beyond its documented lifetime is a mistake, theirs or ours, and
/// would keep a token from ever being renewed.
#[must_use]
pub fn plausible_end(end: Option<Time>, usual: Option<TimeDelta>, now: Time) -> Option<Time> {
    match (end, usual) {
        (Some(end), Some(usual)) if end > now + usual * 2 => Some(now + usual),
        (end, _) => end,
    }
}

/// Whether what a new grant reaches is the account that is to be reconnected. Somebody else may reconnect a page that
/// they publish to as well; another account is refused.
pub fn identify(
    wanted: (Platform, &str),
    user_before: &str,
    user: &str,
    reached: &[(Platform, &str)],
) -> Result<(), ConnectOutcome> {
    if reached.contains(&wanted) {
        Ok(())
    } else if user == user_before {
        Err(ConnectOutcome::AccountGone)
    } else {
        Err(ConnectOutcome::AccountMismatch)
    }
}

/// Why a connection had to be reconnected, as a stable word: `password`, `expired`, `revoked`, `api_change`,
/// `permissions`, `account`, `disconnected`, or `by_choice` where nothing was wrong with it.
#[must_use]
pub fn why_reconnected(
    removed: bool,
    state: AuthState,
    state_why: Option<&str>,
    health_reasons: &[String],
    ended: bool,
) -> &'static str {
    if removed {
        return "disconnected";
    }
    match (state, state_why) {
        (_, Some("security_event")) => return "password",
        (AuthState::Error, Some("app_access" | "contract")) => return "api_change",
        (AuthState::Error, Some("scope_missing")) => return "permissions",
        (AuthState::Error, _) => return "account",
        (AuthState::Revoked, _) => return "revoked",
        (AuthState::Expired, _) => return "expired",
        (AuthState::Connected, _) => {}
    }
    let has = |code: &str| health_reasons.iter().any(|reason| reason == code);
    if ended || has("token_ended") || has("refresh_exhausted") {
        "expired"
    } else if has("scopes_missing") {
        "permissions"
    } else if has("account") {
        "account"
    } else {
        "by_choice"
    }
}

/// The refresh job of tokens that have just come, where the platform renews them.
#[must_use]
pub fn refresh_of(new: &Connecting, grant: GrantId, policy: &Policy, now: Time) -> Option<Poke> {
    let facts = GrantFacts {
        state: AuthState::Connected,
        token_version: 1,
        issued_at: now,
        access_expires_at: new.access_expires_at,
        has_refresh_token: new.has_refresh_token,
        refresh_expires_at: new.refresh_expires_at,
        refresh_begun: false,
        refresh_exhausted: false,
        probed_at: None,
    };
    let due = refresh_due(&facts, new.platform, policy)?;
    Some(refresh_poke(grant, new.platform, due.max(now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{days, from_ms};

    #[test]
    fn codes_read_themselves_back() {
        for outcome in ConnectOutcome::ALL {
            assert_eq!(ConnectOutcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!(ConnectOutcome::parse("nothing"), None);
    }

    #[test]
    fn an_end_in_thirty_one_years_is_not_believed() {
        let now = from_ms(1_764_000_000_000);
        let usual = Some(days(60));
        let far = Some(now + days(365 * 31));
        assert_eq!(plausible_end(far, usual, now), Some(now + days(60)));
        let near = Some(now + days(61));
        assert_eq!(plausible_end(near, usual, now), near);
        assert_eq!(plausible_end(None, usual, now), None);
    }

    #[test]
    fn what_nobody_chose_is_given_back_unless_something_lives_by_it() {
        use RevokeReach::{Consent, Token};
        let now = from_ms(1_764_000_000_000);
        let nothing = UserNow {
            holds: false,
            token_held: false,
            connects: false,
        };
        let of = |reach, user| unchosen(reach, user, now, now + minutes(2));
        assert_eq!(of(Consent, nothing), Unchosen::GiveBack);
        assert_eq!(of(Token, nothing), Unchosen::GiveBack);
        let holds = UserNow {
            holds: true,
            ..nothing
        };
        assert_eq!(of(Consent, holds), Unchosen::Leave);
        assert_eq!(of(Token, holds), Unchosen::GiveBack, "it ends alone");
        let same = UserNow {
            token_held: true,
            ..holds
        };
        assert_eq!(of(Token, same), Unchosen::Leave);
        let connects = UserNow {
            connects: true,
            ..nothing
        };
        assert_eq!(of(Token, connects), Unchosen::GiveBack);
        assert_eq!(of(Consent, connects), Unchosen::Later);
        let late = now + LAPSE_PATIENCE;
        let end = unchosen(Consent, connects, now, late);
        assert_eq!(
            end,
            Unchosen::Leave,
            "sealed bytes wait for nobody for ever"
        );
    }

    #[test]
    fn a_reconnect_is_of_the_same_account() {
        let wanted = (Platform::Facebook, "page");
        let reached = [(Platform::Facebook, "other"), wanted];
        assert_eq!(identify(wanted, "ann", "ann", &reached), Ok(()));
        assert_eq!(identify(wanted, "ann", "bob", &reached), Ok(()));
        let without = &reached[..1];
        let of = |user| identify(wanted, "ann", user, without);
        assert_eq!(of("ann"), Err(ConnectOutcome::AccountGone));
        assert_eq!(of("bob"), Err(ConnectOutcome::AccountMismatch));
    }

    #[test]
    fn row_040_the_reason_for_a_reconnect_is_told_from_what_was_wrong() {
        use AuthState::{Connected, Error, Expired, Revoked};
        let none: [String; 0] = [];
        let why =
            |state, why, reasons: &[String]| why_reconnected(false, state, why, reasons, false);
        assert_eq!(why(Revoked, Some("security_event"), &none), "password");
        assert_eq!(why(Revoked, Some("token_revoked"), &none), "revoked");
        assert_eq!(why(Expired, Some("token_expired"), &none), "expired");
        assert_eq!(why(Error, Some("app_access"), &none), "api_change");
        assert_eq!(
            why(Connected, None, &["scopes_missing".to_owned()]),
            "permissions"
        );
        assert_eq!(why(Connected, None, &none), "by_choice");
        assert_eq!(
            why_reconnected(true, Revoked, None, &none, false),
            "disconnected"
        );
    }
}
