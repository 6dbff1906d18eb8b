//! What the platforms do to us. Where it strikes is decided by the run's seed, per account and call.

use std::collections::BTreeMap;

use mooring_domain::{Platform, platform::Lookup, platform::PublishKey};
use mooring_simulator::{
    Admin, Fault, FaultKind, Limits, Platform as Site, facebook::MediaRules,
    instagram::MetaSettings, linkedin::LinkedInSettings, mastodon::MastodonSettings,
    tiktok::TikTokSettings, x::XSettings,
};
use serde_json::{Value, json};

use super::{
    accounts::Place,
    lab::{CALL_MS, Lab},
};

/// A kind of misfortune of publishes: its name in the report, its chance for each call, and whether we are left not
/// knowing what became of the post.
struct Misfortune {
    name: &'static str,
    kind: FaultKind,
    chance: f64,
    leaves_unknown: bool,
}

/// What struck how often, by way in and kind.
pub(super) type Struck = BTreeMap<(Platform, &'static str), u64>;

/// The rules in force: whose, and of which kind.
pub(super) struct Rules(BTreeMap<u64, (Platform, &'static str)>);

/// In small runs each kind strikes about so many times, whatever its chance.
const AT_LEAST: f64 = 12.0;

/// Calls of the Facebook app in an hour, for each post of a way in.
const APP_CALLS: u64 = 5;

/// The kind of refusal that is scripted.
const REFUSED: &str = "refused_content";

fn misfortunes() -> Vec<Misfortune> {
    let one = |name, kind, chance, leaves_unknown| Misfortune {
        name,
        kind,
        chance,
        leaves_unknown,
    };
    vec![
        // Five in a hundred are taken and never answered: in three the connection breaks, in two nothing comes.
        one("accepted_then_cut", FaultKind::LostAnswer, 0.03, true),
        one(
            "accepted_then_timed_out",
            FaultKind::LatencyMs {
                ms: CALL_MS + 1_500,
            },
            0.02,
            true,
        ),
        one("error_although_created", although_created(), 0.005, true),
        one("request_dropped", FaultKind::DroppedRequest, 0.01, true),
        one("server_error", status(503), 0.02, true),
        one("garbage", FaultKind::Garbage, 0.005, true),
        one(
            "rate_limited",
            FaultKind::RateLimited { reset_s: 30 },
            0.03,
            false,
        ),
        one("slow", FaultKind::LatencyMs { ms: 300 }, 0.1, false),
        one(
            "late_effect",
            FaultKind::LateEffectMs { ms: 1_200 },
            0.02,
            false,
        ),
    ]
}

/// A refusal that no platform documents, as a gateway in between may give it.
fn although_created() -> FaultKind {
    FaultKind::ErrorAlthoughCreated {
        code: Some(409),
        body: Some(json!({ "status": 409, "reason": "something went wrong" })),
    }
}

fn status(code: u16) -> FaultKind {
    FaultKind::Status { code, body: None }
}

/// The simulator's name for the platform behind a way in.
fn site(platform: Platform) -> Site {
    match platform {
        Platform::Facebook | Platform::InstagramFacebook => Site::Facebook,
        Platform::Instagram => Site::Instagram,
        Platform::Threads => Site::Threads,
        Platform::LinkedIn | Platform::LinkedInPage => Site::LinkedIn,
        Platform::X => Site::X,
        Platform::TikTok => Site::TikTok,
        Platform::YouTube => Site::YouTube,
        Platform::Bluesky | Platform::BlueskyOAuth => Site::Bluesky,
        Platform::Mastodon => Site::Mastodon,
        Platform::Telegram => Site::Telegram,
    }
}

/// How the platforms are set: they work on what they took for a while, they list it late, they count the calls of an
/// app, and none of them hides a double from us.
pub(super) fn set_rules(admin: &Admin, publishes: usize) {
    let each = (publishes / Platform::ALL.len()) as u64;
    admin.set_limits(Limits {
        // All pages and Instagram accounts of the app together: they meet it before the last post is out.
        facebook_app_calls_per_hour: Some(each * APP_CALLS),
        facebook_duplicate_guard: false,
        ..Limits::default()
    });
    admin.set_facebook_media_rules(MediaRules {
        processing_ms: 20_000,
        ..MediaRules::default()
    });
    for meta in [admin.instagram(), admin.threads()] {
        meta.set_settings(MetaSettings {
            image_ms: 15_000,
            video_ms: 30_000,
            ..meta.settings()
        });
    }
    admin.set_linkedin_settings(LinkedInSettings {
        duplicate_guard: false,
        index_lag_ms: 30_000,
        member_calls_per_day: Some(1_000),
        ..admin.linkedin_settings()
    });
    admin.set_x_settings(XSettings {
        duplicate_guard: false,
        timeline_delay_ms: 10_000,
        ..admin.x_settings()
    });
    admin.set_tiktok_settings(TikTokSettings {
        processing_ms: 20_000,
        moderation_ms: 20_000,
        ..admin.tiktok_settings()
    });
    admin.set_mastodon_settings(MastodonSettings {
        processing_ms: 10_000,
        ..admin.mastodon_settings()
    });
    admin.set_youtube_processing(30_000);
    admin.set_youtube_duplicate_guard(false);
}

/// From now on it happens.
pub(super) fn stir(lab: &Lab) -> Rules {
    let admin = lab.sim.admin();
    let mut rules = BTreeMap::new();
    let mut add = |fault: Fault, platform, name| {
        let id = admin.add_fault(fault).expect("a fault");
        rules.insert(id, (platform, name));
    };
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let floor = AT_LEAST / lab.size.publishes as f64;
    for place in &lab.places {
        let (platform, account) = (place.platform, &place.remote_id);
        let site = site(platform);
        if place.refusing {
            add(refusal(place).account(account), platform, REFUSED);
            continue;
        }
        for one in misfortunes() {
            let fault = Fault::new(site, "publish", one.kind).account(account);
            add(fault.probability(one.chance.max(floor)), platform, one.name);
        }
    }
    // The calls around a publish fail, too; those are not told by account.
    for platform in Platform::ALL {
        for (operation, name, kind, chance) in [
            ("find", "look_failed", status(503), 0.03),
            ("read_back", "look_failed", status(500), 0.03),
            ("refresh", "refresh_failed", status(502), 0.02),
            // Calls that name no account meet the limit of the app.
            (
                "check",
                "rate_limited",
                FaultKind::RateLimited { reset_s: 30 },
                0.02,
            ),
        ] {
            let fault = Fault::new(site(platform), operation, kind).probability(chance);
            // Some platforms have no such call.
            if let Ok(id) = admin.add_fault(fault) {
                rules.insert(id, (platform, name));
            }
        }
    }
    Rules(rules)
}

/// The platforms recover; what they refuse they refuse for good. Returns what struck.
pub(super) fn calm(lab: &Lab, rules: &Rules) -> Struck {
    let admin = lab.sim.admin();
    let mut struck = Struck::new();
    for rule in admin.faults().faults {
        let Some((platform, name)) = rules.0.get(&rule.id) else {
            continue;
        };
        *struck.entry((*platform, name)).or_default() += rule.hits;
        if *name != REFUSED {
            admin.remove_fault(rule.id).expect("it is in force");
        }
    }
    struck
}

/// How often a publish of this way in was left without anybody knowing its end.
pub(super) fn unknowns(struck: &Struck, platform: Platform) -> u64 {
    let names = misfortunes().into_iter().filter(|one| one.leaves_unknown);
    names
        .filter_map(|one| struck.get(&(platform, one.name)))
        .sum()
}

/// Every kind that must have struck.
pub(super) fn kinds() -> Vec<&'static str> {
    let publishes = misfortunes().into_iter().map(|one| one.name);
    publishes.chain([REFUSED, "look_failed"]).collect()
}

/// Whether a publish whose answer was lost may end unconfirmed there.
pub(super) fn may_end_unconfirmed(platform: Platform) -> bool {
    let row = platform.capabilities();
    row.publish_key == PublishKey::Nothing && row.lookup == Lookup::Nothing
}

/// The platform refuses the post for its content, in its own words.
fn refusal(place: &Place) -> Fault {
    let (operation, code, body) = words(place.platform);
    let body = Some(body);
    Fault::new(
        site(place.platform),
        operation,
        FaultKind::Status { code, body },
    )
}

fn words(platform: Platform) -> (&'static str, u16, Value) {
    let graph = |code: i64, subcode: Option<i64>, message: &str| {
        json!({ "error": { "message": message, "type": "OAuthException", "code": code,
            "error_subcode": subcode, "is_transient": false, "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW" } })
    };
    match platform {
        Platform::Facebook => {
            let text = "(#100) The status you are trying to publish is too long";
            let mut body = graph(100, None, text);
            body["error"]["error_user_title"] = "Post Could Not Be Published".into();
            ("publish", 400, body)
        }
        Platform::Instagram | Platform::InstagramFacebook => {
            let text = "The caption was too long";
            ("publish", 400, graph(36_004, Some(2_207_010), text))
        }
        Platform::Threads => {
            let text = "The number of links in a post is limited to 5.";
            ("publish", 400, graph(100, Some(4_279_051), text))
        }
        Platform::LinkedIn | Platform::LinkedInPage => {
            let body =
                json!({ "status": 422, "code": "UNPROCESSABLE_ENTITY", "message": "refused" });
            ("publish", 422, body)
        }
        Platform::X => {
            let body = json!({ "title": "Forbidden", "type": "about:blank", "status": 403,
                "detail": "You are not permitted to perform this action." });
            ("publish", 403, body)
        }
        Platform::TikTok => {
            let error = json!({ "code": "spam_risk_text", "message": "refused", "log_id": "1" });
            (
                "video_init_upload",
                403,
                json!({ "data": {}, "error": error }),
            )
        }
        Platform::YouTube => {
            let reason =
                json!({ "message": "m", "domain": "youtube.video", "reason": "invalidTitle" });
            let error = json!({ "code": 400, "message": "m", "errors": [reason] });
            ("upload_start", 400, json!({ "error": error }))
        }
        Platform::Bluesky | Platform::BlueskyOAuth => {
            let text = "Invalid app.bsky.feed.post record: grapheme too big (maximum 300, got 301) at $.record.text";
            (
                "publish",
                400,
                json!({ "error": "InvalidRequest", "message": text }),
            )
        }
        Platform::Mastodon => {
            let text = "Validation failed: Text character limit of 500 exceeded";
            ("publish", 422, json!({ "error": text }))
        }
        Platform::Telegram => {
            let text = "Bad Request: message is too long";
            (
                "publish",
                400,
                json!({ "ok": false, "error_code": 400, "description": text }),
            )
        }
    }
}
