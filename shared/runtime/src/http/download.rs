//! Fetching a file from an address that a person gave: the one call that follows redirects, a few of them, each
//! judged as the first.

use std::time::{Duration, Instant};

use ::http::{Method, StatusCode, header};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use tracing::Instrument;
use url::Url;

use super::{Call, Http, HttpError, answer_lost, record, span};

/// Redirects that are followed. Links that people share need one or two.
const REDIRECTS: usize = 5;
/// Label of spans and metrics.
const OPERATION: &str = "media download";

/// A file on its way.
pub struct Download {
    /// Its length, where the server says it.
    pub length: Option<u64>,
    answer: reqwest::Response,
}

impl Download {
    /// Its bytes. The time for the whole download runs on while they come.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, std::io::Error>> {
        let pieces = self.answer.bytes_stream().map_err(answer_lost);
        pieces.map_err(std::io::Error::other).boxed()
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Why a file cannot be fetched. No text contains the address: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The call failed, or was refused before it was made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server does not give the file.
    #[error(
        "the server answers with status {0} instead of the file; check the address and that it is public"
    )]
    Status(u16),
    /// One redirect leads to the next.
    #[error("the address redirects more than {REDIRECTS} times; give the address that it ends at")]
    TooManyRedirects,
    /// A redirect that leads nowhere, or from https to http.
    #[error(
        "the address redirects to nowhere, or away from https; give the address of the file itself"
    )]
    BadRedirect,
    /// Name and password belong in no address that is kept in logs of other people's servers.
    #[error("the address holds a user name or password; use one that needs neither")]
    Credentials,
}

impl Http {
    /// Fetches a file. Private addresses are refused, at the first address and at every redirect.
    ///
    /// # Errors
    /// See [`DownloadError`].
    pub async fn download(&self, url: Url, timeout: Duration) -> Result<Download, DownloadError> {
        let mut url = url;
        for _ in 0..=REDIRECTS {
            if !url.username().is_empty() || url.password().is_some() {
                return Err(DownloadError::Credentials);
            }
            let call = Call::new("media", OPERATION, Method::GET, url.clone()).timeout(timeout);
            let answer = self.first_bytes(call).await?;
            match answer.status() {
                StatusCode::OK => {
                    return Ok(Download {
                        length: answer.content_length(),
                        answer,
                    });
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let to = answer.headers().get(header::LOCATION);
                    url = next(&url, to.and_then(|to| to.to_str().ok()))?;
                }
                other => return Err(DownloadError::Status(other.as_u16())),
            }
        }
        Err(DownloadError::TooManyRedirects)
    }

    /// One call up to the head of its answer, told like every other.
    async fn first_bytes(&self, call: Call) -> Result<reqwest::Response, HttpError> {
        let (span, started) = (span(&call), Instant::now());
        let (provider, operation) = (call.provider, call.operation);
        let outcome = self.answered(call).instrument(span.clone()).await;
        let status = outcome.as_ref().ok().map(reqwest::Response::status);
        let error_type = match &outcome {
            Ok(answer) if answer.status().as_u16() < 400 => "",
            Ok(_) => "http_status",
            Err(error) => error.kind(),
        };
        span.in_scope(|| {
            record(&span, status, error_type);
            self.metrics.provider_call(
                provider,
                operation,
                status.map(|status| status.as_u16()),
                error_type,
                started.elapsed(),
            );
        });
        outcome
    }
}

/// Where a redirect leads.
pub(super) fn next(from: &Url, location: Option<&str>) -> Result<Url, DownloadError> {
    let to = location.and_then(|to| from.join(to).ok());
    let to = to.ok_or(DownloadError::BadRedirect)?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(DownloadError::BadRedirect);
    }
    Ok(to)
}
