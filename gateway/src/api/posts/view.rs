//! What people see of a post, its targets and their attempts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mooring_domain::{
    post::{Format, Media, Override, PostState, Settlement},
    zoned::{Zone, wall_text},
};
use mooring_store::{AttemptView, PostView, TargetView};
use serde::Serialize;
use utoipa::ToSchema;

/// A post with its targets.
#[derive(Serialize, ToSchema)]
pub(crate) struct Post {
    /// Its id.
    pub(super) id: String,
    /// The whole: scheduled, publishing, published, `partially_published`, failed, cancelled, missed, unconfirmed or
    /// removed.
    state: &'static str,
    /// The same for each platform's part.
    platforms: BTreeMap<&'static str, &'static str>,
    /// What it says where nothing else is said.
    #[serde(flatten)]
    said: Said,
    /// What it says otherwise, by platform or connection.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    overrides: BTreeMap<String, OverrideOut>,
    /// When it is due.
    due: DueOut,
    /// Whether it goes before all others.
    critical: bool,
    /// How late it may begin, in seconds, where it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_lateness_s: Option<i64>,
    /// Rises with every edit.
    revision: i32,
    /// When it was scheduled.
    created_at: DateTime<Utc>,
    /// Where it goes.
    targets: Vec<Target>,
}

/// What a post says.
#[derive(Serialize, ToSchema)]
struct Said {
    /// The text.
    text: String,
    /// A link to show with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// A title.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// feed, reel, story or short.
    format: &'static str,
    /// Ids of what it shows.
    media: Vec<String>,
}

/// What replaces the post's own content somewhere; what is missing does not.
#[derive(Serialize, ToSchema)]
struct OverrideOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// Empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<Vec<String>>,
}

/// When a post is due.
#[derive(Serialize, ToSchema)]
struct DueOut {
    /// The instant.
    at: DateTime<Utc>,
    /// The IANA zone that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// What the clocks there were to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    wall: Option<String>,
    /// What they will show by today's rules of the zone, where these have changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_now: Option<String>,
}

/// A post on one connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct Target {
    /// Its id.
    id: String,
    /// The connection.
    connection: String,
    /// The platform.
    platform: &'static str,
    /// scheduled, publishing, published, failed, cancelled, missed, unconfirmed or removed.
    state: &'static str,
    /// The stage behind it: scheduled, begun, missed, cancelled, failed, unconfirmed, accepted or removed.
    stage: &'static str,
    /// 1 unless a person published again.
    edition: i32,
    /// Why it ended badly, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When this edition is due.
    due: DateTime<Utc>,
    /// When its platform took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<DateTime<Utc>>,
    /// The newest look: live, altered, removed or unverifiable.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict_at: Option<DateTime<Utc>>,
    /// Where people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    permalink: Option<String>,
    /// Every try of every edition, oldest first; in the answer about one post.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
}

/// One try.
#[derive(Serialize, ToSchema)]
struct Attempt {
    id: String,
    /// Which edition it tried.
    edition: i32,
    /// 1 for the edition's first.
    number: i32,
    /// Which revision of the content it sent.
    revision: i32,
    begun_at: DateTime<Utc>,
    /// When its call was over, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// The failure class.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    /// found, absent or unsure; missing while it dangles.
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<&'static str>,
    /// How often it was looked for.
    looks: u16,
    /// The post's id at the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_id: Option<String>,
    /// When the platform took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_at: Option<DateTime<Utc>>,
}

impl From<PostView> for Post {
    fn from(view: PostView) -> Self {
        let state = view.state().as_str();
        let platforms = view.platforms().into_iter();
        let platforms = platforms.map(|(platform, state)| (platform.as_str(), state.as_str()));
        let of_platforms = view.overrides.platforms.iter();
        let of_platforms = of_platforms.map(|(at, one)| (at.to_string(), one.into()));
        let of_connections = view.overrides.connections.iter();
        let of_connections = of_connections.map(|(at, one)| (at.to_string(), one.into()));
        Self {
            id: view.id.to_string(),
            state,
            platforms: platforms.collect(),
            overrides: of_platforms.chain(of_connections).collect(),
            due: DueOut::of(&view),
            critical: view.critical,
            max_lateness_s: view.max_lateness.map(|span| span.num_seconds()),
            revision: view.revision,
            created_at: view.created_at,
            targets: view.targets.into_iter().map(Target::from).collect(),
            said: Said {
                text: view.content.text,
                link: view.content.link,
                title: view.content.title,
                format: view.content.format.as_str(),
                media: ids(&view.content.media),
            },
        }
    }
}

impl DueOut {
    fn of(view: &PostView) -> Self {
        let (zone, wall) = view.said.clone().unzip();
        let by_now = zone.as_deref().and_then(|name| name.parse::<Zone>().ok());
        let by_now = by_now.map(|zone| wall_text(zone.wall(view.due)));
        Self {
            at: view.due,
            wall_now: by_now.filter(|by_now| Some(by_now) != wall.as_ref()),
            zone,
            wall,
        }
    }
}

impl From<&Override> for OverrideOut {
    fn from(one: &Override) -> Self {
        Self {
            text: one.text.clone(),
            link: one.link.clone(),
            title: one.title.clone(),
            format: one.format.map(Format::as_str),
            media: one.media.as_deref().map(ids),
        }
    }
}

impl From<TargetView> for Target {
    fn from(view: TargetView) -> Self {
        let (verdict, verdict_at) = view.verdict.clone().unzip();
        Self {
            id: view.id.to_string(),
            connection: view.connection.to_string(),
            platform: view.platform.as_str(),
            state: PostState::of(view.stage).as_str(),
            stage: view.stage.as_str(),
            edition: view.edition,
            published_at: view.published_at(),
            reason: view.reason,
            due: view.due,
            verdict,
            verdict_at,
            permalink: view.permalink,
            attempts: view.attempts.into_iter().map(Attempt::from).collect(),
        }
    }
}

impl From<AttemptView> for Attempt {
    fn from(view: AttemptView) -> Self {
        Self {
            id: view.id.to_string(),
            edition: view.edition,
            number: view.number,
            revision: view.revision,
            begun_at: view.begun_at,
            ended_at: view.ended_at,
            failure: view.failure.as_ref().map(mooring_domain::Failure::class),
            settlement: view.settlement.map(Settlement::as_str),
            looks: view.looks,
            remote_id: view.remote_id,
            accepted_at: view.accepted_at,
        }
    }
}

fn ids(media: &[Media]) -> Vec<String> {
    media.iter().map(|one| one.id.to_string()).collect()
}
