//! Stored secrets: how they lie in the database, how their keys are rotated, and what happens when they were touched.

mod at_rest;
mod commands;
mod rotation;
mod safe;
mod scopes;
mod tampering;
