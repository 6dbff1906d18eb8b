//! `rediss://` with a certificate of a private CA.

use std::time::Duration;

use mooring_domain::job::Lane;
use mooring_queue::{Queue, QueueError, RedisOptions, RedisQueue};

use crate::server::{Server, eventually, free_port, in_time, publish};

#[tokio::test]
async fn a_private_ca_is_trusted_when_named_and_refused_when_not() {
    // Another test of this process may have done it already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let dir = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let signed = rcgen::generate_simple_self_signed(names).unwrap();
    let pem = signed.cert.pem();
    std::fs::write(dir.path().join("cert.pem"), &pem).unwrap();
    std::fs::write(
        dir.path().join("key.pem"),
        signed.signing_key.serialize_pem(),
    )
    .unwrap();
    let arguments = "--port 0 --tls-port {port} --tls-cert-file {dir}/cert.pem --tls-key-file {dir}/key.pem \
                     --tls-ca-cert-file {dir}/cert.pem --tls-auth-clients no";
    let server = Server::launch(
        dir,
        free_port(),
        &arguments.split_whitespace().collect::<Vec<_>>(),
    );

    let url = format!("rediss://127.0.0.1:{}", server.port());
    let options = RedisOptions {
        ca_pem: Some(pem.into_bytes()),
        ..RedisOptions::new(&url)
    };
    eventually("the server answers over TLS", async || {
        RedisQueue::connect(&options).await.is_ok()
    })
    .await;
    let queue = RedisQueue::connect(&options).await.unwrap();
    queue.push(Lane::Publish, &[publish(1, 1)]).await.unwrap();
    assert_eq!(
        queue
            .pop(Lane::Publish, 1, Duration::from_secs(5))
            .await
            .len(),
        1
    );
    assert!(
        in_time(
            "the subscription comes up",
            queue.woken(Duration::from_secs(20))
        )
        .await
    );
    queue.wake().await.unwrap();
    assert!(in_time("a hint arrives", queue.woken(Duration::from_secs(20))).await);

    let stranger = in_time(
        "the system's CAs refuse",
        RedisQueue::connect(&RedisOptions::new(&url)),
    )
    .await;
    assert!(
        matches!(
            stranger,
            Err(QueueError::Redis { .. } | QueueError::Timeout { .. })
        ),
        "{:?}",
        stranger.err()
    );
}
