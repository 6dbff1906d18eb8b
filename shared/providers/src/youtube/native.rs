//! A video's address, as people see it.

use mooring_domain::Failure;
use url::Url;

use super::Youtube;
use crate::{
    native::{PostAt, after, path_at},
    provider::Access,
};

impl Youtube {
    /// `watch?v={id}`, `shorts/{id}`, `live/{id}` and `youtu.be/{id}`. Whose it is, the API says.
    pub(super) async fn native(&self, access: &Access, url: &Url) -> Result<PostAt, Failure> {
        let Some(id) = video_id(url) else {
            return Ok(PostAt::Unreadable);
        };
        let video = self.video(access, &id).await?;
        let ours = video.filter(|video| video.snippet.channel_id == access.remote_id);
        Ok(ours.map_or(PostAt::NotOurs, |video| PostAt::ours(video.id)))
    }
}

fn video_id(url: &Url) -> Option<String> {
    let short = path_at(url, &["youtu.be"]).and_then(|path| path.first().cloned());
    let long = || {
        let path = path_at(url, &["youtube.com"])?;
        let named = after(&path, &["shorts", "live", "embed"]).map(str::to_owned);
        let asked = || url.query_pairs().find(|(name, _)| name == "v");
        named.or_else(|| asked().map(|(_, id)| id.into_owned()))
    };
    let id = short.or_else(long)?;
    let fits = id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (fits && (6..=20).contains(&id.len())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_names_the_video() {
        for text in [
            "https://www.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ&t=4",
            "https://youtube.com/shorts/dQw4w9WgXcQ?feature=share",
            "https://youtu.be/dQw4w9WgXcQ",
        ] {
            let url = text.parse().expect("a URL");
            assert_eq!(video_id(&url).as_deref(), Some("dQw4w9WgXcQ"), "{text}");
        }
        let url = "https://youtube.example/watch?v=dQw4w9WgXcQ".parse();
        assert_eq!(video_id(&url.expect("a URL")), None);
    }
}
