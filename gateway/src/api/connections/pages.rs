//! Pages of connections: filtered, in the order of ids or of urgency.

use mooring_domain::{BrandId, Platform, Time};
use mooring_store::{ConnectionFilter, ConnectionView};
use uuid::Uuid;

use super::{
    super::{Caller, Kind, Page, Problem, page},
    Card, Wanted,
};
use crate::App;

/// Connections that are read at once while a page is filled.
const BATCH: u64 = 500;
/// Batches that are read for one page at most: a filter that fits hardly anything answers short pages.
const BATCHES: usize = 20;
/// Healths that a list can be narrowed to.
const HEALTHS: [&str; 6] = [
    "healthy",
    "warning",
    "critical",
    "unknown",
    "refreshing",
    "removed",
];

pub(super) async fn filter(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
) -> Result<ConnectionFilter, Problem> {
    let platform = wanted.platform.as_deref().map(str::parse::<Platform>);
    let platform = platform
        .transpose()
        .map_err(|error| wrong("platform", format!("is none of: {}", error.1)))?;
    let brand = match wanted.brand.as_deref() {
        None => None,
        Some(text) => Some(brand(app, caller, text).await?),
    };
    let health = wanted.health.as_deref();
    if health.is_some_and(|health| !HEALTHS.contains(&health)) {
        return Err(wrong(
            "health",
            format!("is none of: {}", HEALTHS.join(", ")),
        ));
    }
    Ok(ConnectionFilter {
        platform,
        brand,
        main: wanted.main,
        removed: Some(health == Some("removed")),
        ..ConnectionFilter::default()
    })
}

pub(in crate::api) async fn brand(
    app: &App,
    caller: &Caller,
    text: &str,
) -> Result<BrandId, Problem> {
    let brands = app.store.brands(caller.workspace).await?;
    let by_name = brands.get(text).copied();
    let known = by_name.or_else(|| {
        let id = text.parse::<BrandId>().ok()?;
        brands.values().find(|known| **known == id).copied()
    });
    known.ok_or_else(|| wrong("brand", "is unknown in this workspace"))
}

pub(in crate::api) fn wrong(field: &'static str, problem: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Invalid, format!("{field}: {problem}")).field(field)
}

fn fits(view: &ConnectionView, wanted: &Wanted) -> bool {
    let health = wanted.health.as_deref();
    let label = wanted.label.as_ref();
    health.is_none_or(|health| view.standing().health() == health)
        && label.is_none_or(|label| view.labels.contains(label))
}

pub(super) async fn by_id(
    app: &App,
    caller: &Caller,
    mut filter: ConnectionFilter,
    wanted: &Wanted,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Page<Card>, Problem> {
    let now = app.context.clock.now();
    filter.after = after;
    filter.limit = Some(BATCH);
    let mut items = Vec::new();
    for _ in 0..BATCHES {
        let views = app
            .store
            .connection_views(caller.workspace, &filter, now)
            .await?;
        let is_last = (views.len() as u64) < BATCH;
        for view in views {
            filter.after = Some(view.id.uuid());
            if fits(&view, wanted) {
                items.push(Card::of(&view, app.store.policy(), now));
            }
            if items.len() > limit {
                break;
            }
        }
        if items.len() > limit {
            items.truncate(limit);
            let next = items.last().map(|card| page::after(card.uuid));
            return Ok(Page { items, next });
        }
        if is_last {
            return Ok(Page { items, next: None });
        }
    }
    let next = filter.after.map(page::after);
    Ok(Page { items, next })
}

/// The whole workspace in order of urgency. Where something heals or breaks between two pages, it moves, and may be
/// seen twice or on the next look.
pub(super) async fn by_attention(
    app: &App,
    caller: &Caller,
    filter: ConnectionFilter,
    wanted: &Wanted,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Card>, Problem> {
    let now: Time = app.context.clock.now();
    let after = after.map(page::ranked_place).transpose()?;
    let views = app
        .store
        .connection_views(caller.workspace, &filter, now)
        .await?;
    let mut ranked: Vec<_> = views
        .iter()
        .filter(|view| fits(view, wanted))
        .map(|view| ((view.standing().attention(), view.id.uuid()), view))
        .filter(|(place, _)| after.is_none_or(|after| *place > after))
        .collect();
    ranked.sort_by_key(|(place, _)| *place);
    let more = ranked.len() > limit;
    ranked.truncate(limit);
    let next = ranked.last().filter(|_| more);
    let next = next.map(|((rank, id), _)| page::ranked(*rank, *id));
    let items = ranked
        .iter()
        .map(|(_, view)| Card::of(view, app.store.policy(), now))
        .collect();
    Ok(Page { items, next })
}
