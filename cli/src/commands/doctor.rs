//! `mooring doctor`: looks at everything that Mooring needs, and says how to mend what is missing.

use anyhow::bail;
use mooring_runtime::{Context, media::MediaError};
use mooring_store::StoreError;

use crate::parts::{self, Secrets};

pub(crate) async fn run(context: Context) -> anyhow::Result<()> {
    let mut broken = 0;
    let mut say = |what: &str, result: anyhow::Result<String>| match result {
        Ok(good) => println!("ok      {what}: {good}"),
        Err(error) => {
            broken += 1;
            println!("broken  {what}: {error:#}");
        }
    };
    say(
        "configuration",
        Ok("every key is known and fits".to_owned()),
    );
    say("database", database(&context).await);
    say("queue", queue(&context).await);
    say("media", media(&context).await);
    let vault = vault(&context).await;
    let keyless = vault.is_err();
    say("vault", vault);
    if keyless {
        println!("        a key ring is made with: (umask 077; mooring keys new > vault.keys)");
    }
    if broken > 0 {
        bail!("{broken} of 5 checks failed");
    }
    Ok(())
}

async fn database(context: &Context) -> anyhow::Result<String> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    let here = context.clock.raw_now().timestamp_millis();
    let Some(there) = store.database_ms().await? else {
        return Ok("SQLite, tables are up to date".to_owned());
    };
    let offset = there - here;
    if offset.abs() > mooring_runtime::clock::TRUSTED_OFFSET_MS {
        bail!("its clock is {offset} ms away from this machine's; set both by NTP");
    }
    Ok(format!(
        "PostgreSQL, tables are up to date, clocks {offset} ms apart"
    ))
}

async fn queue(context: &Context) -> anyhow::Result<String> {
    if context.config.redis.url.is_none() {
        return Ok("in this process (no redis.url)".to_owned());
    }
    parts::queue(&context.config).await?.ping().await?;
    Ok("Redis answers".to_owned())
}

async fn media(context: &Context) -> anyhow::Result<String> {
    match parts::media(&context.config)?.probe().await {
        Ok(()) => {}
        Err(MediaError::Nowhere) => return Ok(format!("none; {}", MediaError::Nowhere)),
        Err(error) => return Err(error.into()),
    }
    Ok(match &context.config.media.public_url {
        Some(url) => format!("files can be stored; platforms fetch them at {url}"),
        None => "files can be stored (no media.public_url: platforms that fetch media get none)"
            .to_owned(),
    })
}

async fn vault(context: &Context) -> anyhow::Result<String> {
    let store = parts::store(&context.config, Secrets::Needed).await?;
    match store.read_keys().await {
        Ok(Some(active)) if !active.known_here => {
            bail!(
                "the ring lacks key {:?}, which seals this database",
                active.reseal.key
            )
        }
        Err(error @ StoreError::WrongKey { .. }) => Err(error.into()),
        // The database is judged by a line of its own.
        Ok(_) | Err(_) => Ok("keys can be read".to_owned()),
    }
}
