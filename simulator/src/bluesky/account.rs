//! An account that is connected already.

use crate::admin::{Admin, NewBlueskyAccounts};
use crate::clock::parse_caller_time;
use crate::sites::Account;

/// A profile with a session of an app password, or of OAuth.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if way != "bluesky" && way != "bluesky_oauth" {
        return None;
    }
    let new = NewBlueskyAccounts::default();
    let account = admin.create_bluesky_accounts(&new).ok()?.pop()?;
    let password = Account {
        remote_id: account.did.clone(),
        remote_user_id: account.did,
        name: account.handle,
        destination_token: None,
        access_token: account.access_token,
        refresh_token: Some(account.refresh_token),
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: parse_caller_time(&account.access_expires_at),
        refresh_expires_at: parse_caller_time(&account.refresh_expires_at),
        scopes: None,
        app: None,
        host: None,
    };
    if way == "bluesky" {
        return Some(password);
    }
    let grant = admin.grant_bluesky_oauth(&password.remote_id).ok()?;
    Some(Account {
        access_token: grant.access_token,
        refresh_token: Some(grant.refresh_token),
        binding: Some(grant.binding),
        access_expires_at: parse_caller_time(&grant.access_expires_at),
        refresh_expires_at: parse_caller_time(&grant.refresh_expires_at),
        scopes: Some(grant.scopes),
        app: Some((grant.client_id, grant.client_key)),
        ..password
    })
}
