//! Is the token alive, is the account there, may we publish?
//!
//! Instagram Login tells nothing about a token without using it: `/me` shows that it lives, and the quota of
//! publishing, which changes nothing, that the permission to publish is there. Threads has `debug_token`, for some
//! apps; where it refuses, the quota serves there, too.

use http::Method;
use mooring_domain::{
    Failure,
    connection::{AccountFacts, AccountSeen, AccountState, Observation, TokenSeen},
};
use mooring_vault::Secret;
use serde::de::IgnoredAny;
use url::Url;

use super::{
    graph::Graph,
    login::Login,
    map,
    wire::{DebugAnswer, DebugToken, Me},
};
use crate::{
    provider::Access,
    wire::{Op, unix},
};

impl Login {
    /// With or without a probe, `/me` is asked: it is the account's own look as well.
    pub(crate) async fn observe(
        &self,
        graph: &Graph,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let host = access.host.as_ref();
        let me = match self.me(graph, Op::Check, host, &access.token).await {
            Ok(me) => me,
            Err(failure) => return without_account(graph, failure),
        };
        let ours = me.account() == access.remote_id;
        let state = if ours {
            AccountState::Accessible
        } else {
            // A token that was stored with another account's connection: out of its reach.
            AccountState::Unavailable
        };
        let about = if ours {
            self.about(&me)
        } else {
            AccountFacts::default()
        };
        let name = me.username.filter(|_| ours);
        let token = if probe_token {
            self.probe(graph, access).await?
        } else {
            TokenSeen::NotProbed
        };
        Ok(Observation {
            token,
            account: Some(AccountSeen { state, name, about }),
        })
    }

    /// A Threads profile hangs on the Instagram account of the same name, and goes with it.
    fn about(&self, me: &Me) -> AccountFacts {
        let is_threads = self.words.tied_to_instagram;
        AccountFacts {
            tied_to: me.username.clone().filter(|_| is_threads),
            ..me.about()
        }
    }

    async fn probe(&self, graph: &Graph, access: &Access) -> Result<TokenSeen, Failure> {
        if self.words.introspects
            && let Some(debug) = self
                .debug(graph, Op::Check, access.host.as_ref(), &access.grant_token)
                .await?
        {
            if !debug.is_valid {
                return dead(map::dead_token(debug.error.as_ref()));
            }
            return Ok(TokenSeen::Alive {
                access_expires_at: debug.expires_at.and_then(unix),
                scopes: Some(debug.scopes),
            });
        }
        Ok(TokenSeen::Alive {
            access_expires_at: None,
            scopes: rights(graph, access).await?,
        })
    }

    /// What the platform says about the token; `None` where it does not want to (the documentation lets only testers
    /// of the app ask).
    pub(super) async fn debug(
        &self,
        graph: &Graph,
        op: Op,
        host: Option<&Url>,
        token: &Secret,
    ) -> Result<Option<DebugToken>, Failure> {
        let call = graph.call(host, "/debug_token", Method::GET, &["debug_token"])?;
        let call = call
            .bearer(token.expose())
            .query("input_token", token.expose());
        let reply = graph.reply(op, call).await?;
        if (400..500).contains(&reply.status) && reply.status != 429 {
            return Ok(None);
        }
        let answer: DebugAnswer = graph.read(op, &reply, "token description")?;
        Ok(Some(answer.data))
    }
}

/// The permissions, as far as a call that needs them shows; `None` when it shows nothing.
async fn rights(graph: &Graph, access: &Access) -> Result<Option<Vec<String>>, Failure> {
    let words = graph.words;
    let path = [access.remote_id.as_str(), words.limit.name];
    let call = graph.own_call(access, words.limit.template, Method::GET, &path)?;
    let call = call.query("fields", "quota_usage");
    let all = words.platform.capabilities().required_scopes.iter();
    let without = |missing: Option<&str>| {
        let kept = all.clone().filter(|scope| Some(**scope) != missing);
        Some(kept.map(|scope| (*scope).to_owned()).collect())
    };
    match graph.answer::<IgnoredAny>(Op::Check, call, "quota").await {
        Ok(_) => Ok(without(None)),
        Err(Failure::ScopeMissing { .. }) => Ok(without(Some(words.may_publish))),
        Err(failure @ (Failure::ProviderDown | Failure::NotSent | Failure::Contract { .. })) => {
            Err(failure)
        }
        Err(_) => Ok(None),
    }
}

/// The account could not be looked at: that is news about the token, about the account, or none.
fn without_account(graph: &Graph, failure: Failure) -> Result<Observation, Failure> {
    let account = |state| Some(AccountSeen::new(state, None));
    let alive = |scopes| TokenSeen::Alive {
        access_expires_at: None,
        scopes,
    };
    let (token, account) = match failure {
        Failure::Checkpoint => (
            TokenSeen::Dead(Failure::Checkpoint),
            account(AccountState::Checkpoint),
        ),
        Failure::AccountUnavailable => (alive(None), account(AccountState::Unavailable)),
        Failure::ScopeMissing { .. } => {
            let all = graph.words.platform.capabilities().required_scopes.iter();
            let kept = all.filter(|scope| **scope != graph.words.basic);
            (
                alive(Some(kept.map(|scope| (*scope).to_owned()).collect())),
                None,
            )
        }
        failure if failure.ends_the_credential() => (TokenSeen::Dead(failure), None),
        failure => return Err(failure),
    };
    Ok(Observation { token, account })
}

fn dead(failure: Failure) -> Result<TokenSeen, Failure> {
    if failure.ends_the_credential() || failure == Failure::Checkpoint {
        return Ok(TokenSeen::Dead(failure));
    }
    Err(failure)
}
