//! Cases about images, videos and every kind of post: steps before the one that publishes, processing, lost steps.

use std::time::Duration;

use mooring_domain::{
    Failure,
    platform::{FormatRow, Prepares},
    post::{MediaKind, Seen},
    time::minutes,
};
use mooring_providers::Draft;
use mooring_simulator::FaultKind;

use crate::{
    arena::{Arena, Passed, Verdict, holds, same, works},
    media,
};

/// Every kind of post with the least and the most media that the platform takes.
pub(crate) async fn every_format(arena: &Arena) -> Verdict {
    let platform = arena.scene.platform();
    let mut made = 0;
    for row in platform.capabilities().formats {
        for (images, videos) in mixtures(row) {
            let text = format!("{} with {images} images and {videos} videos", row.format);
            // Each of another moment: where keys are ours, one moment is one key.
            arena.advance(Duration::from_secs(1));
            let draft = with_media(arena, &text, row, images, videos);
            if let Err(refused) = platform.check_content(&draft.content) {
                return Err(format!("{text}: the table refuses it: {refused}"));
            }
            let draft = works(&format!("{text}: prepare"), arena.ready(draft).await)?;
            let sent = works(&text, arena.publish(&draft).await)?;
            made += 1;
            same(&format!("{text}: posts made"), &arena.made(), &made)?;
            let access = arena.scene.access();
            let seen = arena.provider.read_back(&access, &sent.remote_id).await;
            let seen = works(&format!("{text}: read back"), seen)?;
            let there = match &seen {
                Seen::Live { .. } => true,
                Seen::Unverifiable => !platform.capabilities().reads_back,
                Seen::Gone => false,
            };
            holds(&format!("{text}: read back"), there, &seen)?;
        }
    }
    if made == 0 {
        return Ok(Passed::Cannot("the platform takes no media"));
    }
    Ok(Passed::Yes)
}

/// A step before the one that publishes whose answer is lost is done again, and nobody sees two posts.
pub(crate) async fn lost_steps(arena: &Arena) -> Verdict {
    let Some(draft) = prepared_kind(arena) else {
        return Ok(Passed::Cannot(
            "posts need no steps before the one that publishes",
        ));
    };
    for kind in [
        FaultKind::LostAnswer,
        FaultKind::DroppedRequest,
        FaultKind::Garbage,
    ] {
        let mut draft = draft.clone();
        draft.content.text = format!("in steps, with {kind:?}");
        draft.reference = arena.provider.reference(arena.now(), 7);
        draft.created_at = arena.now();
        draft.send_by = arena.now() + minutes(1);
        let before = arena.made();
        // A post of its own, or the ledger would call the next one a double.
        let mut draft = Draft {
            reference: arena.provider.reference(arena.now(), 7),
            created_at: arena.now(),
            send_by: arena.now() + minutes(1),
            ..draft.clone()
        };
        draft.content.text = format!("in steps, {}", kind.as_str());
        arena.fault("upload", kind.clone(), 1);
        let first = arena.ready(draft.clone()).await;
        let transient = first.as_ref().err().is_none_or(Failure::is_transient);
        holds(&format!("a step with {kind:?}"), transient, &first)?;
        same("posts made by steps", &arena.made(), &before)?;
        let mut ready = works("the steps again", arena.ready(draft.clone()).await)?;
        ready.send_by = arena.now() + minutes(1);
        works("publish", arena.publish(&ready).await)?;
        same("posts made", &arena.made(), &(before + 1))?;
        // Three rounds, within an hour: the shortest life of an access token.
        arena.advance(Duration::from_mins(15));
    }
    Ok(Passed::Yes)
}

/// Publishing what the platform is still working on fails without a post, or waits for it.
pub(crate) async fn still_processing(arena: &Arena) -> Verdict {
    let Some(mut draft) = prepared_kind(arena) else {
        return Ok(Passed::Cannot(
            "posts need no steps before the one that publishes",
        ));
    };
    let access = arena.scene.access();
    let mut steps = 0;
    let mut so_far = None;
    loop {
        use mooring_domain::post::Prepared;
        steps += 1;
        same("posts made by steps", &arena.made(), &0)?;
        let step = arena
            .provider
            .prepare(&access, &draft, so_far.as_ref())
            .await;
        match works("a step", step)? {
            Prepared::Ready(state) => {
                draft.prepared = Some(state);
                break;
            }
            Prepared::Pending { state, again } => {
                so_far = Some(state);
                arena.advance(again.to_std().unwrap_or_default());
            }
        }
        holds("the number of steps", steps < 60, &steps)?;
    }
    draft.send_by = arena.now() + minutes(1);
    works("publish", arena.publish(&draft).await)?;
    same("posts made", &arena.made(), &1)?;
    Ok(Passed::Yes)
}

/// A file that the platform cannot use ends as refused content, without a post.
pub(crate) async fn bad_file(arena: &Arena) -> Verdict {
    let Some(draft) = prepared_kind(arena) else {
        return Ok(Passed::Cannot(
            "posts need no steps before the one that publishes",
        ));
    };
    if let Err(why) = arena.scene.spoil_media() {
        return Ok(Passed::Cannot(why));
    }
    let sent = arena.publish(&draft).await;
    let refused = matches!(sent, Err(Failure::ContentRejected { .. }));
    holds("publish", refused, &sent)?;
    same("posts made", &arena.made(), &0)?;
    Ok(Passed::Yes)
}

/// A draft whose post needs steps.
fn prepared_kind(arena: &Arena) -> Option<Draft> {
    let row = arena.scene.platform().capabilities();
    let format = &row.formats[0];
    match row.prepares {
        Prepares::Never => None,
        Prepares::Always => Some(arena.usual("in steps")),
        Prepares::Media if format.images.max > 0 => {
            Some(with_media(arena, "in steps", format, 1, 0))
        }
        Prepares::Media => Some(with_media(arena, "in steps", format, 0, 1)),
    }
}

/// The least and the most of each kind of media, and a mixture where there may be one.
fn mixtures(row: &FormatRow) -> Vec<(u8, u8)> {
    let mut found = Vec::new();
    if row.images.max > 0 {
        found.push((row.images.min.max(1), 0));
        found.push((row.images.max.min(row.media_max), 0));
    }
    if row.videos.max > 0 {
        found.push((0, row.videos.min.max(1)));
    }
    if row.mixed {
        found.push((1, 1));
    }
    found.retain(|(images, videos)| row.images.holds(*images) && row.videos.holds(*videos));
    found.dedup();
    found
}

fn with_media(arena: &Arena, text: &str, row: &FormatRow, images: u8, videos: u8) -> Draft {
    let mut draft = arena.draft(text);
    draft.content.format = row.format;
    let of = |kind, count: u8| (0..count).map(move |number| media::of_row(row, kind, number));
    draft.media = of(MediaKind::Image, images)
        .chain(of(MediaKind::Video, videos))
        .collect();
    draft.content.media = draft.media.iter().map(|one| one.media.clone()).collect();
    draft
}
