use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::time::{from_ms, minutes};

fn zone(name: &str) -> Zone {
    name.parse().expect("a zone")
}

fn wall(text: &str) -> NaiveDateTime {
    parse_wall(text).expect("a wall time")
}

fn at(text: &str) -> Time {
    text.parse().expect("an instant")
}

fn first(text: &str, name: &str) -> Result<Zoned, InGap> {
    resolve(wall(text), zone(name), None, Fold::First)
}

#[test]
fn a_wall_time_that_never_comes_is_refused_with_the_nearest_that_do() {
    let refused = first("2027-03-28T02:30", "Europe/Berlin").expect_err("a gap");
    assert_eq!(
        (refused.earlier.wall, refused.later.wall),
        (wall("2027-03-28T01:30"), wall("2027-03-28T03:30"))
    );
    assert_eq!(
        refused.to_string(),
        "2027-03-28T02:30 does not exist in Europe/Berlin: its clocks are set forward then; \
         say 2027-03-28T01:30 or 2027-03-28T03:30, or add gap: earlier or gap: later"
    );
    let chosen = |gap| {
        let text = wall("2027-03-28T02:30");
        resolve(text, zone("Europe/Berlin"), Some(gap), Fold::First).expect("chosen")
    };
    assert_eq!(chosen(Gap::Earlier).at, at("2027-03-28T00:30:00Z"));
    assert_eq!(chosen(Gap::Later).at, at("2027-03-28T01:30:00Z"));
}

#[test]
fn a_wall_time_that_comes_twice_is_the_first_unless_the_second_is_asked_for() {
    let of = |fold| {
        let text = wall("2027-10-31T02:30");
        resolve(text, zone("Europe/Berlin"), None, fold).expect("it exists")
    };
    assert_eq!(of(Fold::First).at, at("2027-10-31T00:30:00Z"));
    assert_eq!(of(Fold::Second).at, at("2027-10-31T01:30:00Z"));
}

#[test]
fn guard_039_half_hour_zones_and_half_hour_shifts_keep_the_wall_time() {
    for (text, name, instant) in [
        ("2026-12-01T09:00", "Asia/Kolkata", "2026-12-01T03:30:00Z"),
        ("2026-12-01T09:00", "Asia/Kathmandu", "2026-12-01T03:15:00Z"),
        (
            "2026-12-01T09:00",
            "Australia/Adelaide",
            "2026-11-30T22:30:00Z",
        ),
        (
            "2026-12-01T09:00",
            "America/St_Johns",
            "2026-12-01T12:30:00Z",
        ),
        (
            "2026-12-01T09:00",
            "Pacific/Chatham",
            "2026-11-30T19:15:00Z",
        ),
        ("2026-12-01T09:00", "UTC", "2026-12-01T09:00:00Z"),
    ] {
        assert_eq!(
            first(text, name).expect("it exists").at,
            at(instant),
            "{name}"
        );
    }
    // Lord Howe sets its clocks by half an hour.
    let refused = first("2027-10-03T02:15", "Australia/Lord_Howe").expect_err("a gap");
    assert_eq!(
        (refused.earlier.wall, refused.later.wall),
        (wall("2027-10-03T01:45"), wall("2027-10-03T02:45"))
    );
}

#[test]
fn a_day_that_a_zone_left_out_has_neighbours() {
    let refused = first("2011-12-30T12:00", "Pacific/Apia").expect_err("a day without a wall");
    assert_eq!(
        (refused.earlier.wall, refused.later.wall),
        (wall("2011-12-29T12:00"), wall("2011-12-31T12:00"))
    );
}

#[test]
fn names_and_wall_times_that_are_none_are_refused() {
    for name in ["", "Berlin", "europe/berlin", "CET+1", "+05:30"] {
        assert!(name.parse::<Zone>().is_err(), "{name}");
    }
    for text in [
        "",
        "2027-02-29T10:00",
        "2027-01-01 10:00",
        "2027-01-01T24:00",
        "2027-01-01T10:00Z",
    ] {
        assert_eq!(parse_wall(text), None, "{text}");
    }
    assert_eq!(
        wall_text(wall("2027-01-01T10:00:30")),
        "2027-01-01T10:00:30"
    );
    assert_eq!(wall_text(wall("2027-01-01T10:00:00")), "2027-01-01T10:00");
}

/// The instants of 2026 to 2028 at which a zone sets its clocks, found to a quarter of an hour.
fn shifts(zone: Zone) -> Vec<Time> {
    let (mut now, end) = (at("2026-01-01T00:00:00Z"), at("2029-01-01T00:00:00Z"));
    let mut found = Vec::new();
    while now < end {
        let next = now + hours(24);
        if zone.offset(now) != zone.offset(next) {
            let mut quarter = now;
            while zone.offset(quarter) == zone.offset(now) {
                quarter += minutes(15);
            }
            found.push(quarter);
        }
        now = next;
    }
    found
}

/// Every quarter of an hour around every change of every zone's clocks: the wall time comes back, in order, and none is
/// two instants or skipped.
#[test]
fn guard_039_around_every_change_of_clocks_until_2028_wall_times_come_back_in_order() {
    let (mut zones, mut gaps, mut folds) = (0, 0, 0);
    for zone in Zone::all() {
        let shifts = shifts(zone);
        zones += usize::from(!shifts.is_empty());
        for shift in shifts {
            let centre = zone.wall(shift);
            let mut before = None;
            for quarter in -20..20 {
                let wall = centre + minutes(15 * quarter);
                let Ok(resolved) = resolve(wall, zone, None, Fold::First) else {
                    gaps += 1;
                    continue;
                };
                assert_eq!(zone.wall(resolved.at), wall, "{zone} {wall}");
                assert!(
                    before < Some(resolved.at),
                    "{zone} {wall} is not after the one before"
                );
                before = Some(resolved.at);
                let second = resolve(wall, zone, None, Fold::Second).expect("it exists");
                assert_eq!(zone.wall(second.at), wall, "{zone} {wall}");
                folds += i32::from(second.at != resolved.at);
            }
        }
    }
    assert!(
        zones > 100 && gaps > 500 && folds > 500,
        "{zones} {gaps} {folds}"
    );
}

prop_compose! {
    fn any_zone()(index in 0..chrono_tz::TZ_VARIANTS.len()) -> Zone {
        Zone::all().nth(index).expect("an index")
    }
}

prop_compose! {
    fn any_wall()(day in 0_u64..1_096, minute in 0_i64..1_440) -> NaiveDateTime {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
        let day = first + chrono::Days::new(day);
        day.and_time(chrono::NaiveTime::MIN) + minutes(minute)
    }
}

proptest! {
    #[test]
    fn guard_039_prop_an_instant_comes_back_from_its_wall_time(zone in any_zone(), ms in 1_767_225_600_000_i64..1_861_920_000_000) {
        let instant = from_ms(ms / 60_000 * 60_000);
        let wall = zone.wall(instant);
        let found = [Fold::First, Fold::Second].map(|fold| resolve(wall, zone, None, fold));
        prop_assert!(found.iter().any(|one| one.map(|one| one.at) == Ok(instant)));
    }

    #[test]
    fn guard_039_prop_a_wall_time_comes_back_and_keeps_its_order(zone in any_zone(), a in any_wall(), b in any_wall()) {
        let of = |wall| resolve(wall, zone, None, Fold::First);
        for wall in [a, b] {
            match of(wall) {
                Ok(found) => prop_assert_eq!(zone.wall(found.at), wall),
                Err(gap) => {
                    prop_assert!(gap.earlier.wall < wall && wall < gap.later.wall);
                    prop_assert!(of(gap.earlier.wall).is_ok() && of(gap.later.wall).is_ok());
                }
            }
        }
        if let (Ok(first), Ok(second)) = (of(a), of(b)) {
            prop_assert_eq!(first.at.cmp(&second.at), a.cmp(&b));
        }
    }
}
