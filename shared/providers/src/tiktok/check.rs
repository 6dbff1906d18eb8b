//! Token, account, and the right to post now.

use http::Method;
use mooring_domain::{
    Failure, Platform,
    connection::{AccountFacts, AccountSeen, AccountState, Observation, Publishing, TokenSeen},
};
use mooring_vault::Secret;

use super::{TikTok, broken, wire::CreatorInfo};
use crate::{provider::Access, wire::Op};

/// The audience without which an account is hidden from the public.
pub(super) const EVERYBODY: &str = "PUBLIC_TO_EVERYONE";

impl TikTok {
    /// The token by `user/info`, which also says whose it is; account and right to post by `creator_info`.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let mut token = TokenSeen::NotProbed;
        if probe_token {
            token = match self.user(Op::Check, &access.token).await {
                Ok(user) if user.open_id == access.remote_id => alive(None),
                Ok(_) => return Err(broken("the token belongs to another account")),
                Err(Failure::ScopeMissing { .. }) => alive(Some("user.info.basic")),
                Err(failure) => return dead(failure),
            };
        }
        match self.creator(Op::Check, &access.token).await {
            Ok(creator) => Ok(Observation {
                token,
                account: Some(seen(creator)),
            }),
            // Without this permission nobody can post; what else the token may, the stored facts say.
            Err(Failure::ScopeMissing { .. }) => Ok(Observation {
                token: alive(Some("video.publish")),
                account: None,
            }),
            Err(Failure::AccountUnavailable) => Ok(account(token, AccountState::Unavailable)),
            // A creator, or our app, who has posted enough today is well.
            Err(Failure::RateLimited { until: None, .. }) => {
                Ok(account(token, AccountState::Accessible))
            }
            Err(failure) => dead(failure),
        }
    }

    /// What the creator may post now.
    pub(super) async fn creator(&self, op: Op, token: &Secret) -> Result<CreatorInfo, Failure> {
        let template = "/v2/post/publish/creator_info/query/";
        let call = self.call(template, Method::POST, token)?;
        self.data(op, super::json(call, &serde_json::json!({}))?, "creator")
            .await
    }
}

fn seen(creator: CreatorInfo) -> AccountSeen {
    let is_public = creator
        .privacy_level_options
        .iter()
        .any(|option| option == EVERYBODY);
    let length = creator.max_video_post_duration_sec;
    let about = AccountFacts {
        display_name: Some(creator.creator_nickname.clone()).filter(|name| !name.is_empty()),
        avatar: creator.creator_avatar_url,
        video_max_s: length
            .and_then(|length| u32::try_from(length).ok())
            .filter(|most| *most > 0),
        publishing: Some(if creator.privacy_level_options.is_empty() {
            Publishing::NotOffered
        } else {
            Publishing::Allowed
        }),
        audiences: Some(creator.privacy_level_options.clone()),
        ..AccountFacts::default()
    };
    let name = Some(creator.creator_nickname).filter(|name| !name.is_empty());
    AccountSeen {
        // Whom nothing is offered is not hidden: nobody can say who sees it.
        state: if is_public || creator.privacy_level_options.is_empty() {
            AccountState::Accessible
        } else {
            AccountState::Hidden
        },
        name: Some(name.unwrap_or(creator.creator_username)),
        about,
    }
}

fn account(token: TokenSeen, state: AccountState) -> Observation {
    Observation {
        token,
        account: Some(AccountSeen::new(state, None)),
    }
}

/// A token that works. TikTok describes no token; a refused call is all that shows a missing permission.
fn alive(missing: Option<&str>) -> TokenSeen {
    let required = Platform::TikTok.capabilities().required_scopes;
    let scopes = missing.map(|missing| {
        let granted = required.iter().filter(|scope| **scope != missing);
        granted.map(|scope| (*scope).to_owned()).collect()
    });
    TokenSeen::Alive {
        access_expires_at: None,
        scopes,
    }
}

fn dead(failure: Failure) -> Result<Observation, Failure> {
    if failure.ends_the_credential() {
        Ok(Observation {
            token: TokenSeen::Dead(failure),
            account: None,
        })
    } else {
        Err(failure)
    }
}
