//! Images and videos in stories.

use chrono::TimeDelta;
use mooring_domain::{MediaId, post::Content};
use mooring_gateway::acts::{self, MediaFrom, NewMedia, SchedulePost};
use mooring_runtime::media::stream_of;
use mooring_store::Actor;

use super::{Account, Posted, World};

impl World {
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
        };
        let scheduled =
            acts::schedule_post(&self.store, &Actor::Cli, self.workspace, order, self.now())
                .await
                .expect("the post is scheduled");
        self.wake().await;
        Posted { scheduled, text }
    }
}
