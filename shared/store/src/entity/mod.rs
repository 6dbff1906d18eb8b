//! The tables. Nothing outside this crate sees them.

pub(crate) mod api_key;
pub(crate) mod api_key_role;
pub(crate) mod app;
pub(crate) mod attempt;
pub(crate) mod brand;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod event;
pub(crate) mod grant;
pub(crate) mod idempotency_key;
pub(crate) mod inbox;
pub(crate) mod job;
pub(crate) mod job_run;
pub(crate) mod lane;
pub(crate) mod media;
pub(crate) mod post;
pub(crate) mod process;
pub(crate) mod proof;
pub(crate) mod reconnect_link;
pub(crate) mod restore;
pub(crate) mod target;
pub(crate) mod vault_holder;
pub(crate) mod vault_key;
pub(crate) mod workspace;
