//! `mooring connect` and `mooring reconnect-link`.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use clap::Args;
use mooring_domain::{ConnectionId, Role};
use mooring_gateway::{
    acts::{
        self, BeginConnect, BegunConnect, Copier, Desk, LiveCheck, PasswordLogin, Reconnect,
        Reconnecting,
    },
    site::Site,
};
use mooring_runtime::Context;
use mooring_store::{Actor, Store};
use mooring_vault::Secret;

use super::connection::CopyTo;
use crate::parts::{self, Secrets};

/// The longest password that is read.
const PASSWORD_MAX: u64 = 4_096;

/// Connects an account with a name and a password, where its platform takes such.
#[derive(Args)]
pub(crate) struct Connect {
    /// The way in: bluesky.
    platform: String,
    /// The workspace, by name.
    #[arg(long)]
    workspace: String,
    /// Handle, e-mail address or id.
    #[arg(long)]
    identifier: String,
    /// The account's own server, where the platform has many.
    #[arg(long)]
    host: Option<String>,
}

/// Makes a link by which somebody without a key can reconnect one connection, once.
#[derive(Args)]
pub(crate) struct ReconnectLink {
    /// The connection's id.
    connection: ConnectionId,
    /// The workspace, by name.
    #[arg(long)]
    workspace: String,
    /// How many hours it works.
    #[arg(long)]
    hours: Option<u32>,
}

/// The password comes on standard input, so that no list of processes and no history shows it.
pub(crate) async fn run(command: Connect, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let registry = parts::registry(&context)?;
    let site = site(&context);
    let desk = Desk {
        store: &store,
        registry: &registry,
        site: &site,
        clock: context.clock.as_ref(),
    };
    let workspace = super::workspace(&store, &command.workspace).await?;
    let new = BeginConnect {
        platform: command.platform,
        host: command.host,
        password: Some(PasswordLogin {
            identifier: command.identifier,
            password: password()?,
            factor: None,
        }),
        ..BeginConnect::default()
    };
    let begun = acts::begin_connect(&desk, &Actor::Cli, workspace, new).await?;
    let BegunConnect::Offered { id, .. } = begun else {
        bail!("this platform connects in a browser: use the API");
    };
    let offered = acts::show_connect(&desk, workspace, id).await?;
    let offered = offered.context("the run is over; begin anew")?;
    let free = offered
        .destinations
        .into_iter()
        .filter(|one| one.refused.is_none());
    let chosen: Vec<String> = free.map(|one| one.remote_id).collect();
    for look in acts::choose_destinations(&desk, &Actor::Cli, workspace, id, &chosen).await? {
        println!("{}", line(&look));
    }
    Ok(())
}

/// Copies a connection to another workspace. Whoever sits at the command line may do so in any.
pub(super) async fn copy(store: &Store, context: &Context, copy: CopyTo) -> anyhow::Result<()> {
    let registry = parts::registry(context)?;
    let site = site(context);
    let desk = Desk {
        store,
        registry: &registry,
        site: &site,
        clock: context.clock.as_ref(),
    };
    let copied = copy.find(store).await?;
    let login = copied.identifier.map(|identifier| -> anyhow::Result<_> {
        Ok(PasswordLogin {
            identifier,
            password: password()?,
            factor: None,
        })
    });
    let how = Reconnect {
        password: login.transpose()?,
        ..Reconnect::default()
    };
    let by = Copier {
        roles: vec![(copied.from.0, Role::Admin), (copied.to, Role::Admin)],
        here: Actor::Cli,
        there: Actor::Cli,
    };
    match acts::copy_connection(&desk, &by, copied.from, copied.to, how).await? {
        Reconnecting::Done(_, look) => println!("{}", line(&look)),
        Reconnecting::Consent(BegunConnect::Consent { url, .. }) => println!("{url}"),
        Reconnecting::Consent(BegunConnect::Offered { .. }) => {}
    }
    Ok(())
}

pub(crate) async fn link(command: ReconnectLink, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let registry = parts::registry(&context)?;
    let site = site(&context);
    let desk = Desk {
        store: &store,
        registry: &registry,
        site: &site,
        clock: context.clock.as_ref(),
    };
    let workspace = super::workspace(&store, &command.workspace).await?;
    let (connection, hours) = (command.connection, command.hours);
    let made = acts::make_reconnect_link(&desk, &Actor::Cli, workspace, connection, hours).await?;
    println!("{}", made.url);
    Ok(())
}

fn site(context: &Context) -> Site {
    let gateway = &context.config.gateway;
    Site::of(gateway, Some(gateway.bind))
}

fn line(look: &LiveCheck) -> String {
    let (id, name, platform) = (look.connection, &look.name, look.platform);
    format!("{id}  {platform}  {}  {name}", look.health.as_str())
}

fn password() -> anyhow::Result<Secret> {
    let mut text = String::new();
    let mut input = std::io::stdin().take(PASSWORD_MAX);
    input
        .read_to_string(&mut text)
        .context("the password on standard input cannot be read")?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("no password on standard input: pipe it in");
    }
    Ok(Secret::from(text))
}
