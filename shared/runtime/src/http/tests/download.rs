//! Fetching a file: redirects are followed, a few, and each is judged as the first address was.

use futures::TryStreamExt;

use super::*;
use crate::http::{DownloadError, download::next};

const FILE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthe bytes";

fn wait() -> Duration {
    Duration::from_secs(10)
}

async fn fetch(http: &Http, url: &str) -> Result<Vec<u8>, DownloadError> {
    let download = http.download(Url::parse(url).unwrap(), wait()).await?;
    let mut pieces = download.into_stream();
    let mut read = Vec::new();
    while let Some(piece) = pieces.try_next().await.expect("the file comes whole") {
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

/// A server whose one answer redirects to `to`. Answers live as long as tests do.
async fn redirecting(to: &str) -> Server {
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    Server::start(Then::Answer(answer.leak())).await
}

#[tokio::test]
async fn a_file_comes_whole_whatever_the_cap_of_answers() {
    let server = Server::start(Then::Answer(FILE)).await;
    let config = HttpConfig {
        body_cap_bytes: 1,
        ..local()
    };
    let http = client_with(Arc::new(ManualClock::new(now())), &config);
    let url = format!("http://{}/a.png", server.address);
    assert_eq!(fetch(&http, &url).await.unwrap(), b"the bytes");
    let head = server.seen().remove(0);
    assert!(head.starts_with("GET /a.png HTTP/1.1\r\n") && !head.contains("traceparent"));
}

#[tokio::test]
async fn a_redirect_leads_to_the_file() {
    let file = Server::start(Then::Answer(FILE)).await;
    let first = redirecting(&format!("http://{}/b.png", file.address)).await;
    let url = format!("http://{}/a.png", first.address);
    assert_eq!(fetch(&client(), &url).await.unwrap(), b"the bytes");
}

#[tokio::test]
async fn redirects_end_and_lead_to_no_other_scheme() {
    let round = redirecting("/again").await;
    let url = format!("http://{}/", round.address);
    let outcome = fetch(&client(), &url).await;
    assert!(
        matches!(outcome, Err(DownloadError::TooManyRedirects)),
        "{outcome:?}"
    );
    assert_eq!(round.seen().len(), 6);
    let file = redirecting("file:///etc/passwd").await;
    let outcome = fetch(&client(), &format!("http://{}/", file.address)).await;
    let scheme = Err(HttpError::NotSent(Cause::Scheme));
    assert_eq!(
        format!("{outcome:?}"),
        format!("{:?}", scheme.map_err(DownloadError::Http).map(|()| 0))
    );
    let missing = Server::start(Then::Answer(
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let outcome = fetch(&client(), &format!("http://{}/", missing.address)).await;
    assert!(
        matches!(outcome, Err(DownloadError::Status(404))),
        "{outcome:?}"
    );
}

#[test]
fn a_redirect_stays_on_https_and_has_to_lead_somewhere() {
    let from = Url::parse("https://media.example/a/b.png").unwrap();
    let to = |location| next(&from, location).map(String::from);
    assert_eq!(to(Some("../c.png")).unwrap(), "https://media.example/c.png");
    assert_eq!(
        to(Some("//cdn.example/c")).unwrap(),
        "https://cdn.example/c"
    );
    for nowhere in [Some("http://media.example/a/b.png"), Some("https://"), None] {
        assert!(
            matches!(to(nowhere), Err(DownloadError::BadRedirect)),
            "{nowhere:?}"
        );
    }
    let plain = Url::parse("http://media.example/").unwrap();
    assert!(next(&plain, Some("https://media.example/")).is_ok());
}

/// A public server that redirects to the cloud's metadata, to a private network, to this machine.
#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let private = Server::start(Then::Answer(FILE)).await;
    for to in [
        format!("http://127.0.0.1:{}/", private.address.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", private.address.port()),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        let server = redirecting(&to).await;
        let mut http = client();
        // Its resolver lets the first name through, as it would a public one; addresses are judged as always.
        http.allow_private = false;
        let outcome = fetch(
            &http,
            &format!("http://localhost:{}/", server.address.port()),
        )
        .await;
        let refused = matches!(
            outcome,
            Err(DownloadError::Http(HttpError::NotSent(
                Cause::PrivateAddress
            )))
        );
        assert!(refused, "{to}: {outcome:?}");
        assert_eq!(server.seen().len(), 1, "the first address was asked");
    }
    assert_eq!(private.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn private_addresses_and_names_are_refused_at_once() {
    let server = Server::start(Then::Answer(FILE)).await;
    let port = server.address.port();
    let config = HttpConfig::default();
    let http = client_with(Arc::new(ManualClock::new(now())), &config);
    for url in [
        format!("http://127.0.0.1:{port}/a.png"),
        format!("http://localhost:{port}/a.png"),
        format!("http://[::1]:{port}/a.png"),
        format!("http://2130706433:{port}/a.png"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let outcome = fetch(&http, &url).await;
        let refused = matches!(
            outcome,
            Err(DownloadError::Http(HttpError::NotSent(
                Cause::PrivateAddress
            )))
        );
        assert!(refused, "{url}: {outcome:?}");
    }
    let outcome = fetch(&http, "https://user:canary@media.example/a.png").await;
    assert!(matches!(outcome, Err(DownloadError::Credentials)));
    assert!(!format!("{outcome:?}").contains("canary"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}
