//! The calls of a check: the page, the user's role on it, the token. What they mean together is in `health.rs`.

use http::Method;
use mooring_domain::{
    Failure,
    connection::{AccountRole, Observation, TokenSeen},
};

use super::{
    client::Facebook,
    connect::PARTS,
    health::{Look, Probe, Role, dead, judge, says_something},
    map,
    wire::{Account, List, NextPart, Page, Permission},
};
use crate::{
    provider::Access,
    wire::{Op, unix},
};

impl Facebook {
    /// A token that is not to be probed is probed all the same when something looks wrong: only the probe tells a
    /// dead page token from a dead grant.
    pub(super) async fn observe(
        &self,
        access: &Access,
        probe_token: bool,
    ) -> Result<Observation, Failure> {
        let page = self.page(access).await;
        let (role, held) = match self.role(access).await {
            Ok((role, held)) => (Ok(role), held),
            Err(failure) => (Err(failure), None),
        };
        let look = Look { role, held, page };
        for failure in [look.page.as_ref().err(), look.role.as_ref().err()]
            .into_iter()
            .flatten()
        {
            if !says_something(failure) {
                return Err(failure.clone());
            }
        }
        let well = look.page.is_ok() && look.role == Ok(Role::Publishes);
        let probe = if probe_token || !well {
            Some(self.probe(access).await?)
        } else {
            None
        };
        Ok(judge(look, probe))
    }

    /// The page by its own token.
    async fn page(&self, access: &Access) -> Result<Page, Failure> {
        let call = self.page_call(access, "/{page-id}", Method::GET, &[&access.remote_id])?;
        let page: Page = self
            .answer(
                Op::Check,
                call.query("fields", "id,name,is_published"),
                "page",
            )
            .await?;
        if page.id == access.remote_id {
            return Ok(page);
        }
        Err(Failure::Contract {
            detail: "another page than the one asked for".to_owned(),
        })
    }

    /// The user's role on the page, by the user's token.
    async fn role(&self, access: &Access) -> Result<(Role, Option<AccountRole>), Failure> {
        let mut after: Option<String> = None;
        for _ in 0..PARTS {
            let call = self.user_call(access, "/me/accounts", Method::GET, &["me", "accounts"])?;
            let call = call.query("fields", "id,tasks");
            let list: List<Account> = self.part(Op::Check, call, after.as_deref()).await?;
            if let Some(page) = list.data.iter().find(|page| page.id == access.remote_id) {
                let role = if page.may_publish() {
                    Role::Publishes
                } else {
                    Role::Lost
                };
                return Ok((role, Some(page.role())));
            }
            match list.next() {
                NextPart::None => return Ok((Role::Lost, Some(AccountRole::None))),
                NextPart::After(cursor) => after = Some(cursor.to_owned()),
                NextPart::Unreachable => break,
            }
        }
        Ok((Role::Untold, None))
    }

    async fn probe(&self, access: &Access) -> Result<Probe, Failure> {
        let Some(app) = &access.app else {
            return self.probe_by_permissions(access).await;
        };
        let debug = self
            .debug_token(Op::Check, access.host.as_ref(), app, &access.grant_token)
            .await?;
        if !debug.is_valid {
            return dead(map::dead_token(debug.error.as_ref()));
        }
        let page_left_out = debug.excludes("pages_manage_posts", &access.remote_id);
        let access_expires_at = debug.expires_at.and_then(unix);
        let token = TokenSeen::Alive {
            access_expires_at,
            scopes: Some(debug.scopes),
        };
        Ok(Probe {
            token,
            page_left_out,
        })
    }

    /// The poorer probe, for a grant whose app we do not know: permissions, but no end.
    async fn probe_by_permissions(&self, access: &Access) -> Result<Probe, Failure> {
        let call = self.user_call(
            access,
            "/me/permissions",
            Method::GET,
            &["me", "permissions"],
        )?;
        let list: List<Permission> = match self.answer(Op::Check, call, "list of permissions").await
        {
            Ok(list) => list,
            Err(failure) => return dead(failure),
        };
        let granted = list
            .data
            .into_iter()
            .filter(|entry| entry.status == "granted");
        let scopes = Some(granted.map(|entry| entry.permission).collect());
        Ok(Probe {
            token: TokenSeen::Alive {
                access_expires_at: None,
                scopes,
            },
            page_left_out: false,
        })
    }
}
