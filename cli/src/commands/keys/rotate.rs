//! `mooring keys rotate`: first everybody knows the new key, then it seals.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use mooring_gateway::acts::{self, ActError};
use mooring_runtime::Context;
use mooring_store::{ActiveKey, Actor, Refusal, Store};
use mooring_vault::{KeyRing, Secret};

use crate::parts::{self, Secrets};

/// How long running processes have to hear of a new key, and how often it is looked whether they have.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Rotate {
    /// The key's name: one of the ring that is to seal from now on, or a name for a new one. Default: the newest key
    /// of the ring that has never sealed, else a new one.
    #[arg(long)]
    id: Option<String>,
}

pub(super) async fn run(rotate: Rotate, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let active = if let Some(active) = store.read_keys().await? {
        active
    } else {
        // No process has run yet: what has sealed so far was the first of the ring, and that is noted.
        let first = store.vault().ring().active_id().to_owned();
        acts::activate_vault_key(&store, &Actor::Cli, &first, context.clock.now()).await?
    };
    let id = match rotate.id {
        Some(id) => id,
        None => next_key(&store).await?,
    };
    if active.reseal.key == id {
        println!("{id} seals already; nothing was changed");
        return Ok(());
    }
    if !store.vault().ring().has(&id) {
        let line = mooring_vault::new_key_text(&id).context("id")?;
        match store.vault().file() {
            Some(file) if add(file, &id, &line)? => {
                store.vault().reread()?;
                eprintln!("{id} was added to {}: back it up", file.display());
            }
            _ => {
                println!("{}", line.expose());
                eprintln!(
                    "add this line to vault.keys of every process (restart those that have it in their environment), then: mooring keys rotate --id {id}"
                );
                return Ok(());
            }
        }
    }
    let active = activate(&store, &context, &id).await?;
    println!(
        "{} seals since {}; what older keys have sealed is sealed anew in the background: mooring keys status",
        active.reseal.key,
        active.activated_at.to_rfc3339()
    );
    Ok(())
}

/// The last key of the ring that has never sealed, else a name that no key has had.
async fn next_key(store: &Store) -> anyhow::Result<String> {
    let ring = store.vault().ring();
    let used = store.activated_keys().await?;
    let waiting = ring.ids().filter(|id| !used.iter().any(|u| u == id));
    if let Some(id) = waiting.last() {
        return Ok(id.to_owned());
    }
    let counted = (1_u32..).map(|number| format!("k{number}"));
    let mut free = counted.filter(|id| !ring.has(id) && !used.contains(id));
    free.next().context("no name is free for a key")
}

/// Adds a key to the file. `false`: the file is not ours to write, and was left alone.
fn add(path: &Path, id: &str, line: &Secret) -> anyhow::Result<bool> {
    let Ok(mut file) = File::options().read(true).append(true).open(path) else {
        return Ok(false);
    };
    let what = || format!("cannot add a key to {}", path.display());
    // Two at once would add the same name twice, and nobody could read the file any more.
    file.lock().with_context(what)?;
    let mut text = String::new();
    file.read_to_string(&mut text).with_context(what)?;
    let text = Secret::from(text);
    let ring = KeyRing::parse(text.expose()).with_context(what)?;
    if !ring.has(id) {
        let entry = Secret::from(format!("\n{}\n", line.expose()));
        file.write_all(entry.expose().as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(what)?;
    }
    Ok(true)
}

/// Puts the key in force as soon as every running process knows it.
async fn activate(store: &Store, context: &Context, id: &str) -> anyhow::Result<ActiveKey> {
    let until = tokio::time::Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let now = context.clock.now();
        let answer = acts::activate_vault_key(store, &Actor::Cli, id, now).await;
        let Err(ActError::Refused(Refusal::VaultKeyNotEverywhere { without, .. })) = &answer else {
            return Ok(answer?);
        };
        if store.vault().file().is_none() || tokio::time::Instant::now() >= until {
            return Ok(answer?);
        }
        if !told {
            eprintln!("waiting for {without} process(es) that read the key file every 10 s");
            told = true;
        }
        tokio::time::sleep(LOOK).await;
    }
}
