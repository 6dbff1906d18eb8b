//! A post's address, as people see it.

use mooring_domain::{Failure, post::Seen};
use url::Url;

use super::Facebook;
use crate::{
    native::{PostAt, after, is_number, path_at},
    provider::{Access, Provider as _},
};

impl Facebook {
    /// `facebook.com/{page}/posts/{number}`, `permalink.php?story_fbid=…&id=…`, `/{page}_{number}`. The short names that
    /// begin with `pfbid` are Facebook's own secret.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let Some((page, number)) = names(url) else {
            return Ok(PostAt::Unreadable);
        };
        if page.is_some_and(|page| page != access.remote_id) {
            return Ok(PostAt::NotOurs);
        }
        // A post is called after its page, so that another page's number names none of ours.
        let remote_id = format!("{}_{number}", access.remote_id);
        Ok(match self.read_back(access, &remote_id).await? {
            Seen::Live { .. } => PostAt::ours(remote_id),
            Seen::Gone | Seen::Unverifiable => PostAt::NotOurs,
        })
    }
}

/// The page, where it stands there as a number, and the post's own number.
fn names(url: &Url) -> Option<(Option<String>, String)> {
    let path = path_at(url, &["facebook.com", "fb.com"])?;
    let asked = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let (page, number) = if let Some(number) = asked("story_fbid") {
        (asked("id"), number)
    } else if let Some(number) = after(&path, &["posts"]) {
        (path.first().cloned(), number.to_owned())
    } else {
        let (page, number) = path.last()?.split_once('_')?;
        (Some(page.to_owned()), number.to_owned())
    };
    let page = page.filter(|page| is_number(page));
    is_number(&number).then_some((page, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_address_tells_is_read_and_nothing_guessed() {
        let read = |text: &str| names(&text.parse().expect("a URL"));
        let both = Some((Some("12".to_owned()), "34".to_owned()));
        assert_eq!(read("https://www.facebook.com/12/posts/34"), both);
        assert_eq!(read("https://www.facebook.com/12_34"), both);
        assert_eq!(
            read("https://m.facebook.com/permalink.php?story_fbid=34&id=12"),
            both
        );
        assert_eq!(
            read("https://www.facebook.com/harbour/posts/34"),
            Some((None, "34".to_owned()))
        );
        assert_eq!(
            read("https://www.facebook.com/harbour/posts/pfbid02abc"),
            None
        );
        assert_eq!(read("https://facebook.example/12/posts/34"), None);
    }
}
