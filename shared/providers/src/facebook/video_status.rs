//! What a video says about itself, and what that proves.

use mooring_domain::{
    Failure,
    post::{Accepted, Finding, Format},
};

use super::wire_media::{Status, Video};

/// What a video says about itself.
///
/// "Published" is believed of a publishing phase that has ended, and of the flag where the phase does not contradict.
/// What it "shall be" stands there before, and tells only that the order was given.
pub(super) fn judge(video: &Video, format: Option<Format>, page: &str) -> Finding {
    let Some(status) = &video.status else {
        return Finding::Unsure;
    };
    let flagged = video.published == Some(true) && !status.publishing_phase.has_not_begun();
    if flagged || status.publishing_phase.is_complete() {
        return Finding::Found(accepted(video, page));
    }
    if status.is_refused() {
        return Finding::Refused(status.refusal());
    }
    if matches!(status.summary.as_deref(), Some("expired" | "upload_failed")) {
        // It cannot become anything any more: the upload has to be begun anew.
        return Finding::Refused(Failure::MediaProcessing);
    }
    let publishing = &status.publishing_phase;
    if publishing.is_under_way() || publishing.shall_be_public() {
        return Finding::Processing;
    }
    match format {
        // The end of a chunked upload is what publishes: a whole file means that it was heard.
        Some(Format::Feed | Format::Short) if status.uploading_phase.is_complete() => {
            Finding::Processing
        }
        Some(_) => Finding::Absent,
        None => Finding::Unsure,
    }
}

/// The video's post, or the video itself where no post is named.
fn accepted(video: &Video, page: &str) -> Accepted {
    let remote_id = match &video.post_id {
        Some(post) if post.contains('_') => post.clone(),
        Some(post) => format!("{page}_{post}"),
        None => video.id.clone(),
    };
    Accepted {
        remote_id,
        permalink: Some(permalink(video)),
    }
}

/// Where people see it. The platform gives a path here, where a post gives an address.
pub(super) fn permalink(video: &Video) -> String {
    match video.permalink_url.as_deref() {
        Some(path) if path.starts_with('/') => format!("https://www.facebook.com{path}"),
        Some(url) => url.to_owned(),
        None => format!("https://www.facebook.com/{}", video.id),
    }
}

impl Status {
    pub(super) fn is_uploaded(&self) -> bool {
        let told = matches!(
            self.summary.as_deref(),
            Some("upload_complete" | "processing" | "ready")
        );
        // "processing" stands there while an upload is interrupted, too: the phase knows better.
        self.uploading_phase.is_complete() || (told && !self.uploading_phase.is_known())
    }

    pub(super) fn is_refused(&self) -> bool {
        let word = self.summary.as_deref() == Some("error");
        word || self.processing_phase.has_failed() || self.publishing_phase.has_failed()
    }

    /// Why the platform will make no post of it. Its words are for people at the platform; its code is for ours.
    pub(super) fn refusal(&self) -> Failure {
        let code = self.processing_phase.error_code();
        let code = code.or_else(|| self.publishing_phase.error_code());
        Failure::ContentRejected {
            code: code.map_or_else(|| "video_error".to_owned(), |code| code.to_string()),
        }
    }
}

#[cfg(test)]
#[path = "video_status_test.rs"]
mod tests;
