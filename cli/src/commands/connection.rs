//! `mooring connection`, and the kill switch of `mooring workspace`.

use anyhow::bail;
use clap::{Args, Subcommand};
use mooring_domain::{
    ConnectionId, Time, WorkspaceId,
    connection::{Reason, life::Which},
    time::seconds,
};
use mooring_gateway::acts::{self, ActError, AdviceView, ConnectionEdit};
use mooring_runtime::Context;
use mooring_store::{Actor, ConnectionFilter, ConnectionView, Leaving, Refusal, Store};
use serde_json::{Value, json};

use super::connect;
use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Connection {
    /// Lists a workspace's connections, those that need attention first.
    List {
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
        /// Also those that were disconnected.
        #[arg(long)]
        removed: bool,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows one connection as JSON.
    Show(One),
    /// Writes what people say about a connection: whose it is, what to do when it fails, how it is found.
    Set(Set),
    /// Has a connection looked at now; without an id, every one of the workspace.
    Check {
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
        /// The connection.
        connection: Option<ConnectionId>,
    },
    /// Makes a connection the main one of its platform.
    Main(One),
    /// Copies a connection to another workspace: the same account, by a consent of its own. Prints the page for the
    /// person's browser; where the platform takes a name and a password, the password comes on standard input.
    Copy(CopyTo),
    /// Disconnects an account: pending posts are cancelled, tokens deleted and given back, the history stays. Without
    /// --confirm it says what it would do, and how to confirm that.
    Disconnect {
        #[command(flatten)]
        one: One,
        /// What the preview says.
        #[arg(long)]
        confirm: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct One {
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// The connection.
    connection: ConnectionId,
}

#[derive(Args)]
pub(crate) struct Set {
    #[command(flatten)]
    one: One,
    /// Who answers for it; an empty text takes it away.
    #[arg(long)]
    owner: Option<String>,
    /// How to get at it, for admins; an empty text takes it away.
    #[arg(long)]
    admin_note: Option<String>,
    /// What to do, and whom to call, when it fails; an empty text takes it away.
    #[arg(long)]
    escalation: Option<String>,
    /// Whether the user behind it is no person.
    #[arg(long)]
    service_account: Option<bool>,
    /// Words to find it by, separated by commas: all of them.
    #[arg(long, value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// The client label, created where it does not exist; an empty text takes it away.
    #[arg(long)]
    brand: Option<String>,
    /// The least time between two posts, in seconds; 0 = none, an empty text = as configured.
    #[arg(long, value_name = "SECONDS", value_parser = spacing)]
    spacing: Option<Spacing>,
}

/// Seconds between posts, or nothing of its own.
#[derive(Clone, Copy)]
struct Spacing(Option<u32>);

#[derive(Args)]
pub(crate) struct CopyTo {
    #[command(flatten)]
    one: One,
    /// The other workspace (name or id).
    #[arg(long)]
    to: String,
    /// Handle, e-mail address or id, where the platform takes a password; for Telegram the channel or group.
    #[arg(long)]
    identifier: Option<String>,
}

pub(crate) async fn run(command: Connection, context: Context) -> anyhow::Result<()> {
    let secrets = match command {
        Connection::Disconnect { .. } | Connection::Copy(_) => Secrets::Needed,
        _ => Secrets::Unneeded,
    };
    let store = parts::migrated_store(&context.config, secrets).await?;
    let now = context.clock.now();
    match command {
        Connection::List {
            workspace,
            removed,
            json,
        } => list(&store, &workspace, removed, json, now).await,
        Connection::Show(one) => {
            let (workspace, id) = one.find(&store).await?;
            let view = acts::connection_view(&store, workspace, id, now).await?;
            println!(
                "{}",
                serde_json::to_string_pretty(&shown(&view, &store, now))?
            );
            Ok(())
        }
        Connection::Set(set) => edit(&store, set, now).await,
        Connection::Check {
            workspace,
            connection,
        } => check(&store, &workspace, connection, now).await,
        Connection::Main(one) => {
            let (workspace, id) = one.find(&store).await?;
            acts::set_main(&store, &Actor::Cli, workspace, id, now).await?;
            println!("{id} is the main one of its platform");
            Ok(())
        }
        Connection::Copy(copy) => connect::copy(&store, &context, copy).await,
        Connection::Disconnect { one, confirm } => {
            let (workspace, id) = one.find(&store).await?;
            disconnect(&store, &context, workspace, Which::One(id), confirm).await
        }
    }
}

impl CopyTo {
    /// What is copied, where to, and the name to log in by.
    pub(super) async fn find(self, store: &Store) -> anyhow::Result<Copied> {
        Ok(Copied {
            from: self.one.find(store).await?,
            to: super::workspace(store, &self.to).await?,
            identifier: self.identifier,
        })
    }
}

/// A copy to make.
pub(super) struct Copied {
    pub(super) from: (WorkspaceId, ConnectionId),
    pub(super) to: WorkspaceId,
    pub(super) identifier: Option<String>,
}

impl One {
    async fn find(&self, store: &Store) -> anyhow::Result<(WorkspaceId, ConnectionId)> {
        let workspace = super::workspace(store, &self.workspace).await?;
        Ok((workspace, self.connection))
    }
}

async fn list(
    store: &Store,
    workspace: &str,
    removed: bool,
    as_json: bool,
    now: Time,
) -> anyhow::Result<()> {
    let workspace = super::workspace(store, workspace).await?;
    let filter = ConnectionFilter {
        removed: (!removed).then_some(false),
        ..ConnectionFilter::default()
    };
    let mut views = store.connection_views(workspace, &filter, now).await?;
    views.sort_by_key(|view| (view.standing().attention(), view.id.uuid()));
    if as_json {
        let rows: Vec<Value> = views.iter().map(|view| shown(view, store, now)).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    for view in views {
        let standing = view.standing();
        let main = if view.main { "main" } else { "" };
        println!(
            "{}  {:<10} {:<10} {main:<4} {}  {}",
            view.id,
            view.platform.as_str(),
            standing.health(),
            view.name,
            standing.status_text(),
        );
    }
    Ok(())
}

/// One connection, as programs read it. Never a token.
fn shown(view: &ConnectionView, store: &Store, now: Time) -> Value {
    let standing = view.standing();
    let reasons = view.assessment.reasons.iter();
    let advice = view.advice(store.policy(), now).map(AdviceView::from);
    json!({
        "id": view.id.to_string(),
        "platform": view.platform.as_str(),
        "remote_id": view.remote_id,
        "name": view.name,
        "brand": view.brand.as_ref().map(|(_, name)| name),
        "labels": view.labels,
        "main": view.main,
        "service_account": view.service_account,
        "owner": view.owner,
        "admin_note": view.admin_note,
        "escalation": view.escalation,
        "health": standing.health(),
        "reasons": reasons.map(Reason::code).collect::<Vec<_>>(),
        "auth_state": standing.auth_state(),
        "colour": standing.colour().as_str(),
        "state": standing.signal().as_str(),
        "status_text": standing.status_text(),
        "advice": advice,
        "about": view.about,
        "publish": standing.publish(view.platform, view.granted.as_deref()).as_str(),
        "permissions_missing": view.facts.scopes_missing,
        "checked_at": view.facts.checked_at,
        "connected_at": view.connected_at,
        "ends_at": view.facts.ends_at,
        "spacing_s": view.spacing.map(|span| span.num_seconds()),
        "removed_at": view.removed.as_ref().map(|(at, _)| at),
        "removed_why": view.removed.as_ref().map(|(_, why)| why),
    })
}

/// Reads seconds; an empty text takes the connection's own number away.
fn spacing(text: &str) -> Result<Spacing, String> {
    if text.trim().is_empty() {
        return Ok(Spacing(None));
    }
    let read = text.parse().map(|s| Spacing(Some(s)));
    read.map_err(|_| "is no number of seconds".to_owned())
}

async fn edit(store: &Store, set: Set, now: Time) -> anyhow::Result<()> {
    let (workspace, id) = set.one.find(store).await?;
    let edit = ConnectionEdit {
        owner: set.owner.map(Some),
        admin_note: set.admin_note.map(Some),
        escalation: set.escalation.map(Some),
        service_account: set.service_account,
        labels: set.labels.map(|mut labels| {
            labels.retain(|label| !label.trim().is_empty());
            labels
        }),
        brand: set
            .brand
            .map(|name| Some(name).filter(|name| !name.is_empty())),
        spacing: set.spacing.map(|one| one.0.map(|s| seconds(s.into()))),
    };
    acts::edit_connection(store, &Actor::Cli, workspace, id, edit, now).await?;
    println!("{id} is changed");
    Ok(())
}

async fn check(
    store: &Store,
    workspace: &str,
    connection: Option<ConnectionId>,
    now: Time,
) -> anyhow::Result<()> {
    let workspace = super::workspace(store, workspace).await?;
    if let Some(id) = connection {
        acts::check_connection(store, &Actor::Cli, workspace, id, now).await?;
        println!("{id} is looked at as soon as a worker is free");
        return Ok(());
    }
    let begun = acts::check_connections(store, &Actor::Cli, workspace, now).await?;
    println!(
        "{} connections are looked at; {} need a reconnect by what is known now",
        begun.connections, begun.need_reconnect
    );
    Ok(())
}

/// Disconnects what was confirmed, or says what it would do and fails.
pub(super) async fn disconnect(
    store: &Store,
    context: &Context,
    workspace: WorkspaceId,
    which: Which,
    confirm: Option<String>,
) -> anyhow::Result<()> {
    let now = context.clock.now();
    let confirm = confirm.as_deref();
    let done = acts::disconnect(store, &Actor::Cli, workspace, which, confirm, now).await;
    let done = match done {
        Err(ActError::Refused(Refusal::ConfirmationNeeded)) => {
            let leaving = acts::preview_disconnect(store, workspace, which).await?;
            print!("{}", preview(&leaving));
            bail!(
                "nothing was changed: repeat it with --confirm {}",
                leaving.confirmation
            );
        }
        settled => settled?,
    };
    println!(
        "{} disconnected, {} posts cancelled, {} on their way",
        done.was.connections, done.was.pending, done.was.in_flight
    );
    let registry = parts::registry(context)?;
    let clock = &*context.clock;
    let outcome = acts::revoke(store, &registry, &Actor::Cli, workspace, done.taken, clock).await;
    println!(
        "credentials: {} given back at their platforms, {} could not be",
        outcome.revoked, outcome.failed
    );
    Ok(())
}

fn preview(leaving: &Leaving) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "{} connections would be disconnected, {} pending posts cancelled; {} are on their way and finish\n",
        leaving.connections, leaving.pending, leaving.in_flight
    );
    for post in &leaving.first {
        // Writing into a String cannot fail.
        let _written = writeln!(
            text,
            "  {}  {}  {}",
            post.due.to_rfc3339(),
            post.target,
            post.text
        );
    }
    text
}
