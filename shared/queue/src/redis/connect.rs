//! How connections to Redis are made: addresses, TLS, time-outs.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisResult, TlsCertificates,
};

use crate::{BEAT_TTL, QueueError};

/// How long a connection may take to come up, TLS and log-in included.
pub(super) const CONNECT: Duration = Duration::from_secs(2);

/// How long one command on the shared connection may take. The crate's own 500 ms would turn a stall into an error.
const RESPONSE: Duration = Duration::from_secs(5);

/// How often the shared connection is tried again before the calls that wait for it fail and the next ones start anew.
const RETRIES: usize = 20;

/// A peer that is silent this long is asked by the kernel whether it still lives.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// The pause between the kernel's questions; three without an answer end the connection.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);

/// Where the Redis server is and how to talk to it.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://…` or `rediss://…`. May hold a password, so it is never shown.
    pub url: String,
    /// Put in front of every key, so that several fleets share one server.
    pub prefix: String,
    /// For `rediss://`: PEM certificates that are trusted instead of the system's, for a private CA. Without it the
    /// system's are used, or those of the file that the variable `SSL_CERT_FILE` names.
    pub ca_pem: Option<Vec<u8>>,
    /// How long a beat counts.
    pub beat_ttl: Duration,
}

impl RedisOptions {
    /// The defaults for an address: prefix `mooring`, the system's CAs, beats that count for [`BEAT_TTL`].
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "mooring".to_owned(),
            ca_pem: None,
            beat_ttl: BEAT_TTL,
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("private_ca", &self.ca_pem.is_some())
            .field("beat_ttl", &self.beat_ttl)
            .finish_non_exhaustive()
    }
}

/// Checks the options and prepares a client. Does not connect.
pub(super) fn client(options: &RedisOptions) -> Result<Client, QueueError> {
    let url = |source| QueueError::Url { source };
    let info = options.url.as_str().into_connection_info().map_err(url)?;
    let info = info
        .clone()
        .set_tcp_settings(tcp())
        .set_redis_settings(named(&info));
    let ConnectionAddr::TcpTls { insecure, .. } = info.addr() else {
        let plain = Client::open(info).map_err(url)?;
        return if options.ca_pem.is_some() {
            Err(QueueError::CaWithoutTls)
        } else {
            Ok(plain)
        };
    };
    if *insecure {
        return Err(QueueError::Insecure);
    }
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(QueueError::NoCryptoProvider);
    }
    // The TLS library takes a file without any certificate for an empty list, and then trusts nobody.
    let holds_none = |pem: &Vec<u8>| !String::from_utf8_lossy(pem).contains("BEGIN CERTIFICATE");
    if options.ca_pem.as_ref().is_some_and(holds_none) {
        let what = (ErrorKind::InvalidClientConfig, "it holds no certificate");
        return Err(QueueError::Certificate {
            source: what.into(),
        });
    }
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: options.ca_pem.clone(),
    };
    Client::build_with_tls(info, certificates).map_err(|source| QueueError::Certificate { source })
}

/// So that `CLIENT LIST` says who is there.
fn named(info: &ConnectionInfo) -> redis::RedisConnectionInfo {
    info.redis_settings()
        .clone()
        .set_lib_name("mooring", env!("CARGO_PKG_VERSION"))
}

fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE_AGAIN)
        .with_retries(3);
    TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
}

/// The shared connection for pushes and small commands, which reconnects by itself.
pub(super) fn manager(client: &Client) -> Result<ConnectionManager, QueueError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(RESPONSE))
        .set_min_delay(Duration::from_millis(100))
        .set_max_delay(Duration::from_secs(2))
        .set_number_of_retries(RETRIES);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
        .map_err(|source| QueueError::Url { source })
}

/// A connection for blocking pops: no response time-out, because the answer to a pop that was given up would still
/// take envelopes away. A peer that vanished is noticed by the kernel's keep-alive.
pub(super) async fn dedicated(client: &Client) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str, ca: Option<&str>) -> QueueError {
        let ca_pem = ca.map(|text| text.as_bytes().to_vec());
        client(&RedisOptions {
            ca_pem,
            ..RedisOptions::new(url)
        })
        .expect_err("these options cannot be used")
    }

    #[test]
    fn bad_addresses_are_refused_before_anything_connects() {
        assert!(matches!(
            refused("postgres://user:hunter2@db", None),
            QueueError::Url { .. }
        ));
        assert!(matches!(
            refused("rediss://user:hunter2@db:6379/#insecure", None),
            QueueError::Insecure
        ));
        assert!(matches!(
            refused("redis://user:hunter2@db:6379", Some("pem")),
            QueueError::CaWithoutTls
        ));
    }

    #[test]
    fn tls_without_a_provider_is_an_error_and_no_panic() {
        // Nothing in this test program installs one.
        assert!(matches!(
            refused("rediss://db:6379", None),
            QueueError::NoCryptoProvider
        ));
    }

    #[test]
    fn neither_errors_nor_options_show_the_password() {
        for url in [
            "postgres://user:hunter2@db",
            "rediss://user:hunter2@db:6379/#insecure",
            "redis://u:hunter2@[:1",
        ] {
            let options = RedisOptions::new(url);
            let error = client(&options).expect_err("these addresses cannot be used");
            assert!(
                !format!("{error} {error:?} {options:?}").contains("hunter2"),
                "{error:?}"
            );
        }
    }
}
