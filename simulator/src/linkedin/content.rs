//! What a post may carry, checked as the Posts API checks it.

use serde_json::Value;
use url::Url;

use super::assets::{Kind, Status};
use super::errors;
use crate::call::Answer;
use crate::world::World;

const ALT_TEXT_LIMIT: usize = 4_086;

/// A field that is not there.
pub(super) fn missing(field: &str) -> Answer {
    let text = format!("{field} is required but missing");
    errors::field("MISSING_FIELD", field, &text)
}

/// A field with a value that it cannot have.
pub(super) fn invalid(field: &str, value: &Value) -> Answer {
    let text = format!("{field} can't be set to {value}");
    errors::field("INVALID_VALUE_FOR_FIELD", field, &text)
}

/// One of the words that a field may hold.
pub(super) fn one_of(body: &Value, path: &str, words: &[&str]) -> Result<(), Answer> {
    let value = path.split('/').fold(body, |value, name| &value[name]);
    match value {
        Value::Null => Err(missing(path)),
        Value::String(word) if words.contains(&word.as_str()) => Ok(()),
        other => Err(invalid(path, other)),
    }
}

/// Checks `content`. The media that the post will show, in order; empty for text and links.
pub(super) fn check(world: &World, content: &Value, author: &str) -> Result<Vec<String>, Answer> {
    let Value::Object(parts) = content else {
        return Err(invalid("content", content));
    };
    if parts.len() != 1 {
        return Err(invalid("content", content));
    }
    if let Some(media) = parts.get("media") {
        return check_media(world, media, author).map(|urn| vec![urn]);
    }
    if let Some(several) = parts.get("multiImage") {
        return check_images(world, several, author);
    }
    if let Some(article) = parts.get("article") {
        check_article(world, article, author)?;
        return Ok(Vec::new());
    }
    Err(invalid("content", content))
}

fn check_media(world: &World, media: &Value, author: &str) -> Result<String, Answer> {
    let path = "content/media/id";
    let urn = media["id"].as_str().ok_or_else(|| missing(path))?;
    let kinds = [Kind::Image, Kind::Video, Kind::Document];
    let kind = check_asset(world, urn, author, path, &kinds)?;
    if kind == Kind::Document && media["title"].as_str().is_none_or(str::is_empty) {
        return Err(missing("content/media/title"));
    }
    check_alt_text(media, "content/media/altText")?;
    Ok(urn.to_owned())
}

fn check_images(world: &World, several: &Value, author: &str) -> Result<Vec<String>, Answer> {
    let path = "content/multiImage/images";
    let images = several["images"].as_array().ok_or_else(|| missing(path))?;
    if !(2..=20).contains(&images.len()) {
        let text = format!("{path} must have between 2 and 20 images");
        return Err(errors::field("INVALID_VALUE_FOR_FIELD", path, &text));
    }
    let one = |image: &Value| {
        let urn = image["id"].as_str().ok_or_else(|| missing(path))?;
        check_asset(world, urn, author, path, &[Kind::Image])?;
        check_alt_text(image, path)?;
        Ok(urn.to_owned())
    };
    images.iter().map(one).collect()
}

fn check_article(world: &World, article: &Value, author: &str) -> Result<(), Answer> {
    let path = "content/article/source";
    let source = article["source"].as_str().ok_or_else(|| missing(path))?;
    let web = Url::parse(source).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !web {
        return Err(invalid(path, &article["source"]));
    }
    // Nobody reads the page for its title: it must be given.
    if article["title"].as_str().is_none_or(str::is_empty) {
        return Err(missing("content/article/title"));
    }
    if let Some(thumbnail) = article["thumbnail"].as_str() {
        let path = "content/article/thumbnail";
        check_asset(world, thumbnail, author, path, &[Kind::Image])?;
    }
    Ok(())
}

fn check_alt_text(media: &Value, path: &str) -> Result<(), Answer> {
    let length = media["altText"]
        .as_str()
        .map_or(0, |text| text.chars().count());
    if length > ALT_TEXT_LIMIT {
        return Err(too_long(path, length, ALT_TEXT_LIMIT));
    }
    Ok(())
}

/// A text with more characters than fit.
pub(super) fn too_long(field: &str, length: usize, most: usize) -> Answer {
    let text = format!("{field} length {length} can't exceeded maximum {most} length");
    errors::field("FIELD_LENGTH_TOO_LONG", field, &text)
}

/// Media must be of a kind that fits, the author's own, uploaded, and not broken.
fn check_asset(
    world: &World,
    urn: &str,
    author: &str,
    path: &str,
    kinds: &[Kind],
) -> Result<Kind, Answer> {
    let named = kinds
        .iter()
        .find(|kind| urn.starts_with(&format!("urn:li:{}:", kind.as_str())));
    if named.is_none() {
        let text = format!("{path} value {urn} must be a media URN");
        return Err(errors::field("INVALID_URN_TYPE", path, &text));
    }
    let own = world.linkedin.assets.get(urn);
    let asset = own
        .filter(|asset| asset.owner == author)
        .ok_or_else(|| match named {
            Some(Kind::Video) => {
                errors::field("INVALID_VIDEO_ID", path, "This Video ID is invalid")
            }
            _ => errors::field("INVALID_IMAGE_ID", path, "This Image ID is invalid"),
        })?;
    match asset.status(world.now) {
        Status::WaitingUpload => {
            let text = "Media asset is waiting upload";
            Err(errors::field("MEDIA_ASSET_WAITING_UPLOAD", path, text))
        }
        Status::Failed => {
            let text = "Media asset failed processing";
            Err(errors::field("MEDIA_ASSET_PROCESSING_FAILED", path, text))
        }
        Status::Processing | Status::Available => Ok(asset.kind),
    }
}
