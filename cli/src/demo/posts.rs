//! What the agencies post: words to several places at once, and an image or a video where a post must show one.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use mooring_domain::{
    ConnectionId, MediaId, Platform, WorkspaceId,
    platform::FormatRow,
    post::{Content, MediaKind},
    time::seconds,
};
use mooring_gateway::acts::{self, MediaFrom, NewMedia, SchedulePost};
use mooring_runtime::{MediaStore, media::stream_of};
use mooring_simulator::samples;
use mooring_store::{Actor, Store};

/// Posts of words per agency, and the seconds over which they are due.
const POSTS: usize = 60;
const SPREAD: i64 = 40;

/// How far apart the places of one post are. It does not divide their number, so that each place gets its turn.
const STRIDE: usize = 5;

/// An agency that posts.
pub(super) struct Agency<'a> {
    pub(super) store: &'a Store,
    pub(super) files: &'a MediaStore,
    pub(super) workspace: WorkspaceId,
    pub(super) name: &'a str,
    pub(super) now: DateTime<Utc>,
}

impl Agency<'_> {
    /// Schedules posts on all of these places, due over the next seconds. Returns how many targets they have.
    pub(super) async fn post(&self, places: &[(ConnectionId, Platform)]) -> anyhow::Result<usize> {
        type Places = Vec<(ConnectionId, Platform)>;
        let of_words = |(_, platform): &(_, Platform)| usual(*platform).must_show().is_none();
        let (words, shows): (Places, Places) = places.iter().copied().partition(of_words);
        let words: Vec<_> = words
            .into_iter()
            .map(|(connection, _)| connection)
            .collect();
        Ok(self.say(&words).await? + self.show(&shows).await?)
    }

    /// Words, to one to three places each.
    async fn say(&self, places: &[ConnectionId]) -> anyhow::Result<usize> {
        anyhow::ensure!(
            !places.len().is_multiple_of(STRIDE),
            "some places would get no post"
        );
        let mut turns = places.iter().copied().cycle().step_by(STRIDE);
        let mut targets = 0;
        for number in 0..POSTS {
            let connections: Vec<ConnectionId> = turns.by_ref().take(number % 3 + 1).collect();
            targets += connections.len();
            let share = i64::try_from(number * 100 / POSTS)? * SPREAD / 100;
            let order = SchedulePost {
                connections,
                content: Content::text(format!("{}: all moored, number {number}", self.name)),
                media: Vec::new(),
                due: self.now + seconds(3 + share),
                critical: number % 20 == 0,
                allow_duplicate: true,
                ..SchedulePost::default()
            };
            self.schedule(order).await?;
        }
        Ok(targets)
    }

    /// Something to see, to one place each: what one platform needs, another may refuse.
    async fn show(&self, places: &[(ConnectionId, Platform)]) -> anyhow::Result<usize> {
        for (number, (connection, platform)) in places.iter().enumerate() {
            let longest = platform.capabilities().title_max;
            let title = format!("{}: the boats of the week", self.name);
            let order = SchedulePost {
                connections: vec![*connection],
                content: Content {
                    title: (longest > 0).then(|| title.chars().take(longest).collect()),
                    ..Content::text(format!("{}: come and look, number {number}", self.name))
                },
                media: vec![self.file(usual(*platform)).await?],
                due: self.now + seconds(3 + i64::try_from(number)?),
                critical: false,
                allow_duplicate: true,
                ..SchedulePost::default()
            };
            self.schedule(order).await?;
        }
        Ok(places.len())
    }

    async fn schedule(&self, order: SchedulePost) -> anyhow::Result<()> {
        acts::schedule_post(self.store, &Actor::Cli, self.workspace, order, self.now).await?;
        Ok(())
    }

    /// The least file that such a post must show.
    async fn file(&self, kind: &FormatRow) -> anyhow::Result<MediaId> {
        let shown = kind.must_show().context("words are a post here")?;
        let file = match shown {
            MediaKind::Image => samples::jpeg(1_080, 1_080),
            MediaKind::Video => {
                let least = kind.video.map_or(0, |limits| limits.duration_ms.min);
                samples::mp4(1_080, 1_080, u32::try_from(least)?.max(5_000))
            }
        };
        let new = NewMedia {
            from: MediaFrom::Bytes(stream_of(file.into())),
            alt: Some("boats at their moorings".to_owned()),
        };
        let (store, files) = (self.store, self.files);
        let media = acts::add_media(store, files, &Actor::Cli, self.workspace, new, self.now);
        Ok(media.await?.id)
    }
}

/// The platform's usual kind of post.
fn usual(platform: Platform) -> &'static FormatRow {
    &platform.capabilities().formats[0]
}
