//! Stories: a list is the only way to see them, for the 24 hours that they stand.

use http::Method;
use mooring_domain::{
    Failure,
    post::{Accepted, Finding, Seen, text_digest},
};

use super::{
    client::Facebook,
    map,
    video_status::permalink,
    wire::{List, NextPart},
    wire_media,
};
use crate::{provider::Access, wire::Op};

/// Most parts of the list that are read: a page has a handful of stories a day.
const PARTS: usize = 3;

impl Facebook {
    /// The story that a photo or video became.
    pub(super) async fn story_of(
        &self,
        access: &Access,
        medium: &str,
    ) -> Result<Option<Accepted>, Failure> {
        let fits = |story: &wire_media::Story| story.media_id.as_deref() == Some(medium);
        let (story, _) = self.find_story(access, fits).await?;
        Ok(story.map(|story| Accepted {
            remote_id: story.post_id,
            permalink: story.url,
        }))
    }

    /// Whether a photo has become a story. One that nobody sees any more was there once, so only a whole list, and
    /// the time since the send, tell that it is not; the caller knows the time.
    pub(super) async fn look_for_photo_story(
        &self,
        access: &Access,
        photo: &str,
    ) -> Result<Finding, Failure> {
        let fits = |story: &wire_media::Story| story.media_id.as_deref() == Some(photo);
        Ok(match self.find_story(access, fits).await? {
            (Some(story), _) => Finding::Found(Accepted {
                remote_id: story.post_id,
                permalink: story.url,
            }),
            (None, true) => Finding::Absent,
            (None, false) => Finding::Unsure,
        })
    }

    /// Reads back what has an id of its own: a story, or a video whose post is not named.
    ///
    /// A story that stands no more is as likely over as taken down: nobody can tell, so nothing is claimed.
    pub(super) async fn read_back_medium(
        &self,
        access: &Access,
        id: &str,
    ) -> Result<Seen, Failure> {
        if let (Some(story), _) = self.find_story(access, |story| story.post_id == id).await? {
            return Ok(match story.status.as_deref() {
                Some("ARCHIVED") => Seen::Unverifiable,
                _ => Seen::Live {
                    permalink: story.url,
                    digest: None,
                },
            });
        }
        let Some(video) = self.video(access, id).await? else {
            return Ok(Seen::Unverifiable);
        };
        Ok(Seen::Live {
            permalink: Some(permalink(&video)),
            digest: Some(text_digest(
                video.description.as_deref().unwrap_or_default(),
            )),
        })
    }

    /// Whether a story of this id stands now.
    pub(super) async fn story_stands(&self, access: &Access, id: &str) -> Result<bool, Failure> {
        let fits = |story: &wire_media::Story| {
            story.post_id == id && story.status.as_deref() != Some("ARCHIVED")
        };
        let (story, _) = self.find_story(access, fits).await?;
        Ok(story.is_some())
    }

    /// The first story that fits, and whether the list was read to its end.
    async fn find_story(
        &self,
        access: &Access,
        fits: impl Fn(&wire_media::Story) -> bool,
    ) -> Result<(Option<wire_media::Story>, bool), Failure> {
        let mut after: Option<String> = None;
        for _ in 0..PARTS {
            let path = [access.remote_id.as_str(), "stories"];
            let call = self.page_call(access, "/{page-id}/stories", Method::GET, &path)?;
            let list: List<wire_media::Story> = self.part(Op::Read, call, after.as_deref()).await?;
            let next = match list.next() {
                NextPart::None => None,
                NextPart::After(cursor) => Some(Some(cursor.to_owned())),
                NextPart::Unreachable => Some(None),
            };
            let found = list.data.into_iter().find(|story| fits(story));
            match (found, next) {
                (Some(story), _) => return Ok((Some(story), true)),
                (None, None) => return Ok((None, true)),
                (None, Some(None)) => return Ok((None, false)),
                (None, Some(cursor)) => after = cursor,
            }
        }
        Ok((None, false))
    }

    /// Deletes a post or a video. "Not there" also stands for "cannot be deleted", which is what it means for a
    /// story that can still be seen.
    pub(super) async fn delete_object(&self, access: &Access, id: &str) -> Result<(), Failure> {
        let call = self.page_call(access, "/{page-post-id}", Method::DELETE, &[id])?;
        let reply = self.reply(Op::Delete, call).await?;
        if !map::is_gone(&reply) {
            return super::succeeded(self.read(Op::Delete, &reply, "deletion")?);
        }
        if !id.contains('_') && self.story_stands(access, id).await? {
            return Err(Failure::Contract {
                detail: "a story cannot be deleted here: delete it at the platform".to_owned(),
            });
        }
        Ok(())
    }
}
