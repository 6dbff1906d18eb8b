//! What the registry tells an operator.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mooring_domain::Platform;
use mooring_providers::{BaseUrls, Notice, Observer, Registry};
use mooring_simulator::{Options, SimClock, Simulator};
use url::Url;

use crate::{arena, facebook::Facebook};
use arena::Scene as _;

/// A retired version does not fail: it is answered by another one, silently.
#[tokio::test]
async fn a_version_that_changed_silently_is_told() {
    let simulator = Simulator::start(Options::default())
        .await
        .expect("a simulator");
    let access = Facebook::new(simulator.admin()).access();
    let clock = SimClock::system();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let observer: Observer = Arc::new(move |notice: Notice<'_>| {
        let Notice::VersionChanged {
            platform,
            asked,
            answered,
        } = notice;
        assert_eq!(
            (platform, asked, answered),
            (Platform::Facebook, "v9.0", "v21.0")
        );
        counted.fetch_add(1, Ordering::SeqCst);
    });
    for (version, told) in [("v25.0", 0), ("v9.0", 3)] {
        let urls = BaseUrls {
            facebook: Url::parse(&simulator.facebook_url()).expect("a URL"),
            facebook_version: version.to_owned(),
            ..BaseUrls::default()
        };
        let registry = Registry::observed(
            &arena::http(&clock),
            &arena::shared(&clock),
            &urls,
            &observer,
        );
        registry
            .of(Platform::Facebook)
            .check(&access, true)
            .await
            .expect("an answer all the same");
        assert_eq!(count.load(Ordering::SeqCst), told, "{version}");
    }
}

#[test]
fn the_registry_has_every_platform_once() {
    let clock = SimClock::system();
    let registry = Registry::new(
        &arena::http(&clock),
        &arena::shared(&clock),
        &BaseUrls::default(),
    );
    let platforms: Vec<_> = registry.all().map(|adapter| adapter.platform()).collect();
    assert_eq!(platforms, Platform::ALL);
    for platform in Platform::ALL {
        assert_eq!(registry.of(platform).platform(), platform);
    }
}
