//! The contract that every adapter keeps, held against the simulator: platform × case, as a table.
//!
//! A case that cannot apply to a platform says why. While the suite runs, everything that is traced is collected,
//! and no secret of any case may be in it.

mod accounts;
mod arena;
mod bluesky;
mod bluesky_oauth;
mod checks;
mod containers;
mod facebook;
mod facebook_hooks;
mod facebook_media;
mod ground;
mod hooks;
mod linkedin;
mod linkedin_hooks;
mod linkedin_own;
mod lists;
mod losses;
mod mastodon;
mod mastodon_cases;
mod media;
mod media_cases;
mod meta;
mod notices;
mod papers;
mod posts;
mod real;
mod refreshes;
mod telegram;
mod telegram_cases;
mod tiktok;
mod tiktok_cases;
mod traces;
mod x;
mod x_media;
mod youtube;
mod youtube_hub;
mod youtube_uploads;

use std::pin::Pin;

use arena::{Act, Arena, Passed, Verdict};
use mooring_domain::Platform;

type Run = for<'a> fn(&'a Arena) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// Every case, with its name.
const CASES: &[(&str, Run)] = &[
    ("connect", |a| Box::pin(accounts::connect(a))),
    ("wrong credentials", |a| {
        Box::pin(accounts::wrong_credentials(a))
    }),
    ("connect: a code works once", |a| {
        Box::pin(accounts::code_works_once(a))
    }),
    ("connect: a permission declined", |a| {
        Box::pin(accounts::declined(a))
    }),
    ("destinations", |a| Box::pin(accounts::destinations(a))),
    ("check: healthy", |a| Box::pin(accounts::healthy(a))),
    ("check: expired", |a| {
        Box::pin(accounts::shown(a, Act::Expire))
    }),
    ("check: revoked", |a| {
        Box::pin(accounts::shown(a, Act::Revoke))
    }),
    ("check: password changed", |a| {
        Box::pin(accounts::shown(a, Act::ChangePassword))
    }),
    ("check: scope dropped", |a| {
        Box::pin(accounts::shown(a, Act::DropScope))
    }),
    ("check: role lost", |a| {
        Box::pin(accounts::shown(a, Act::LoseRole))
    }),
    ("check: checkpoint", |a| {
        Box::pin(accounts::shown(a, Act::Checkpoint))
    }),
    ("check: suspended", |a| {
        Box::pin(accounts::shown(a, Act::Suspend))
    }),
    ("check: hidden", |a| Box::pin(accounts::shown(a, Act::Hide))),
    ("check: tokens of a stranger", |a| {
        Box::pin(accounts::tokens_of_a_stranger(a))
    }),
    ("check: trouble teaches nothing", |a| {
        Box::pin(accounts::check_learns_nothing_from_trouble(a))
    }),
    ("refresh: renews", |a| {
        Box::pin(refreshes::refresh_renews(a))
    }),
    ("refresh: unanswered, then repeated", |a| {
        Box::pin(refreshes::refresh_unanswered(a))
    }),
    ("refresh: the rule's edge", |a| {
        Box::pin(refreshes::refresh_rule(a))
    }),
    ("refresh: after the natural end", |a| {
        Box::pin(refreshes::natural_end(a))
    }),
    ("revoke", |a| Box::pin(refreshes::revoke(a))),
    ("post: publish, find, read back, delete", |a| {
        Box::pin(posts::round_trip(a))
    }),
    ("post: only a link", |a| Box::pin(posts::only_a_link(a))),
    ("post: repeated with its key", |a| {
        Box::pin(posts::repeated_with_its_key(a))
    }),
    ("post: another attempt's is not ours", |a| {
        Box::pin(posts::another_attempts_post_is_not_ours(a))
    }),
    ("post: too long", |a| Box::pin(posts::too_long(a))),
    ("post: duplicate", |a| Box::pin(posts::duplicate(a))),
    ("post: rate limited until", |a| {
        Box::pin(posts::rate_limited(a))
    }),
    ("post: whose rate limit", |a| {
        Box::pin(posts::rate_scopes(a))
    }),
    ("post: 5xx", |a| Box::pin(losses::provider_down(a))),
    ("post: garbage is no success", |a| {
        Box::pin(losses::garbage(a))
    }),
    ("post: lost answer, found", |a| {
        Box::pin(losses::lost_answer(a))
    }),
    ("post: dropped request, absent", |a| {
        Box::pin(losses::dropped_request(a))
    }),
    ("post: error although created, found", |a| {
        Box::pin(losses::error_although_created(a))
    }),
    ("post: a look that fails teaches nothing", |a| {
        Box::pin(losses::find_learns_nothing_from_trouble(a))
    }),
    ("post: delete unanswered", |a| {
        Box::pin(losses::delete_unanswered(a))
    }),
    ("post: deleted at the platform", |a| {
        Box::pin(posts::deleted_at_the_platform(a))
    }),
    ("post: edited at the platform", |a| {
        Box::pin(posts::edited_at_the_platform(a))
    }),
    ("media: every kind of post", |a| {
        Box::pin(media_cases::every_format(a))
    }),
    ("media: still processing", |a| {
        Box::pin(media_cases::still_processing(a))
    }),
    ("media: a lost step is done again", |a| {
        Box::pin(media_cases::lost_steps(a))
    }),
    ("media: a file that cannot be used", |a| {
        Box::pin(media_cases::bad_file(a))
    }),
    ("webhook: good, forged, told twice", |a| {
        Box::pin(async { hooks::good_forged_and_replayed(a) })
    }),
    ("webhook: out of date", |a| {
        Box::pin(async { hooks::stale(a) })
    }),
    ("post: past its moment", |a| {
        Box::pin(losses::past_its_moment(a))
    }),
    ("nobody listens", |a| Box::pin(losses::nobody_listens(a))),
];

/// How one case ended on one platform.
#[derive(serde::Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
enum Cell {
    Ok,
    Cannot { why: &'static str },
    Broken { why: String },
}

/// One case over all platforms.
#[derive(serde::Serialize)]
struct Row {
    case: &'static str,
    cells: Vec<(&'static str, Cell)>,
}

#[tokio::test]
async fn every_adapter_keeps_the_contract_and_no_secret_is_traced() {
    let traces = traces::collect();
    let platforms = chosen();
    let mut rows = Vec::new();
    for (case, run) in CASES {
        let mut cells = Vec::new();
        for &platform in &platforms {
            let arena = Arena::new(platform).await;
            let verdict = run(&arena).await;
            let doubled = arena.ground.doubled(&*arena.scene);
            cells.push((platform.as_str(), cell(verdict, doubled)));
        }
        rows.push(Row { case, cells });
    }
    finish(&rows, "MOORING_CONTRACT_REPORT", &traces);
}

/// Reports what was seen, and fails when anything is broken or a secret was traced.
fn finish(rows: &[Row], report_file: &str, traces: &traces::Traces) {
    report(rows, report_file);
    let broken: Vec<String> = rows.iter().flat_map(complaints).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    traces.hold_no_secret(&arena::secrets());
}

fn cell(verdict: Verdict, doubled: usize) -> Cell {
    match verdict {
        Ok(_) if doubled > 0 => Cell::Broken {
            why: format!("{doubled} posts were doubled"),
        },
        Ok(Passed::Yes) => Cell::Ok,
        Ok(Passed::Cannot(arena::NOBODY_SAYS)) => Cell::Broken {
            why: "the scene says neither how nor why not".to_owned(),
        },
        Ok(Passed::Cannot(why)) => Cell::Cannot { why },
        Err(why) => Cell::Broken { why },
    }
}

fn complaints(row: &Row) -> Vec<String> {
    let broken = row.cells.iter().filter_map(|(platform, cell)| match cell {
        Cell::Broken { why } => Some(format!("{platform}, {}: {why}", row.case)),
        Cell::Ok | Cell::Cannot { .. } => None,
    });
    broken.collect()
}

/// For `dev/contract`, which prints the table and keeps it in the documentation.
fn report(rows: &[Row], file: &str) {
    let lines: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).expect("a row is JSON"))
        .collect();
    match std::env::var_os(file) {
        Some(file) => std::fs::write(file, lines.join("\n") + "\n").expect("the report is written"),
        None => println!("{}", lines.join("\n")),
    }
}

/// All platforms, or those that `MOORING_CONTRACT` names, for work on one of them.
fn chosen() -> Vec<Platform> {
    let named = std::env::var("MOORING_CONTRACT").unwrap_or_default();
    let named = named.split([',', ' ']).filter(|name| !name.is_empty());
    let chosen: Vec<Platform> = named
        .map(|name| name.parse().expect("a platform"))
        .collect();
    if chosen.is_empty() {
        Platform::ALL.to_vec()
    } else {
        chosen
    }
}
