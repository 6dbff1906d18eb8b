//! Changing a post before it begins anywhere.

use chrono::TimeDelta;
use mooring_domain::{
    MediaId, PostId, Time, WorkspaceId, acts,
    post::{
        Content, Format, Stage,
        plan::{Due, PostEdit},
    },
};
use mooring_store::{Actor, ApplyError, PostView, Refusal, Secrets, Store};

use super::{
    ActError,
    add_media::attached,
    overrides::{NewOverrides, overrides},
    schedule_post::{check_everywhere, lateness, not_past},
};

/// How often a change is read and made anew when somebody else was quicker.
const TRIES: usize = 3;

/// What is to be changed about a post; `None` = as it is.
#[derive(Debug, Clone, Default)]
pub struct EditPost {
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
    /// What it says otherwise somewhere: all of it.
    pub overrides: Option<NewOverrides>,
    /// When it is due.
    pub due: Option<Due>,
    /// Whether it goes before all others.
    pub critical: Option<bool>,
    /// How late it may begin; `Some(None)` = as the policy says.
    pub max_lateness: Option<Option<TimeDelta>>,
    /// It may say what another post says on the same connection within a day.
    pub allow_duplicate: bool,
}

impl EditPost {
    const fn changes_base(&self) -> bool {
        self.text.is_some()
            || self.link.is_some()
            || self.title.is_some()
            || self.format.is_some()
            || self.media.is_some()
    }

    const fn is_empty(&self) -> bool {
        !self.changes_base()
            && self.overrides.is_none()
            && self.due.is_none()
            && self.critical.is_none()
            && self.max_lateness.is_none()
    }
}

/// Changes a post; refused once any of its targets has begun.
pub async fn edit_post(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    post: PostId,
    told: &EditPost,
    now: Time,
) -> Result<(), ActError> {
    if told.is_empty() {
        let problem = "says nothing; name at least one field";
        return Err(ActError::invalid("body", problem));
    }
    for _ in 1..TRIES {
        match try_edit(store, actor, workspace, post, told, now).await {
            Err(ActError::Refused(Refusal::ChangedMeanwhile { .. })) => {}
            settled => return settled,
        }
    }
    try_edit(store, actor, workspace, post, told, now).await
}

async fn try_edit(
    store: &Store,
    actor: &Actor,
    workspace: WorkspaceId,
    post: PostId,
    told: &EditPost,
    now: Time,
) -> Result<(), ActError> {
    let view = store.post_view(workspace, post).await?;
    let view = view.ok_or_else(|| Refusal::NotFound {
        what: post.to_string(),
    })?;
    let edit = edit(store, workspace, &view, told).await?;
    let late = edit.max_lateness.unwrap_or(view.max_lateness);
    if let Some(due) = edit.due {
        not_past(store, due.at, late, now)?;
    }
    let open = view
        .targets
        .iter()
        .filter(|one| one.stage == Stage::Scheduled);
    let open: Vec<_> = open
        .map(|one| (one.id, one.connection, one.platform))
        .collect();
    let waiting = (&open[..], view.critical);
    let decision = acts::edit_post(edit, waiting, view.due, store.policy(), now);
    let applied = store
        .apply_act(actor, workspace, &decision, &Secrets::default(), now)
        .await;
    applied.map_err(ApplyError::into)
}

/// The change, by what the post is now. It holds only while the post is at this revision.
async fn edit(
    store: &Store,
    workspace: WorkspaceId,
    view: &PostView,
    told: &EditPost,
) -> Result<PostEdit, ActError> {
    let places = view
        .targets
        .iter()
        .map(|one| (one.connection, one.platform));
    let places: Vec<_> = places.collect();
    let mut edit = PostEdit {
        revision: Some(view.revision),
        due: told.due,
        critical: told.critical,
        allow_duplicate: told.allow_duplicate,
        ..PostEdit::of(view.id)
    };
    if let Some(span) = told.max_lateness {
        edit.max_lateness = Some(span.map(lateness).transpose()?);
    }
    if told.changes_base() {
        edit.content = Some(content(store, workspace, &view.content, told).await?);
    }
    if let Some(new) = &told.overrides {
        edit.overrides = Some(overrides(store, workspace, new.clone(), &places).await?);
    }
    if edit.changes_content() {
        let content = edit.content.as_ref().unwrap_or(&view.content);
        let overrides = edit.overrides.as_ref().unwrap_or(&view.overrides);
        let open = view
            .targets
            .iter()
            .filter(|one| one.stage == Stage::Scheduled);
        let open: Vec<_> = open.map(|one| (one.connection, one.platform)).collect();
        check_everywhere(store, workspace, content, overrides, &open).await?;
    }
    Ok(edit)
}

async fn content(
    store: &Store,
    workspace: WorkspaceId,
    before: &Content,
    told: &EditPost,
) -> Result<Content, ActError> {
    let or_before = |told: &Option<String>, before: &Option<String>| match told {
        Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        None => before.clone(),
    };
    let media = match &told.media {
        Some(ids) => attached(store, workspace, ids).await?,
        None => before.media.clone(),
    };
    Ok(Content {
        text: told.text.clone().unwrap_or_else(|| before.text.clone()),
        link: or_before(&told.link, &before.link),
        title: or_before(&told.title, &before.title),
        format: told.format.unwrap_or(before.format),
        media,
    })
}
