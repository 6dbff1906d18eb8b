//! Accounts for a rig: made at the platforms, ready to be imported.

use chrono::TimeDelta;
use mooring_domain::{
    Platform,
    time::{days, hours},
};
use mooring_simulator::{NewBlueskyAccounts, NewFacebookUsers};
use serde_json::{Value, json};

use super::Rig;

/// An account at a platform, with everything about it that is secret.
#[derive(Debug, Clone)]
pub struct RigAccount {
    /// The platform.
    pub platform: Platform,
    /// The page id or DID.
    pub remote_id: String,
    /// The row to import it with.
    pub row: Value,
    /// Tokens and passwords, each with a name for messages.
    pub secrets: Vec<(String, String)>,
}

impl Rig {
    /// A fresh account at a platform whose access token ends after `left`. Not yet connected.
    #[must_use]
    pub fn account(&self, platform: Platform, left: TimeDelta) -> RigAccount {
        match platform {
            Platform::Facebook => self.facebook(left),
            Platform::Bluesky => self.bluesky(left),
            other => panic!("{other}: rigs are made of Facebook and Bluesky accounts"),
        }
    }

    fn facebook(&self, left: TimeDelta) -> RigAccount {
        let users = self.sim().create_facebook_users(&NewFacebookUsers {
            app: self.app.id.clone(),
            user_token_life_s: left.num_seconds(),
            ..NewFacebookUsers::default()
        });
        let user = users.expect("a user").remove(0);
        let page = &user.pages[0];
        RigAccount {
            platform: Platform::Facebook,
            remote_id: page.id.clone(),
            row: json!({
                "workspace": "Harbour", "platform": "facebook", "remote_id": page.id, "name": page.name,
                "user_id": user.id, "access_token": user.token, "page_token": page.token,
                "issued_at": self.now + left - days(60), "access_expires_at": self.now + left,
            }),
            secrets: vec![
                (
                    format!("user token of {}", user.name),
                    user.token.to_string(),
                ),
                (
                    format!("page token of {}", page.name),
                    page.token.to_string(),
                ),
            ],
        }
    }

    fn bluesky(&self, left: TimeDelta) -> RigAccount {
        let accounts = self.sim().create_bluesky_accounts(&NewBlueskyAccounts {
            access_life_s: left.num_seconds(),
            ..NewBlueskyAccounts::default()
        });
        let account = accounts.expect("an account").remove(0);
        RigAccount {
            platform: Platform::Bluesky,
            remote_id: account.did.clone(),
            row: json!({
                "workspace": "Harbour", "platform": "bluesky", "remote_id": account.did, "name": account.handle,
                "access_token": account.access_token, "refresh_token": account.refresh_token,
                "issued_at": self.now + left - hours(2), "access_expires_at": self.now + left,
                "refresh_expires_at": self.now + days(90),
            }),
            secrets: vec![
                (
                    format!("access token of {}", account.handle),
                    account.access_token.to_string(),
                ),
                (
                    format!("refresh token of {}", account.handle),
                    account.refresh_token.to_string(),
                ),
                (
                    format!("app password of {}", account.handle),
                    account.password.to_string(),
                ),
            ],
        }
    }
}
