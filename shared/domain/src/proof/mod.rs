//! The proof ledger: what was wanted, sent, answered and seen, in a chain that nobody can change unseen.
//!
//! Every workspace has one chain of [`Entry`]s. Each entry carries the hash of the one before it, and of the one before
//! it that is about the same thing; the entries of a day are the leaves of a Merkle tree, whose root is signed with
//! Ed25519. What a stranger gets is a file ([`write()`]) that he checks with nothing but a public key ([`verify`]).
//! The format is docs/proof-format.md; why it is so, docs/adr/0020.
//!
//! Entries are made of rows ([`drafts`]) by a job of the house, never within a publish. Each has a `source` that names
//! the fact behind it and is unique in its chain: whoever looks twice appends once.

pub mod canonical;
mod chain;
mod digest;
mod done;
mod drafts;
mod entry;
mod file;
pub mod merkle;
mod rate;
mod root;
mod verify;

pub use chain::{ChainWork, Head, LedgerStep, LedgerWork, RipeDay, Signer, chain};
pub use digest::Digest;
pub use done::{Captured, is_done, is_post_done};
pub use drafts::{AttemptSeen, Draft, LookSeen, RestoreSeen, TargetSeen, drafts};
pub use entry::{
    Acceptance, Answer, Body, Entry, Intent, Outcome, ReadBack, Request, Restored, Settled,
    VERSION, content_digest,
};
pub use file::{Content, Export, Inclusion, Kept, write};
pub use rate::RateRow;
pub use root::{Day, Root, Statement};
pub use verify::{Checked, Refused, TargetChecked, Verified, verify};

#[cfg(test)]
mod chain_test;
#[cfg(test)]
mod file_test;
