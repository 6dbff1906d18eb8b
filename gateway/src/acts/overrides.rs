//! What people want a post to say otherwise somewhere: media by their ids, which become what is known about them.

use std::collections::BTreeMap;

use mooring_domain::{
    ConnectionId, MediaId, Platform, WorkspaceId,
    post::{Format, Override, Overrides},
};
use mooring_store::Store;

use super::{ActError, add_media::attached};

/// What replaces the post's own content; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct NewOverride {
    /// The text.
    pub text: Option<String>,
    /// The link; an empty one takes it away.
    pub link: Option<String>,
    /// The title; an empty one takes it away.
    pub title: Option<String>,
    /// The kind of post.
    pub format: Option<Format>,
    /// What it shows: all of it, in this order.
    pub media: Option<Vec<MediaId>>,
}

/// Everything that a post is to say otherwise somewhere.
#[derive(Debug, Clone, Default)]
pub struct NewOverrides {
    /// On platforms.
    pub platforms: BTreeMap<Platform, NewOverride>,
    /// On connections; they go over their platform's.
    pub connections: BTreeMap<ConnectionId, NewOverride>,
}

/// Looks the media up. An override for a place that the post does not go to is a slip, and refused.
pub(super) async fn overrides(
    store: &Store,
    workspace: WorkspaceId,
    told: NewOverrides,
    places: &[(ConnectionId, Platform)],
) -> Result<Overrides, ActError> {
    let mut overrides = Overrides::default();
    for (platform, one) in told.platforms {
        if !places.iter().any(|(_, known)| *known == platform) {
            return Err(nowhere(platform));
        }
        let one = looked_up(store, workspace, one).await?;
        overrides.platforms.insert(platform, one);
    }
    for (connection, one) in told.connections {
        if !places.iter().any(|(known, _)| *known == connection) {
            return Err(nowhere(connection));
        }
        let one = looked_up(store, workspace, one).await?;
        overrides.connections.insert(connection, one);
    }
    Ok(overrides)
}

fn nowhere(place: impl std::fmt::Display) -> ActError {
    let problem = format!("{place} is no place that this post goes to; leave it out");
    ActError::invalid("overrides", problem)
}

async fn looked_up(
    store: &Store,
    workspace: WorkspaceId,
    one: NewOverride,
) -> Result<Override, ActError> {
    let media = match one.media {
        Some(ids) => Some(attached(store, workspace, &ids).await?),
        None => None,
    };
    Ok(Override {
        text: one.text,
        link: one.link,
        title: one.title,
        format: one.format,
        media,
    })
}
