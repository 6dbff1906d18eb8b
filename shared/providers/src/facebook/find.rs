//! Looking for a post that carries nothing of ours: by its text and its time.

use chrono::{DurationRound as _, TimeDelta};
use http::Method;
use mooring_domain::{
    Failure, Time,
    post::{Accepted, Finding, text_digest},
};

use super::{
    client::Facebook,
    wire::{List, NextPart, Post},
};
use crate::{
    provider::{Access, Lost},
    wire::Op,
};

/// Most parts of the list that are read. A page that got 500 posts since the send is looked at by a person.
const PARTS: usize = 5;
/// How far the platform's clock may be behind ours. A post with our text in that stretch before the send is not
/// ours by our clock and may be by the platform's: nobody can tell.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

impl Facebook {
    /// Reads the page's posts since the send.
    ///
    /// Photos that were uploaded for it are its surest mark; without any, its text has to do.
    pub(super) async fn search(
        &self,
        access: &Access,
        lost: &Lost,
        photos: &[String],
    ) -> Result<Finding, Failure> {
        let fields = if photos.is_empty() {
            "id,message,created_time,permalink_url"
        } else {
            "id,message,created_time,permalink_url,attachments{target,subattachments{target}}"
        };
        let since = (lost.not_before - CLOCK_SLACK).timestamp().to_string();
        let mut posts = Vec::new();
        let mut after: Option<String> = None;
        let mut complete = false;
        for _ in 0..PARTS {
            let path = [access.remote_id.as_str(), "published_posts"];
            let call = self.page_call(access, "/{page-id}/published_posts", Method::GET, &path)?;
            let call = call.query("fields", fields).query("since", &since);
            let mut part: List<Post> = self.part(Op::Read, call, after.as_deref()).await?;
            posts.append(&mut part.data);
            match part.next() {
                NextPart::After(cursor) => after = Some(cursor.to_owned()),
                NextPart::None => {
                    complete = true;
                    break;
                }
                NextPart::Unreachable => break,
            }
        }
        Ok(by_photos(&posts, lost, photos).unwrap_or_else(|| judge(posts, lost, complete)))
    }
}

/// The post that shows these photos. One that does not say what it shows is left to its text.
fn by_photos(posts: &[Post], lost: &Lost, photos: &[String]) -> Option<Finding> {
    let shows = |post: &&Post| {
        let targets = post.attachments.targets();
        photos.iter().any(|photo| targets.contains(&photo.as_str()))
    };
    let post = posts.iter().find(shows)?;
    if lost.owned.contains(&post.id) {
        return None;
    }
    Some(Finding::Found(Accepted {
        remote_id: post.id.clone(),
        permalink: post.permalink_url.clone(),
    }))
}

/// Which of the posts is the lost one.
///
/// A match that belongs to another attempt is not ours. Of several the oldest is: the others were made by somebody
/// who sent the same text later.
fn judge(posts: Vec<Post>, lost: &Lost, complete: bool) -> Finding {
    let digest = lost.content.digest();
    // Graph tells whole seconds, so the send's own second counts from its beginning.
    let from = lost
        .not_before
        .duration_trunc(TimeDelta::seconds(1))
        .unwrap_or(lost.not_before);
    let same_text =
        |post: &Post| text_digest(post.message.as_deref().unwrap_or_default()) == digest;
    let mut candidates: Vec<(Option<Time>, Post)> = posts
        .into_iter()
        .filter(|post| same_text(post) && !lost.owned.contains(&post.id))
        .filter(|post| post.created_time.is_none_or(|at| at >= from - CLOCK_SLACK))
        .map(|post| (post.created_time, post))
        .collect();
    candidates.sort_by_key(|(at, _)| *at);
    let doubtful = candidates
        .iter()
        .any(|(at, _)| at.is_none_or(|at| at < from));
    let first = candidates
        .into_iter()
        .find(|(at, _)| at.is_some_and(|at| at >= from));
    match first {
        // A post without a text says nothing that could be compared.
        Some(_) if lost.content.text.trim().is_empty() => Finding::Unsure,
        Some((_, post)) => Finding::Found(Accepted {
            remote_id: post.id,
            permalink: post.permalink_url,
        }),
        None if doubtful || !complete => Finding::Unsure,
        None => Finding::Absent,
    }
}

#[cfg(test)]
mod tests {
    use mooring_domain::{
        post::Content,
        time::{from_ms, seconds},
    };

    use super::*;

    const SENT_MS: i64 = 1_795_446_000_700;

    fn lost(owned: &[&str]) -> Lost {
        Lost {
            reference: None,
            handle: None,
            prepared: None,
            content: Content::text("Hello  world"),
            not_before: from_ms(SENT_MS),
            owned: owned.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    /// A post so many seconds after the beginning of the second in which the lost one was sent.
    fn post(id: &str, text: &str, after: i64) -> Post {
        let created = from_ms(SENT_MS - 700) + seconds(after);
        let value =
            serde_json::json!({ "id": id, "message": text, "created_time": created.to_rfc3339() });
        serde_json::from_value(value).expect("a post")
    }

    fn found(finding: &Finding) -> &str {
        match finding {
            Finding::Found(accepted) => &accepted.remote_id,
            Finding::Absent => "absent",
            Finding::Unsure => "unsure",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_and_time_find_it_in_the_very_second_of_the_send() {
        let posts = vec![post("p_3", "other", 0), post("p_1", "Hello world", 0)];
        assert_eq!(found(&judge(posts, &lost(&[]), true)), "p_1");
    }

    #[test]
    fn the_oldest_of_several_is_ours() {
        let posts = vec![post("p_2", "Hello world", 9), post("p_1", "Hello world", 2)];
        assert_eq!(found(&judge(posts, &lost(&[]), true)), "p_1");
    }

    #[test]
    fn a_post_of_another_attempt_is_not_ours() {
        assert_eq!(
            found(&judge(
                vec![post("p_1", "Hello world", 3)],
                &lost(&["p_1"]),
                true
            )),
            "absent"
        );
    }

    #[test]
    fn just_before_the_send_nobody_can_tell_and_long_before_it_is_another() {
        assert_eq!(
            found(&judge(
                vec![post("p_1", "Hello world", -5)],
                &lost(&[]),
                true
            )),
            "unsure"
        );
        assert_eq!(
            found(&judge(
                vec![post("p_1", "Hello world", -61)],
                &lost(&[]),
                true
            )),
            "absent"
        );
    }

    #[test]
    fn a_list_that_was_cut_off_proves_no_absence() {
        assert_eq!(
            found(&judge(vec![post("p_1", "other", 3)], &lost(&[]), false)),
            "unsure"
        );
        assert_eq!(
            found(&judge(
                vec![post("p_1", "Hello world", 3)],
                &lost(&[]),
                false
            )),
            "p_1"
        );
        assert_eq!(found(&judge(Vec::new(), &lost(&[]), true)), "absent");
    }

    #[test]
    fn photos_tell_a_post_unless_another_attempt_owns_it() {
        let shown = |id: &str, photo: &str| -> Post {
            let attachments = serde_json::json!({ "data": [{ "target": { "id": photo } }] });
            let value = serde_json::json!({ "id": id, "attachments": attachments });
            serde_json::from_value(value).expect("a post")
        };
        let posts = [shown("p_1", "7"), shown("p_2", "8")];
        let photos = ["8".to_owned()];
        let ours = by_photos(&posts, &lost(&[]), &photos).expect("a finding");
        assert_eq!(found(&ours), "p_2");
        assert_eq!(by_photos(&posts, &lost(&["p_2"]), &photos), None);
        assert_eq!(by_photos(&posts, &lost(&[]), &["9".to_owned()]), None);
    }

    #[test]
    fn a_post_without_a_text_cannot_be_recognised() {
        let mut lost = lost(&[]);
        lost.content = Content {
            text: String::new(),
            link: Some("https://a.example".to_owned()),
            ..Content::default()
        };
        assert_eq!(
            found(&judge(vec![post("p_1", "", 3)], &lost, true)),
            "unsure"
        );
        assert_eq!(
            found(&judge(vec![post("p_1", "words", 3)], &lost, true)),
            "absent"
        );
    }
}
