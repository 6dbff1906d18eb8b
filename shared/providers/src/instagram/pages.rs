//! Instagram by way of Facebook Login: the accounts hang on the pages of a person, and the tokens are Facebook's.

use http::Method;
use mooring_domain::{
    Failure,
    connection::{AccountFacts, AccountRole, AccountSeen, AccountState, Observation, TokenSeen},
};
use mooring_vault::Secret;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::{
    graph::Graph,
    map,
    wire::{DebugAnswer, DebugToken, Id, LongToken, Me},
};
use crate::{
    connect::{Connected, Destination},
    facebook::{role_of, signed},
    provider::{Access, AppCredentials},
    wire::{Op, unix},
};

/// Most parts of a list of pages that are read, 100 pages each.
const PARTS: usize = 20;

/// A page in `/me/accounts`.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default, deserialize_with = "optional_secret")]
    access_token: Option<Secret>,
    #[serde(default)]
    tasks: Vec<String>,
    #[serde(default)]
    instagram_business_account: Option<Account>,
}

#[derive(Debug, Deserialize)]
struct Account {
    id: Id,
    #[serde(default)]
    username: Option<String>,
}

impl Page {
    /// Whether the person may publish there. New Pages name their tasks with a prefix.
    fn may_publish(&self) -> bool {
        const TASKS: [&str; 5] = [
            "CREATE_CONTENT",
            "MANAGE",
            "PROFILE_PLUS_CREATE_CONTENT",
            "PROFILE_PLUS_MANAGE",
            "PROFILE_PLUS_FULL_CONTROL",
        ];
        self.tasks.iter().any(|task| TASKS.contains(&task.as_str()))
    }
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(Secret::from))
}

#[derive(Debug, Deserialize)]
struct Pages {
    data: Vec<Page>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    #[serde(default)]
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

/// Code → short-lived token → long-lived token → what it is and where it reaches.
pub(super) async fn open_grant(
    graph: &Graph,
    app: &AppCredentials,
    code: &Secret,
    redirect_uri: &Url,
) -> Result<Connected, Failure> {
    let token_call = || {
        let path = ["oauth", "access_token"];
        let call = graph.call(None, "/oauth/access_token", Method::GET, &path)?;
        Ok(call
            .query("client_id", &app.client_id)
            .query("client_secret", app.client_secret.expose()))
    };
    let call: mooring_runtime::Call = token_call()?;
    let call = call
        .query("redirect_uri", redirect_uri.as_str())
        .query("code", code.expose());
    let short: LongToken = graph.answer(Op::Connect, call, "token").await?;
    let call = token_call()?
        .query("grant_type", "fb_exchange_token")
        .query("fb_exchange_token", short.access_token.expose());
    let long: LongToken = graph.answer(Op::Connect, call, "token").await?;
    let token = long.access_token;
    let debug = debug_token(graph, Op::Connect, None, app, &token).await?;
    if !debug.is_valid {
        return Err(map::dead_token(debug.error.as_ref()));
    }
    let user = debug.user_id.ok_or_else(|| Failure::Contract {
        detail: "a token without a user".to_owned(),
    })?;
    let usual = graph.words.platform.capabilities().access_lifetime;
    Ok(Connected {
        destinations: accounts(graph, None, app, &token).await?,
        remote_user_id: user.0,
        grant_token: token,
        refresh_token: None,
        access_expires_at: debug
            .expires_at
            .and_then(unix)
            .or_else(|| Some(graph.transport.now() + usual?)),
        refresh_expires_at: None,
        scopes: Some(debug.scopes),
        host: None,
        binding: None,
        app: None,
    })
}

/// The accounts that are linked to a person's pages.
pub(super) async fn accounts(
    graph: &Graph,
    host: Option<&Url>,
    app: &AppCredentials,
    token: &Secret,
) -> Result<Vec<Destination>, Failure> {
    let (pages, complete) = pages(graph, Op::Connect, host, Some(app), token).await?;
    if !complete {
        return Err(Failure::Contract {
            detail: format!("a list of pages that does not end after {}", pages.len()),
        });
    }
    let destination = |page: Page| {
        let may_publish = page.may_publish() && page.access_token.is_some();
        let account = page.instagram_business_account?;
        Some(Destination {
            platform: graph.words.platform,
            name: account.username.unwrap_or_else(|| account.id.0.clone()),
            remote_id: account.id.0,
            token: page.access_token,
            may_publish,
        })
    };
    Ok(pages.into_iter().filter_map(destination).collect())
}

async fn pages(
    graph: &Graph,
    op: Op,
    host: Option<&Url>,
    app: Option<&AppCredentials>,
    token: &Secret,
) -> Result<(Vec<Page>, bool), Failure> {
    let fields = "id,name,access_token,tasks,instagram_business_account{id,username}";
    let (mut pages, mut after) = (Vec::new(), None::<String>);
    for _ in 0..PARTS {
        let call = graph.call(host, "/me/accounts", Method::GET, &["me", "accounts"])?;
        let mut call = signed(call, app, token)
            .query("fields", fields)
            .query("limit", "100");
        if let Some(after) = &after {
            call = call.query("after", after);
        }
        let part: Pages = graph.answer(op, call, "list of pages").await?;
        pages.extend(part.data);
        let Some(paging) = part.paging.filter(|paging| paging.next.is_some()) else {
            return Ok((pages, true));
        };
        after = paging.cursors.and_then(|cursors| cursors.after);
        if after.is_none() {
            break;
        }
    }
    Ok((pages, false))
}

async fn debug_token(
    graph: &Graph,
    op: Op,
    host: Option<&Url>,
    app: &AppCredentials,
    token: &Secret,
) -> Result<DebugToken, Failure> {
    let own = Secret::from(format!("{}|{}", app.client_id, app.client_secret.expose()));
    let call = graph.call(host, "/debug_token", Method::GET, &["debug_token"])?;
    let call = call
        .bearer(own.expose())
        .query("input_token", token.expose());
    let answer: Result<DebugAnswer, Failure> = graph.answer(op, call, "token description").await;
    // What is refused here is the app's token, never the one that was asked about.
    answer
        .map(|answer| answer.data)
        .map_err(|failure| match failure {
            failure if failure.ends_the_credential() => Failure::AppAccess,
            failure => failure,
        })
}

/// What the person may do with the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Publishes,
    /// No page of theirs has the account, or none on which they may publish.
    Lost,
    /// The list does not tell.
    Untold,
}

/// The account by its page's token, the role by the person's token, and the token itself where it is asked for or
/// something is wrong.
pub(super) async fn observe(
    graph: &Graph,
    access: &Access,
    probe_token: bool,
) -> Result<Observation, Failure> {
    let account = look(graph, access).await;
    let (role, held) = match role(graph, access).await {
        Ok((role, held)) => (Ok(role), held),
        Err(failure) => (Err(failure), None),
    };
    for failure in [account.as_ref().err(), role.as_ref().err()]
        .into_iter()
        .flatten()
    {
        if !says_something(failure) {
            return Err(failure.clone());
        }
    }
    let well = account.is_ok() && role == Ok(Role::Publishes);
    let (mut token, mut left_out) = (TokenSeen::NotProbed, false);
    if probe_token || !well {
        let app = access.app.as_ref().ok_or(Failure::AppAccess)?;
        let host = access.host.as_ref();
        let debug = debug_token(graph, Op::Check, host, app, &access.grant_token).await?;
        if debug.is_valid {
            left_out = debug.excludes(graph.words.may_publish, &access.remote_id);
            token = TokenSeen::Alive {
                access_expires_at: debug.expires_at.and_then(unix),
                scopes: Some(debug.scopes),
            };
        } else {
            let failure = map::dead_token(debug.error.as_ref());
            if !failure.ends_the_credential() && failure != Failure::Checkpoint {
                return Err(failure);
            }
            token = TokenSeen::Dead(failure);
        }
    }
    let state = state(graph, &account, &role, &token, left_out);
    let about = match &account {
        Ok(me) => AccountFacts {
            role: held,
            ..me.about()
        },
        Err(_) => AccountFacts::default(),
    };
    let name = account.ok().and_then(|me| me.username);
    Ok(Observation {
        token,
        account: state.map(|state| AccountSeen { state, name, about }),
    })
}

async fn look(graph: &Graph, access: &Access) -> Result<Me, Failure> {
    let call = graph.own_call(access, "/{ig-user-id}", Method::GET, &[&access.remote_id])?;
    let call = call.query("fields", "id,username,name,profile_picture_url");
    let me: Me = graph.answer(Op::Check, call, "account").await?;
    if me.id.0 == access.remote_id {
        return Ok(me);
    }
    Err(Failure::Contract {
        detail: "another account than the one asked for".to_owned(),
    })
}

async fn role(graph: &Graph, access: &Access) -> Result<(Role, Option<AccountRole>), Failure> {
    let (host, app) = (access.host.as_ref(), access.app.as_ref());
    let (pages, complete) = pages(graph, Op::Check, host, app, &access.grant_token).await?;
    let ours = pages.iter().find(|page| {
        let linked = page.instagram_business_account.as_ref();
        linked.is_some_and(|account| account.id.0 == access.remote_id)
    });
    Ok(match ours {
        Some(page) if page.may_publish() => (Role::Publishes, Some(role_of(&page.tasks))),
        Some(page) => (Role::Lost, Some(role_of(&page.tasks))),
        None if complete => (Role::Lost, None),
        None => (Role::Untold, None),
    })
}

fn says_something(failure: &Failure) -> bool {
    failure.ends_the_credential()
        || matches!(
            failure,
            Failure::ScopeMissing { .. } | Failure::AccountUnavailable | Failure::Checkpoint
        )
}

/// Where the account stands; `None` when a missing permission or a dead token hides it.
fn state(
    graph: &Graph,
    account: &Result<Me, Failure>,
    role: &Result<Role, Failure>,
    token: &TokenSeen,
    left_out: bool,
) -> Option<AccountState> {
    let dead = matches!(token, TokenSeen::Dead(_));
    let all_granted = match token {
        TokenSeen::Alive {
            scopes: Some(granted),
            ..
        } => mooring_domain::connection::missing_scopes(graph.words.platform, granted).is_empty(),
        _ => true,
    };
    if *token == TokenSeen::Dead(Failure::Checkpoint) {
        return Some(AccountState::Checkpoint);
    }
    match account {
        Err(Failure::Checkpoint) => Some(AccountState::Checkpoint),
        Err(Failure::AccountUnavailable) => Some(AccountState::Unavailable),
        // Without its permissions the list of pages is empty, whatever the roles are.
        _ if !dead && (left_out || (all_granted && *role == Ok(Role::Lost))) => {
            Some(AccountState::RoleLost)
        }
        Err(Failure::ScopeMissing { .. }) if all_granted && !dead => Some(AccountState::RoleLost),
        Err(Failure::ScopeMissing { .. }) => None,
        // The page's token is dead and the person's is not: out of reach, and no verdict on the grant.
        Err(_) if !dead => Some(AccountState::Unavailable),
        Err(_) => None,
        Ok(_) => Some(AccountState::Accessible),
    }
}
