//! Publishing a container, and finding and reading what became of it.
//!
//! A container publishes at most once, and says whether it did: PUBLISHED, or FINISHED and not. It does not say which
//! post it became; that is looked up among the recent ones.

use chrono::{DurationRound as _, TimeDelta};
use http::Method;
use mooring_domain::{
    Failure, Time,
    post::{Accepted, Finding, Format, Seen, Sent, text_digest},
};
use url::Url;

use super::{
    containers::{self, Progress},
    graph::Graph,
    map,
    wire::{Made, Post, Posts, Status, Success},
};
use crate::{
    native::{PostAt, after, path_at, segments},
    provider::{Access, Draft, Lost},
    wire::Op,
};

/// Posts that are looked through; a page that got more since the send is looked at by a person.
const RECENT: &str = "50";
/// How far the platform's clock may be behind ours.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

/// Publishes what was prepared.
pub(crate) async fn publish(
    graph: &Graph,
    access: &Access,
    draft: &Draft,
) -> Result<Sent, Failure> {
    let container = prepared(draft.prepared.as_ref())?;
    let edge = &graph.words.publish;
    let path = [access.remote_id.as_str(), edge.name];
    let timeout = graph.words.platform.capabilities().publish_timeout;
    let call = graph
        .own_call(access, edge.template, Method::POST, &path)?
        .form([("creation_id", container)])
        .send_by(draft.send_by)
        .timeout(timeout.to_std().unwrap_or_default());
    let made: Made = graph.answer(Op::Publish, call, "post").await?;
    // The post exists, whatever this look brings.
    let permalink = read(graph, access, &made.id.0).await.ok().flatten();
    Ok(Sent::Accepted(Accepted {
        permalink: permalink.and_then(|post| post.permalink),
        remote_id: made.id.0,
    }))
}

fn prepared(state: Option<&serde_json::Value>) -> Result<String, Failure> {
    let container = state.and_then(|state| Progress::read(Some(state)).ok());
    container
        .and_then(|progress| progress.container)
        .ok_or_else(|| Failure::Contract {
            detail: "nothing was prepared: prepare first".to_owned(),
        })
}

/// The post; `None` when it is gone.
async fn read(graph: &Graph, access: &Access, id: &str) -> Result<Option<Post>, Failure> {
    let call = graph.own_call(access, graph.words.media, Method::GET, &[id])?;
    let call = call.query("fields", graph.words.post_fields);
    let reply = graph.reply(Op::Read, call).await?;
    if map::is_gone(&reply) {
        return Ok(None);
    }
    let post: Post = graph.read(Op::Read, &reply, "post")?;
    if post.id != id {
        return Err(Failure::Contract {
            detail: "another post than the one asked for".to_owned(),
        });
    }
    Ok(Some(post))
}

/// Reads a post back.
pub(crate) async fn read_back(graph: &Graph, access: &Access, id: &str) -> Result<Seen, Failure> {
    let Some(post) = read(graph, access, id).await? else {
        return Ok(Seen::Gone);
    };
    let text = post.caption.as_deref().unwrap_or_default();
    // The text that was given for a story is shown to nobody.
    let digest = (!post.is_story()).then(|| text_digest(text));
    Ok(Seen::Live {
        permalink: post.permalink,
        digest,
    })
}

/// Which of the recent posts an address leads to: its short name is in no other answer.
pub(crate) async fn at(
    graph: &Graph,
    access: &Access,
    url: &Url,
    hosts: &[&str],
) -> Result<PostAt, Failure> {
    let path = path_at(url, hosts).unwrap_or_default();
    let Some(name) = after(&path, &["p", "reel", "reels", "post", "t"]) else {
        return Ok(PostAt::Unreadable);
    };
    let list = &graph.words.list;
    let path = [access.remote_id.as_str(), list.name];
    let call = graph.own_call(access, list.template, Method::GET, &path)?;
    let call = call
        .query("fields", graph.words.post_fields)
        .query("limit", RECENT);
    let posts: Posts = graph.answer(Op::Read, call, "list of posts").await?;
    let leads_there = |post: &Post| {
        let shown = post.permalink.as_deref().and_then(|url| url.parse().ok());
        shown.is_some_and(|url: Url| segments(&url).iter().any(|part| part == name))
    };
    let ours = posts.data.into_iter().find(leads_there);
    Ok(ours.map_or(PostAt::NotOurs, |post| PostAt::ours(post.id)))
}

/// Deletes a post; one that is not there counts as deleted.
pub(crate) async fn delete(graph: &Graph, access: &Access, id: &str) -> Result<(), Failure> {
    let call = graph.own_call(access, graph.words.media, Method::DELETE, &[id])?;
    let reply = graph.reply(Op::Delete, call).await?;
    if map::is_gone(&reply) {
        return Ok(());
    }
    let answer: Success = graph.read(Op::Delete, &reply, "deletion")?;
    if answer.success {
        return Ok(());
    }
    Err(Failure::Contract {
        detail: "a success that says it is none".to_owned(),
    })
}

/// Asks the container, and then the list of posts.
pub(crate) async fn find(graph: &Graph, access: &Access, lost: &Lost) -> Result<Finding, Failure> {
    let container = prepared(lost.prepared.as_ref())?;
    match containers::status(graph, Op::Read, access, &container).await {
        // Where the platform has forgotten the container, only the list can tell, and only that the post is there.
        Ok(Status::Published) | Err(Failure::MediaProcessing | Failure::AccountUnavailable) => {}
        Ok(Status::Finished) => return Ok(Finding::Absent),
        // It cannot publish any more, so what was prepared is used up.
        Ok(Status::Expired | Status::Failed(_)) => {
            return Ok(Finding::Refused(Failure::MediaProcessing));
        }
        Ok(Status::InProgress) => return Ok(Finding::Processing),
        Err(failure) => return Err(failure),
    }
    let story = lost.content.format == Format::Story;
    let (template, edge) = if story {
        ("/{ig-user-id}/stories", "stories")
    } else {
        (graph.words.list.template, graph.words.list.name)
    };
    let call = graph.own_call(access, template, Method::GET, &[&access.remote_id, edge])?;
    let call = call
        .query("fields", graph.words.post_fields)
        .query("limit", RECENT);
    let posts: Posts = graph.answer(Op::Read, call, "list of posts").await?;
    let more = posts.goes_on();
    Ok(judge(posts.data, lost, story, more))
}

/// Which of the posts is the lost one. Its container was published, so one that is not in the list is not absent:
/// somebody has deleted it, or the list lags.
fn judge(posts: Vec<Post>, lost: &Lost, story: bool, more: bool) -> Finding {
    let digest = lost.content.digest();
    let from = lost
        .not_before
        .duration_trunc(TimeDelta::seconds(1))
        .unwrap_or(lost.not_before);
    let wordless = story || lost.content.text.trim().is_empty();
    let fits = |post: &Post| {
        let text = post.caption.as_deref().unwrap_or_default();
        let same = story || text_digest(text) == digest;
        same && !lost.owned.contains(&post.id)
    };
    let mut candidates: Vec<(Time, Post)> = posts
        .into_iter()
        .filter(fits)
        .filter_map(|post| Some((post.timestamp?, post)))
        .filter(|(at, _)| *at >= from - CLOCK_SLACK)
        .collect();
    candidates.sort_by_key(|(at, _)| *at);
    let only = candidates.len() == 1 && !more;
    match candidates.into_iter().find(|(at, _)| *at >= from) {
        // Without words, two of them cannot be told apart.
        Some(_) if wordless && !only => Finding::Unsure,
        Some((_, post)) => Finding::Found(Accepted {
            remote_id: post.id,
            permalink: post.permalink,
        }),
        None => Finding::Unsure,
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

    fn lost(text: &str, owned: &[&str]) -> Lost {
        Lost {
            reference: None,
            handle: None,
            prepared: None,
            content: Content::text(text),
            not_before: from_ms(SENT_MS),
            owned: owned.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    fn post(id: &str, text: &str, after: i64) -> Post {
        let created = from_ms(SENT_MS - 700) + seconds(after);
        let value =
            serde_json::json!({ "id": id, "text": text, "timestamp": created.to_rfc3339() });
        serde_json::from_value(value).expect("a post")
    }

    fn found(finding: &Finding) -> &str {
        match finding {
            Finding::Found(accepted) => &accepted.remote_id,
            Finding::Unsure => "unsure",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_oldest_post_with_the_words_since_the_send_is_ours() {
        let posts = vec![
            post("3", "Hello world", 9),
            post("2", "Hello world", 0),
            post("1", "other", 0),
        ];
        assert_eq!(
            found(&judge(posts, &lost("Hello  world", &[]), false, false)),
            "2"
        );
    }

    #[test]
    fn anothers_post_an_older_one_and_none_prove_nothing() {
        let sent = |owned: &[&str], after| {
            let posts = vec![post("1", "Hello", after)];
            found(&judge(posts, &lost("Hello", owned), false, false)).to_owned()
        };
        assert_eq!(sent(&["1"], 3), "unsure");
        assert_eq!(sent(&[], -5), "unsure");
        assert_eq!(
            found(&judge(Vec::new(), &lost("Hello", &[]), false, false)),
            "unsure"
        );
    }

    #[test]
    fn without_words_only_a_single_one_is_ours() {
        let one = || vec![post("1", "", 3)];
        assert_eq!(found(&judge(one(), &lost("", &[]), false, false)), "1");
        assert_eq!(found(&judge(one(), &lost("", &[]), false, true)), "unsure");
        let two = vec![post("1", "", 3), post("2", "", 4)];
        assert_eq!(found(&judge(two, &lost("", &[]), false, false)), "unsure");
        let story = vec![post("1", "", 3)];
        assert_eq!(
            found(&judge(story, &lost("said nowhere", &[]), true, false)),
            "1"
        );
    }
}
