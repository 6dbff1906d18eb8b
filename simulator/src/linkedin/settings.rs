//! What a test may set: delays, versions, quotas.

use serde::{Deserialize, Serialize};

/// How the simulated LinkedIn behaves. Times are milliseconds of the platforms' clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkedInSettings {
    /// From the upload of an image to `AVAILABLE`.
    pub image_processing_ms: i64,
    /// From the upload of a document to `AVAILABLE`.
    pub document_processing_ms: i64,
    /// From `finalizeUpload` of a video to `AVAILABLE`.
    pub video_processing_ms: i64,
    /// So many of the next media end in `PROCESSING_FAILED`.
    pub fail_processing: u64,
    /// Whether files that do not begin as their kind does end in `PROCESSING_FAILED`, too.
    pub sniff_media: bool,
    /// From a post's publication until the author finder lists it.
    pub index_lag_ms: i64,
    /// Oldest version that is not retired, `YYYYMM`.
    pub oldest_version: String,
    /// Newest version, `YYYYMM`.
    pub newest_version: String,
    /// Calls per member, endpoint and UTC day; `None`: not enforced. (Share on LinkedIn: 150.)
    pub member_calls_per_day: Option<u64>,
    /// Calls per app, endpoint and UTC day; `None`: not enforced. (Share on LinkedIn: 100,000.)
    pub app_calls_per_day: Option<u64>,
    /// Refreshes per app and UTC day; `None`: not enforced.
    pub refreshes_per_day: Option<u64>,
    /// Refuse what the author posted in the last ten minutes (422). Switch it off to see every
    /// double that the platform would have caught.
    pub duplicate_guard: bool,
}

impl Default for LinkedInSettings {
    /// Limits per member are on; those that a whole fleet shares are off.
    fn default() -> Self {
        Self {
            image_processing_ms: 0,
            document_processing_ms: 2_000,
            video_processing_ms: 5_000,
            fail_processing: 0,
            sniff_media: false,
            index_lag_ms: 2_000,
            oldest_version: "202512".to_owned(),
            newest_version: "202611".to_owned(),
            member_calls_per_day: Some(150),
            app_calls_per_day: None,
            refreshes_per_day: None,
            duplicate_guard: true,
        }
    }
}
