//! Several processes in one story, and platforms that are not the simulator.

use std::sync::Arc;

use mooring_domain::{Platform, Time};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_providers::{AppCredentials, Connected, Provider, Registry};
use mooring_runtime::Context;
use mooring_store::Actor;

use super::{Account, World, fresh_context, registry};

impl World {
    /// Starts more processes on the same books and lanes, each a scheduler and workers.
    pub fn hire(&mut self, processes: usize) {
        for _ in 0..processes {
            let process = fresh_context(&self.clock, self.call_timeout);
            self.run_in(&process);
            self.hired.push(process);
        }
    }

    /// The adapter of a platform, as the jobs use it.
    #[must_use]
    pub fn adapter(&self, platform: Platform) -> Arc<dyn Provider> {
        Arc::clone(self.registry().of(platform))
    }

    pub(super) fn registry_of(&self, process: &Context) -> Arc<Registry> {
        registry(process, &self.simulator, &self.elsewhere)
    }

    /// Registers an app of a platform.
    pub async fn register_app(&self, platform: Platform, app: &AppCredentials) {
        let new = NewApp {
            workspace: None,
            platform,
            client_id: app.client_id.clone(),
            client_secret: app.client_secret.clone(),
            base_url: None,
        };
        let known = acts::register_app(&self.store, &Actor::Cli, new, self.now()).await;
        known.expect("the app is registered");
    }

    /// Imports what connecting brought, with an access token that ends at `ends` by our books.
    pub async fn import(&self, platform: Platform, new: &Connected, ends: Time) -> Account {
        let place = &new.destinations[0];
        let token = new.grant_token.expose();
        let refresh = new.refresh_token.as_ref();
        let row = ImportRow {
            user_id: Some(new.remote_user_id.clone()),
            refresh_token: refresh.map(|token| token.expose().to_owned()),
            issued_at: Some(self.now()),
            access_expires_at: Some(ends),
            refresh_expires_at: new.refresh_expires_at,
            ..self.row(platform.as_str(), &place.remote_id, &place.name, token)
        };
        self.connect_row(platform, row).await
    }
}
