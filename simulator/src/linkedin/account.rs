//! An account that is connected already: a person (`linkedin`), or an organization (`linkedin_page`).

use super::{NewLinkedInApp, NewLinkedInMembers, admin};
use crate::admin::Admin;
use crate::clock::parse_caller_time;
use crate::sites::Account;

/// The app that all such accounts were connected with.
const APP: &str = "86mooringsim01";

/// A person, or an organization that a person of its own administers.
pub(super) fn connected(admin: &Admin, way: &str) -> Option<Account> {
    if !matches!(way, "linkedin" | "linkedin_page") {
        return None;
    }
    let new = NewLinkedInApp {
        id: Some(APP.to_owned()),
        ..NewLinkedInApp::default()
    };
    // The second time it exists.
    admin.create_linkedin_app(new).ok();
    let secret = admin.with(|world| world.linkedin.apps.get(APP).map(|app| app.secret.clone()))?;
    let people = NewLinkedInMembers {
        app: APP.to_owned(),
        ..NewLinkedInMembers::default()
    };
    let member = admin.create_linkedin_members(&people).ok()?.pop()?;
    let (remote_id, name) = if way == "linkedin" {
        (member.urn.clone(), member.name)
    } else {
        let page = member.organizations.into_iter().next()?;
        (page.urn, page.name)
    };
    let refresh_end = member.refresh_expires_at.as_deref();
    Some(Account {
        remote_id,
        remote_user_id: member.urn,
        name,
        destination_token: None,
        access_token: member.access_token,
        refresh_token: member.refresh_token,
        binding: None,
        issued_at: admin.clock().now_ms(),
        access_expires_at: parse_caller_time(&member.access_expires_at),
        refresh_expires_at: refresh_end.and_then(parse_caller_time),
        scopes: Some(admin::CONSENTED.map(str::to_owned).into()),
        app: Some((APP.to_owned(), crate::SimSecret(secret))),
        host: None,
    })
}
