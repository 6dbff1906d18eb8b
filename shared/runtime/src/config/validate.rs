//! What a value must be, alone and beside others.

use super::{Config, ConfigError, PerLane, PolicyConfig, Problem, SecretText, SecretUrl};
use crate::config::secret::is_loopback_host;
use crate::media::LinkKeys;

/// Runs every rule and collects what is wrong.
pub(super) fn validate(config: &Config) -> Result<(), ConfigError> {
    let mut problems = Vec::new();
    urls(config, &mut problems);
    clock_file(config, &mut problems);
    telemetry(config, &mut problems);
    sizes(config, &mut problems);
    lanes(config, &mut problems);
    media(config, &mut problems);
    gateway(config, &mut problems);
    policy(config, &mut problems);
    bounds(&config.policy, &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ConfigError(problems))
    }
}

fn urls(config: &Config, problems: &mut Vec<Problem>) {
    let mut scheme = |key: &str, url: &Option<SecretUrl>, allowed: &[&str]| {
        let Some(url) = url else { return };
        let fix = format!("write it as {}://…", allowed.join(":// or "));
        match url.scheme() {
            None => problems.push(Problem::new(key, "is not a URL", fix)),
            Some(scheme) if !allowed.contains(&scheme.as_str()) => {
                problems.push(Problem::new(
                    key,
                    format!("the scheme {scheme:?} is not supported"),
                    fix,
                ));
            }
            Some(_) => {}
        }
    };
    scheme(
        "database.url",
        &config.database.url,
        &["postgres", "postgresql", "sqlite"],
    );
    scheme("redis.url", &config.redis.url, &["redis", "rediss"]);
    for (key, url) in config.platforms.each() {
        scheme(key, &url.cloned(), &["https", "http"]);
    }
    let collector = config
        .telemetry
        .otlp_endpoint
        .as_deref()
        .map(SecretUrl::from);
    scheme("telemetry.otlp_endpoint", &collector, &["http", "https"]);
}

fn clock_file(config: &Config, problems: &mut Vec<Problem>) {
    if config.clock_file.is_none() {
        return;
    }
    let collector = config
        .telemetry
        .otlp_endpoint
        .as_deref()
        .map(SecretUrl::from);
    let urls = [
        ("database.url", config.database.url.as_ref()),
        ("redis.url", config.redis.url.as_ref()),
        ("telemetry.otlp_endpoint", collector.as_ref()),
    ];
    let urls: Vec<_> = urls.into_iter().chain(config.platforms.each()).collect();
    for (key, _) in urls
        .iter()
        .filter(|(_, url)| url.is_some_and(|u| !u.is_loopback()))
    {
        let wrong = format!("a file replaces the clock, but {key} is not on this machine");
        problems.push(Problem::new(
            "clock_file",
            wrong,
            "unset MOORING_CLOCK_FILE; it serves tests only",
        ));
    }
    let binds = [
        ("admin.bind", config.admin.bind),
        ("gateway.bind", config.gateway.bind),
    ];
    for (key, _) in binds
        .iter()
        .filter(|(_, bind)| !is_loopback_host(&bind.ip().to_string()))
    {
        let wrong = format!("a file replaces the clock, but {key} is open to other machines");
        problems.push(Problem::new(
            "clock_file",
            wrong,
            "unset MOORING_CLOCK_FILE; it serves tests only",
        ));
    }
}

fn telemetry(config: &Config, problems: &mut Vec<Problem>) {
    if config
        .telemetry
        .log
        .parse::<tracing_subscriber::EnvFilter>()
        .is_err()
    {
        let wrong = format!("{:?} is no log filter", config.telemetry.log);
        problems.push(Problem::new(
            "telemetry.log",
            wrong,
            "write for example info,mooring_workers=debug",
        ));
    }
    if crate::telemetry::HeadSampling::parse(&config.telemetry.sampler).is_none() {
        let wrong = format!("{:?} is no sampler", config.telemetry.sampler);
        problems.push(Problem::new(
            "telemetry.sampler",
            wrong,
            "use always_on, always_off or a ratio from 0 to 1",
        ));
    }
    if config.telemetry.service_name.trim().is_empty() {
        problems.push(Problem::new(
            "telemetry.service_name",
            "is empty",
            "give the service a name",
        ));
    }
}

fn sizes(config: &Config, problems: &mut Vec<Problem>) {
    let mut at_least_one = |key: &str, value: u64| {
        if value == 0 {
            problems.push(Problem::new(key, "is 0", "set it to 1 or more"));
        }
    };
    at_least_one(
        "database.max_connections",
        u64::from(config.database.max_connections),
    );
    at_least_one("http.connect_timeout_ms", config.http.connect_timeout_ms);
    at_least_one("http.timeout_ms", config.http.timeout_ms);
    at_least_one("http.body_cap_bytes", config.http.body_cap_bytes as u64);
    at_least_one("media.max_bytes", config.media.max_bytes);
    at_least_one("media.fetch_timeout_s", config.media.fetch_timeout_s);
    at_least_one("worker.drain_s", config.worker.drain_s);
    at_least_one("policy.check_interval_s", config.policy.check_interval_s);
    at_least_one(
        "policy.check_interval_due_s",
        config.policy.check_interval_due_s,
    );
    at_least_one("policy.poison_losses", config.policy.poison_losses);
    at_least_one("policy.connect_attempts", config.policy.connect_attempts);
    let prefix = &config.redis.prefix;
    if prefix.is_empty() || prefix.contains(['{', '}', '*', '?', '[', ']', ' ']) {
        let wrong = format!("{prefix:?} cannot stand in front of keys");
        problems.push(Problem::new(
            "redis.prefix",
            wrong,
            "use letters, digits, '-', '_' and ':'",
        ));
    }
}

fn lanes(config: &Config, problems: &mut Vec<Problem>) {
    let worker = &config.worker;
    let all = PerLane::LANES.join(", ");
    if worker.lanes.is_empty() {
        problems.push(Problem::new(
            "worker.lanes",
            "is empty",
            format!("name some of {all}"),
        ));
    }
    for lane in &worker.lanes {
        match worker.slots.get(lane) {
            None => problems.push(Problem::new(
                "worker.lanes",
                format!("{lane:?} is no lane"),
                format!("use some of {all}"),
            )),
            Some(0) => problems.push(Problem::new(
                format!("worker.slots.{lane}"),
                "is 0, but the lane is served",
                "set it to 1 or more, or take the lane out of worker.lanes",
            )),
            Some(_) => {}
        }
    }
}

fn media(config: &Config, problems: &mut Vec<Problem>) {
    let media = &config.media;
    let mut problem = |key: &str, wrong: &str, fix: &str| {
        problems.push(Problem::new(key, wrong, fix));
    };
    if media.folder.is_some() && media.s3_bucket.is_some() {
        problem(
            "media.folder",
            "media.s3_bucket is set as well",
            "keep one of the two",
        );
    }
    let key = media.signing_key.as_ref().map(SecretText::expose);
    if key.is_some_and(|text| LinkKeys::parse(text).is_none()) {
        problem(
            "media.signing_key",
            "a key is shorter than 32 characters",
            "make one with `mooring keys new`",
        );
    }
    let Some(url) = &media.public_url else { return };
    match url::Url::parse(url) {
        Ok(url) if url.query().is_some() || url.fragment().is_some() => problem(
            "media.public_url",
            "has a query or a fragment",
            "write it as https://host or https://host/path",
        ),
        Ok(url) if url.scheme() == "https" => {}
        Ok(url) if url.scheme() == "http" && url.host_str().is_some_and(is_loopback_host) => {}
        _ => problem(
            "media.public_url",
            "is no https address",
            "write it as https://host; platforms fetch media over TLS only",
        ),
    }
    let on_server = config
        .database
        .url
        .as_ref()
        .and_then(SecretUrl::scheme)
        .is_some_and(|scheme| scheme.starts_with("postgres"));
    if key.is_none() && on_server {
        problem(
            "media.public_url",
            "has no key that signs its addresses",
            "set media.signing_key_file, the same for gateway and workers",
        );
    }
}

fn gateway(config: &Config, problems: &mut Vec<Problem>) {
    let gateway = &config.gateway;
    let named = gateway
        .public_url
        .iter()
        .map(|url| ("gateway.public_url", url));
    let others = gateway.return_urls.iter();
    for (key, text) in named.chain(others.map(|url| ("gateway.return_urls", url))) {
        let wrong = match url::Url::parse(text) {
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                "has a query or a fragment"
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "has a name or a password in it"
            }
            Ok(url) if url.scheme() == "https" => continue,
            Ok(url) if url.scheme() == "http" && url.host_str().is_some_and(is_loopback_host) => {
                continue;
            }
            _ => "is no https address",
        };
        let fix = "write it as https://host or https://host/path; codes must not travel in clear";
        problems.push(Problem::new(key, wrong, fix));
    }
}

fn policy(config: &Config, problems: &mut Vec<Problem>) {
    let policy = &config.policy;
    for ((lane, lease), (_, cap)) in policy
        .leases_s
        .each()
        .into_iter()
        .zip(policy.hard_caps_s.each())
    {
        if lease < 5 {
            let wrong = format!("{lease} is shorter than a renewal takes");
            problems.push(Problem::new(
                format!("policy.leases_s.{lane}"),
                wrong,
                "set it to 5 or more",
            ));
        }
        if cap < lease {
            let wrong = format!("{cap} is shorter than the lease of {lease}");
            let fix = format!("set it to {lease} or more");
            problems.push(Problem::new(
                format!("policy.hard_caps_s.{lane}"),
                wrong,
                fix,
            ));
        }
    }
    if policy.freshness_s < policy.check_interval_s {
        let wrong = format!(
            "{} is shorter than the check interval, so facts are always stale",
            policy.freshness_s
        );
        problems.push(Problem::new(
            "policy.freshness_s",
            wrong,
            "set it above policy.check_interval_s",
        ));
    }
    if !policy.verify_after_s.is_sorted() {
        problems.push(Problem::new(
            "policy.verify_after_s",
            "is not in rising order",
            "sort the list",
        ));
    }
}

/// Numbers of the policy that make no sense beyond their bounds.
fn bounds(policy: &PolicyConfig, problems: &mut Vec<Problem>) {
    let mut within = |key: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            problems.push(Problem::new(
                key,
                format!("{value} is out of bounds"),
                format!("set it to {least} to {most}"),
            ));
        }
    };
    for days in &policy.warn_days {
        within("policy.warn_days", *days, 1, 365);
    }
    within("policy.unsteady_after", policy.unsteady_after, 1, 100);
    within(
        "policy.flapping_within_days",
        policy.flapping_within_days,
        1,
        365,
    );
    within("policy.flapping_after", policy.flapping_after, 1, 100);
    within(
        "policy.survey_interval_s",
        policy.survey_interval_s,
        600,
        2_592_000,
    );
    within(
        "policy.unusual_per_hour",
        policy.unusual_per_hour,
        1,
        1_000_000,
    );
    let mut warned = policy.warn_days.clone();
    warned.sort_unstable();
    if warned.windows(2).any(|two| two[0] == two[1]) {
        problems.push(Problem::new(
            "policy.warn_days",
            "names a number twice",
            "name each once; people are warned once each",
        ));
    }
}
