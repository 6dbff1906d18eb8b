//! Cases about posts: sending, finding, reading back, deleting, and every way to lose an answer.

use std::time::Duration;

use mooring_domain::{
    Failure,
    failure::RateScope,
    platform::{Lookup, PublishKey},
    post::{Content, Finding, Seen, text_digest},
    time::minutes,
};
use mooring_simulator::FaultKind;

use crate::arena::{Arena, Passed, Verdict, holds, same, works};

pub(crate) async fn round_trip(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    let mut draft = arena.usual("Grüße, 日本 👨‍👩‍👧 https://example.com/a?b=c&d=e.");
    if arena.scene.platform().capabilities().takes_links && draft.media.is_empty() {
        draft.content.link = Some("https://example.com/article".to_owned());
    }
    let draft = works("prepare", arena.ready(draft).await)?;
    let accepted = works("publish", arena.publish(&draft).await)?;
    holds(
        "the permalink",
        accepted
            .permalink
            .as_deref()
            .is_some_and(|url| url.starts_with("https://")),
        &accepted,
    )?;
    same("posts made", &arena.made(), &1)?;

    arena.settle();
    let found = works(
        "find",
        arena.provider.find(&access, &arena.lost(&draft)).await,
    )?;
    let there = arena.findable(Finding::Found(accepted.clone()));
    same("find", &found, &there)?;
    let seen = works(
        "read back",
        arena.provider.read_back(&access, &accepted.remote_id).await,
    )?;
    let live = Seen::Live {
        permalink: accepted.permalink.clone(),
        digest: Some(draft.content.digest()),
    };
    same("read back", &seen, &arena.readable(live))?;

    if arena.scene.platform().capabilities().deletes {
        works(
            "delete",
            arena.provider.delete(&access, &accepted.remote_id).await,
        )?;
        works(
            "delete again",
            arena.provider.delete(&access, &accepted.remote_id).await,
        )?;
    } else {
        let refused = arena.provider.delete(&access, &accepted.remote_id).await;
        holds("delete", refused.is_err(), &refused)?;
        arena
            .ground
            .delete_post(&*arena.scene, &accepted.remote_id)?;
    }
    let seen = works(
        "read back",
        arena.provider.read_back(&access, &accepted.remote_id).await,
    )?;
    let gone = arena.readable(Seen::Gone);
    same("read back after the deletion", &seen, &gone)?;
    let found = works(
        "find",
        arena.provider.find(&access, &arena.lost(&draft)).await,
    )?;
    // Where the platform told us what became of the order, its deletion is no reason to send it again.
    let told = arena.scene.platform().capabilities().lookup == Lookup::Handle;
    let absent = found == arena.findable(Finding::Absent);
    holds(
        "find after the deletion",
        absent || told && !matches!(found, Finding::Found(_)),
        &found,
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn repeated_with_its_key(arena: &Arena) -> Verdict {
    if arena.scene.platform().capabilities().publish_key == PublishKey::Nothing {
        return Ok(Passed::Cannot(
            "the platform takes no key of ours: nothing is ever repeated before a look",
        ));
    }
    let draft = arena.usual("once in effect");
    let first = works("publish", arena.publish(&draft).await)?;
    arena.advance(Duration::from_secs(30));
    let second = works("publish again", arena.publish(&draft).await)?;
    same("both answers", &first, &second)?;
    same("posts made", &arena.made(), &1)?;
    Ok(Passed::Yes)
}

pub(crate) async fn another_attempts_post_is_not_ours(arena: &Arena) -> Verdict {
    let access = arena.scene.access();
    let first = works("prepare", arena.ready(arena.usual("the same words")).await)?;
    let accepted = works("publish", arena.publish(&first).await)?;
    arena.advance(Duration::from_secs(5));
    let second = works("prepare", arena.ready(arena.usual("the same words")).await)?;
    let mut lost = arena.lost(&second);
    lost.owned.push(accepted.remote_id);
    let found = works("find", arena.provider.find(&access, &lost).await)?;
    same("find", &found, &arena.findable(Finding::Absent))?;
    Ok(Passed::Yes)
}

pub(crate) async fn too_long(arena: &Arena) -> Verdict {
    let sent = arena.publish(&arena.usual(&arena.scene.too_long())).await;
    holds(
        "publish",
        matches!(sent, Err(Failure::ContentRejected { .. })),
        &sent,
    )?;
    same("posts made", &arena.made(), &0)?;
    Ok(Passed::Yes)
}

pub(crate) async fn duplicate(arena: &Arena) -> Verdict {
    if arena.scene.platform().capabilities().publish_key == PublishKey::Ours {
        return Ok(Passed::Cannot(
            "the platform takes the same text twice, under two keys",
        ));
    }
    if let Err(why) = arena.scene.refuse_twins() {
        return Ok(Passed::Cannot(why));
    }
    works("publish", arena.publish(&arena.usual("twice")).await)?;
    let sent = arena.publish(&arena.usual("twice")).await;
    same("publish again", &sent, &Err(Failure::DuplicateContent))?;
    Ok(Passed::Yes)
}

pub(crate) async fn rate_limited(arena: &Arena) -> Verdict {
    arena.fault("publish", FaultKind::RateLimited { reset_s: 600 }, 1);
    let sent = arena.publish(&arena.usual("too much")).await;
    let Err(Failure::RateLimited { until, .. }) = sent else {
        return Err(format!("publish: got {sent:?}"));
    };
    same("posts made", &arena.made(), &0)?;
    if let Err(why) = arena.scene.tells_reset() {
        return Ok(Passed::Cannot(why));
    }
    let told = arena.ground.limited_until(&*arena.scene, minutes(10));
    same("until", &until, &Some(told))?;
    Ok(Passed::Yes)
}

pub(crate) async fn rate_scopes(arena: &Arena) -> Verdict {
    if let Err(why) = arena.ground.one_more(&*arena.scene, RateScope::Account) {
        return Ok(Passed::Cannot(why));
    }
    works(
        "the last one within the account's limit",
        arena.publish(&arena.usual("one")).await,
    )?;
    arena.advance(Duration::from_secs(1));
    let sent = arena.publish(&arena.usual("two")).await;
    let account = matches!(
        sent,
        Err(Failure::RateLimited {
            scope: RateScope::Account,
            ..
        })
    );
    holds("over the account's limit", account, &sent)?;

    if let Err(why) = arena.ground.one_more(&*arena.scene, RateScope::App) {
        return Ok(Passed::Cannot(why));
    }
    arena.advance(Duration::from_secs(1));
    works(
        "the last one within everybody's limit",
        arena.publish(&arena.usual("three")).await,
    )?;
    arena.advance(Duration::from_secs(1));
    let sent = arena.publish(&arena.usual("four")).await;
    let shared = matches!(
        sent,
        Err(Failure::RateLimited {
            scope: RateScope::App | RateScope::Provider,
            ..
        })
    );
    holds("over everybody's limit", shared, &sent)?;
    Ok(Passed::Yes)
}

pub(crate) async fn deleted_at_the_platform(arena: &Arena) -> Verdict {
    let accepted = works("publish", arena.publish(&arena.usual("soon gone")).await)?;
    arena
        .ground
        .delete_post(&*arena.scene, &accepted.remote_id)?;
    let seen = works(
        "read back",
        arena
            .provider
            .read_back(&arena.scene.access(), &accepted.remote_id)
            .await,
    )?;
    same("read back", &seen, &arena.readable(Seen::Gone))?;
    Ok(Passed::Yes)
}

pub(crate) async fn edited_at_the_platform(arena: &Arena) -> Verdict {
    let draft = works("prepare", arena.ready(arena.usual("as sent")).await)?;
    let accepted = works("publish", arena.publish(&draft).await)?;
    arena
        .ground
        .edit_post(&*arena.scene, &accepted.remote_id, "as edited")?;
    let seen = works(
        "read back",
        arena
            .provider
            .read_back(&arena.scene.access(), &accepted.remote_id)
            .await,
    )?;
    if !arena.scene.platform().capabilities().reads_back {
        return Ok(Passed::Cannot(
            "the platform does not let us read posts back",
        ));
    }
    let Seen::Live { digest, .. } = seen else {
        return Err(format!("read back: got {seen:?}"));
    };
    same(
        "the text's fingerprint",
        &digest,
        &Some(text_digest("as edited")),
    )?;
    arena.settle();
    let found = works(
        "find",
        arena
            .provider
            .find(&arena.scene.access(), &arena.lost(&draft))
            .await,
    )?;
    // Where the text does not tell a post, another text hides none.
    let told = arena.scene.platform().capabilities().lookup == Lookup::Handle;
    holds(
        "another text is not found as ours",
        told || !matches!(found, Finding::Found(_)),
        &found,
    )?;
    Ok(Passed::Yes)
}

pub(crate) async fn only_a_link(arena: &Arena) -> Verdict {
    let row = arena.scene.platform().capabilities();
    if !row.takes_links || !row.formats[0].text_only {
        return Ok(Passed::Cannot("the platform has no posts of only a link"));
    }
    let mut draft = arena.draft("");
    draft.content = Content {
        text: String::new(),
        link: Some("https://example.com/only".to_owned()),
        ..Content::default()
    };
    let sent = arena.publish(&draft).await;
    if matches!(sent, Err(Failure::ContentRejected { .. })) {
        same("posts made", &arena.made(), &0)?;
        return Ok(Passed::Cannot(
            "the platform takes a link only beside words",
        ));
    }
    let accepted = works("publish", sent)?;
    same("posts made", &arena.made(), &1)?;
    let seen = works(
        "read back",
        arena
            .provider
            .read_back(&arena.scene.access(), &accepted.remote_id)
            .await,
    )?;
    if !row.reads_back {
        same("read back", &seen, &Seen::Unverifiable)?;
        return Ok(Passed::Yes);
    }
    let Seen::Live { digest, .. } = seen else {
        return Err(format!("read back: got {seen:?}"));
    };
    same(
        "the text's fingerprint",
        &digest,
        &Some(draft.content.digest()),
    )?;
    Ok(Passed::Yes)
}
