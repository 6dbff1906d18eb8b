//! Opening the store that the configuration names.

use std::{path::Path, sync::Arc};

use object_store::{ObjectStore, local::LocalFileSystem};
use url::Url;

use super::{LinkKeys, MediaError, MediaStore};
use crate::config::MediaConfig;

impl MediaStore {
    /// Opens the bucket or the folder that the configuration names, else the folder `fallback` where there is one.
    pub fn open(
        config: &MediaConfig,
        fallback: Option<&Path>,
        keys: LinkKeys,
    ) -> Result<Self, MediaError> {
        let objects = match (&config.s3_bucket, config.folder.as_deref().or(fallback)) {
            (Some(bucket), _) => bucket_of(config, bucket)?,
            (None, Some(path)) => folder(path)?,
            (None, None) => return Ok(Self::nowhere()),
        };
        let url = config.public_url.as_deref().map(Url::parse).transpose();
        let url = url.map_err(|_| MediaError::PublicUrl)?;
        Ok(Self::over(objects, config.max_bytes).with_links(url, keys))
    }
}

fn folder(folder: &Path) -> Result<Arc<dyn ObjectStore>, MediaError> {
    std::fs::create_dir_all(folder).map_err(|source| MediaError::Folder {
        folder: folder.display().to_string(),
        source,
    })?;
    // A file that a post counts on must outlive a power cut.
    Ok(Arc::new(
        LocalFileSystem::new_with_prefix(folder)?.with_fsync(true),
    ))
}

/// Credentials come from the variables that every S3 client knows: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// a web identity, or the machine's role.
#[cfg(feature = "aws")]
fn bucket_of(config: &MediaConfig, bucket: &str) -> Result<Arc<dyn ObjectStore>, MediaError> {
    bucket_by(
        object_store::aws::AmazonS3Builder::from_env(),
        config,
        bucket,
    )
}

#[cfg(feature = "aws")]
fn bucket_by(
    builder: object_store::aws::AmazonS3Builder,
    config: &MediaConfig,
    bucket: &str,
) -> Result<Arc<dyn ObjectStore>, MediaError> {
    use std::time::Duration;

    use object_store::{RetryConfig, prefix::PrefixStore};
    // A job that waits for a bucket ends and comes back; it does not wait for minutes.
    let retry = RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
        ..RetryConfig::default()
    };
    let mut builder = builder.with_bucket_name(bucket).with_retry(retry);
    if let Some(region) = &config.s3_region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &config.s3_endpoint {
        builder = builder
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http://"));
    }
    let s3 = builder.build()?;
    Ok(match config.s3_prefix.as_deref() {
        Some(prefix) => Arc::new(PrefixStore::new(s3, prefix)),
        None => Arc::new(s3),
    })
}

#[cfg(not(feature = "aws"))]
fn bucket_of(_: &MediaConfig, _: &str) -> Result<Arc<dyn ObjectStore>, MediaError> {
    Err(MediaError::NoS3)
}

#[cfg(all(test, feature = "aws"))]
mod tests;
