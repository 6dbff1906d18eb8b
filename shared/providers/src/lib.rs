//! mooring-providers
mod bluesky;
mod connect;
mod facebook;
mod provider;
mod wire;
pub use connect::{Connected, Credentials, Destination};
pub use provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider};
