//! An account that is connected already.

use crate::admin::Admin;
use crate::clock::parse_caller_time;
use crate::sites::Account;
use crate::youtube::{NewYoutubeApp, NewYoutubeUsers};

/// The client that all such accounts were connected with.
const APP: &str = "407000000000-mooring.apps.googleusercontent.com";

/// A channel of a person of its own.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "youtube" {
        return None;
    }
    let new = NewYoutubeApp {
        client_id: Some(APP.to_owned()),
        ..NewYoutubeApp::default()
    };
    // The second time it exists.
    admin.create_youtube_app(new).ok();
    let secret = admin.with(|world| world.youtube.apps.get(APP).map(|app| app.secret.clone()))?;
    let people = NewYoutubeUsers {
        app: APP.to_owned(),
        ..NewYoutubeUsers::default()
    };
    let user = admin.create_youtube_users(&people).ok()?.pop()?;
    let channel = user.channels.into_iter().next()?;
    Some(Account {
        // A grant is for one channel: it is the user that a product knows.
        remote_user_id: channel.id.clone(),
        remote_id: channel.id,
        name: channel.title,
        destination_token: None,
        access_token: user.access_token,
        refresh_token: Some(user.refresh_token),
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: parse_caller_time(&user.access_expires_at),
        refresh_expires_at: None,
        scopes: Some(user.scopes),
        app: Some((APP.to_owned(), crate::SimSecret(secret))),
        host: None,
    })
}
