//! `mooring proof`: what went out, for people who need not believe us.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, anyhow, bail};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use mooring_domain::{
    PostId, TargetId,
    proof::{Checked, TargetChecked, Verified, verify, write},
};
use mooring_runtime::Context;
use mooring_vault::is_signed;

use crate::parts::{self, Secrets};

#[derive(Subcommand)]
pub(crate) enum Proof {
    /// Writes the proof of a target, or of a post on all its targets, to standard output or a file.
    Export(ExportArgs),
    /// Writes everything that was appended to a workspace's ledger on a day.
    Ledger {
        /// The workspace (name or id).
        #[arg(long)]
        workspace: String,
        /// The day in UTC.
        #[arg(long)]
        day: NaiveDate,
        /// Where to write it. Default: standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Checks a proof. Needs nothing but the file and a public key: no database, no network, no configuration.
    Verify(Verify),
    /// Prints the public keys that check proofs, one a line.
    Key,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// `target_…` or `post_…`.
    #[arg(value_name = "TARGET|POST")]
    subject: String,
    /// The workspace (name or id).
    #[arg(long)]
    workspace: String,
    /// Where to write it. Default: standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The proof.
    file: PathBuf,
    /// A public key as `mooring proof key` prints it, or a file with such lines. May be given several times.
    #[arg(long, required = true, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// Accepts entries whose day is not sealed yet: no signature covers them, so they prove nothing against whoever made
    /// the file.
    #[arg(long)]
    unsealed: bool,
    /// Also demands that the file holds whole days of the ledger, without a gap (`mooring proof ledger`).
    #[arg(long)]
    chain: bool,
}

pub(crate) async fn run(command: Proof, context: Context) -> anyhow::Result<()> {
    let store = parts::migrated_store(&context.config, Secrets::Unneeded).await?;
    match command {
        Proof::Export(args) => {
            let workspace = super::workspace(&store, &args.workspace).await?;
            let found = if let Ok(id) = args.subject.parse::<TargetId>() {
                store.target_proof(workspace, id).await?
            } else if let Ok(id) = args.subject.parse::<PostId>() {
                store.post_proof(workspace, id).await?
            } else {
                bail!(
                    "subject: \"{}\" is neither a target nor a post; ids begin with target_ or post_",
                    args.subject
                );
            };
            let export = found.with_context(|| {
                format!("subject: {} does not exist in this workspace", args.subject)
            })?;
            put(&write(&export), args.out)
        }
        Proof::Ledger {
            workspace,
            day,
            out,
        } => {
            let workspace = super::workspace(&store, &workspace).await?;
            put(&write(&store.ledger_of(workspace, day).await?), out)
        }
        Proof::Key => {
            for key in store.ledger_keys().await? {
                println!("{}:{}", key.id, key.public_key);
            }
            Ok(())
        }
        // Handled before the configuration was loaded, for it needs none.
        Proof::Verify(_) => Ok(()),
    }
}

fn put(text: &str, out: Option<PathBuf>) -> anyhow::Result<()> {
    if let Some(file) = out {
        return std::fs::write(&file, text)
            .with_context(|| format!("out: cannot write {}", file.display()));
    }
    print!("{text}");
    Ok(())
}

/// Checks a proof. Exit status 0: it holds; 1: it does not.
pub(crate) fn check(args: &Verify) -> ExitCode {
    match checked(args) {
        Ok(verified) => {
            tell(&verified);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("mooring proof: {}: {error:#}", args.file.display());
            ExitCode::FAILURE
        }
    }
}

fn checked(args: &Verify) -> anyhow::Result<Verified> {
    let keys = keys(&args.key)?;
    let file = std::fs::read(&args.file).context("cannot be read")?;
    let verified = verify(&file, |id, message, signature| {
        signed(&keys, id, message, signature)
    })?;
    if let Some(first) = verified.unsealed.first()
        && !args.unsealed
    {
        let many = verified.unsealed.len();
        bail!(
            "entry {first}: its day is not sealed yet ({many} such): its hashes hold, but no signature covers it; export the proof again when the day is over (UTC), or accept this with --unsealed"
        );
    }
    if args.chain && !(verified.gapless && verified.whole_days) {
        bail!("entries of its days are missing: it is no whole day of the ledger");
    }
    Ok(verified)
}

/// A public key, and its id where one was given.
type PublicKey = (Option<String>, [u8; 32]);

fn keys(given: &[String]) -> anyhow::Result<Vec<PublicKey>> {
    let mut keys = Vec::new();
    for text in given {
        if let Some(key) = key(text) {
            keys.push(key);
            continue;
        }
        let lines = std::fs::read_to_string(text);
        let lines = lines.map_err(|_| {
            anyhow!(
                "key: \"{text}\" is neither a public key (id:hex, 64 digits) nor a file with some"
            )
        })?;
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let read = key(line);
            keys.push(read.with_context(|| format!("key: a line of {text} is no public key"))?);
        }
    }
    Ok(keys)
}

fn key(text: &str) -> Option<PublicKey> {
    let (id, digits) = match text.split_once(':') {
        Some((id, digits)) => (Some(id.to_owned()), digits),
        None => (None, text),
    };
    let mut public = [0; 32];
    hex::decode_to_slice(digits, &mut public).ok()?;
    Some((id, public))
}

fn signed(keys: &[PublicKey], id: &str, message: &[u8], signature: &str) -> Checked {
    let Ok(bytes) = hex::decode(signature) else {
        return Checked::Bad;
    };
    let mut fitting = keys
        .iter()
        .filter(|(named, _)| named.as_deref().is_none_or(|named| named == id))
        .peekable();
    if fitting.peek().is_none() {
        return Checked::UnknownKey;
    }
    if fitting.any(|(_, public)| is_signed(public, message, &bytes)) {
        Checked::Good
    } else {
        Checked::Bad
    }
}

fn tell(verified: &Verified) {
    println!(
        "holds: {} entries of {}, signed by {}",
        verified.entries.len(),
        verified.subject,
        match verified.keys.as_slice() {
            [] => "nobody yet".to_owned(),
            keys => keys.join(", "),
        }
    );
    for target in &verified.targets {
        println!("{}", line(target));
    }
    if !verified.unsealed.is_empty() {
        println!(
            "{} entries are not sealed yet: no signature covers them",
            verified.unsealed.len()
        );
    }
}

fn line(target: &TargetChecked) -> String {
    let verdict = target.verdict.as_deref().unwrap_or("not looked at");
    let seen = target.seen_at.map(|at| format!(" at {}", at.to_rfc3339()));
    let link = target.permalink.as_deref().map(|link| format!("  {link}"));
    format!(
        "{}  {}  {verdict}{}{}",
        target.target,
        if target.done { "done" } else { "not done" },
        seen.unwrap_or_default(),
        link.unwrap_or_default()
    )
}
