//! Acts on media, webhooks and callbacks of the simulated Facebook.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hooks::{self, Callbacks, Wish};
use super::media::MediaRules;
use super::{news, publish};
use crate::admin::http::{Answered, Body};
use crate::admin::{Admin, AdminError};
use crate::ledger::Platform;
use crate::outbox::Delivery;

/// Addresses for callbacks, from the app's dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FacebookCallbacks {
    /// Is told when a person removes the app.
    pub deauthorize_url: Option<String>,
    /// Is told when a person asks for the deletion of their data.
    pub data_deletion_url: Option<String>,
}

/// A webhook that an app asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacebookSubscription {
    /// `page` or `permissions`.
    pub object: String,
    /// Where to.
    pub callback_url: String,
    /// What the handshake carries.
    pub verify_token: String,
    /// `feed` of pages; names of permissions, and `connected`.
    pub fields: Vec<String>,
    /// The handshake was made long ago: none is sent, and news are sent at once.
    #[serde(default)]
    pub verified: bool,
}

/// What became of a request to delete a person's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataDeletion {
    /// Where the person can see how far it is.
    pub url: Option<String>,
    /// The code that the person is shown.
    pub confirmation_code: Option<String>,
    /// Why the platform shows the person an error instead; `None`: all is well.
    pub problem: Option<String>,
}

impl Admin {
    /// How the platform treats media.
    #[must_use]
    pub fn facebook_media_rules(&self) -> MediaRules {
        self.with(|w| w.facebook.media.rules.clone())
    }

    /// Sets how the platform treats media from now on.
    pub fn set_facebook_media_rules(&self, rules: MediaRules) {
        self.with(|w| w.facebook.media.rules = rules);
    }

    /// Lets the processing of the next video that is uploaded end with this message.
    pub fn fail_next_facebook_video(&self, message: &str) {
        self.with(|w| w.facebook.media.failures.push_back(message.to_owned()));
    }

    /// Whether the platform can fetch media from addresses that begin like this.
    pub fn set_facebook_reaches(&self, start: &str, reachable: bool) {
        self.with(|w| {
            let unreachable = &mut w.facebook.media.unreachable;
            if reachable {
                unreachable.remove(start);
            } else {
                unreachable.insert(start.to_owned());
            }
        });
    }

    /// Whether a page keeps its stories beyond 24 hours.
    pub fn set_facebook_story_archive(&self, page: &str, on: bool) -> Result<(), AdminError> {
        self.with(|w| {
            if !w.facebook.pages.contains_key(page) {
                return Err(AdminError::not_found("page", page));
            }
            let archives = &mut w.facebook.media.archives;
            if on {
                archives.insert(page.to_owned());
            } else {
                archives.remove(page);
            }
            Ok(())
        })
    }

    /// Sets an app's addresses for deauthorize and data deletion.
    pub fn set_facebook_callbacks(
        &self,
        app: &str,
        callbacks: FacebookCallbacks,
    ) -> Result<(), AdminError> {
        self.with(|w| {
            known_app(w.facebook.apps.contains_key(app), app)?;
            let callbacks = Callbacks {
                deauthorize: callbacks.deauthorize_url,
                data_deletion: callbacks.data_deletion_url,
            };
            w.facebook.hooks.callbacks.insert(app.to_owned(), callbacks);
            Ok(())
        })
    }

    /// Subscribes an app, as it would by itself. The handshake is sent at once, and nothing else
    /// before it was answered well.
    pub fn subscribe_facebook_app(
        &self,
        app: &str,
        wanted: &FacebookSubscription,
    ) -> Result<(), AdminError> {
        self.with(|w| {
            known_app(w.facebook.apps.contains_key(app), app)?;
            let wish = Wish {
                app,
                object: &wanted.object,
                callback_url: &wanted.callback_url,
                verify_token: &wanted.verify_token,
                fields: wanted.fields.iter().cloned().collect(),
            };
            if wanted.verified {
                hooks::trust(w, wish);
                return Ok(());
            }
            let refused = |_| AdminError::not_found("web address", &wanted.callback_url);
            hooks::shake_hands(w, wish).map_err(refused)
        })
    }

    /// Somebody writes a post on the page, without any app of ours.
    pub fn publish_facebook_post(&self, page: &str, text: &str) -> Result<(), AdminError> {
        self.with(|w| {
            if !w.facebook.pages.contains_key(page) {
                return Err(AdminError::not_found("page", page));
            }
            publish::write_by_hand(w, page, text);
            Ok(())
        })
    }

    /// Installs an app on a page for the field `feed`, as it would by itself.
    pub fn install_facebook_app(&self, app: &str, page: &str) -> Result<(), AdminError> {
        self.with(|w| {
            known_app(w.facebook.apps.contains_key(app), app)?;
            if !w.facebook.pages.contains_key(page) {
                return Err(AdminError::not_found("page", page));
            }
            let fields = std::iter::once("feed".to_owned()).collect();
            let key = (page.to_owned(), app.to_owned());
            w.facebook.hooks.installed.insert(key, fields);
            Ok(())
        })
    }

    /// A person asks all their apps to delete their data.
    pub fn request_facebook_data_deletion(&self, user: &str) -> Result<(), AdminError> {
        self.with(|w| {
            if !w.facebook.users.contains_key(user) {
                return Err(AdminError::not_found("user", user));
            }
            let mut is_sent = false;
            for app in news::apps_of(&w.facebook, user) {
                is_sent |= news::data_deletion_wanted(w, user, &app);
            }
            let nobody =
                || AdminError::not_found("app with a data deletion address for user", user);
            is_sent.then_some(()).ok_or_else(nobody)
        })
    }

    /// What was answered to requests for deletion, oldest first. Those without an answer yet are
    /// left out.
    #[must_use]
    pub fn facebook_data_deletions(&self) -> Vec<DataDeletion> {
        self.with(|w| {
            let callbacks = w.facebook.hooks.callbacks.values();
            let urls: Vec<&String> = callbacks.filter_map(|c| c.data_deletion.as_ref()).collect();
            let sent = w.outbox.all();
            let is_asked = |d: &&Delivery| urls.contains(&&d.url) && d.body.starts_with("signed");
            let asked = sent.iter().filter(is_asked);
            asked
                .filter_map(|d| d.answer.as_ref())
                .map(receipt)
                .collect()
        })
    }

    /// Sends the newest signed webhook again, as the platform does when it is not sure.
    pub fn resend_facebook_webhook(&self) -> Result<(), AdminError> {
        self.with(|w| {
            let is_signed = |d: &Delivery| d.headers.iter().any(|(k, _)| k.starts_with("x-hub"));
            let sent = w.outbox.all().into_iter();
            let mut webhooks = sent.filter(|d| d.platform == Platform::Facebook && is_signed(d));
            let last = webhooks.next_back();
            let last = last.ok_or_else(|| AdminError::not_found("webhook", "newest"))?;
            w.outbox.send(Delivery {
                answer: None,
                ..last
            });
            Ok(())
        })
    }
}

fn known_app(known: bool, app: &str) -> Result<(), AdminError> {
    let unknown = || AdminError::not_found("app", app);
    known.then_some(()).ok_or_else(unknown)
}

/// The platform wants 200 and JSON with an address and a code.
fn receipt((status, body): &(u16, String)) -> DataDeletion {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let (url, confirmation_code) = (text("url"), text("confirmation_code"));
    let problem = match (status, &url, &confirmation_code) {
        (200, Some(_), Some(_)) => None,
        (200, _, _) => Some("the answer has no url or no confirmation_code".to_owned()),
        (status, _, _) => Some(format!("the answer is {status}")),
    };
    DataDeletion {
        url,
        confirmation_code,
        problem,
    }
}

/// The same over HTTP, under `/admin/facebook`.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/media", get(media).put(set_media))
        .route("/media/fail", post(fail))
        .route("/media/reach", post(reach))
        .route("/apps/{id}/callbacks", post(callbacks))
        .route("/apps/{id}/subscriptions", post(subscribe))
        .route("/pages/{id}/install", post(install))
        .route("/pages/{id}/story_archive", post(archive))
        .route("/users/{id}/data_deletion", post(ask_deletion))
        .route("/data_deletions", get(deletions))
        .route("/webhooks/resend", post(resend))
}

fn done(result: Result<(), AdminError>) -> Answered {
    result.map(|()| Json(json!({ "ok": true })))
}

async fn media(State(admin): State<Admin>) -> Json<MediaRules> {
    Json(admin.facebook_media_rules())
}

async fn set_media(State(admin): State<Admin>, Body(rules): Body<MediaRules>) -> Json<MediaRules> {
    admin.set_facebook_media_rules(rules);
    Json(admin.facebook_media_rules())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    message: String,
}

async fn fail(State(admin): State<Admin>, Body(act): Body<Fail>) -> Answered {
    admin.fail_next_facebook_video(&act.message);
    done(Ok(()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reach {
    url: String,
    on: bool,
}

async fn reach(State(admin): State<Admin>, Body(act): Body<Reach>) -> Answered {
    admin.set_facebook_reaches(&act.url, act.on);
    done(Ok(()))
}

async fn callbacks(
    State(admin): State<Admin>,
    Path(app): Path<String>,
    Body(callbacks): Body<FacebookCallbacks>,
) -> Answered {
    done(admin.set_facebook_callbacks(&app, callbacks))
}

async fn subscribe(
    State(admin): State<Admin>,
    Path(app): Path<String>,
    Body(wanted): Body<FacebookSubscription>,
) -> Answered {
    done(admin.subscribe_facebook_app(&app, &wanted))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Install {
    app: String,
}

async fn install(
    State(admin): State<Admin>,
    Path(page): Path<String>,
    Body(act): Body<Install>,
) -> Answered {
    done(admin.install_facebook_app(&act.app, &page))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

async fn archive(
    State(admin): State<Admin>,
    Path(page): Path<String>,
    Body(act): Body<Switch>,
) -> Answered {
    done(admin.set_facebook_story_archive(&page, act.on))
}

async fn ask_deletion(State(admin): State<Admin>, Path(user): Path<String>) -> Answered {
    done(admin.request_facebook_data_deletion(&user))
}

async fn deletions(State(admin): State<Admin>) -> Json<Value> {
    Json(json!({ "deletions": admin.facebook_data_deletions() }))
}

async fn resend(State(admin): State<Admin>) -> Answered {
    done(admin.resend_facebook_webhook())
}
