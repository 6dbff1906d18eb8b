//! Opening what a role works with: the database, the lanes, the platforms.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, anyhow, bail};
use mooring_providers::{BaseUrls, Registry};
use mooring_queue::{MemoryQueue, Queue, RedisOptions, RedisQueue};
use mooring_runtime::{Config, Context, MediaStore, media::LinkKeys};
use mooring_store::{Options, Store};
use mooring_vault::{KeyRing, Secret, SigningKeys, Vault};

use crate::policy;

/// Where the embedded mode keeps its database and keys, below the current folder.
const DATA: &str = "mooring-data";

/// Whether a role opens what is sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// It does, and must have the keys.
    Needed,
    /// It does, and may make a key where there is none, in a file that it names.
    Made,
    /// It does not: it runs without keys.
    Unneeded,
}

/// Opens the database that the configuration names, or the embedded one.
pub(crate) async fn store(config: &Config, secrets: Secrets) -> anyhow::Result<Store> {
    let url = database_url(config)?;
    let keys = keys(config, secrets)?;
    let options = Options {
        url: url.clone(),
        max_connections: config.database.max_connections,
    };
    let signing = signing_keys(config, secrets)?;
    let opened = Store::open(options, keys, policy::policy(config)).await;
    let store = opened.with_context(|| format!("cannot open the database {}", redacted(config)))?;
    Ok(match signing {
        Some(keys) => store.signing(keys),
        None => store,
    })
}

/// Opens the database and sees to it that its tables are those of this version.
///
/// The embedded database is migrated on the way; a server's is not, for other processes use it too.
pub(crate) async fn migrated_store(config: &Config, secrets: Secrets) -> anyhow::Result<Store> {
    let store = store(config, secrets).await?;
    if config.database.url.is_none() {
        mooring_migrations::up(store.connection()).await?;
    }
    let pending = mooring_migrations::pending(store.connection()).await?;
    if !pending.is_empty() {
        bail!(
            "the database lacks {} migration(s) of this version: run `mooring migrate up`",
            pending.len()
        );
    }
    if secrets != Secrets::Unneeded {
        // Whatever is sealed from here on is sealed with the key in force.
        store.read_keys().await?;
    }
    Ok(store)
}

/// The lanes: Redis where its URL is set, else in this process.
pub(crate) async fn queue(config: &Config) -> anyhow::Result<Arc<dyn Queue>> {
    let Some(url) = &config.redis.url else {
        return Ok(Arc::new(MemoryQueue::new()));
    };
    let mut options = RedisOptions::new(url.expose());
    options.prefix.clone_from(&config.redis.prefix);
    if let Some(file) = &config.redis.ca_file {
        let pem = std::fs::read(file)
            .with_context(|| format!("redis.ca_file: cannot read {}", file.display()))?;
        options.ca_pem = Some(pem);
    }
    let queue = RedisQueue::connect(&options).await;
    let queue = queue.with_context(|| {
        format!(
            "redis.url: cannot reach Redis at {}; check that it runs",
            url.redacted()
        )
    })?;
    Ok(Arc::new(queue))
}

/// The files that posts show: in the bucket or the folder that is configured, else beside the embedded database. On
/// PostgreSQL without either, nowhere: a folder of one machine would lose posts that another one publishes.
pub(crate) fn media(config: &Config) -> anyhow::Result<MediaStore> {
    let data = is_embedded(config).then(|| data_folder(config));
    let data = data.transpose()?;
    let keys = match (&config.media.signing_key, &data) {
        (Some(key), _) => link_keys(key.expose())?,
        (None, Some(data)) => made_link_keys(&data.join("media.key"))?,
        // Nobody gets a signed address, and none is believed.
        (None, None) => LinkKeys::default(),
    };
    let folder = data.map(|data| data.join("media"));
    Ok(MediaStore::open(&config.media, folder.as_deref(), keys)?)
}

fn link_keys(text: &str) -> anyhow::Result<LinkKeys> {
    LinkKeys::parse(text.trim()).context(
        "media.signing_key: a key is shorter than 32 characters; make one with `mooring keys new`",
    )
}

/// A key made on the first start. Losing it costs nothing but addresses that are out.
fn made_link_keys(file: &Path) -> anyhow::Result<LinkKeys> {
    if !file.exists() {
        let text = mooring_vault::new_key_text("media")?;
        match write_private(file, text.expose()) {
            // Another process was faster: its key is as good.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            written => written.with_context(|| format!("cannot write {}", file.display()))?,
        }
    }
    let text = std::fs::read_to_string(file);
    link_keys(&text.with_context(|| format!("cannot read {}", file.display()))?)
}

/// The platforms, at the addresses that the configuration names.
pub(crate) fn registry(context: &Context) -> anyhow::Result<Arc<Registry>> {
    let mut urls = BaseUrls::default();
    for (key, url) in context.config.platforms.each() {
        let Some(url) = url else { continue };
        let url = url.expose().parse();
        let url = url.with_context(|| format!("{key}: the address is not a URL"))?;
        let name = key.strip_prefix("platforms.").unwrap_or(key);
        let name = name.strip_suffix("_url").unwrap_or(name);
        anyhow::ensure!(urls.set(name, url), "{key}: no platform has this address");
    }
    Ok(Arc::new(Registry::new(
        &context.http,
        &context.clock,
        &urls,
    )))
}

/// The right to be the one process that works on the embedded database. Others may look and write acts, but
/// only one may run jobs: whoever holds this knows that every earlier holder has ended.
pub(crate) fn lock_embedded(config: &Config) -> anyhow::Result<Option<File>> {
    if !is_embedded(config) {
        return Ok(None);
    }
    let path = data_folder(config)?.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another mooring process works on {}: stop it first",
                path.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn database_url(config: &Config) -> anyhow::Result<String> {
    if let Some(url) = &config.database.url {
        return Ok(url.expose().to_owned());
    }
    let file = data_folder(config)?.join("mooring.db");
    Ok(format!("sqlite://{}?mode=rwc", file.display()))
}

/// The folder beside the embedded database, made where it is missing.
fn data_folder(config: &Config) -> anyhow::Result<PathBuf> {
    let folder = match &config.database.url {
        Some(url) => {
            let file = url.expose().trim_start_matches("sqlite://");
            let file = file.split('?').next().unwrap_or(file);
            Path::new(file)
                .parent()
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
        }
        None => PathBuf::from(DATA),
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

fn keys(config: &Config, secrets: Secrets) -> anyhow::Result<Vault> {
    if let Some(keys) = &config.vault.keys {
        let ring = KeyRing::parse(keys.expose()).context("vault.keys")?;
        return Ok(match &config.vault.keys_file {
            Some(file) => Vault::of_file(ring, file.clone()),
            None => ring.into(),
        });
    }
    if secrets == Secrets::Unneeded {
        return Ok(KeyRing::generate().into());
    }
    let file = PathBuf::from(DATA).join("vault.keys");
    let file = if is_embedded(config) {
        data_folder(config)?.join("vault.keys")
    } else {
        file
    };
    if file.exists() || secrets == Secrets::Made || is_embedded(config) {
        return made_keys(&file);
    }
    Err(anyhow!(
        "vault.keys: no key is configured; set MOORING_VAULT__KEYS_FILE to a file with one (`mooring keys new` makes it)"
    ))
}

/// Whether truth lives in a file of this machine.
fn is_embedded(config: &Config) -> bool {
    !config
        .database
        .url
        .as_ref()
        .is_some_and(|url| url.expose().starts_with("postgres"))
}

/// A key made on the first start, with a warning that says where it is.
fn made_keys(file: &Path) -> anyhow::Result<Vault> {
    if !file.exists() {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let text = mooring_vault::new_key_text("k1")?;
        write_private(file, text.expose())
            .with_context(|| format!("cannot write {}", file.display()))?;
        tracing::warn!(event.name = "vault.key_made", file = %file.display(), "a key for stored tokens was made: back it up, without it they cannot be opened");
    }
    let ring = KeyRing::from_file(file);
    let ring = ring.with_context(|| format!("cannot read the keys in {}", file.display()))?;
    Ok(Vault::of_file(ring, file.to_owned()))
}

/// The keys that sign days of the proof ledger: as configured, else beside the embedded database, where one is made at
/// the first start. On PostgreSQL without any, no day is signed.
fn signing_keys(config: &Config, secrets: Secrets) -> anyhow::Result<Option<SigningKeys>> {
    if let Some(text) = &config.proof.signing_key {
        let keys = SigningKeys::parse(text.expose()).context("proof.signing_key")?;
        return Ok(Some(keys));
    }
    if !is_embedded(config) {
        return Ok(None);
    }
    let file = data_folder(config)?.join("proof.keys");
    if !file.exists() {
        if secrets != Secrets::Made {
            return Ok(None);
        }
        let text = mooring_vault::new_key_text("p1")?;
        write_private(&file, text.expose())
            .with_context(|| format!("cannot write {}", file.display()))?;
        tracing::warn!(event.name = "proof.key_made", file = %file.display(), "a key that signs proofs was made: keep it to yourself, and hand its public key out (`mooring proof key`)");
    }
    let text = std::fs::read_to_string(&file);
    let text = Secret::from(text.with_context(|| format!("cannot read {}", file.display()))?);
    let keys = SigningKeys::parse(text.expose());
    Ok(Some(keys.with_context(|| {
        format!("cannot read the keys in {}", file.display())
    })?))
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut open = std::fs::OpenOptions::new();
    open.write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?
        .write_all(text.as_bytes())
}

fn redacted(config: &Config) -> String {
    match &config.database.url {
        Some(url) => url.redacted(),
        None => format!("{DATA}/mooring.db"),
    }
}

#[cfg(test)]
mod tests {
    use mooring_runtime::config::PlatformsConfig;

    use super::*;

    #[test]
    fn every_address_of_a_platform_has_its_key() {
        let keys = PlatformsConfig::default().each().map(|(key, _)| key);
        let names = BaseUrls::names();
        let wanted = names.iter().map(|name| format!("platforms.{name}_url"));
        assert_eq!(wanted.collect::<Vec<_>>(), keys);
    }
}
