//! An account that is connected already.

use crate::admin::{Admin, NewFacebookApp, NewFacebookUsers};
use crate::clock::parse_caller_time;
use crate::sites::Account;

/// The app that all such accounts were connected with.
const APP: &str = "100000000000001";

/// A page of a person of its own.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "facebook" {
        return None;
    }
    let new = NewFacebookApp {
        id: Some(APP.to_owned()),
        ..NewFacebookApp::default()
    };
    // The second time it exists.
    admin.create_facebook_app(new).ok();
    let secret = admin.with(|world| world.facebook.apps.get(APP).map(|app| app.secret.clone()))?;
    let people = NewFacebookUsers {
        app: APP.to_owned(),
        pages: 1,
        ..NewFacebookUsers::default()
    };
    let user = admin.create_facebook_users(&people).ok()?.pop()?;
    let page = user.pages.first()?;
    Some(Account {
        remote_id: page.id.clone(),
        remote_user_id: user.id.clone(),
        name: page.name.clone(),
        destination_token: Some(page.token.clone()),
        access_token: user.token.clone(),
        refresh_token: None,
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: parse_caller_time(&user.token_expires_at),
        refresh_expires_at: None,
        scopes: None,
        app: Some((APP.to_owned(), crate::SimSecret(secret))),
        host: None,
    })
}
