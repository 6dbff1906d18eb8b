//! Looking for a post that carries nothing of ours: by its media, or by its words and its time.

use chrono::{SecondsFormat, TimeDelta};
use http::Method;
use mooring_domain::{
    Failure, Time,
    post::{Finding, text_digest},
};

use super::{
    accepted,
    client::{X, broken},
    map,
    problem::ErrorBody,
    upload,
    wire::{Part, Post},
    words,
};
use crate::{
    provider::{Access, Lost},
    wire::Op,
};

/// Most parts of the list that are read, a hundred posts each: nobody posts 500 times in a moment. What is not there
/// is not billed, so a large part costs no more.
const PARTS: usize = 5;
const PART_SIZE: &str = "100";
/// How far the platform's clock may be behind ours. A post with our words in that stretch before the send is not ours
/// by our clock and may be by the platform's: nobody can tell.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

impl X {
    /// Reads the user's posts since the send.
    pub(super) async fn search(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let since = (lost.not_before - CLOCK_SLACK).to_rfc3339_opts(SecondsFormat::Secs, true);
        let path = ["2", "users", access.remote_id.as_str(), "tweets"];
        let mut posts = Vec::new();
        let mut next: Option<String> = None;
        let mut complete = false;
        for _ in 0..PARTS {
            let mut call = self
                .call(access, "/2/users/{id}/tweets", Method::GET, &path)?
                .query("start_time", &since)
                .query("max_results", PART_SIZE);
            if let Some(token) = &next {
                call = call.query("pagination_token", token);
            }
            let reply = self.with_fields(call).await?;
            if !reply.is_success() {
                return Err(map::failure(Op::Read, &reply, self.transport.now()));
            }
            let part: Part = reply.read("list of posts")?;
            let problems = ErrorBody::read(&reply.body);
            if part.data.is_none() && !problems.errors.is_empty() {
                return Err(map::inside_success(&problems));
            }
            // An empty list has no `data`, but it says how many there are.
            let meta = part.meta.ok_or_else(|| broken("a list without its meta"))?;
            posts.extend(part.data.unwrap_or_default());
            next = meta.next_token;
            if next.is_none() {
                complete = true;
                break;
            }
        }
        Ok(judge(&posts, lost, complete))
    }
}

/// Which of the posts is the lost one.
///
/// Media that were uploaded for it settle it. Otherwise its words and its time do: a match that belongs to another
/// attempt is not ours, and of several the oldest is, because the others were made later by somebody who sent the same.
fn judge(posts: &[Post], lost: &Lost, complete: bool) -> Finding {
    let keys = upload::media_keys(lost.prepared.as_ref());
    let is_owned = |post: &Post| lost.owned.iter().any(|id| post.has_version(id));
    let is_free = |post: &&Post| words::is_id(&post.id) && !is_owned(post);
    let mut candidates: Vec<&Post> = posts.iter().filter(is_free).collect();
    candidates.retain(|post| may_be(post, lost, &keys));
    candidates.sort_by_key(|post| words::time_of(&post.id));
    let by_media = candidates
        .iter()
        .find(|post| !keys.is_empty() && post.media_keys() == keys);
    if let Some(post) = by_media {
        return Finding::Found(accepted(post.id.clone()));
    }
    let at = |post: &Post| words::time_of(&post.id);
    let since = |from: Time| move |post: &&&Post| at(post).is_some_and(|at| at >= from);
    let ours = candidates.iter().find(since(lost.not_before));
    let doubtful = candidates.iter().any(|post| {
        at(post).is_none_or(|at| at < lost.not_before && at >= lost.not_before - CLOCK_SLACK)
    });
    match ours {
        // A post without words says nothing that could be compared.
        Some(_) if lost.content.text.trim().is_empty() => Finding::Unsure,
        Some(post) => Finding::Found(accepted(post.id.clone())),
        None if doubtful || !complete => Finding::Unsure,
        None => Finding::Absent,
    }
}

/// Whether a post has our media, or our words and as many media as ours.
fn may_be(post: &Post, lost: &Lost, keys: &[String]) -> bool {
    let theirs = post.media_keys();
    if !keys.is_empty() && !theirs.is_empty() {
        return theirs == keys;
    }
    // Media that are not told (of a post that has some) leave the words to decide.
    let fits = theirs.is_empty() || !lost.content.media.is_empty();
    let words = words::plain(post);
    fits && text_digest(&words::loose(&words.text))
        == text_digest(&words::loose(&lost.content.text))
}

#[cfg(test)]
mod tests {
    use mooring_domain::{
        post::Content,
        time::{from_ms, seconds},
    };

    use super::*;

    const SENT_MS: i64 = 1_795_446_000_700;

    fn lost(owned: &[String]) -> Lost {
        Lost {
            reference: None,
            handle: None,
            prepared: None,
            content: Content::text("Hello  world"),
            not_before: from_ms(SENT_MS),
            owned: owned.to_vec(),
        }
    }

    /// The id of a post so many seconds after the send.
    fn id(after: i64) -> String {
        let ms = (from_ms(SENT_MS) + seconds(after)).timestamp_millis() - 1_288_834_974_657;
        (u64::try_from(ms).expect("after 2010") << 22).to_string()
    }

    fn post(after: i64, text: &str) -> Post {
        Post {
            id: id(after),
            text: text.to_owned(),
            ..Post::default()
        }
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
    fn the_oldest_with_our_words_since_the_send_is_ours() {
        let posts = [
            post(9, "Hello world"),
            post(2, "Hello world"),
            post(1, "other"),
        ];
        assert_eq!(found(&judge(&posts, &lost(&[]), true)), id(2));
        assert_eq!(
            found(&judge(&posts, &lost(&[id(2), id(9)]), true)),
            "absent"
        );
    }

    #[test]
    fn just_before_the_send_nobody_can_tell_and_long_before_it_is_another() {
        assert_eq!(
            found(&judge(&[post(-5, "Hello world")], &lost(&[]), true)),
            "unsure"
        );
        assert_eq!(
            found(&judge(&[post(-61, "Hello world")], &lost(&[]), true)),
            "absent"
        );
    }

    #[test]
    fn a_list_that_was_cut_off_proves_no_absence() {
        assert_eq!(
            found(&judge(&[post(3, "other")], &lost(&[]), false)),
            "unsure"
        );
        assert_eq!(found(&judge(&[], &lost(&[]), true)), "absent");
    }

    #[test]
    fn media_that_were_uploaded_for_it_settle_it() {
        let with = |after, text: &str, key: &str| -> Post {
            let value = serde_json::json!({
                "id": id(after), "text": text, "attachments": { "media_keys": [key] },
            });
            serde_json::from_value(value).expect("a post")
        };
        let mut ours = lost(&[]);
        ours.content.text = String::new();
        ours.prepared = Some(serde_json::json!({
            "files": [{ "id": "7", "key": "3_7", "phase": "ready" }],
        }));
        let posts = [with(3, "words of another", "3_8"), with(4, "", "3_7")];
        assert_eq!(found(&judge(&posts, &ours, true)), id(4));
        assert_eq!(found(&judge(&posts[..1], &ours, true)), "absent");
        // Somebody's picture with our words is not our post of words alone.
        assert_eq!(
            found(&judge(&[with(3, "Hello world", "3_8")], &lost(&[]), true)),
            "absent"
        );
    }
}
