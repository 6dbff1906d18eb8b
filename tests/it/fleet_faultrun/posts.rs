//! The posts of a run, each with a marker of its own by which the platforms' ledger counts it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use mooring_domain::{
    MediaId, Platform, TargetId, Time,
    post::{Content, MediaKind},
    time::seconds,
};
use mooring_gateway::acts::{self, MediaFrom, NewMedia, SchedulePost};
use mooring_runtime::{MediaStore, media::stream_of};
use mooring_simulator::samples;
use mooring_store::Actor;

use super::{accounts::Place, lab::Lab};

/// One post in so many goes to an account whose platform refuses it.
const REFUSED: usize = 25;

/// Publishes that become due in a second of real time, and how many seconds of the run that second has.
const PER_SECOND: usize = 50;
const SPEED: usize = 10;

/// The first posts are due when everybody is at work; the shortest run lasts long enough for all that is done to it.
const LEAD: TimeDelta = seconds(60);
const LEAST: usize = 240;

/// Where an order has a handle only when it is for a video: photos whose answer is lost may end unconfirmed there, as
/// docs/reliability.md says.
const ONLY_VIDEOS: Platform = Platform::TikTok;

/// A publish that must come to a good end, or to a scripted bad one.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) marker: String,
    pub(super) place: Place,
    pub(super) target: TargetId,
}

/// Schedules all of them, evenly over the run and over the ways in.
pub(super) async fn plan(lab: &Lab, places: &[Place], files: &MediaStore) -> Vec<Planned> {
    let media = media(lab, files).await;
    let mut turns: BTreeMap<Platform, usize> = BTreeMap::new();
    let due = lab.pace.now() + LEAD;
    let spread = spread(lab.size.publishes);
    let orders = (0..lab.size.publishes).map(|number| {
        let platform = Platform::ALL[number % Platform::ALL.len()];
        let turn = turns.entry(platform).or_default();
        *turn += 1;
        let place = place(places, platform, *turn);
        let share = i64::try_from(number * spread / lab.size.publishes).expect("some minutes");
        (number, place.clone(), due + seconds(share))
    });
    let orders: Vec<_> = orders.collect();
    let scheduled = orders
        .into_iter()
        .map(|(number, place, due)| schedule(lab, number, place, due, &media));
    stream::iter(scheduled).buffer_unordered(6).collect().await
}

/// Over how many seconds of the run its posts are due.
pub(super) fn spread(publishes: usize) -> usize {
    (publishes / PER_SECOND * SPEED).max(LEAST)
}

/// When the last of them is due.
pub(super) fn last_due(start: Time, publishes: usize) -> Time {
    start + LEAD + seconds(i64::try_from(spread(publishes)).expect("some minutes"))
}

/// Whose turn it is: the refusing account's now and then (at least twice), else the others' in order.
fn place(places: &[Place], platform: Platform, turn: usize) -> &Place {
    let (refusing, taking): (Vec<_>, Vec<_>) = places
        .iter()
        .filter(|place| place.platform == platform)
        .partition(|place| place.refusing);
    if turn % REFUSED == 2 || turn == 7 {
        refusing[0]
    } else {
        taking[turn % taking.len()]
    }
}

async fn schedule(
    lab: &Lab,
    number: usize,
    place: Place,
    due: Time,
    media: &BTreeMap<Platform, MediaId>,
) -> Planned {
    // Letters and digits alone: no platform writes them otherwise.
    let marker = format!("FR{}x{number:06}", lab.size.seed);
    let text = format!("all moored, marker {marker}");
    let title_max = place.platform.capabilities().title_max;
    let order = SchedulePost {
        connections: vec![place.connection],
        content: Content {
            title: (title_max > 0).then(|| text.chars().take(title_max).collect()),
            ..Content::text(text)
        },
        media: media.get(&place.platform).copied().into_iter().collect(),
        due,
        ..SchedulePost::default()
    };
    let now = lab.pace.now();
    let scheduled = acts::schedule_post(&lab.store, &Actor::Cli, lab.workspace, order, now);
    let scheduled = scheduled.await.expect("the post is scheduled");
    Planned {
        marker,
        place,
        target: scheduled.targets[0],
    }
}

/// What a post must show, where words alone are none.
async fn media(lab: &Lab, files: &MediaStore) -> BTreeMap<Platform, MediaId> {
    let mut media = BTreeMap::new();
    for platform in Platform::ALL {
        let kind = &platform.capabilities().formats[0];
        let Some(shown) = kind.must_show() else {
            continue;
        };
        let file = if shown == MediaKind::Image && platform != ONLY_VIDEOS {
            samples::jpeg(1_080, 1_080)
        } else {
            let least = kind.video.map_or(0, |limits| limits.duration_ms.min);
            samples::mp4(
                1_080,
                1_080,
                u32::try_from(least).expect("some seconds").max(5_000),
            )
        };
        let new = NewMedia {
            from: MediaFrom::Bytes(stream_of(file.into())),
            alt: Some("boats at their moorings".to_owned()),
        };
        let (store, now) = (&lab.store, lab.pace.now());
        let added = acts::add_media(store, files, &Actor::Cli, lab.workspace, new, now).await;
        media.insert(platform, added.expect("the file is stored").id);
    }
    media
}
