//! The rules of the jobs protocol (design §4 and §5), one file per rule and one test per clause.
//!
//! Each runs on both engines. `guards.tsv` names, for each rule, the line of code that keeps it and a
//! replacement that takes the guard away: with that replacement the test must fail.

mod desk;
mod grants;
mod hands;
mod quay;
mod rule_4_1;
mod rule_4_10;
mod rule_4_11;
mod rule_4_11_leases;
mod rule_4_2;
mod rule_4_5;
mod rule_4_6;
mod rule_4_6_workers;
mod rule_4_7;
mod rule_4_8;
mod rule_4_9;
mod rule_4_9_hangs;
mod rule_4_9_restored;
mod rule_5;
mod rule_5_restarts;

pub(crate) use desk::{Desk, Place, done, job, on_both, start};
pub(crate) use quay::Quay;
