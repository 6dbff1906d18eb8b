//! Bringing connections in from a file: every row is checked before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use chrono::{DateTime, Utc};
use mooring_domain::{
    BrandId, Change, ConnectionId, Decision, GrantId, Platform, Time, WorkspaceId, acts,
    decision::NewConnection,
};
use mooring_store::{Actor, Secrets, Store};
use mooring_vault::Secret;
use serde::Deserialize;

use super::ActError;

/// One connection, as a JSON line or a CSV record holds it. Unknown fields are refused.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRow {
    /// The workspace's name or id. It must exist.
    pub workspace: String,
    /// The client label; created where it does not exist.
    #[serde(default)]
    pub brand: Option<String>,
    /// The platform, by the way in: `facebook`, `linkedin_page`, `bluesky_oauth`, ….
    pub platform: String,
    /// The account's id at the platform: page id, DID.
    pub remote_id: String,
    /// Shown to people.
    pub name: String,
    /// The provider user behind the credential; the account itself where left out.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The user's access token.
    pub access_token: String,
    /// The destination's own token, where the platform has such (a page token).
    #[serde(default)]
    pub page_token: Option<String>,
    /// The refresh token, where the platform has one.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// When the tokens were issued (RFC 3339).
    #[serde(default)]
    pub issued_at: Option<DateTime<Utc>>,
    /// End of the access token (RFC 3339).
    #[serde(default)]
    pub access_expires_at: Option<DateTime<Utc>>,
    /// End of the refresh token (RFC 3339).
    #[serde(default)]
    pub refresh_expires_at: Option<DateTime<Utc>>,
    /// Granted permissions, separated by spaces or commas.
    #[serde(default)]
    pub scopes: Option<String>,
    /// Base URL of the account's own server, where the platform has such.
    #[serde(default)]
    pub host: Option<String>,
    /// The key that the tokens are bound to (a private JWK), where they are.
    #[serde(default)]
    pub binding: Option<String>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Line of the file, from 1.
    pub line: usize,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it, and what to do. Never a token.
    pub problem: String,
}

/// A checked row.
pub struct Checked {
    workspace: WorkspaceId,
    platform: Platform,
    row: ImportRow,
}

/// What an import brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Connections.
    pub connections: usize,
    /// Grants that came with them.
    pub grants: usize,
}

/// Checks every row against the rules, the other rows and the database. Writes nothing.
pub async fn check_import(
    store: &Store,
    rows: Vec<(usize, ImportRow)>,
    now: Time,
) -> Result<(Vec<Checked>, Vec<RowProblem>), ActError> {
    let mut known = Known::default();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (line, row) in rows {
        match known.check(store, row, now).await? {
            Ok(checked) => good.push(checked),
            Err((field, problem)) => bad.push(RowProblem {
                line,
                field,
                problem,
            }),
        }
    }
    Ok((good, bad))
}

/// What rows are checked against.
#[derive(Default)]
struct Known {
    workspaces: HashMap<String, Option<WorkspaceId>>,
    accounts: HashMap<WorkspaceId, HashSet<(String, String)>>,
}

type Verdict = Result<Checked, (&'static str, String)>;

impl Known {
    async fn check(
        &mut self,
        store: &Store,
        row: ImportRow,
        now: Time,
    ) -> Result<Verdict, ActError> {
        let platform: Platform = match row.platform.parse() {
            Ok(platform) => platform,
            // The value itself is not repeated: columns get mixed up, and then it may be a token.
            Err(error) => {
                return Ok(Err((
                    "platform",
                    format!("is none of: {}; mend the row", error.1),
                )));
            }
        };
        for (field, value) in [
            ("remote_id", &row.remote_id),
            ("name", &row.name),
            ("access_token", &row.access_token),
        ] {
            if value.trim().is_empty() {
                return Ok(Err((
                    field,
                    "is empty; every connection needs one".to_owned(),
                )));
            }
        }
        if row.access_expires_at.is_some_and(|end| end <= now) && row.refresh_token.is_none() {
            let problem = "is past, and there is no refresh token; reconnect the account first";
            return Ok(Err(("access_expires_at", problem.to_owned())));
        }
        if let Some(host) = &row.host
            && !(host.starts_with("https://") || host.starts_with("http://"))
        {
            return Ok(Err((
                "host",
                "must begin with https:// (or http:// in tests)".to_owned(),
            )));
        }
        let Some(workspace) = self.workspace(store, &row.workspace).await? else {
            let problem = "does not exist; create it with: mooring workspace add NAME";
            return Ok(Err(("workspace", problem.to_owned())));
        };
        let account = (platform.as_str().to_owned(), row.remote_id.clone());
        if !self.accounts(store, workspace).await?.insert(account) {
            let problem =
                "is connected in this workspace already, or stands twice in the file; leave it out";
            return Ok(Err(("remote_id", problem.to_owned())));
        }
        Ok(Ok(Checked {
            workspace,
            platform,
            row,
        }))
    }

    async fn workspace(
        &mut self,
        store: &Store,
        name: &str,
    ) -> Result<Option<WorkspaceId>, ActError> {
        if let Some(known) = self.workspaces.get(name) {
            return Ok(*known);
        }
        let by_id = name.parse::<WorkspaceId>().ok();
        let found = match by_id {
            Some(id) => store
                .workspaces()
                .await?
                .into_iter()
                .map(|row| row.id)
                .find(|w| *w == id),
            None => store.workspace_named(name).await?,
        };
        self.workspaces.insert(name.to_owned(), found);
        Ok(found)
    }

    async fn accounts(
        &mut self,
        store: &Store,
        workspace: WorkspaceId,
    ) -> Result<&mut HashSet<(String, String)>, ActError> {
        match self.accounts.entry(workspace) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => Ok(unknown.insert(store.accounts(workspace).await?)),
        }
    }
}

/// Imports checked rows in one transaction: all of them or none.
pub async fn import_connections(
    store: &Store,
    actor: &Actor,
    rows: Vec<Checked>,
    now: Time,
) -> Result<Imported, ActError> {
    let mut by_workspace = BTreeMap::<WorkspaceId, Vec<Checked>>::new();
    for row in rows {
        by_workspace.entry(row.workspace).or_default().push(row);
    }
    let mut imported = Imported::default();
    let mut secrets = Secrets::default();
    let mut decisions = Vec::new();
    for (workspace, rows) in by_workspace {
        let mut batch = Batch {
            decision: acts::act(),
            grants: store.grants(workspace).await?,
            ended: store.ended_grants(workspace).await?,
            disconnected: store.disconnected(workspace).await?,
            brands: store.brands(workspace).await?,
        };
        for row in rows {
            let new_grant = batch.add(store, row, &mut secrets, now).await?;
            imported.connections += 1;
            imported.grants += usize::from(new_grant);
        }
        decisions.push((workspace, batch.decision));
    }
    store.apply_acts(actor, &decisions, &secrets, now).await?;
    Ok(imported)
}

/// One workspace's part of an import.
struct Batch {
    decision: Decision,
    grants: HashMap<(String, String), GrantId>,
    /// Grants among them that need new tokens.
    ended: HashSet<GrantId>,
    /// Accounts that come back as the connections that they were.
    disconnected: HashMap<(String, String), ConnectionId>,
    brands: HashMap<String, BrandId>,
}

impl Batch {
    /// Adds a row; says whether its grant is new.
    async fn add(
        &mut self,
        store: &Store,
        checked: Checked,
        secrets: &mut Secrets,
        now: Time,
    ) -> Result<bool, ActError> {
        let Checked {
            workspace,
            platform,
            row,
        } = checked;
        let user = row.user_id.clone().unwrap_or_else(|| row.remote_id.clone());
        let key = (platform.as_str().to_owned(), user.clone());
        let known = self.grants.get(&key).copied();
        let grant = known.unwrap_or_else(|| store.mint(now));
        // The first of its connections brings the tokens of one that has ended.
        let is_new = known.is_none() || self.ended.remove(&grant);
        self.grants.insert(key, grant);
        let brand = row
            .brand
            .as_deref()
            .map(|name| self.brand(store, name, now));
        let account = (platform.as_str().to_owned(), row.remote_id.clone());
        let connection = self.disconnected.get(&account).copied();
        let connection: ConnectionId = connection.unwrap_or_else(|| store.mint(now));
        if is_new {
            let refresh = row.refresh_token.as_deref().map(Secret::from);
            secrets
                .grants
                .push((grant, Secret::from(row.access_token.as_str()), refresh));
            let binding = row.binding.as_deref().map(Secret::from);
            secrets.bindings.extend(binding.map(|key| (grant, key)));
        }
        if let Some(token) = row.page_token.as_deref() {
            secrets.connections.push((connection, Secret::from(token)));
        }
        let new = NewConnection {
            connection,
            grant,
            grant_is_new: is_new,
            brand,
            app: store.app(workspace, platform).await?,
            platform,
            remote_id: row.remote_id,
            remote_user_id: user,
            name: row.name,
            host: row.host,
            issued_at: row.issued_at,
            access_expires_at: row.access_expires_at,
            has_refresh_token: row.refresh_token.is_some(),
            refresh_expires_at: row.refresh_expires_at,
            scopes: row.scopes.as_deref().map(scopes),
        };
        let decision = std::mem::replace(&mut self.decision, acts::act());
        self.decision = acts::import_connection(decision, new, store.policy(), now);
        Ok(is_new)
    }

    fn brand(&mut self, store: &Store, name: &str, now: Time) -> BrandId {
        if let Some(known) = self.brands.get(name) {
            return *known;
        }
        let brand = store.mint(now);
        let created = Change::BrandCreated {
            brand,
            name: name.to_owned(),
        };
        self.decision.changes.push(created);
        self.brands.insert(name.to_owned(), brand);
        brand
    }
}

fn scopes(text: &str) -> Vec<String> {
    text.split([' ', ','])
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect()
}
