//! Cases about what platforms send us: webhooks that are good, forged, told twice, and out of date.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mooring_domain::Time;
use mooring_providers::{AppCredentials, Inbound, InboundKind, InboundRefused, Received};
use mooring_simulator::Delivery;
use mooring_vault::Secret;
use url::Url;

use crate::arena::{Arena, Passed, Verdict, holds, same};

/// What a scene needs to make its platform send something.
pub(crate) struct Provoked {
    /// Which address of ours is called.
    pub(crate) kind: InboundKind,
    /// Our app, as the platform knows it.
    pub(crate) app: AppCredentials,
    /// The word for the handshake.
    pub(crate) verify_token: Option<Secret>,
}

pub(crate) fn good_forged_and_replayed(arena: &Arena) -> Verdict {
    if arena.scene.platform().capabilities().webhooks.is_empty() {
        return Ok(Passed::Cannot("the platform sends nothing"));
    }
    let provoked = match arena.scene.provoke() {
        Ok(provoked) => provoked,
        Err(why) => return Ok(Passed::Cannot(why)),
    };
    holds("what it provoked", !provoked.is_empty(), &provoked.len())?;
    let sent = arena.ground.deliveries();
    same("deliveries", &sent.len(), &provoked.len())?;
    for (delivery, provoked) in sent.iter().zip(&provoked) {
        let what = format!("{} {:?}", delivery.method, provoked.kind);
        let got = receive(arena, delivery, provoked, arena.now());
        let received = got.map_err(|refused| format!("{what}: refused: {refused}"))?;
        let handshake = delivery.method == "GET";
        holds(
            &format!("{what}: news"),
            handshake == received.news.is_empty(),
            &received,
        )?;
        let again = receive(arena, delivery, provoked, arena.now());
        same(&format!("{what}: told twice"), &again, &Ok(received))?;
        if handshake {
            continue;
        }
        for forged in forgeries(delivery, arena.scene.signs_body()) {
            let refused = receive(arena, &forged, provoked, arena.now());
            holds(&format!("{what}: forged"), refused.is_err(), &refused)?;
        }
        let other = Provoked {
            kind: provoked.kind,
            app: AppCredentials {
                client_id: provoked.app.client_id.clone(),
                client_secret: Secret::from("another app's"),
            },
            verify_token: None,
        };
        let refused = receive(arena, delivery, &other, arena.now());
        same(
            &format!("{what}: another app's secret"),
            &refused,
            &Err(InboundRefused::Forged),
        )?;
    }
    Ok(Passed::Yes)
}

/// Where the signature covers a time, an old call is refused.
pub(crate) fn stale(arena: &Arena) -> Verdict {
    let Ok(provoked) = arena.scene.provoke() else {
        return Ok(Passed::Cannot(
            "the platform sends nothing that we could look at",
        ));
    };
    if !arena.scene.signs_time() {
        return Ok(Passed::Cannot(
            "the signature covers no time: only the key of the news tells a repetition",
        ));
    }
    let later = arena.now() + arena.scene.signature_life();
    for (delivery, provoked) in arena.ground.deliveries().iter().zip(&provoked) {
        if delivery.method != "GET" {
            let refused = receive(arena, delivery, provoked, later);
            same("later", &refused, &Err(InboundRefused::Stale))?;
        }
    }
    Ok(Passed::Yes)
}

/// One byte changed, where somebody can tell; the signature left out.
fn forgeries(delivery: &Delivery, signs_body: bool) -> Vec<Delivery> {
    let mut changed = delivery.clone();
    let middle = changed.body.len() / 2;
    let place = (middle..changed.body.len())
        .find(|at| changed.body.as_bytes()[*at].is_ascii_alphanumeric());
    if let Some(at) = place {
        let other = if changed.body.as_bytes()[at] == b'1' {
            "2"
        } else {
            "1"
        };
        changed.body.replace_range(at..=at, other);
    }
    let mut unsigned = delivery.clone();
    unsigned
        .headers
        .retain(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let in_header = unsigned.headers.len() < delivery.headers.len();
    let mut all: Vec<Delivery> = signs_body.then_some(changed).into_iter().collect();
    // Where the signature is inside the body there is no header to leave out.
    all.extend(in_header.then_some(unsigned));
    all
}

fn receive(
    arena: &Arena,
    delivery: &Delivery,
    provoked: &Provoked,
    now: Time,
) -> Result<Received, InboundRefused> {
    let url = Url::parse(&delivery.url).expect("a callback's address");
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let headers: HeaderMap = delivery
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            (
                name,
                HeaderValue::from_str(value).expect("a header's value"),
            )
        })
        .collect();
    let status_url = Url::parse("https://mooring.example/deletions/1").expect("a URL");
    arena.provider.receive(&Inbound {
        kind: provoked.kind,
        method: if delivery.method == "GET" {
            &Method::GET
        } else {
            &Method::POST
        },
        query: &query,
        headers: &headers,
        body: delivery.body.as_bytes(),
        app: &provoked.app,
        verify_token: provoked.verify_token.as_ref(),
        status_url: Some(&status_url),
        now,
    })
}
