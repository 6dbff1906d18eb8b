//! The fault run: publishes on every platform, by every way in, while everything fails that can fail. Answers are lost
//! after the platform took the post, errors come although it exists, limits strike, workers are killed, Redis is wiped
//! and PostgreSQL crashes. In the end the platforms' ledger is laid beside our books: nothing doubled, nothing lost,
//! nothing called published that is not.
//!
//! Every post carries a marker of its own, so that the ledger counts it whatever our database believes.
//!
//! `dev/faultrun --publishes 10000` is this test at full size.

mod accounts;
mod books;
mod crew;
mod judge;
mod lab;
mod pace;
mod posts;
mod storm;
mod trouble;

use std::time::Instant;

use lab::Lab;

/// Publishes where nobody says how many.
const PUBLISHES: usize = 260;

/// How big a run is, and what decides its misfortunes.
#[derive(Debug, Clone, Copy)]
struct Size {
    publishes: usize,
    seed: u64,
}

impl Size {
    /// What the environment says; see `dev/faultrun`.
    fn told() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(
                text.parse::<u64>()
                    .unwrap_or_else(|_| panic!("{name} is a number")),
            )
        };
        let publishes = number("MOORING_FAULTRUN_PUBLISHES");
        Self {
            publishes: publishes.map_or(PUBLISHES, |n| usize::try_from(n).expect("some thousands")),
            seed: number("MOORING_FAULTRUN_SEED").unwrap_or(1),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_doubled_lost_or_invented_whatever_fails() {
    let began = Instant::now();
    let size = Size::told();
    println!(
        "fault run of {} publishes, seed {}",
        size.publishes, size.seed
    );
    let mut lab = Box::pin(Lab::set(size)).await;
    let rules = trouble::stir(&lab);
    let mut crew = Box::pin(storm::rage(&mut lab)).await;
    let struck = trouble::calm(&lab, &rules);
    Box::pin(storm::settle(&lab, &mut crew)).await;
    let report = Box::pin(judge::judge(&lab, &crew, &struck)).await;
    println!("{}", report.json(size, began.elapsed()));
    report.assert();
    crew.stop().await;
}
