//! `rediss://` with a certificate of a private CA.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use mooring_tests::{Fleet, eventually};

use super::{embedded, run, run_with, up};

/// A `redis-server` that speaks TLS only; ended when dropped.
struct TlsServer {
    child: Child,
    port: u16,
}

impl TlsServer {
    /// Its certificate is `cert.pem` in the folder.
    fn start(folder: &Path) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let signed = rcgen::generate_simple_self_signed(names).expect("a certificate");
        std::fs::write(folder.join("cert.pem"), signed.cert.pem()).expect("a file");
        std::fs::write(folder.join("key.pem"), signed.signing_key.serialize_pem()).expect("a file");
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = free.expect("a free port").port();
        let program = std::env::var("MOORING_TEST_REDIS_SERVER")
            .unwrap_or_else(|_| "redis-server".to_owned());
        let child = Command::new(program)
            .current_dir(folder)
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                "0",
                "--tls-port",
                &port.to_string(),
            ])
            .args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"])
            .args(["--tls-ca-cert-file", "cert.pem", "--tls-auth-clients", "no"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        Self { child, port }
    }

    fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.port)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.child.kill().expect("redis-server can be ended");
        self.child.wait().expect("redis-server has ended");
    }
}

fn with_redis(url: String, ca: &str) -> Fleet {
    let mut fleet = embedded();
    fleet.env.insert("MOORING_REDIS_URL".to_owned(), url);
    fleet
        .env
        .insert("MOORING_REDIS__CA_FILE".to_owned(), ca.to_owned());
    fleet
}

#[tokio::test]
async fn a_private_ca_is_trusted_when_its_file_is_named_and_refused_when_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = TlsServer::start(folder.path());
    let ca = folder.path().join("cert.pem").display().to_string();
    let fleet = with_redis(server.url(), &ca);
    eventually("the server answers over TLS", || {
        std::future::ready(run(&fleet, &["doctor"]).success)
    })
    .await;
    assert!(
        run(&fleet, &["doctor"])
            .out
            .contains("ok      queue: Redis answers")
    );
    // All roles, their blocking pops included.
    up(&fleet, "up").await;

    let told = run_with(&fleet, &[("MOORING_REDIS__CA_FILE", "")], &["up"]);
    told.refused(&[
        "mooring up: redis.url: cannot reach Redis at rediss://",
        "ertificate",
    ]);
}

#[test]
fn a_ca_file_that_is_of_no_use_is_named() {
    let url = "rediss://127.0.0.1:1".to_owned();
    let fleet = with_redis(url, "nowhere.pem");
    run(&fleet, &["up"]).refused(&["redis.ca_file: cannot read nowhere.pem"]);
    std::fs::write(fleet.folder().join("ca.pem"), "not looked at").expect("a file");
    let plain = [
        ("MOORING_REDIS_URL", "redis://127.0.0.1:1"),
        ("MOORING_REDIS__CA_FILE", "ca.pem"),
    ];
    run_with(&fleet, &plain, &["up"]).refused(&["mooring up: ", "rediss://"]);
}
