//! Access tokens of the Graph API: issuing them, and what makes them die.

use serde::{Deserialize, Serialize};

use super::State;
use crate::clock::pacific_time;
use crate::world::{ALPHANUMERIC, World};

/// A long-lived user token lives 60 days.
pub(crate) const LONG_LIFE_S: i64 = 60 * 24 * 3600;
/// A user token fresh from the log-in dialog lives 1 to 2 hours.
pub(crate) const SHORT_LIFE_S: i64 = 90 * 60;
/// Data access ends 90 days after the person's last activity.
const DATA_ACCESS_MS: i64 = 90 * 24 * 3600 * 1000;

/// A token that was issued.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) app: String,
    pub(crate) user: String,
    /// Set for page tokens.
    pub(crate) page: Option<String>,
    pub(crate) issued_at: i64,
    /// `None`: never.
    pub(crate) expires_at: Option<i64>,
    pub(crate) data_access_expires_at: i64,
    pub(crate) dead: Option<RevokeReason>,
    /// Long-lived user tokens make page tokens without an end.
    pub(crate) long_lived: bool,
}

/// Why tokens stop working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeReason {
    /// 190/458: the person removed the app.
    AppRemoved,
    /// 190/460: password changed, or another security event.
    PasswordChanged,
    /// 190/463: as if its time had come.
    Expired,
    /// 190/466: invalidated through the API.
    Invalidated,
    /// 190/467: logged out, or a system error.
    LoggedOut,
}

/// Which tokens of a person are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// User tokens and page tokens.
    #[default]
    All,
    /// User tokens only.
    User,
    /// Page tokens only.
    Page,
}

/// What is wrong with a token.
pub(crate) struct Problem {
    pub(crate) subcode: u32,
    pub(crate) message: String,
}

impl World {
    /// A fresh token string.
    pub(crate) fn graph_token(&mut self) -> String {
        format!("EAA{}", self.word(ALPHANUMERIC, 60))
    }

    /// Issues a user token that lives `life_s` seconds.
    pub(crate) fn issue_user_token(
        &mut self,
        app: &str,
        user: &str,
        life_s: i64,
        long: bool,
    ) -> String {
        let text = self.graph_token();
        let token = Token {
            app: app.to_owned(),
            user: user.to_owned(),
            page: None,
            issued_at: self.now,
            expires_at: Some(self.now + life_s * 1000),
            data_access_expires_at: self.now + DATA_ACCESS_MS,
            dead: None,
            long_lived: long,
        };
        self.keep(text, token)
    }

    /// The page token that belongs to this user token: one per user, page and
    /// app; without an end when the user token is long-lived.
    pub(crate) fn page_token(&mut self, user_token: &Token, page: &str) -> String {
        let key = (
            user_token.user.clone(),
            page.to_owned(),
            user_token.app.clone(),
        );
        let expires_at = if user_token.long_lived {
            None
        } else {
            user_token.expires_at
        };
        if let Some(text) = self.facebook.page_tokens.get(&key) {
            let known = self.facebook.tokens.get(text);
            let alive = |t: &Token| t.dead.is_none() && t.expires_at == expires_at;
            if known.is_some_and(alive) {
                return text.clone();
            }
        }
        let text = self.graph_token();
        self.facebook.page_tokens.insert(key, text.clone());
        let token = Token {
            page: Some(page.to_owned()),
            issued_at: self.now,
            expires_at,
            dead: None,
            ..user_token.clone()
        };
        self.keep(text, token)
    }

    fn keep(&mut self, text: String, token: Token) -> String {
        if let Some(user) = self.facebook.users.get_mut(&token.user) {
            user.tokens.push(text.clone());
        }
        self.facebook.tokens.insert(text.clone(), token);
        text
    }
}

impl State {
    /// Kills tokens of a person that live now, of one app when it is named.
    pub(crate) fn kill_tokens(
        &mut self,
        user: &str,
        app: Option<&str>,
        which: TokenScope,
        reason: RevokeReason,
    ) {
        let Some(user) = self.users.get(user) else {
            return;
        };
        for text in &user.tokens {
            let Some(token) = self.tokens.get_mut(text) else {
                continue;
            };
            let meant = match which {
                TokenScope::All => true,
                TokenScope::User => token.page.is_none(),
                TokenScope::Page => token.page.is_some(),
            };
            if meant && app.is_none_or(|app| app == token.app) {
                token.dead.get_or_insert(reason);
            }
        }
    }

    /// What is wrong with this token now, if anything is.
    pub(crate) fn problem(&self, token: &Token, now: i64) -> Option<Problem> {
        let problem = |subcode, text: &str| {
            let message = format!("Error validating access token: {text}");
            Some(Problem { subcode, message })
        };
        if let Some(reason) = token.dead {
            return problem(reason.subcode(), &reason.text(token, now));
        }
        if token.expires_at.is_some_and(|end| end <= now) {
            return problem(463, &RevokeReason::Expired.text(token, now));
        }
        if self.users.get(&token.user).is_some_and(|u| u.checkpoint) {
            let text = "You cannot access the app till you log in to www.facebook.com and follow \
                        the instructions given.";
            return problem(459, text);
        }
        let page = token.page.as_ref().and_then(|p| self.pages.get(p));
        if page.is_some_and(|p| !p.tasks.contains_key(&token.user)) {
            let text = "The user must be an administrator, editor, or moderator of the page in \
                        order to impersonate it.";
            return problem(492, text);
        }
        None
    }
}

impl RevokeReason {
    fn subcode(self) -> u32 {
        match self {
            Self::AppRemoved => 458,
            Self::PasswordChanged => 460,
            Self::Expired => 463,
            Self::Invalidated => 466,
            Self::LoggedOut => 467,
        }
    }

    fn text(self, token: &Token, now: i64) -> String {
        match self {
            Self::AppRemoved => {
                format!("The user has not authorized application {}.", token.app)
            }
            Self::PasswordChanged => "The session has been invalidated because the user changed \
                their password or Facebook has changed the session for security reasons."
                .to_owned(),
            Self::Expired => {
                let end = token.expires_at.filter(|end| *end <= now).unwrap_or(now);
                let (end, now) = (pacific_time(end), pacific_time(now));
                format!("Session has expired on {end}. The current time is {now}.")
            }
            Self::Invalidated => {
                "The session was invalidated explicitly using an API call.".to_owned()
            }
            Self::LoggedOut => "This may be because the user logged out or may be due to a system \
                error."
                .to_owned(),
        }
    }
}
