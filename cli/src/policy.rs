//! The configuration's numbers in the domain's words.

use chrono::TimeDelta;
use mooring_domain::{
    Lane, Policy,
    job::LeaseRule,
    time::{days, seconds},
};
use mooring_runtime::{Config, config::PolicyConfig};

/// The policy that a configuration asks for; what it does not name keeps its default.
pub(crate) fn policy(config: &Config) -> Policy {
    let public_media = config.media.public_url.is_some();
    let (config, defaults) = (&config.policy, Policy::default());
    Policy {
        leases: Lane::ALL.map(|lane| lease(config, lane)),
        freshness: span(config.freshness_s),
        warning_before: days(i64::try_from(config.warning_days).unwrap_or(i64::MAX)),
        check_every: span(config.check_interval_s),
        check_soon: span(config.check_interval_due_s),
        check_horizon: span(config.check_due_window_s),
        preflight: span(config.check_before_post_s),
        max_lateness: span(config.max_lateness_s),
        spacing: span(config.spacing_s),
        refresh_before: span(config.refresh_lead_s),
        refresh_pause: span(config.refresh_series_s),
        verify_after: config.verify_after_s.iter().copied().map(span).collect(),
        max_losses: i32::try_from(config.poison_losses).unwrap_or(i32::MAX),
        connect_attempts: u32::try_from(config.connect_attempts).unwrap_or(u32::MAX),
        public_media,
        ..defaults
    }
}

fn lease(config: &PolicyConfig, lane: Lane) -> LeaseRule {
    let default = LeaseRule::default_of(lane);
    let lease = config
        .leases_s
        .get(lane.as_str())
        .map_or(default.lease, span);
    LeaseRule {
        lease,
        hard_cap: config
            .hard_caps_s
            .get(lane.as_str())
            .map_or(default.hard_cap, span),
        // A sixth of the lease, as with the defaults.
        budget: lease / 6,
    }
}

fn span(s: u64) -> TimeDelta {
    seconds(i64::try_from(s).unwrap_or(i64::MAX / 1_000))
}
