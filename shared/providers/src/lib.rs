//! The platforms: one trait, one folder per platform, and a registry.
//!
//! A [`Provider`] turns the house's words into HTTP calls and a platform's answers into the house's words
//! ([`Failure`](mooring_domain::Failure), [`Observation`](mooring_domain::connection::Observation), …). It decides
//! nothing, stores nothing, retries nothing and sleeps never. Callers find it with [`Registry::of`].
//!
//! Inside a platform's folder:
//!
//! * `mod.rs`: the adapter, one short method per method of the trait, with the platform's facts at its top;
//! * `wire.rs`: the platform's JSON as types, tolerant of everything that is not needed;
//! * `map.rs`: status and body to one `Failure`: pure, total, a table. Documented errors are rows, and what is not
//!   documented is `Failure::Contract`: never success, never terminal;
//! * `fixtures/`: answers as the platform really gave them, and what each of them means.
//!
//! # A new platform
//!
//! 1. In the domain: a variant of `Platform`, and its row of capabilities. The compiler then asks for the rest.
//! 2. Here: a folder as above. Write the fixtures first, from the platform's documentation and from real answers.
//! 3. One line in the registry's `adapter`, and the platform's base URL in [`BaseUrls`].
//! 4. In the simulator: the platform's wire format, with its faults.
//! 5. In `tests/contract/`: how the platform's world is set up. The suite then runs every case; a case that cannot
//!    apply to the platform says why in one sentence.
//!
//! # Secrets
//!
//! Tokens travel in the `Authorization` header. Where a platform documents nothing but a query parameter (Facebook's
//! token exchange and `debug_token`) or the path (a Telegram bot's token), these are used: the HTTP client logs no
//! path, no query, no header and no body, and neither does this crate: an endpoint's name is its template. The contract suite collects everything that is traced while it runs, and looks for every
//! secret that it used.

mod bluesky;
mod connect;
mod facebook;
mod inbound;
mod instagram;
mod linkedin;
mod mastodon;
mod media;
mod provider;
mod registry;
mod telegram;
mod threads;
mod tiktok;
mod transport;
mod wire;
mod x;
mod youtube;

pub use connect::{Authorize, Connected, Consent, Credentials, Destination, KeptOffer};
pub use inbound::{Inbound, InboundKind, InboundRefused, News, NewsKind, Received, Reply};
pub use media::{Attachment, MediaSource};
pub use provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider};
pub use registry::{BaseUrls, Notice, Observer, Registry};
pub use telegram::telegram_webhook_secret;
pub use youtube::youtube_hub_secret;
