//! What a post says, as its row has it: the words that are everywhere, and what is said on one connection.

use mooring_domain::{
    ConnectionId,
    post::{Content, Overrides},
};

use crate::{
    StoreError,
    entity::{post, target},
    jobs::platform_of,
};

/// What the post says where nothing else is said.
pub(crate) fn content_of(row: &post::Model) -> Result<Content, StoreError> {
    serde_json::from_value(row.content.clone())
        .map_err(|error| StoreError::corrupt("posts", row.id, format!("content: {error}")))
}

/// What it says otherwise somewhere.
pub(crate) fn overrides_of(row: &post::Model) -> Result<Overrides, StoreError> {
    let read = row.overrides.clone().map(serde_json::from_value);
    let read = read
        .transpose()
        .map_err(|error| StoreError::corrupt("posts", row.id, format!("overrides: {error}")))?;
    Ok(read.unwrap_or_default())
}

/// What the post says on a target's connection.
pub(crate) fn content_for(row: &post::Model, on: &target::Model) -> Result<Content, StoreError> {
    let content = content_of(row)?;
    if row.overrides.is_none() {
        return Ok(content);
    }
    let platform = platform_of("post_targets", on.id, &on.platform)?;
    let connection = ConnectionId::from_uuid(on.connection_id);
    Ok(overrides_of(row)?.resolve(&content, platform, connection))
}
