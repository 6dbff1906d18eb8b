//! What cases say about what they see, and the secrets that nobody may see.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use mooring_domain::Failure;
use mooring_providers::{Connected, NewTokens};

static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes secrets that must not be found in what was traced.
pub(crate) fn remember(secrets: impl IntoIterator<Item = String>) {
    SECRETS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(secrets);
}

pub(crate) fn remember_connected(connected: &Connected) {
    remember([connected.grant_token.expose().to_owned()]);
    remember(
        connected
            .refresh_token
            .iter()
            .map(|token| token.expose().to_owned()),
    );
    remember(connected.binding.iter().map(|key| key.expose().to_owned()));
    let tokens = connected
        .destinations
        .iter()
        .filter_map(|destination| destination.token.as_ref());
    remember(tokens.map(|token| token.expose().to_owned()));
}

pub(crate) fn remember_new(tokens: &NewTokens) {
    remember([tokens.access.expose().to_owned()]);
    remember(tokens.refresh.iter().map(|token| token.expose().to_owned()));
}

/// Every secret that any case has used.
pub(crate) fn secrets() -> Vec<String> {
    SECRETS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Complains when two values differ.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, wanted {wanted:?}"))
    }
}

/// Complains when something does not hold.
pub(crate) fn holds(what: &str, it_does: bool, seen: &dyn Debug) -> Result<(), String> {
    if it_does {
        Ok(())
    } else {
        Err(format!("{what}: got {seen:?}"))
    }
}

/// The value, or a complaint about a failure that should not be.
pub(crate) fn works<T>(what: &str, result: Result<T, Failure>) -> Result<T, String> {
    result.map_err(|failure| format!("{what}: failed with {failure}"))
}
