//! G13 through the real gateway and the real books: any order, repetition and forgery of what the platform has sent, mixed
//! with syncs and people's words, ends the same.

use mooring_domain::{
    Platform,
    post::Stage,
    time::{minutes, seconds},
};
use mooring_simulator::{Delivery, Platform as Sim, facebook::FacebookSubscription};
use mooring_tests::{Account, Posted, World};

use super::{delete_there, published, remote_id, world};

/// What must be the same at the end: progress, verdict, link, and how often each thing was told.
type End = (Stage, Option<String>, Option<String>, usize);

/// How many orders are tried.
const ORDERS: u64 = 24;

async fn end(world: &World, post: &Posted) -> End {
    let row = world.target(post).await;
    let counts = world.event_counts().await;
    let accepted = counts.get("target_accepted").copied().unwrap_or(0);
    (row.stage, row.verdict, row.permalink, accepted)
}

fn forged(delivery: &Delivery) -> Delivery {
    let mut lie = delivery.clone();
    lie.body = lie.body.replace("\"remove\"", "\"add\"");
    lie.body.push(' ');
    lie
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n.max(1) as u64).expect("small")
    }
}

/// Facebook tells of the page's posts where nobody listens, so that each order is the first to be heard. Our address.
async fn nobody_hears(world: &World, page: &Account) -> String {
    let hook = world.hook(Platform::Facebook).await;
    let subscription = FacebookSubscription {
        object: "page".to_owned(),
        callback_url: "http://127.0.0.1:9/facebook".to_owned(),
        verify_token: "agreed".to_owned(),
        fields: vec!["feed".to_owned()],
        verified: true,
    };
    let sim = world.sim();
    sim.subscribe_facebook_app(&hook.client_id, &subscription)
        .expect("subscribed");
    sim.install_facebook_app(&hook.client_id, &page.remote_id)
        .expect("installed");
    hook.url
}

/// One order: the platform's calls shuffled, some twice, forgeries in between, and a person's word somewhere.
async fn tell(world: &World, post: &Posted, sent: &[Delivery], dice: &mut Dice) {
    let mut calls: Vec<(Delivery, u16)> = sent.iter().map(|one| (one.clone(), 200)).collect();
    for one in sent {
        if dice.below(2) == 0 {
            calls.push((one.clone(), 200));
        }
        calls.push((forged(one), 403));
    }
    for place in (1..calls.len()).rev() {
        calls.swap(place, dice.below(place + 1));
    }
    // In every other order nobody says a word.
    let spoken = dice.below(calls.len() * 2);
    for (at, (call, status)) in calls.iter().enumerate() {
        assert_eq!(world.deliver(call).await.0, *status);
        if at == spoken {
            world.say_removed(post).await.expect("believed");
        }
        if dice.below(3) == 0 {
            world.settle().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g13_two_dozen_orders_of_what_was_told_end_the_same() {
    let world = world().await;
    let mut posts = Vec::new();
    let (account, first) = published(&world, "order 0").await;
    posts.push(first);
    for order in 1..ORDERS {
        let text = format!("order {order}");
        posts.push(world.post(&account, &text, minutes(0)).await);
    }
    world.settle().await;
    let hook = nobody_hears(&world, &account).await;
    let mut sent = Vec::new();
    for (order, post) in posts.iter().enumerate() {
        let before = world.sim().deliveries().len();
        let text = format!("order {order}");
        let id = remote_id(&world, &text);
        world
            .sim()
            .edit_post(Sim::Facebook, &id, &format!("{text}, changed"))
            .expect("edited");
        delete_there(&world, &format!("{text}, changed"));
        let mut told = world.sim().deliveries().split_off(before);
        for one in &mut told {
            one.url.clone_from(&hook);
        }
        sent.push((post, told));
    }
    world.advance(seconds(20)).await;
    let mut ends = Vec::new();
    for (order, (post, calls)) in sent.iter().enumerate() {
        assert!(calls.len() >= 2, "a change and a removal were told");
        let mut dice = Dice(0x9E37_79B9 + order as u64 * 7_919);
        tell(&world, post, calls, &mut dice).await;
    }
    world.advance(minutes(2)).await;
    for (post, _) in &sent {
        ends.push(end(&world, post).await);
    }
    let expected = (
        Stage::Removed,
        Some("removed".to_owned()),
        None,
        usize::try_from(ORDERS).expect("small"),
    );
    for (order, end) in ends.iter().enumerate() {
        assert_eq!(end, &expected, "order {order}");
    }
    world.done().await;
}
