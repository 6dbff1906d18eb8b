//! Webhooks that carry secrets where a platform would put other things.

use std::fmt::Write as _;

use mooring_domain::Platform;
use mooring_providers::{AppCredentials, Inbound, InboundKind};
use mooring_tests::Rig;
use mooring_vault::Secret;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::{adapters, search::Search};

/// Lets every platform's webhook carry every secret, in its address, its headers and its body, under a signature that
/// is none. Returns everything that could be printed of what was made of it.
pub(super) fn told(rig: &Rig, search: &Search) -> String {
    let (context, registry) = adapters(rig);
    let app = AppCredentials {
        client_id: rig.app.id.clone(),
        client_secret: Secret::from(&*rig.app.secret),
    };
    let said: Vec<&str> = search.0.iter().map(|(_, text)| text.as_str()).collect();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        "x-hub-signature",
        "x-hub-signature-256",
        "x-li-signature",
        "tiktok-signature",
        "x-twitter-webhooks-signature",
        "authorization",
    ]
    .into_iter()
    .zip(said.iter().cycle())
    {
        headers.insert(name, value.parse().expect("a header"));
    }
    let query: Vec<(String, String)> = search.0.clone();
    let bodies = [
        said.join(" "),
        json!({"object": "page", "entry": [{"id": said[0], "changes": said}]}).to_string(),
        format!("signed_request={}.{}", said[0], said[1]),
    ];
    let mut told = String::new();
    for platform in Platform::ALL {
        for kind in [
            InboundKind::Notification,
            InboundKind::Deauthorize,
            InboundKind::DataDeletion,
        ] {
            for body in &bodies {
                let call = Inbound {
                    kind,
                    method: &reqwest::Method::POST,
                    query: &query,
                    headers: &headers,
                    body: body.as_bytes(),
                    app: &app,
                    verify_token: None,
                    status_url: None,
                    now: context.clock.now(),
                };
                let received = registry.of(platform).receive(&call);
                writeln!(told, "{platform}: {received:?}").expect("a String takes every write");
            }
        }
    }
    told
}
