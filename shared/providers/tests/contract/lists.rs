//! Lists come in parts of a hundred: what is looked for may be in a later one.

use std::{sync::Arc, time::Duration};

use mooring_domain::{
    Platform,
    connection::AccountState,
    post::{Content, Finding, Sent},
    time::{from_ms, minutes},
};
use mooring_providers::{Access, BaseUrls, Draft, Lost, Provider, Registry};
use mooring_simulator::{Options, RunningSimulator, SimClock, Simulator};
use url::Url;

use crate::{
    arena::{self, Scene as _},
    bluesky::Bluesky,
    facebook::Facebook,
};

/// A page at this place among so many, and the adapter.
async fn page_among(
    pages: usize,
    place: usize,
) -> (RunningSimulator, SimClock, Access, Arc<dyn Provider>) {
    let clock = SimClock::manual(1_795_446_000_000);
    let options = Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.expect("a simulator");
    let access = Facebook::among(simulator.admin(), pages, place).access();
    let facebook = Url::parse(&simulator.facebook_url()).expect("a URL");
    let urls = BaseUrls {
        facebook,
        ..BaseUrls::default()
    };
    let registry = Registry::new(&arena::http(&clock), &arena::shared(&clock), &urls);
    (
        simulator,
        clock,
        access,
        Arc::clone(registry.of(Platform::Facebook)),
    )
}

fn draft(clock: &SimClock, text: &str) -> Draft {
    let now = from_ms(clock.now_ms());
    let content = Content::text(text);
    Draft {
        content,
        reference: None,
        created_at: now,
        send_by: now + minutes(1),
        media: Vec::new(),
        prepared: None,
    }
}

#[tokio::test]
async fn a_page_in_a_later_part_keeps_its_role() {
    let (_simulator, _, access, provider) = page_among(230, 229).await;
    let seen = provider.check(&access, false).await.expect("a check");
    assert_eq!(
        seen.account.map(|account| account.state),
        Some(AccountState::Accessible)
    );
}

#[tokio::test]
async fn a_lost_post_is_found_below_a_hundred_later_ones_and_is_unsure_below_too_many() {
    let (_simulator, clock, access, provider) = page_among(1, 0).await;
    let first = draft(&clock, "the lost one");
    let lost = Lost {
        reference: None,
        handle: None,
        prepared: None,
        content: first.content.clone(),
        not_before: first.created_at,
        owned: Vec::new(),
    };
    let sent = provider.publish(&access, &first).await;
    let Ok(Sent::Accepted(accepted)) = sent else {
        panic!("{sent:?}")
    };
    for number in 1..=500 {
        clock
            .advance(Duration::from_secs(1))
            .expect("a manual clock");
        let other = draft(&clock, &format!("number {number}"));
        provider.publish(&access, &other).await.expect("published");
        if number == 120 {
            let found = provider.find(&access, &lost).await;
            assert_eq!(
                found,
                Ok(Finding::Found(accepted.clone())),
                "in the second part"
            );
        }
    }
    assert_eq!(
        provider.find(&access, &lost).await,
        Ok(Finding::Unsure),
        "the list was cut off"
    );
}

#[tokio::test]
async fn a_bluesky_post_whose_key_is_forgotten_is_found_by_its_text_below_a_hundred_later_ones() {
    let clock = SimClock::manual(1_795_446_000_000);
    let options = Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.expect("a simulator");
    let access = Bluesky::new(simulator.admin()).access();
    let urls = BaseUrls {
        bluesky: Url::parse(&simulator.bluesky_url()).expect("a URL"),
        ..BaseUrls::default()
    };
    let registry = Registry::new(&arena::http(&clock), &arena::shared(&clock), &urls);
    let provider = Arc::clone(registry.of(Platform::Bluesky));
    let publish = async |number: u64, text: &str| {
        let draft = draft(&clock, text);
        let reference = provider.reference(draft.created_at, number);
        let draft = Draft { reference, ..draft };
        match provider.publish(&access, &draft).await {
            Ok(Sent::Accepted(accepted)) => (draft, accepted),
            other => panic!("not published: {other:?}"),
        }
    };
    publish(1, "the lost one").await;
    clock
        .advance(Duration::from_mins(1))
        .expect("a manual clock");
    let (first, accepted) = publish(2, "the lost one").await;
    let lost = |owned: &[String]| Lost {
        reference: None,
        handle: None,
        prepared: None,
        content: first.content.clone(),
        not_before: first.created_at,
        owned: owned.to_vec(),
    };
    for number in 3..=502 {
        clock
            .advance(Duration::from_secs(1))
            .expect("a manual clock");
        publish(number, &format!("number {number}")).await;
        if number == 122 {
            let found = provider.find(&access, &lost(&[])).await;
            assert_eq!(
                found,
                Ok(Finding::Found(accepted.clone())),
                "in the second part"
            );
            let another = lost(std::slice::from_ref(&accepted.remote_id));
            let absent = provider.find(&access, &another).await;
            assert_eq!(absent, Ok(Finding::Absent), "it belongs to somebody else");
        }
    }
    assert_eq!(
        provider.find(&access, &lost(&[])).await,
        Ok(Finding::Unsure),
        "the list was cut off"
    );
}
