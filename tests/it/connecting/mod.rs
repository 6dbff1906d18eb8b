//! Connecting and reconnecting, through the API and people's browsers.

mod endings;
mod every_platform;
mod grants;
mod lapsed;
mod limits;
mod links;
mod pages;
mod passwords;
mod places;
mod races;
mod reconnects;
mod refused;
