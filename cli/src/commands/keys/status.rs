//! `mooring keys status`.

use std::collections::BTreeMap;

use clap::Args;
use mooring_domain::reseal::Walk;
use mooring_runtime::Context;
use mooring_store::{ActiveKey, KeyHolder, SealedCounts, Store};
use serde::Serialize;

use crate::parts::{self, Secrets};

#[derive(Args)]
pub(crate) struct Status {
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(status: Status, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Needed).await?;
    let active = store.read_keys().await?;
    let holders = store.key_holders(context.clock.now()).await?;
    let seen = Seen::of(&store, active, &holders, store.sealed_counts().await?);
    if status.json {
        println!("{}", serde_json::to_string(&seen)?);
    } else {
        print!("{}", seen.text());
    }
    Ok(())
}

#[derive(Serialize)]
struct Seen {
    /// The key that seals.
    active: String,
    /// Since when and by whom; `null` = no key was ever put in force, and the ring's first one seals.
    activated_at: Option<String>,
    activated_by: Option<String>,
    reseal: Option<Progress>,
    keys: Vec<Key>,
    processes: Vec<Process>,
}

#[derive(Serialize)]
struct Progress {
    /// walking, comparing or done.
    state: &'static str,
    /// Where it is, while it walks; `null` = at the beginning.
    place: Option<String>,
    resealed: u64,
    unreadable: u64,
}

#[derive(Serialize)]
struct Key {
    /// Empty for values that name no key.
    id: String,
    in_ring: bool,
    sealed: BTreeMap<String, u64>,
    total: u64,
    /// Whether nothing stored needs it any more. A backup may.
    removable: bool,
}

#[derive(Serialize)]
struct Process {
    role: String,
    host: String,
    knows_active: bool,
}

impl Seen {
    fn of(
        store: &Store,
        active: Option<ActiveKey>,
        holders: &[KeyHolder],
        mut counts: SealedCounts,
    ) -> Self {
        let ring = store.vault().ring();
        let seals = active.as_ref().map(|active| active.reseal.key.clone());
        let seals = seals.unwrap_or_else(|| ring.active_id().to_owned());
        let walk = active.as_ref().map(|active| &active.reseal.walk);
        let everywhere = holders.iter().all(|one| one.keys.contains(&seals));
        let quiet = walk == Some(&Walk::Done) && everywhere;
        for id in ring.ids() {
            counts.entry(id.to_owned()).or_default();
        }
        let key = |(id, sealed): (String, BTreeMap<String, u64>)| {
            let total = sealed.values().sum();
            Key {
                in_ring: ring.has(&id),
                removable: quiet && total == 0 && id != seals,
                id,
                sealed,
                total,
            }
        };
        let process = |one: &KeyHolder| Process {
            role: one.role.clone(),
            host: one.host.clone(),
            knows_active: one.keys.contains(&seals),
        };
        Self {
            activated_at: active.as_ref().map(|one| one.activated_at.to_rfc3339()),
            activated_by: active.as_ref().map(|one| one.activated_by.clone()),
            reseal: active.map(|one| progress(&one)),
            keys: counts.into_iter().map(key).collect(),
            processes: holders.iter().map(process).collect(),
            active: seals,
        }
    }

    fn text(&self) -> String {
        let since = match (&self.activated_at, &self.activated_by) {
            (Some(at), Some(by)) => format!("since {at} by {by}"),
            _ => "as the first of the ring; none was ever put in force".to_owned(),
        };
        let mut lines = vec![format!("{:<12} {}, {since}", "active", self.active)];
        if let Some(reseal) = &self.reseal {
            let place = reseal.place.as_deref().unwrap_or("the beginning");
            let at = if reseal.state == "walking" {
                format!(" at {place}")
            } else {
                String::new()
            };
            lines.push(format!(
                "{:<12} {}{at}: {} sealed anew, {} cannot be opened",
                "re-sealing", reseal.state, reseal.resealed, reseal.unreadable
            ));
        }
        let knowing = self.processes.iter().filter(|one| one.knows_active).count();
        let running = self.processes.len();
        lines.push(format!(
            "{:<12} {knowing} of {running} know {}",
            "processes", self.active
        ));
        lines.extend(self.keys.iter().map(|key| self.key_line(key)));
        lines.join("\n") + "\n"
    }

    fn key_line(&self, key: &Key) -> String {
        let id = if key.id.is_empty() {
            "(no key)"
        } else {
            &key.id
        };
        let places = key.sealed.iter().map(|(place, n)| format!("{place} {n}"));
        let places = places.collect::<Vec<_>>().join(", ");
        let verdict = match (key.id == self.active, key.in_ring, key.removable) {
            (true, ..) => "seals",
            (_, true, true) => {
                "may be removed from the ring; backups from before may still need it"
            }
            (_, false, _) => "is not in the ring: these cannot be opened here",
            (_, true, false) if key.total == 0 => "seals nothing that is stored; keep it for now",
            (_, true, false) => "still needed",
        };
        let colon = if places.is_empty() { "" } else { ": " };
        format!("key {id:<8} {verdict}{colon}{places}")
    }
}

fn progress(active: &ActiveKey) -> Progress {
    let reseal = &active.reseal;
    let (state, place) = match &reseal.walk {
        Walk::At { place, .. } => ("walking", place.clone()),
        Walk::Through => ("comparing", None),
        Walk::Done => ("done", None),
    };
    Progress {
        state,
        place,
        resealed: reseal.resealed,
        unreadable: reseal.unreadable,
    }
}
