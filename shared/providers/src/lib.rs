//! mooring-providers
mod connect;
mod provider;
pub use connect::{Connected, Credentials, Destination};
pub use provider::{Access, AppCredentials, Draft, Lost, NewTokens, Provider};
