//! Where a case plays on the real server: one account, its owner and its session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderName;
use mooring_domain::{Platform, Time, time::days};
use mooring_providers::{Access, Credentials};
use mooring_runtime::Call;
use mooring_vault::Secret;

use super::{
    browser::{self, Person},
    ground::Real,
    operator::{Account, OWNER_PASSWORD},
    server::Server,
};
use crate::arena::{Adapter, remember, remember_connected};

/// Where a case plays: one account and its session.
pub(crate) struct Place {
    pub(crate) server: Arc<Server>,
    pub(super) platform: Platform,
    owner: Mutex<Option<Owner>>,
}

/// Who lives there.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) account: Account,
    pub(super) access: Access,
    pub(super) begun: Time,
}

impl Place {
    pub(crate) async fn at(server: &Arc<Server>, platform: Platform) -> Self {
        let place = Self {
            server: Arc::clone(server),
            platform,
            owner: Mutex::new(None),
        };
        let account = server.block(server.operator.account());
        place.move_in(account, None).await;
        place
    }

    pub(crate) fn adapter(&self, ground: &Real) -> Adapter {
        Adapter::on(ground, self.platform)
    }

    /// Another account takes this one's place.
    pub(crate) fn move_in_anew(&self) {
        self.server.block(async {
            let account = self.server.operator.account().await;
            self.move_in(account, None).await;
        });
    }

    /// Connects an account, with all permissions or only these.
    pub(super) async fn move_in(&self, account: Account, grants: Option<&str>) {
        let owner = self.connected(account, grants).await;
        *self.lock() = Some(owner);
    }

    pub(super) async fn connected(&self, account: Account, grants: Option<&str>) -> Owner {
        let adapter = self.adapter_of_its_own();
        let credentials = if self.platform == Platform::Bluesky {
            password(&account, &account.app_password)
        } else {
            let person = person(&account, grants);
            browser::consented(&adapter.http, &*adapter.provider, &person).await
        };
        let begun = self.server.clock().now();
        let connected = adapter.provider.connect(credentials).await;
        let connected = connected.expect("a session");
        remember_connected(&connected);
        remember([account.owner_token.clone(), account.app_password.clone()]);
        let access = Access {
            app: (self.platform == Platform::BlueskyOAuth).then(browser::app),
            // Its server is the one that the adapter knows anyway.
            host: None,
            remote_id: account.did.clone(),
            remote_user_id: account.did.clone(),
            token: connected.grant_token.clone(),
            grant_token: connected.grant_token,
            refresh_token: connected.refresh_token,
            binding: connected.binding,
        };
        Owner {
            account,
            access,
            begun,
        }
    }

    pub(super) fn adapter_of_its_own(&self) -> Adapter {
        let ground = Real(Arc::new(Self {
            server: Arc::clone(&self.server),
            platform: self.platform,
            owner: Mutex::new(None),
        }));
        Adapter::on(&ground, self.platform)
    }

    pub(super) fn owner(&self) -> Owner {
        self.lock().clone().expect("somebody lives here")
    }

    fn lock(&self) -> MutexGuard<'_, Option<Owner>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn did(&self) -> String {
        self.owner().account.did
    }

    /// The owner's own session; however far the clock was moved, it lives.
    pub(crate) fn owner_token(&self) -> Secret {
        let token = self.owner().account.owner_token;
        self.server.operator.moved(&token, days(3_650))
    }

    /// A call from the case's own address, without the harness's pass.
    pub(crate) fn unprivileged(&self, method: &'static str) -> Call {
        let call = self.server.operator.call(method);
        let mut plain = Call::new("harness", method, call.method.clone(), call.url.clone());
        plain = plain.header(
            HeaderName::from_static("x-forwarded-for"),
            &self.server.front.caller(),
        );
        plain
    }
}

pub(super) fn password(account: &Account, password: &str) -> Credentials {
    Credentials::Password {
        host: None,
        identifier: account.handle.clone(),
        password: Secret::from(password),
        factor: None,
    }
}

pub(super) fn person<'a>(account: &'a Account, grants: Option<&'a str>) -> Person<'a> {
    Person {
        did: &account.did,
        handle: &account.handle,
        password: OWNER_PASSWORD,
        grants,
    }
}
