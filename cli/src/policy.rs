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
        warning_before: days(number(config.warning_days)),
        warn_days: config.warn_days.iter().copied().map(number).collect(),
        unsteady_after: number(config.unsteady_after),
        flapping_within: days(number(config.flapping_within_days)),
        flapping_after: number(config.flapping_after),
        survey_every: span(config.survey_interval_s),
        unusual_per_hour: config.unusual_per_hour,
        check_every: span(config.check_interval_s),
        check_soon: span(config.check_interval_due_s),
        check_horizon: span(config.check_due_window_s),
        preflight: span(config.check_before_post_s),
        max_lateness: span(config.max_lateness_s),
        spacing: span(config.spacing_s),
        refresh_before: span(config.refresh_lead_s),
        refresh_pause: span(config.refresh_series_s),
        verify_after: config.verify_after_s.iter().copied().map(span).collect(),
        max_losses: number(config.poison_losses),
        connect_attempts: number(config.connect_attempts),
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

/// A number of the configuration in the domain's type. What does not fit there is beyond every bound that
/// `mooring config check` sets, or more than anybody means: then the most of the smallest type stands for it.
fn number<N: TryFrom<u64> + From<u16>>(value: u64) -> N {
    N::try_from(value).unwrap_or_else(|_| N::from(u16::MAX))
}

fn span(s: u64) -> TimeDelta {
    seconds(i64::try_from(s).unwrap_or(i64::MAX / 1_000))
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::hours;

    use super::*;

    #[test]
    fn the_defaults_of_the_configuration_are_those_of_the_domain() {
        let policy = policy(&Config::default());
        let defaults = Policy::default();
        // The first look after an acceptance is at once, and no setting.
        let verify_after = defaults.verify_after[1..].to_vec();
        assert_eq!(
            policy,
            Policy {
                verify_after,
                ..defaults
            }
        );
    }

    #[test]
    fn what_is_set_is_what_the_domain_goes_by() {
        let mut config = Config::default();
        config.policy.warn_days = vec![30, 3];
        config.policy.unsteady_after = 4;
        config.policy.flapping_within_days = 5;
        config.policy.flapping_after = 6;
        config.policy.survey_interval_s = 7 * 3_600;
        config.policy.unusual_per_hour = 8;
        let policy = policy(&config);
        assert_eq!(policy.warn_days, [30, 3]);
        assert_eq!((policy.unsteady_after, policy.flapping_after), (4, 6));
        assert_eq!(policy.flapping_within, days(5));
        assert_eq!(policy.survey_every, hours(7));
        assert_eq!(policy.unusual_per_hour, 8);
    }
}
