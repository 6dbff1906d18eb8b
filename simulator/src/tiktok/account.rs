//! An account that is connected already.

use super::{App, NewTikTokApp, NewTikTokUsers};
use crate::admin::{Admin, SimSecret};
use crate::clock::parse_caller_time;
use crate::sites::Account;

/// The app that all such accounts were connected with.
const APP: &str = "awmooring0000001";

/// A creator with a public account.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "tiktok" {
        return None;
    }
    let secret = admin.with(|world| {
        let secret = world.word(crate::world::ALPHANUMERIC, 32);
        let app = || App::new(NewTikTokApp::default(), secret);
        let app = world.tiktok.apps.entry(APP.to_owned()).or_insert_with(app);
        app.secret.clone()
    });
    let new = NewTikTokUsers {
        app: APP.to_owned(),
        ..NewTikTokUsers::default()
    };
    let user = admin.create_tiktok_users(&new).ok()?.pop()?;
    Some(Account {
        remote_id: user.open_id.clone(),
        remote_user_id: user.open_id,
        name: format!("Creator {}", user.username),
        destination_token: None,
        access_token: user.access_token,
        refresh_token: Some(user.refresh_token),
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: parse_caller_time(&user.access_expires_at),
        refresh_expires_at: parse_caller_time(&user.refresh_expires_at),
        scopes: Some(user.scopes),
        app: Some((APP.to_owned(), SimSecret(secret))),
        host: None,
    })
}
