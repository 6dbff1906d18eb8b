//! Acts on the simulated `YouTube` and Google accounts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Caller, PREFIX};
use super::limits::CHANNEL_UPLOADS_PER_DAY;
use super::tokens::{self, ACCESS_LIFE_S};
use super::{
    App, AppState, Channel, ChannelState, Outcome, Privacy, User, UserState, limits, processing,
};
use crate::admin::{Admin, AdminError, SimSecret};
use crate::clock::rfc3339;
use crate::limits::Window;
use crate::world::{ALPHANUMERIC, World};

/// Scopes that a new account has granted: they upload, read and delete.
const SCOPES: [&str; 3] = ["youtube.upload", "youtube.readonly", "youtube.force-ssl"];
/// Refresh tokens with one of these end with a change of the password.
const MAIL_SCOPES: [&str; 2] = [
    "https://mail.google.com/",
    "https://www.googleapis.com/auth/gmail.",
];
const CHANNEL_ID: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An OAuth client, with its project, to be registered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewYoutubeApp {
    /// Client id; chosen when absent.
    pub client_id: Option<String>,
    /// Client secret; chosen when absent.
    pub secret: Option<String>,
    /// Publishing status "Testing": refresh tokens live for seven days.
    pub testing: bool,
    /// An unverified project: every upload is private (the rule until 2 November 2026).
    pub locks_uploads: bool,
    /// Addresses that codes may go to; empty = any.
    pub redirect_uris: Vec<String>,
    /// Units of one Pacific day (really [`UNITS_PER_DAY`](super::UNITS_PER_DAY)); `None` = not
    /// enforced.
    pub units_per_day: Option<u64>,
    /// `videos.insert` calls of one Pacific day (really
    /// [`UPLOADS_PER_DAY`](super::UPLOADS_PER_DAY)); `None` = not enforced.
    pub uploads_per_day: Option<u64>,
}

/// An OAuth client that is registered.
#[derive(Clone, Debug, Serialize)]
pub struct YoutubeApp {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub secret: SimSecret,
}

/// Google accounts to be created, with a channel and tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewYoutubeUsers {
    /// Client id that their tokens belong to.
    pub app: String,
    /// How many accounts.
    pub count: usize,
    /// How many channels each has; the tokens are for the first.
    pub channels: usize,
    /// Remaining life of the access token, in seconds.
    pub access_life_s: i64,
}

impl Default for NewYoutubeUsers {
    /// One account with one channel and a fresh access token.
    fn default() -> Self {
        Self {
            app: String::new(),
            count: 1,
            channels: 1,
            access_life_s: ACCESS_LIFE_S,
        }
    }
}

/// A Google account with tokens.
#[derive(Clone, Debug, Serialize)]
pub struct YoutubeUser {
    /// Number of the account.
    pub id: String,
    /// Address; like the number and the channel's id a `login_hint`.
    pub email: String,
    /// Its channels; the tokens are for the first.
    pub channels: Vec<YoutubeChannel>,
    /// Access token.
    pub access_token: SimSecret,
    /// Its end, as RFC 3339.
    pub access_expires_at: String,
    /// Refresh token.
    pub refresh_token: SimSecret,
    /// What was granted.
    pub scopes: Vec<String>,
}

/// A channel.
#[derive(Clone, Debug, Serialize)]
pub struct YoutubeChannel {
    /// `UC…`.
    pub id: String,
    /// Name.
    pub title: String,
}

/// What happens to the tokens of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YoutubeTokenAction {
    /// Access tokens end now; refresh tokens live on.
    ExpireAccess,
    /// Refresh tokens end now, silently; access tokens live to their end.
    ExpireRefresh,
    /// The person removed the app: consent and every token end.
    Revoke,
}

impl Admin {
    /// Registers an OAuth client.
    pub fn create_youtube_app(&self, new: NewYoutubeApp) -> Result<YoutubeApp, AdminError> {
        self.with(|w| {
            let number = 407_000_000_000 + w.youtube.number();
            let word = w.word(b"0123456789abcdefghijklmnopqrstuvwxyz", 32);
            let usual = format!("{number}-{word}.apps.googleusercontent.com");
            let id = new.client_id.unwrap_or(usual);
            if w.youtube.apps.contains_key(&id) {
                return Err(AdminError::Taken { what: "client", id });
            }
            let word = w.word(ALPHANUMERIC, 28);
            let secret = new.secret.unwrap_or_else(|| format!("GOCSPX-{word}"));
            let app = App {
                secret: secret.clone(),
                state: AppState::Active,
                testing: new.testing,
                locks_uploads: new.locks_uploads,
                redirect_uris: new.redirect_uris,
                quota: limits::Quota::new(new.units_per_day, new.uploads_per_day),
            };
            w.youtube.apps.insert(id.clone(), app);
            let (client_id, secret) = (id, SimSecret(secret));
            Ok(YoutubeApp { client_id, secret })
        })
    }

    /// Creates Google accounts with channels and tokens.
    pub fn create_youtube_users(
        &self,
        new: &NewYoutubeUsers,
    ) -> Result<Vec<YoutubeUser>, AdminError> {
        self.with(|w| {
            if !w.youtube.apps.contains_key(&new.app) {
                return Err(AdminError::not_found("client", &new.app));
            }
            Ok((0..new.count).map(|_| create_user(w, new)).collect())
        })
    }

    /// Ends tokens of an account.
    pub fn act_on_youtube_tokens(
        &self,
        user: &str,
        action: YoutubeTokenAction,
    ) -> Result<(), AdminError> {
        self.youtube_user(user, |_| ())?;
        self.with(|w| {
            let now = w.now;
            let (access, refresh) = (&mut w.youtube.access, &mut w.youtube.refresh);
            match action {
                YoutubeTokenAction::ExpireAccess => {
                    for token in access.values_mut().filter(|t| t.user == user) {
                        token.expires_at = token.expires_at.min(now);
                    }
                }
                YoutubeTokenAction::ExpireRefresh => {
                    for token in refresh.values_mut().filter(|t| t.user == user) {
                        token.revoked = true;
                    }
                }
                YoutubeTokenAction::Revoke => tokens::revoke_all(w, user, None),
            }
        });
        Ok(())
    }

    /// Takes a scope (with or without its prefix) out of every token of an account, or gives it
    /// back: what a consent with another choice brings.
    pub fn set_youtube_scope(
        &self,
        user: &str,
        scope: &str,
        granted: bool,
    ) -> Result<(), AdminError> {
        self.youtube_user(user, |_| ())?;
        let scope = if scope.contains("://") {
            scope.to_owned()
        } else {
            format!("{PREFIX}{scope}")
        };
        let change = |scopes: &mut BTreeSet<String>| {
            scopes.retain(|s| *s != scope);
            scopes.extend(granted.then(|| scope.clone()));
        };
        self.with(|w| {
            let state = &mut w.youtube;
            let access = state.access.values_mut().filter(|t| t.user == user);
            access.map(|t| &mut t.scopes).for_each(change);
            let refresh = state.refresh.values_mut().filter(|t| t.user == user);
            refresh.map(|t| &mut t.scopes).for_each(change);
            let grants = state.grants.iter_mut().filter(|((u, _), _)| u == user);
            grants.map(|(_, s)| s).for_each(change);
        });
        Ok(())
    }

    /// A new password. Google ends refresh tokens that have a scope of its mail, and no others:
    /// those for `YouTube` live on. Says how many ended.
    pub fn change_youtube_password(&self, user: &str) -> Result<usize, AdminError> {
        self.youtube_user(user, |_| ())?;
        Ok(self.with(|w| {
            let is_mail = |s: &String| MAIL_SCOPES.iter().any(|m| s.starts_with(m));
            let tokens = w.youtube.refresh.values_mut().filter(|t| t.user == user);
            let mail = tokens.filter(|t| !t.revoked && t.scopes.iter().any(is_mail));
            mail.map(|t| t.revoked = true).count()
        }))
    }

    /// Deletes a Google account, puts it under session control or an administrator's block, or
    /// lifts that again.
    pub fn set_youtube_user_state(&self, user: &str, state: UserState) -> Result<(), AdminError> {
        self.youtube_user(user, |u| u.state = state)?;
        if state == UserState::Deleted {
            self.with(|w| tokens::revoke_all(w, user, None));
        }
        Ok(())
    }

    /// Suspends, closes or removes a channel, or lifts that again.
    pub fn set_youtube_channel_state(
        &self,
        channel: &str,
        state: ChannelState,
    ) -> Result<(), AdminError> {
        self.youtube_channel(channel, |c| c.state = state)
    }

    /// What `status` says about a channel: `isLinked`, and `longUploadsStatus` (`allowed`,
    /// `eligible`, `disallowed`).
    pub fn set_youtube_channel_status(
        &self,
        channel: &str,
        linked: bool,
        long_uploads: &str,
    ) -> Result<(), AdminError> {
        self.youtube_channel(channel, |c| {
            c.linked = linked;
            long_uploads.clone_into(&mut c.long_uploads);
        })
    }

    /// How many videos a channel may upload in 24 hours (400 `uploadLimitExceeded` beyond).
    pub fn set_youtube_upload_limit(&self, channel: &str, per_day: u64) -> Result<(), AdminError> {
        self.youtube_channel(channel, |c| c.uploads_per_day = per_day)
    }

    /// What becomes of the next videos of a channel.
    pub fn set_youtube_outcome(&self, channel: &str, outcome: Outcome) -> Result<(), AdminError> {
        self.youtube_channel(channel, |c| c.outcome = outcome)
    }

    /// How long videos that are uploaded from now on are processed, in milliseconds.
    pub fn set_youtube_processing(&self, ms: i64) {
        self.with(|w| w.youtube.processing_ms = ms);
    }

    /// Whether a video with the bytes of an earlier one of the channel is rejected.
    pub fn set_youtube_duplicate_guard(&self, on: bool) {
        self.with(|w| w.youtube.duplicate_guard = on);
    }

    /// Who sees a video, as its owner sets it.
    pub fn set_youtube_privacy(&self, video: &str, privacy: Privacy) -> Result<(), AdminError> {
        let done = self.with(|w| {
            let found = w.youtube.videos.get_mut(video).filter(|v| !v.deleted);
            let found = found.map(|v| v.privacy = privacy).is_some();
            processing::note_seen(w, video);
            found
        });
        found(done, "video", video)
    }

    /// Deletes a client, or switches the API off in its project, or lifts that again.
    pub fn set_youtube_app_state(&self, app: &str, state: AppState) -> Result<(), AdminError> {
        self.youtube_app(app, |a| a.state = state)
    }

    /// The daily quota of a project, counted from now on: units, and uploads. `None` = not enforced.
    pub fn set_youtube_quota(
        &self,
        app: &str,
        units_per_day: Option<u64>,
        uploads_per_day: Option<u64>,
    ) -> Result<(), AdminError> {
        self.youtube_app(app, |a| a.quota.set(units_per_day, uploads_per_day))
    }

    /// A video that its owner uploaded by hand, processed and public. Its id.
    pub fn publish_youtube_video(
        &self,
        channel: &str,
        title: &str,
        description: &str,
    ) -> Result<String, AdminError> {
        self.youtube_channel(channel, |_| ())?;
        Ok(self.with(|w| super::upload::by_hand(w, channel, title, description)))
    }

    /// Subscribes a callback to a channel's feed, with its handshake. News are sent there whatever it answered.
    pub fn subscribe_youtube(
        &self,
        channel: &str,
        callback: &str,
        secret: &str,
        verify_token: &str,
    ) -> Result<(), AdminError> {
        self.youtube_channel(channel, |_| ())?;
        let done = self.with(|w| super::websub::agree(w, channel, callback, secret, verify_token));
        found(done, "callback", callback)
    }

    /// Ends every upload session: Google forgets them after a week.
    pub fn expire_youtube_sessions(&self) {
        self.with(|w| {
            w.youtube
                .sessions
                .values_mut()
                .for_each(super::upload::Session::expire);
        });
    }

    fn youtube_app(&self, id: &str, act: impl FnOnce(&mut App)) -> Result<(), AdminError> {
        let done = self.with(|w| w.youtube.apps.get_mut(id).map(act));
        found(done.is_some(), "client", id)
    }

    fn youtube_user(&self, id: &str, act: impl FnOnce(&mut User)) -> Result<(), AdminError> {
        let done = self.with(|w| w.youtube.users.get_mut(id).map(act));
        found(done.is_some(), "account", id)
    }

    fn youtube_channel(&self, id: &str, act: impl FnOnce(&mut Channel)) -> Result<(), AdminError> {
        let done = self.with(|w| w.youtube.channels.get_mut(id).map(act));
        found(done.is_some(), "channel", id)
    }
}

fn found(found: bool, what: &'static str, id: &str) -> Result<(), AdminError> {
    if found {
        Ok(())
    } else {
        Err(AdminError::not_found(what, id))
    }
}

fn create_user(world: &mut World, new: &NewYoutubeUsers) -> YoutubeUser {
    let id = (100_000_000_000_000_000_000_u128 + u128::from(world.youtube.number())).to_string();
    let email = format!("user{}@example.test", world.youtube.users.len() + 1);
    let channels: Vec<YoutubeChannel> = (0..new.channels)
        .map(|n| create_channel(world, &id, n))
        .collect();
    let user = User {
        email: email.clone(),
        state: UserState::Active,
        channels: channels.iter().map(|c| c.id.clone()).collect(),
    };
    world.youtube.users.insert(id.clone(), user);
    let scopes: BTreeSet<String> = SCOPES.iter().map(|s| format!("{PREFIX}{s}")).collect();
    let key = (id.clone(), new.app.clone());
    world.youtube.grants.insert(key, scopes.clone());
    let caller = Caller {
        app: new.app.clone(),
        user: id.clone(),
        channel: channels.first().map(|c| c.id.clone()),
    };
    let access = tokens::issue_access(world, &caller, scopes.clone(), new.access_life_s, true);
    let refresh = tokens::issue_refresh(world, &caller, scopes.clone());
    YoutubeUser {
        id,
        email,
        channels,
        access_token: SimSecret(access),
        access_expires_at: rfc3339(world.now + new.access_life_s * 1000),
        refresh_token: SimSecret(refresh),
        scopes: scopes.into_iter().collect(),
    }
}

fn create_channel(world: &mut World, user: &str, n: usize) -> YoutubeChannel {
    let id = format!("UC{}", world.word(CHANNEL_ID, 22));
    let title = format!("Channel {} {}", world.youtube.channels.len() + 1, n + 1);
    let channel = Channel {
        user: user.to_owned(),
        title: title.clone(),
        created_at: world.now - 365 * 24 * 3_600_000,
        state: ChannelState::Active,
        linked: true,
        long_uploads: "allowed".to_owned(),
        videos: Vec::new(),
        outcome: Outcome::Processed,
        uploads_per_day: CHANNEL_UPLOADS_PER_DAY,
        uploads: Window::default(),
    };
    world.youtube.channels.insert(id.clone(), channel);
    YoutubeChannel { id, title }
}
