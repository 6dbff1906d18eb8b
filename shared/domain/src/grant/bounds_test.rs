use super::*;
use crate::time::{days, from_ms, hours};

fn now() -> Time {
    from_ms(1_800_000_000_000)
}

fn brought(access: TimeDelta, refresh: Option<TimeDelta>) -> Renewed {
    Renewed {
        access_expires_at: Some(now() + access),
        refresh_expires_at: refresh.map(|span| now() + span),
        scopes: None,
    }
}

#[test]
fn guard_06_an_end_beyond_the_platforms_maximum_is_not_believed() {
    let years = brought(days(31 * 365), None);
    let (renewed, wrong) = bounded(Platform::Facebook, years, now());
    assert_eq!(renewed.access_expires_at, Some(now() + days(60)));
    assert!(wrong.is_some(), "and somebody is told");
    let refresh = brought(hours(2), Some(days(4_000)));
    let (renewed, wrong) = bounded(Platform::Bluesky, refresh, now());
    assert_eq!(renewed.access_expires_at, Some(now() + hours(2)));
    assert_eq!(renewed.refresh_expires_at, Some(now() + days(90)));
    assert!(wrong.is_some());
}

#[test]
fn row_028_a_usual_life_is_believed_on_every_platform() {
    for platform in Platform::ALL {
        let row = platform.capabilities();
        let Some(access) = row.access_lifetime else {
            continue;
        };
        let usual = brought(access, row.refresh_lifetime);
        let (renewed, wrong) = bounded(platform, usual.clone(), now());
        assert_eq!((renewed, wrong), (usual, None), "{platform}");
        let short = brought(access / 2, None);
        assert_eq!(bounded(platform, short, now()).1, None, "{platform}");
    }
}

#[test]
fn an_end_that_is_not_told_or_a_life_without_a_maximum_is_left_alone() {
    assert_eq!(
        believable(None, now(), Some(now() + days(9_000))),
        Ok(Some(now() + days(9_000)))
    );
    assert_eq!(believable(Some(days(60)), now(), None), Ok(None));
}
