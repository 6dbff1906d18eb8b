//! Three agencies with their accounts on every platform, and a minute's worth of posts.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use mooring_domain::{
    ConnectionId, Platform, WorkspaceId,
    time::{days, hours},
};
use mooring_gateway::acts::{self, ImportRow, NewApp};
use mooring_runtime::{Context, MediaStore};
use mooring_simulator::{
    BlueskyAccount, FacebookUser, NewBlueskyAccounts, NewFacebookApp, NewFacebookUsers,
    RunningSimulator,
};
use mooring_store::{Actor, Store};
use mooring_vault::Secret;

use super::{others, posts::Agency};

const AGENCIES: [&str; 3] = ["Harbour & Sons", "Leuchtturm Media", "Buoy Collective"];

/// Per agency: people with Facebook pages, pages each, Bluesky accounts.
const PEOPLE: usize = 6;
const PAGES: usize = 7;
const PROFILES: usize = 30;

/// What was seeded.
#[derive(Default)]
pub(super) struct Seeded {
    pub(super) workspaces: Vec<WorkspaceId>,
    /// Every connection, and where it is.
    pub(super) connections: HashMap<ConnectionId, Platform>,
    pub(super) targets: usize,
}

pub(super) async fn seed(
    context: &Context,
    store: &Store,
    simulator: &RunningSimulator,
    files: &MediaStore,
) -> anyhow::Result<Seeded> {
    let now = context.clock.now();
    let admin = simulator.admin();
    let app = admin.create_facebook_app(NewFacebookApp::default())?;
    let registered = NewApp {
        workspace: None,
        platform: Platform::Facebook,
        client_id: app.id.clone(),
        client_secret: Secret::from(&*app.secret),
        base_url: None,
    };
    acts::register_app(store, &Actor::Cli, registered, now).await?;
    let mut seeded = Seeded::default();
    for (index, name) in AGENCIES.iter().enumerate() {
        let workspace = acts::create_workspace(store, &Actor::Cli, name, now).await?;
        let mut rows = Vec::new();
        for user in admin.create_facebook_users(&NewFacebookUsers {
            app: app.id.clone(),
            count: PEOPLE,
            pages: PAGES,
            // Every agency has tokens that end within a week: they are due for renewal.
            user_token_life_s: if index == 0 { 6 * 86_400 } else { 40 * 86_400 },
        })? {
            facebook_rows(name, &user, &mut rows)?;
        }
        for (place, account) in admin
            .create_bluesky_accounts(&NewBlueskyAccounts {
                count: PROFILES,
                access_life_s: 20 * 60,
                ..NewBlueskyAccounts::default()
            })?
            .into_iter()
            .enumerate()
        {
            rows.push(bluesky_row(name, place, &account)?);
        }
        others::rows(store, simulator, workspace, name, now, &mut rows).await?;
        let rows = rows.into_iter().enumerate().collect();
        let (good, bad) = acts::check_import(store, rows, now).await?;
        anyhow::ensure!(bad.is_empty(), "a seeded row is bad: {bad:?}");
        acts::import_connections(store, &Actor::Cli, good, now).await?;
        let agency = Agency {
            store,
            files,
            workspace,
            name,
            now,
        };
        let places = places(store, workspace, now).await?;
        seeded.targets += agency.post(&places).await?;
        seeded.connections.extend(places);
        seeded.workspaces.push(workspace);
    }
    Ok(seeded)
}

/// The agency's connections, by name.
async fn places(
    store: &Store,
    workspace: WorkspaceId,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<(ConnectionId, Platform)>> {
    let rows = store.connections(workspace, now).await?.into_iter();
    rows.map(|row| Ok((row.id, row.platform.parse()?)))
        .collect()
}

fn facebook_rows(
    agency: &str,
    user: &FacebookUser,
    rows: &mut Vec<ImportRow>,
) -> anyhow::Result<()> {
    let ends = time(&user.token_expires_at)?;
    for page in &user.pages {
        rows.push(ImportRow {
            workspace: agency.to_owned(),
            brand: Some(user.name.clone()),
            platform: "facebook".to_owned(),
            remote_id: page.id.clone(),
            name: page.name.clone(),
            user_id: Some(user.id.clone()),
            access_token: user.token.to_string(),
            page_token: Some(page.token.to_string()),
            refresh_token: None,
            issued_at: Some(ends - days(60)),
            access_expires_at: Some(ends),
            refresh_expires_at: None,
            scopes: None,
            host: None,
            binding: None,
        });
    }
    Ok(())
}

fn bluesky_row(agency: &str, place: usize, account: &BlueskyAccount) -> anyhow::Result<ImportRow> {
    let ends = time(&account.access_expires_at)?;
    Ok(ImportRow {
        workspace: agency.to_owned(),
        brand: Some(format!("Client {}", place % 6 + 1)),
        platform: "bluesky".to_owned(),
        remote_id: account.did.clone(),
        name: account.handle.clone(),
        user_id: None,
        access_token: account.access_token.to_string(),
        page_token: None,
        refresh_token: Some(account.refresh_token.to_string()),
        issued_at: Some(ends - hours(2)),
        access_expires_at: Some(ends),
        refresh_expires_at: Some(time(&account.refresh_expires_at)?),
        scopes: None,
        host: None,
        binding: None,
    })
}

fn time(text: &str) -> anyhow::Result<DateTime<Utc>> {
    let read = DateTime::parse_from_rfc3339(text);
    Ok(read.with_context(|| format!("{text} is no time"))?.to_utc())
}
