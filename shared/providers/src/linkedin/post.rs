//! Posts: sending, reading back, deleting.

use http::Method;
use mooring_domain::{
    Failure,
    post::{Accepted, Content, MediaKind, Seen, Sent, text_digest},
};
use serde_json::{Value, json};

use super::{
    client::{LinkedIn, encoded},
    little, map,
    media::{json_body, uploaded},
    wire::Post,
};
use crate::{
    provider::{Access, Draft},
    wire::Op,
};

/// Longest title of an article.
const TITLE_MAX: usize = 200;

impl LinkedIn {
    /// The one call after which the post exists.
    pub(super) async fn post(&self, access: &Access, draft: &Draft) -> Result<Sent, Failure> {
        let body = body(&self.author(access), draft)?;
        let target = ("posts", None);
        let host = access.host.as_ref();
        let call = self.rest(host, &access.token, "/rest/posts", Method::POST, target);
        let timeout = self.platform.capabilities().publish_timeout.to_std();
        let call = json_body(call, &body)?
            .send_by(draft.send_by)
            .timeout(timeout.unwrap_or_default());
        let reply = self.reply(Op::Publish, call).await?;
        if !reply.is_success() {
            return Err(self.failure(Op::Publish, &reply));
        }
        // The answer has no body; the header is the proof.
        let urn = reply.header("x-restli-id").map(decoded);
        let urn = urn
            .filter(|urn| is_post(urn))
            .ok_or_else(|| Failure::Contract {
                detail: format!("status {} without a post's URN", reply.status),
            })?;
        Ok(Sent::Accepted(Accepted {
            permalink: Some(permalink(&urn)),
            remote_id: urn,
        }))
    }

    /// Who wrote a post; `None` when there is none.
    pub(super) async fn author_of(
        &self,
        access: &Access,
        urn: &str,
    ) -> Result<Option<String>, Failure> {
        let path = format!("posts/{}", encoded(urn));
        let call = self.rest(
            access.host.as_ref(),
            &access.token,
            "/rest/posts/{urn}",
            Method::GET,
            (path.as_str(), None),
        );
        let reply = self.reply(Op::Read, call).await?;
        if map::is_gone(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(self.failure(Op::Read, &reply));
        }
        let post: Post = reply.read("post")?;
        Ok(post.author)
    }

    /// Reads a page's post.
    pub(super) async fn see(&self, access: &Access, urn: &str) -> Result<Seen, Failure> {
        let path = format!("posts/{}", encoded(urn));
        let target = (path.as_str(), None);
        let host = access.host.as_ref();
        let call = self.rest(
            host,
            &access.token,
            "/rest/posts/{urn}",
            Method::GET,
            target,
        );
        let reply = self.reply(Op::Read, call).await?;
        if map::is_gone(&reply) {
            return Ok(Seen::Gone);
        }
        if !reply.is_success() {
            return Err(self.failure(Op::Read, &reply));
        }
        let post: Post = reply.read("post")?;
        if post.id != urn {
            return Err(Failure::Contract {
                detail: "another post than the one asked for".to_owned(),
            });
        }
        match post.state.as_deref() {
            None | Some("PUBLISHED") => {}
            // Its media are still being processed: it is neither there nor gone.
            Some("PUBLISH_REQUESTED") => return Err(Failure::MediaProcessing),
            // It exists, but nobody sees it: for a proof that is the same as gone.
            Some("PUBLISH_FAILED" | "DRAFT") => return Ok(Seen::Gone),
            Some(_) => {
                return Err(Failure::Contract {
                    detail: "a post in a state that is not documented".to_owned(),
                });
            }
        }
        let text = little::read(post.commentary.as_deref().unwrap_or_default());
        Ok(Seen::Live {
            permalink: Some(permalink(urn)),
            digest: Some(text_digest(&text)),
        })
    }

    /// Deletes a post; the platform answers 204 the second time as well.
    pub(super) async fn remove(&self, access: &Access, urn: &str) -> Result<(), Failure> {
        let path = format!("posts/{}", encoded(urn));
        let target = (path.as_str(), None);
        let host = access.host.as_ref();
        let template = "/rest/posts/{urn}";
        let call = self.rest(host, &access.token, template, Method::DELETE, target);
        let reply = self.reply(Op::Delete, call).await?;
        // 200 is not the documented answer, and something else may give it with a page of its own.
        if reply.status == 204 || map::is_gone(&reply) {
            return Ok(());
        }
        if reply.is_success() {
            return Err(Failure::Contract {
                detail: format!("status {} where a deletion answers 204", reply.status),
            });
        }
        Err(self.failure(Op::Delete, &reply))
    }
}

/// Where people see a post. LinkedIn does not tell it; it is built from the URN.
pub(super) fn permalink(urn: &str) -> String {
    format!("https://www.linkedin.com/feed/update/{urn}/")
}

/// What is sent.
fn body(author: &str, draft: &Draft) -> Result<Value, Failure> {
    let mut body = json!({
        "author": author,
        "commentary": little::write(&draft.content.text),
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": false,
    });
    if let Some(content) = content(draft)? {
        body["content"] = content;
    }
    Ok(body)
}

/// The media or the article beside the text; a post has one of them only.
fn content(draft: &Draft) -> Result<Option<Value>, Failure> {
    let content = &draft.content;
    if content.media.is_empty() {
        return Ok(content.link.as_deref().map(|link| article(content, link)));
    }
    if content.link.is_some() {
        return Err(Failure::ContentRejected {
            code: "link_beside_media".to_owned(),
        });
    }
    let urns = uploaded(draft.prepared.as_ref());
    if urns.len() != content.media.len() {
        return Err(Failure::Contract {
            detail: "a post whose media are not uploaded".to_owned(),
        });
    }
    let mut shown: Vec<Value> = Vec::new();
    for (urn, media) in urns.iter().zip(&content.media) {
        let mut one = json!({ "id": urn });
        if let Some(alt) = &media.alt {
            one["altText"] = alt.as_str().into();
        }
        if media.kind == MediaKind::Video {
            one["title"] = content.title_or_first_line(TITLE_MAX).into();
        }
        shown.push(one);
    }
    Ok(Some(if shown.len() == 1 {
        json!({ "media": shown.remove(0) })
    } else {
        json!({ "multiImage": { "images": shown } })
    }))
}

/// LinkedIn does not read the page behind an address, so the title is ours to give.
fn article(content: &Content, link: &str) -> Value {
    let mut title = content.title_or_first_line(TITLE_MAX);
    if title.is_empty() {
        let url = url::Url::parse(link).ok();
        let host = url.as_ref().and_then(url::Url::host_str);
        host.unwrap_or(link).clone_into(&mut title);
    }
    json!({ "article": { "source": link, "title": title } })
}

/// `urn:li:share:1` and `urn:li:ugcPost:1`.
fn is_post(urn: &str) -> bool {
    let number = urn
        .strip_prefix("urn:li:share:")
        .or_else(|| urn.strip_prefix("urn:li:ugcPost:"));
    number.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

/// The protocol allows the header's value to be escaped.
fn decoded(value: &str) -> String {
    value.replace("%3A", ":").replace("%3a", ":")
}

#[cfg(test)]
mod tests {
    use mooring_domain::time::from_ms;

    use super::*;

    fn draft(content: Content, prepared: Option<Value>) -> Draft {
        Draft {
            content,
            reference: None,
            created_at: from_ms(1),
            send_by: from_ms(1),
            media: Vec::new(),
            prepared,
        }
    }

    #[test]
    fn an_article_always_has_a_title() {
        let of = |text: &str, title: Option<&str>| {
            let content = Content {
                text: text.to_owned(),
                title: title.map(str::to_owned),
                link: Some("https://news.example/a".to_owned()),
                ..Content::default()
            };
            let body = body("urn:li:person:1", &draft(content, None)).expect("a body");
            body["content"]["article"]["title"]
                .as_str()
                .expect("a title")
                .to_owned()
        };
        assert_eq!(of("First line\nsecond", None), "First line");
        assert_eq!(of("First line", Some("Title")), "Title");
        assert_eq!(of("", None), "news.example");
    }

    #[test]
    fn only_a_posts_urn_is_a_proof() {
        assert!(is_post(&decoded("urn%3Ali%3Ashare%3A7")));
        assert!(is_post("urn:li:ugcPost:7"));
        for other in ["", "urn:li:share:", "urn:li:share:7/", "urn:li:comment:7"] {
            assert!(!is_post(other), "{other}");
        }
    }
}
