//! An account that is connected already.

use super::admin::{NewXApp, NewXUsers};
use super::tokens::REFRESH_LIFE_S;
use crate::admin::{Admin, SimSecret};
use crate::clock::parse_caller_time;
use crate::sites::Account;

/// The app that all such accounts were connected with.
const APP: &str = "bW9vcmluZ19zaW11bGF0b3I6MTpjaQ";

/// A user who has consented to everything.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "x" {
        return None;
    }
    let new = NewXApp {
        id: Some(APP.to_owned()),
        ..NewXApp::default()
    };
    // The second time it exists.
    admin.create_x_app(new).ok();
    let secret = admin.with(|world| world.x.apps.get(APP).and_then(|app| app.secret.clone()))?;
    let users = NewXUsers {
        app: APP.to_owned(),
        ..NewXUsers::default()
    };
    let user = admin.create_x_users(&users).ok()?.pop()?;
    let now = admin.clock().now_ms();
    Some(Account {
        remote_id: user.id.clone(),
        remote_user_id: user.id,
        name: user.username,
        destination_token: None,
        access_token: user.access_token,
        refresh_token: user.refresh_token,
        binding: None,
        issued_at: now,
        access_expires_at: parse_caller_time(&user.access_expires_at),
        refresh_expires_at: Some(now + REFRESH_LIFE_S * 1000),
        scopes: Some(user.scope.split(' ').map(str::to_owned).collect()),
        app: Some((APP.to_owned(), SimSecret(secret))),
        host: None,
    })
}
