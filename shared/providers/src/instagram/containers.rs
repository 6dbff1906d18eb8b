//! The steps before the one that publishes: containers, one per post or one per part of a carousel and one around
//! them, and waiting until the platform has fetched and processed what is in them. A container that nobody
//! publishes expires after a day, so each step may be repeated.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure,
    post::{MediaKind, Prepared},
    time::seconds,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    graph::Graph,
    map,
    wire::{Container, Made, Status},
};
use crate::{
    provider::{Access, Draft},
    wire::Op,
};

/// Parts of a carousel that are made in one step; each call takes the platform about a second.
const PARTS_PER_STEP: usize = 5;
/// How often a container that failed without our fault is made anew.
const TRIES: u8 = 3;
/// Pauses while the platform works: on images and words, on videos, and after a failure.
const PAUSE: TimeDelta = seconds(5);
const VIDEO_PAUSE: TimeDelta = seconds(30);
const FAILURE_PAUSE: TimeDelta = seconds(60);

/// A pair of a form.
pub(crate) type Field = (&'static str, String);

/// Builds the form of a container, for one platform.
pub(crate) trait Forms: Sync {
    /// A post with at most one medium.
    fn single(&self, draft: &Draft) -> Result<Vec<Field>, Failure>;
    /// One part of a carousel.
    fn part(&self, draft: &Draft, index: usize) -> Result<Vec<Field>, Failure>;
    /// What is around the parts, without them.
    fn around(&self, draft: &Draft) -> Result<Vec<Field>, Failure>;
}

/// How far a preparation is, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// Containers of a carousel's parts.
    pub(crate) parts: Vec<String>,
    /// The container that will be published.
    pub(crate) container: Option<String>,
    /// How often one has failed.
    pub(crate) failed: u8,
    /// How often one that was just made could not be seen.
    pub(crate) unseen: u8,
}

impl Progress {
    pub(crate) fn read(state: Option<&Value>) -> Result<Self, Failure> {
        let Some(state) = state else {
            return Ok(Self::default());
        };
        Self::deserialize(state).map_err(|_| Failure::Contract {
            detail: "a preparation that another version wrote".to_owned(),
        })
    }

    fn write(&self) -> Result<Value, Failure> {
        serde_json::to_value(self).map_err(|_| Failure::Contract {
            detail: "a preparation that cannot be written".to_owned(),
        })
    }

    fn pending(&self, again: TimeDelta) -> Result<Prepared, Failure> {
        Ok(Prepared::Pending {
            state: self.write()?,
            again,
        })
    }

    /// Nothing of it can be used any more.
    fn anew(self, code: &str) -> Result<Prepared, Failure> {
        let failed = self.failed.saturating_add(1);
        if failed >= TRIES {
            return Err(Failure::ContentRejected {
                code: code.to_owned(),
            });
        }
        let next = Self {
            failed,
            ..Self::default()
        };
        next.pending(FAILURE_PAUSE)
    }
}

/// One step.
pub(crate) async fn step(
    graph: &Graph,
    forms: &dyn Forms,
    access: &Access,
    draft: &Draft,
    so_far: Option<&Value>,
) -> Result<Prepared, Failure> {
    let mut progress = Progress::read(so_far)?;
    let pause = if draft
        .media
        .iter()
        .any(|one| one.media.kind == MediaKind::Video)
    {
        VIDEO_PAUSE
    } else {
        PAUSE
    };
    if progress.container.is_none() && draft.media.len() > 1 {
        let first = progress.parts.len();
        let last = draft.media.len().min(first + PARTS_PER_STEP);
        for index in first..last {
            let form = forms.part(draft, index)?;
            progress.parts.push(make(graph, access, form).await?);
        }
        if last < draft.media.len() {
            return progress.pending(TimeDelta::zero());
        }
        // The platform refuses a carousel around parts that are not ready.
        for part in progress.parts.clone() {
            if let Some(prepared) = waiting(graph, access, &part, &progress, pause).await? {
                return Ok(prepared);
            }
        }
    }
    let container = if let Some(container) = progress.container.clone() {
        container
    } else {
        let form = if draft.media.len() > 1 {
            let mut form = forms.around(draft)?;
            form.push(("children", progress.parts.join(",")));
            form
        } else {
            forms.single(draft)?
        };
        make(graph, access, form).await?
    };
    progress.container = Some(container.clone());
    match waiting(graph, access, &container, &progress, pause).await? {
        Some(prepared) => Ok(prepared),
        None => Ok(Prepared::Ready(progress.write()?)),
    }
}

/// Makes a container.
async fn make(graph: &Graph, access: &Access, form: Vec<Field>) -> Result<String, Failure> {
    let edge = &graph.words.contain;
    let path = [access.remote_id.as_str(), edge.name];
    let call = graph.own_call(access, edge.template, Method::POST, &path)?;
    let made: Made = graph
        .answer(Op::Prepare, call.form(form), "container")
        .await?;
    Ok(made.id.0)
}

/// What there is to wait for; `None` when the container is ready.
async fn waiting(
    graph: &Graph,
    access: &Access,
    container: &str,
    progress: &Progress,
    pause: TimeDelta,
) -> Result<Option<Prepared>, Failure> {
    match status(graph, Op::Prepare, access, container).await {
        // A container that says it is published is a matter for whoever looks for the post.
        Ok(Status::Finished | Status::Published) => Ok(None),
        Ok(Status::InProgress) => progress.pending(pause).map(Some),
        Ok(Status::Expired) => Progress::default().pending(TimeDelta::zero()).map(Some),
        Ok(Status::Failed(code)) => match map::of_container(&code) {
            Failure::MediaProcessing => progress.clone().anew(&code).map(Some),
            failure => Err(failure),
        },
        // Just made, it may not be visible everywhere yet.
        Err(Failure::MediaProcessing) if progress.unseen < TRIES => {
            let mut later = progress.clone();
            later.unseen += 1;
            later.pending(VIDEO_PAUSE).map(Some)
        }
        Err(Failure::MediaProcessing) => progress.clone().anew("not_visible").map(Some),
        Err(failure) => Err(failure),
    }
}

/// Where a container stands.
pub(crate) async fn status(
    graph: &Graph,
    op: Op,
    access: &Access,
    container: &str,
) -> Result<Status, Failure> {
    let words = graph.words;
    let call = graph.own_call(access, words.container, Method::GET, &[container])?;
    let call = call.query("fields", words.status_fields);
    let seen: Container = graph.answer(op, call, "container").await?;
    seen.state().ok_or_else(|| Failure::Contract {
        detail: "a container in an unknown state".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_keeps_failing_ends_as_a_refusal_with_its_code() {
        let progress = Progress {
            container: Some("1".to_owned()),
            ..Progress::default()
        };
        let Ok(Prepared::Pending { state, again }) = progress.anew("2207053") else {
            panic!("a second try")
        };
        assert_eq!(again, FAILURE_PAUSE);
        let progress = Progress::read(Some(&state)).expect("a preparation");
        assert_eq!((progress.failed, progress.container.as_deref()), (1, None));
        let last = Progress {
            failed: TRIES - 1,
            ..Progress::default()
        };
        let refused = Failure::ContentRejected {
            code: "2207053".to_owned(),
        };
        assert_eq!(last.anew("2207053"), Err(refused));
    }

    #[test]
    fn a_preparation_of_another_shape_is_no_preparation() {
        assert!(Progress::read(Some(&serde_json::json!("x"))).is_err());
        assert_eq!(Progress::read(None), Ok(Progress::default()));
    }
}
