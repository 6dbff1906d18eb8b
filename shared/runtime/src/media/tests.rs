//! Files of every type, made here byte by byte.

use super::*;

mod files;
mod links;
mod stores;
