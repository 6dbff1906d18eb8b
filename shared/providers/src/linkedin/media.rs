//! Uploads before a post: images by one PUT, videos in parts, and the wait until LinkedIn has processed them.
//!
//! Every step may be repeated: an upload that nobody posts is seen by nobody, and parts are independent.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{
    Failure, Time,
    post::{MediaKind, Prepared},
    time::seconds,
};
use mooring_runtime::Call;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::{
    client::{LinkedIn, encoded},
    map,
    wire::{Action, AssetStatus, FileUpload, PartUpload, VideoUpload},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::Op,
};

/// How long one step may go on beginning uploads.
const STEP: TimeDelta = seconds(10);
/// How long LinkedIn is left alone while it processes.
const PROCESSING: TimeDelta = seconds(5);
const UPLOAD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// How far the uploads have come; kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// In the order of the post's media; shorter until all have begun.
    assets: Vec<Asset>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Asset {
    urn: String,
    /// A video's parts that have not arrived; empty once they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    /// Entity tags of the parts that have, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    token: String,
    /// It has arrived whole.
    complete: bool,
    /// It can be posted.
    ready: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    url: Url,
    first: u64,
    last: u64,
}

/// What became of a step's part.
enum Done {
    /// The asset goes on.
    Yes,
    /// Its upload address is over: it begins anew.
    Anew,
}

impl LinkedIn {
    /// Uploads what is missing, then waits for the processing.
    pub(super) async fn upload(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        // What cannot be read is by another version of ours: the uploads begin anew.
        let read = |state: &Value| serde_json::from_value(state.clone()).ok();
        let mut state: State = so_far.and_then(read).unwrap_or_default();
        let until = self.transport.now() + STEP;
        for (place, file) in draft.media.iter().enumerate() {
            if state.assets.get(place).is_some_and(|asset| asset.complete) {
                continue;
            }
            if self.transport.now() >= until {
                return pending(&state, TimeDelta::zero());
            }
            if state.assets.len() <= place {
                let asset = self.begin(access, file).await?;
                state.assets.push(asset);
            }
            let asset = &mut state.assets[place];
            if let Done::Anew = self.go_on(access, file, asset, until).await? {
                state.assets.truncate(place);
                return pending(&state, TimeDelta::zero());
            }
            if !asset.complete {
                return pending(&state, TimeDelta::zero());
            }
        }
        for (asset, file) in state.assets.iter_mut().zip(&draft.media) {
            if !asset.ready {
                asset.ready = self.is_ready(access, file.media.kind, &asset.urn).await?;
            }
        }
        if state.assets.iter().any(|asset| !asset.ready) {
            return pending(&state, PROCESSING);
        }
        let urns: Vec<&str> = state
            .assets
            .iter()
            .map(|asset| asset.urn.as_str())
            .collect();
        Ok(Prepared::Ready(json!({ "media": urns })))
    }

    /// Asks for a place to upload a file to. An image goes there at once.
    async fn begin(&self, access: &Access, file: &Attachment) -> Result<Asset, Failure> {
        let mut asset = Asset {
            urn: String::new(),
            parts: Vec::new(),
            tags: Vec::new(),
            token: String::new(),
            complete: false,
            ready: false,
        };
        match file.media.kind {
            MediaKind::Image => {
                let request = json!({ "owner": self.author(access) });
                let upload: FileUpload = self.initialize(access, "images", request).await?;
                let url = self.checked(access, &upload.url)?;
                let bytes = file.bytes().await?;
                let call = self.put(url, &file.media.mime, bytes);
                // Images want the token, the parts of videos do not.
                let call = call.bearer(access.token.expose());
                let reply = self.reply(Op::Prepare, call).await?;
                if !reply.is_success() {
                    return Err(self.failure(Op::Prepare, &reply));
                }
                asset.urn = upload.image;
                asset.complete = true;
            }
            MediaKind::Video => {
                let request = json!({
                    "owner": self.author(access),
                    "fileSizeBytes": file.media.bytes,
                    "uploadCaptions": false,
                    "uploadThumbnail": false,
                });
                let upload: VideoUpload = self.initialize(access, "videos", request).await?;
                let part = |part: PartUpload| {
                    Ok(Part {
                        url: self.checked(access, &part.url)?,
                        first: part.first,
                        last: part.last,
                    })
                };
                asset.parts = upload
                    .parts
                    .into_iter()
                    .map(part)
                    .collect::<Result<_, Failure>>()?;
                asset.urn = upload.video;
                asset.token = upload.token;
            }
        }
        if asset.urn.starts_with("urn:li:") {
            return Ok(asset);
        }
        Err(Failure::Contract {
            detail: "an upload without a URN".to_owned(),
        })
    }

    async fn initialize<T: DeserializeOwned>(
        &self,
        access: &Access,
        kind: &str,
        request: Value,
    ) -> Result<T, Failure> {
        let body = json!({ "initializeUploadRequest": request });
        let call = self.action(access, kind, "initializeUpload", &body)?;
        let answer: Action<T> = self.answer(Op::Prepare, call, "place to upload to").await?;
        Ok(answer.value)
    }

    fn action(
        &self,
        access: &Access,
        kind: &str,
        action: &str,
        body: &Value,
    ) -> Result<Call, Failure> {
        let query = format!("action={action}");
        let target = (kind, Some(query.as_str()));
        let host = access.host.as_ref();
        let template = "/rest/{media}";
        let call = self.rest(host, &access.token, template, Method::POST, target);
        json_body(call, body)
    }

    /// Sends parts of a video while the step lasts, and says that they are all there.
    async fn go_on(
        &self,
        access: &Access,
        file: &Attachment,
        asset: &mut Asset,
        until: Time,
    ) -> Result<Done, Failure> {
        while !asset.complete {
            let Some(part) = asset.parts.first() else {
                return self.finalize(access, asset).await;
            };
            let bytes = file.piece(part.first, part.last.saturating_add(1)).await?;
            let call = self.put(part.url.clone(), "application/octet-stream", bytes);
            let reply = self.reply(Op::Prepare, call).await?;
            if map::is_expired_upload(&reply) {
                return Ok(Done::Anew);
            }
            if !reply.is_success() {
                return Err(self.failure(Op::Prepare, &reply));
            }
            let tag = reply.header("etag").ok_or_else(|| Failure::Contract {
                detail: "a part of a video without its entity tag".to_owned(),
            })?;
            asset.tags.push(tag.to_owned());
            asset.parts.remove(0);
            if self.transport.now() >= until {
                break;
            }
        }
        Ok(Done::Yes)
    }

    async fn finalize(&self, access: &Access, asset: &mut Asset) -> Result<Done, Failure> {
        let body = json!({ "finalizeUploadRequest": {
            "video": asset.urn,
            "uploadToken": asset.token,
            "uploadedPartIds": asset.tags,
        }});
        let call = self.action(access, "videos", "finalizeUpload", &body)?;
        let reply = self.reply(Op::Prepare, call).await?;
        if reply.is_success() {
            asset.complete = true;
            asset.tags.clear();
            return Ok(Done::Yes);
        }
        match self.failure(Op::Prepare, &reply) {
            // Some part is missing after all, or the video's place is gone.
            Failure::MediaProcessing => Ok(Done::Anew),
            failure => Err(failure),
        }
    }

    /// Whether LinkedIn has processed it. A post with media that fail later would be seen by nobody.
    async fn is_ready(&self, access: &Access, kind: MediaKind, urn: &str) -> Result<bool, Failure> {
        let list = match kind {
            // A token for a member alone may not look at images.
            MediaKind::Image if !self.is_page() => return Ok(true),
            MediaKind::Image => "images",
            MediaKind::Video => "videos",
        };
        let path = format!("{list}/{}", encoded(urn));
        let target = (path.as_str(), None);
        let host = access.host.as_ref();
        let call = self.rest(
            host,
            &access.token,
            "/rest/{media}/{urn}",
            Method::GET,
            target,
        );
        let reply = self.reply(Op::Prepare, call).await?;
        if map::is_hidden_asset(&reply) {
            return Ok(true);
        }
        if !reply.is_success() {
            return Err(self.failure(Op::Prepare, &reply));
        }
        let seen: AssetStatus = reply.read("status")?;
        match seen.status.as_str() {
            "AVAILABLE" => Ok(true),
            "PROCESSING" | "WAITING_UPLOAD" => Ok(false),
            "PROCESSING_FAILED" => Err(Failure::ContentRejected { code: seen.status }),
            _ => Err(Failure::Contract {
                detail: "media in a state that is not documented".to_owned(),
            }),
        }
    }

    fn put(&self, url: Url, mime: &str, bytes: bytes::Bytes) -> Call {
        Call::new(self.platform.as_str(), "/dms-uploads", Method::PUT, url)
            .bytes(mime, bytes)
            .timeout(UPLOAD_TIMEOUT)
    }

    /// An address that the platform gave us, if it is one of the platform's.
    fn checked(&self, access: &Access, address: &str) -> Result<Url, Failure> {
        let url = Url::parse(address).ok();
        let own = url.filter(|url| self.is_own(access.host.as_ref(), url));
        own.ok_or_else(|| Failure::Contract {
            detail: "an address to upload to that is not LinkedIn's".to_owned(),
        })
    }
}

fn pending(state: &State, again: TimeDelta) -> Result<Prepared, Failure> {
    let state = serde_json::to_value(state).map_err(|_| Failure::Contract {
        detail: "a preparation that cannot be written".to_owned(),
    })?;
    Ok(Prepared::Pending { state, again })
}

/// The call with a JSON body.
pub(super) fn json_body(call: Call, body: &Value) -> Result<Call, Failure> {
    call.json(body).map_err(|_| Failure::Contract {
        detail: "a body that cannot be written".to_owned(),
    })
}

/// URNs of uploaded media, in the post's order.
pub(super) fn uploaded(prepared: Option<&Value>) -> Vec<&str> {
    let list = prepared.and_then(|prepared| prepared["media"].as_array());
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
