//! Images and videos in stories.

use chrono::TimeDelta;
use mooring_domain::{
    MediaId,
    platform::FormatRow,
    post::{Content, Format, MediaKind},
};
use mooring_gateway::acts::{self, MediaFrom, NewMedia, SchedulePost};
use mooring_runtime::media::stream_of;
use mooring_simulator::samples;
use mooring_store::Actor;

use super::{Account, Posted, World};

impl World {
    /// Schedules a post of this kind, due after `wait`, with what such a post has on the platform: words, the image or
    /// video without which it takes none, and a title where its posts have one.
    pub async fn post_as(
        &self,
        account: &Account,
        format: Format,
        text: &str,
        wait: TimeDelta,
    ) -> Posted {
        let row = account.platform.capabilities();
        let kind = row.formats.iter().find(|kind| kind.format == format);
        let kind = kind.unwrap_or_else(|| panic!("{} has no {format}", account.platform));
        let mut media = Vec::new();
        if let Some(file) = must_show(kind) {
            media.push(self.add_media(file, "a boat at its mooring").await);
        }
        let content = Content {
            format,
            title: (row.title_max > 0).then(|| text.chars().take(row.title_max).collect()),
            ..Content::text(text)
        };
        self.post_with(account, content, media, wait).await
    }

    /// Adds a file to the story's workspace.
    pub async fn add_media(&self, file: Vec<u8>, alt: &str) -> MediaId {
        let new = NewMedia {
            from: MediaFrom::Bytes(stream_of(file.into())),
            alt: Some(alt.to_owned()),
        };
        let (store, now) = (&self.store, self.now());
        acts::add_media(store, &self.media, &Actor::Cli, self.workspace, new, now)
            .await
            .expect("the file is stored")
            .id
    }

    /// Schedules a post that shows media, due after `wait`.
    pub async fn post_with(
        &self,
        account: &Account,
        content: Content,
        media: Vec<MediaId>,
        wait: TimeDelta,
    ) -> Posted {
        let text = content.text.clone();
        let order = SchedulePost {
            connections: vec![account.connection],
            content,
            media,
            due: self.now() + wait,
            critical: false,
            allow_duplicate: true,
            ..SchedulePost::default()
        };
        let scheduled =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now())
                .await
                .expect("the post is scheduled");
        self.wake().await;
        Posted { scheduled, text }
    }
}

/// The least file that such a post must show.
fn must_show(kind: &FormatRow) -> Option<Vec<u8>> {
    Some(match kind.must_show()? {
        MediaKind::Image => samples::jpeg(1_080, 1_080),
        MediaKind::Video => {
            let least = kind.video.map_or(0, |limits| limits.duration_ms.min);
            let length = u32::try_from(least).expect("a few seconds").max(5_000);
            samples::mp4(1_080, 1_080, length)
        }
    })
}
