//! What can go wrong with files.

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The bytes are no image or video that any platform takes.
    #[error(transparent)]
    NotMedia(#[from] NotMedia),
    /// It is longer than allowed.
    #[error("the file is longer than {max_bytes} bytes; make it smaller, or raise media.max_bytes")]
    TooLarge {
        /// The configured cap.
        max_bytes: u64,
    },
    /// Nothing says where files go.
    #[error(
        "no place for media is configured; set media.s3_bucket, or media.folder to a folder that gateway and workers share"
    )]
    Nowhere,
    /// There is no such file.
    #[error(
        "the file is not in the media store; check that every process uses the same store, and add it again"
    )]
    Missing,
    /// The bytes could not be read to their end.
    #[error("the file could not be read to its end; try again")]
    Source(#[source] std::io::Error),
    /// The folder or bucket does not do its work.
    #[error("the media store cannot be used; check media.folder or the bucket and its credentials")]
    Store(#[source] object_store::Error),
    /// The folder cannot be made.
    #[error("media.folder: cannot make {folder}; check its path and permissions")]
    Folder {
        /// Which.
        folder: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The program was built without the part that speaks S3.
    #[error(
        "media.s3_bucket: this program was built without S3; build it with the feature s3, or use media.folder"
    )]
    NoS3,
    /// The public address is none.
    #[error("media.public_url: is no http or https address; write it as https://host")]
    PublicUrl,
}

impl From<object_store::Error> for MediaError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            error => Self::Store(error),
        }
    }
}

/// Why bytes are no image or video.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMedia {
    /// There are none.
    #[error("the file is empty; choose another")]
    Empty,
    /// Nothing that is known.
    #[error(
        "the file is no JPEG, PNG, GIF, WebP, MP4 or MOV (its content decides, not its name); convert it"
    )]
    UnknownType,
    /// Apple's and AOM's still images.
    #[error(
        "the file is a HEIC or AVIF image, which the platforms do not take; convert it to JPEG"
    )]
    Heif,
    /// It begins as a known type and goes on as something else.
    #[error("the {file_type} file is damaged: {problem}; export it again")]
    Damaged {
        /// What it begins as.
        file_type: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}
