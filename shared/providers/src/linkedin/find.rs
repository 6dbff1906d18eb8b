//! Looking for a page's post that carries nothing of ours: by its text, its media and its time.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure, Time,
    post::{Accepted, Finding, text_digest},
};

use super::{
    client::{LinkedIn, encoded},
    little,
    media::uploaded,
    post::permalink,
    wire::{List, Post},
};
use crate::{
    provider::{Access, Lost},
    wire::Op,
};

/// Posts per part of the list, and most parts that are read.
const PART: usize = 100;
const PARTS: usize = 5;
/// How far the platform's clock may be behind ours. A post with our text in that stretch before the send is not
/// ours by our clock and may be by the platform's: nobody can tell.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

impl LinkedIn {
    /// Reads the page's posts, newest first, back to the send.
    pub(super) async fn search(&self, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
        let since = lost.not_before - CLOCK_SLACK;
        let author = encoded(&self.author(access));
        let mut posts: Vec<Post> = Vec::new();
        let mut complete = false;
        for number in 0..PARTS {
            let start = number * PART;
            let query =
                format!("q=author&author={author}&sortBy=CREATED&start={start}&count={PART}");
            let target = ("posts", Some(query.as_str()));
            let host = access.host.as_ref();
            let template = "/rest/posts?q=author";
            let call = self.rest(host, &access.token, template, Method::GET, target);
            let call = call.header(http::HeaderName::from_static("x-restli-method"), "FINDER");
            let part: List<Post> = self.answer(Op::Read, call, "list of posts").await?;
            let goes_on = part.goes_on();
            let older = |post: &Post| post.created_at.is_some_and(|at| at < since);
            let reached = part.elements.iter().any(older);
            posts.extend(part.elements);
            if reached || !goes_on {
                complete = true;
                break;
            }
        }
        Ok(judge(posts, lost, complete))
    }
}

/// How a post compares with the lost one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// It shows our own media.
    Media,
    /// It says the same, with the same link.
    Words,
    /// It says the same, and shows something that is not quite what we sent. LinkedIn may have rewritten an address.
    Doubtful,
}

/// How alike a post is; `None` = it is another.
fn likeness(post: &Post, lost: &Lost) -> Option<Likeness> {
    let media = uploaded(lost.prepared.as_ref());
    if !media.is_empty() && post.media() == media {
        return Some(Likeness::Media);
    }
    let text = little::read(post.commentary.as_deref().unwrap_or_default());
    if text_digest(&text) != lost.content.digest() {
        return None;
    }
    let same_link = post.link() == lost.content.link.as_deref();
    if media.is_empty() && post.media().is_empty() && same_link {
        return Some(Likeness::Words);
    }
    // Without words there is nothing that two posts have in common.
    let words = !text.trim().is_empty();
    let both_show = post.link().is_some() == lost.content.link.is_some()
        && post.media().is_empty() == media.is_empty();
    (words && both_show).then_some(Likeness::Doubtful)
}

/// Which of the posts is the lost one.
///
/// Media are ours alone: whatever shows them is ours, whatever its time. Otherwise text, link and time tell; of
/// several the oldest is ours, for the others were made by somebody who sent the same text later.
fn judge(posts: Vec<Post>, lost: &Lost, complete: bool) -> Finding {
    let from = lost.not_before;
    let mut alike: Vec<(Option<Time>, Likeness, Post)> = posts
        .into_iter()
        .filter(|post| !lost.owned.contains(&post.id))
        .filter_map(|post| Some((post.created_at, likeness(&post, lost)?, post)))
        .filter(|(at, how, _)| {
            *how == Likeness::Media || at.is_none_or(|at| at >= from - CLOCK_SLACK)
        })
        .collect();
    alike.sort_by_key(|(at, _, _)| *at);
    let ours = |at: &Option<Time>, how: Likeness| match how {
        Likeness::Media => true,
        Likeness::Words => at.is_some_and(|at| at >= from),
        Likeness::Doubtful => false,
    };
    let doubtful = alike.iter().any(|(at, how, _)| !ours(at, *how));
    match alike.into_iter().find(|(at, how, _)| ours(at, *how)) {
        Some((_, Likeness::Words, _)) if says_nothing(lost) => Finding::Unsure,
        Some((.., post)) => Finding::Found(Accepted {
            permalink: Some(permalink(&post.id)),
            remote_id: post.id,
        }),
        None if doubtful || !complete => Finding::Unsure,
        None => Finding::Absent,
    }
}

/// A post without words and link has nothing to be known by.
fn says_nothing(lost: &Lost) -> bool {
    lost.content.text.trim().is_empty() && lost.content.link.is_none()
}

#[cfg(test)]
mod tests {
    use mooring_domain::{
        post::Content,
        time::{from_ms, seconds},
    };
    use serde_json::{Value, json};

    use super::*;

    const SENT_MS: i64 = 1_795_446_000_000;

    fn lost(owned: &[&str]) -> Lost {
        Lost {
            reference: None,
            handle: None,
            prepared: None,
            content: Content::text("Hello  (world) #Rust"),
            not_before: from_ms(SENT_MS),
            owned: owned.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    fn post(id: &str, after: i64, content: &Value) -> Post {
        let created = (from_ms(SENT_MS) + seconds(after)).timestamp_millis();
        let commentary = "Hello \\(world\\) {hashtag|\\#|Rust}";
        let value = json!({
            "id": id, "commentary": commentary, "createdAt": created, "content": content,
        });
        serde_json::from_value(value).expect("a post")
    }

    fn plain(id: &str, after: i64) -> Post {
        post(id, after, &Value::Null)
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
    fn little_text_is_compared_as_people_read_it_and_the_oldest_is_ours() {
        let posts = vec![plain("2", 9), plain("1", 2)];
        assert_eq!(found(&judge(posts, &lost(&[]), true)), "1");
        let owned = judge(vec![plain("1", 2)], &lost(&["1"]), true);
        assert_eq!(found(&owned), "absent");
    }

    #[test]
    fn just_before_the_send_nobody_can_tell_and_a_cut_list_proves_nothing() {
        assert_eq!(
            found(&judge(vec![plain("1", -5)], &lost(&[]), true)),
            "unsure"
        );
        assert_eq!(
            found(&judge(vec![plain("1", -61)], &lost(&[]), true)),
            "absent"
        );
        assert_eq!(found(&judge(Vec::new(), &lost(&[]), false)), "unsure");
        assert_eq!(found(&judge(Vec::new(), &lost(&[]), true)), "absent");
    }

    #[test]
    fn another_link_is_another_post_or_ours_rewritten() {
        let mut lost = lost(&[]);
        lost.content.link = Some("https://a.example".to_owned());
        let article = |source: &str| json!({ "article": { "source": source } });
        let other = vec![post("1", 2, &article("https://b.example")), plain("2", 2)];
        assert_eq!(found(&judge(other, &lost, true)), "unsure");
        let without = vec![plain("2", 2)];
        assert_eq!(found(&judge(without, &lost, true)), "absent");
        let ours = vec![post("3", 2, &article("https://a.example"))];
        assert_eq!(found(&judge(ours, &lost, true)), "3");
    }

    #[test]
    fn our_own_media_are_recognised_whatever_the_text_and_the_clock() {
        let mut lost = lost(&[]);
        lost.content.text = String::new();
        lost.prepared = Some(json!({ "media": ["urn:li:image:a", "urn:li:image:b"] }));
        let several = |ids: [&str; 2]| json!({ "multiImage": { "images": [{ "id": ids[0] }, { "id": ids[1] }] } });
        let ours = post("1", -5, &several(["urn:li:image:a", "urn:li:image:b"]));
        let others = post("2", 2, &several(["urn:li:image:c", "urn:li:image:d"]));
        assert_eq!(found(&judge(vec![others, ours], &lost, true)), "1");
        assert_eq!(found(&judge(vec![plain("3", 2)], &lost, true)), "absent");
    }
}
