//! Files: uploaded one a step, then waited for. An upload that is repeated leaves a file that no post takes; the
//! server throws it away.

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Failure, post::Prepared};
use mooring_runtime::Call;
use serde_json::Value;

use super::{
    Mastodon, broken, map,
    wire::{File, Files},
};
use crate::{
    media::Attachment,
    provider::{Access, Draft},
    wire::Op,
};

/// How long the server is left alone with a file.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

impl Mastodon {
    /// Uploads the next file, or asks whether those that are uploaded are processed.
    pub(super) async fn next_file(
        &self,
        access: &Access,
        draft: &Draft,
        so_far: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        let mut files: Files = match so_far {
            Some(state) => serde_json::from_value(state.clone())
                .map_err(|_| broken("a preparation that cannot be read"))?,
            None => Files::default(),
        };
        if let Some(next) = draft.media.get(files.uploaded.len()) {
            let id = self.upload(access, next).await?;
            files.uploaded.push(id);
            return pending(&files, TimeDelta::zero());
        }
        while let Some(id) = files.uploaded.get(files.processed) {
            match self.is_processed(access, id).await? {
                Some(true) => files.processed += 1,
                Some(false) => return pending(&files, PAUSE),
                // The server has thrown it away meanwhile: all over again.
                None => return pending(&Files::default(), TimeDelta::zero()),
            }
        }
        state(&files).map(Prepared::Ready)
    }

    async fn upload(&self, access: &Access, file: &Attachment) -> Result<String, Failure> {
        let host = access.host.as_ref().unwrap_or(&self.base);
        let segments = ["api", "v2", "media"];
        let call = self
            .transport
            .call("/api/v2/media", Method::POST, host, &segments)?;
        let call = multipart(call.bearer(access.token.expose()), file).await?;
        self.answer::<File>(Op::Prepare, call, "file")
            .await
            .map(|file| file.id)
    }

    /// 206 while the server is at it. `None` = there is no such file any more.
    async fn is_processed(&self, access: &Access, id: &str) -> Result<Option<bool>, Failure> {
        let call = self.call(access, Method::GET, "/api/v1/media/{id}", &["media", id])?;
        let reply = self.transport.send(Op::Prepare, call).await?;
        match reply.status {
            206 => Ok(Some(false)),
            _ if reply.is_success() => reply.read::<File>("file").map(|_| Some(true)),
            _ if map::is_missing(&reply) => Ok(None),
            _ => Err(map::failure(Op::Prepare, &reply, self.transport.now())),
        }
    }
}

/// The whole file in one body: the API takes it no other way.
async fn multipart(call: Call, file: &Attachment) -> Result<Call, Failure> {
    let bytes = file.bytes().await?;
    // Long, and derived from the file: nothing in its bytes ends the part by chance.
    let boundary = format!("mooring-{}", file.media.sha256);
    let mut body = Vec::with_capacity(bytes.len() + 1_024);
    if let Some(alt) = &file.media.alt {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"description\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(alt.as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
         Content-Type: {}\r\n\r\n",
        file.media.id, file.media.mime
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(&bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Ok(call.bytes(format!("multipart/form-data; boundary={boundary}"), body))
}

fn pending(files: &Files, again: TimeDelta) -> Result<Prepared, Failure> {
    Ok(Prepared::Pending {
        state: state(files)?,
        again,
    })
}

fn state(files: &Files) -> Result<Value, Failure> {
    serde_json::to_value(files).map_err(|_| broken("a state that cannot be written as JSON"))
}
