//! An account that is connected already.

use super::{App, NewMastodonAccounts, NewMastodonApp, params};
use crate::admin::{Admin, SimSecret};
use crate::sites::Account;

/// The app that all such accounts were connected with.
const APP: &str = "mooring-registered-here-once-and-for-all-01";

/// An account of this server.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "mastodon" {
        return None;
    }
    let secret = admin.with(|world| {
        let secret = world.word(crate::world::ALPHANUMERIC, 43);
        let id = world.mastodon.id(world.now).to_string();
        let app = || App::new(NewMastodonApp::default(), id, secret);
        let app = world
            .mastodon
            .apps
            .entry(APP.to_owned())
            .or_insert_with(app);
        app.secret.clone()
    });
    let new = NewMastodonAccounts {
        app: APP.to_owned(),
        ..NewMastodonAccounts::default()
    };
    let account = admin.create_mastodon_accounts(&new).ok()?.pop()?;
    Some(Account {
        remote_id: account.id.clone(),
        remote_user_id: account.id,
        name: account.username,
        destination_token: None,
        access_token: account.access_token,
        refresh_token: None,
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: None,
        refresh_expires_at: None,
        scopes: Some(params::scopes(&new.scopes)),
        app: Some((APP.to_owned(), SimSecret(secret))),
        host: Some("/mastodon".to_owned()),
    })
}
