//! The sections of the configuration, apart from [policy](super::PolicyConfig). Units are in the names.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{PerLane, SecretText, SecretUrl};

/// `[database]`: where truth lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseConfig {
    /// `postgres://…` or `sqlite://…`. Alias: `MOORING_DATABASE_URL`. Without it the embedded SQLite is used.
    pub url: Option<SecretUrl>,
    /// A file that holds the URL.
    pub url_file: Option<PathBuf>,
    /// The most connections one process opens. Multiply by the number of processes when sizing the server.
    pub max_connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            max_connections: 16,
        }
    }
}

/// `[redis]`: the conveyor of ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RedisConfig {
    /// `redis://…` or `rediss://…`. Alias: `MOORING_REDIS_URL`. Without it the in-process queue is used.
    pub url: Option<SecretUrl>,
    /// A file that holds the URL.
    pub url_file: Option<PathBuf>,
    /// PEM certificates to trust for `rediss://` instead of the system's, for a private CA.
    pub ca_file: Option<PathBuf>,
    /// Put in front of every key, so that several fleets share one server.
    pub prefix: String,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            ca_file: None,
            prefix: "mooring".to_owned(),
        }
    }
}

/// `[vault]`: the keys that seal credentials.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VaultConfig {
    /// The key ring as `id:base64,id2:base64`. The first key seals, every key opens.
    pub keys: Option<SecretText>,
    /// A file that holds the key ring (`MOORING_VAULT__KEYS_FILE`).
    pub keys_file: Option<PathBuf>,
}

/// `[telemetry]`: logs and traces.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct TelemetryConfig {
    /// The OTLP collector for traces over gRPC, such as `http://collector:4317`. Without it (and without
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`) no span is exported.
    pub otlp_endpoint: Option<String>,
    /// Log filter in `tracing` syntax.
    pub log: String,
    /// `service.name` of logs and spans.
    pub service_name: String,
    /// `deployment.environment.name` of logs and spans.
    pub environment: String,
    /// Head sampling: `always_on`, `always_off` or a ratio such as `0.1`, decided once per trace.
    /// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` win over it.
    pub sampler: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            log: "info,hyper=warn,h2=warn,tower=warn,sqlx=warn,sea_orm=warn,opentelemetry=warn"
                .to_owned(),
            service_name: "mooring".to_owned(),
            environment: "development".to_owned(),
            sampler: "always_on".to_owned(),
        }
    }
}

/// `[http]`: outgoing calls to platforms and media hosts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpConfig {
    /// Time to open a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Time for a whole call when the caller gives none, in milliseconds.
    pub timeout_ms: u64,
    /// How long an idle connection is kept, in seconds.
    pub idle_s: u64,
    /// Allows loopback, private and link-local addresses. For development and tests only.
    pub allow_private_addresses: bool,
    /// The longest answer that is read, in bytes.
    pub body_cap_bytes: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 5_000,
            timeout_ms: 30_000,
            idle_s: 60,
            allow_private_addresses: false,
            body_cap_bytes: 2 * 1024 * 1024,
        }
    }
}

/// `[media]`: the images and videos that posts show, and the addresses at which platforms fetch them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaConfig {
    /// The folder that files lie in; gateway and workers must see the same one. Embedded, the default is `media` in
    /// the data folder. On PostgreSQL there is none: name this or a bucket.
    pub folder: Option<PathBuf>,
    /// A bucket that speaks S3, instead of the folder. Credentials come from the usual `AWS_…` variables, a web
    /// identity or the machine's role.
    pub s3_bucket: Option<String>,
    /// Put in front of every key in the bucket.
    pub s3_prefix: Option<String>,
    /// The bucket's region; `AWS_REGION` where left out.
    pub s3_region: Option<String>,
    /// The address of a server that speaks S3, where it is not Amazon's: `https://s3.example.com`.
    pub s3_endpoint: Option<String>,
    /// The longest file, in bytes.
    pub max_bytes: u64,
    /// Time for fetching a file from an address, in seconds.
    pub fetch_timeout_s: u64,
    /// Where the internet reaches the gateway: `https://mooring.example.com`. Platforms that fetch media (Instagram,
    /// Threads, TikTok) need it.
    pub public_url: Option<String>,
    /// The key that signs addresses of media: 32 characters or more. Several are separated by commas; the first
    /// signs, every one is believed. Embedded, one is made at the first start.
    pub signing_key: Option<SecretText>,
    /// A file that holds it (`MOORING_MEDIA__SIGNING_KEY_FILE`).
    pub signing_key_file: Option<PathBuf>,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            folder: None,
            s3_bucket: None,
            s3_prefix: None,
            s3_region: None,
            s3_endpoint: None,
            max_bytes: 1024 * 1024 * 1024,
            fetch_timeout_s: 300,
            public_url: None,
            signing_key: None,
            signing_key_file: None,
        }
    }
}

/// `[proof]`: the ledger that proves what went out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProofConfig {
    /// The keys that sign its days, as `id:base64,id2:base64` (`mooring keys new --id p1` makes one): the first signs,
    /// all are shown. Workers need it; without it entries are chained and no day is signed. Embedded, one is made at the
    /// first start.
    pub signing_key: Option<SecretText>,
    /// A file that holds it (`MOORING_PROOF__SIGNING_KEY_FILE`).
    pub signing_key_file: Option<PathBuf>,
}

/// `[admin]`: health and metrics endpoints. They are not meant for the public.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct AdminConfig {
    /// Address and port. Port 0 takes a free one, which the log line `admin.listening` names.
    pub bind: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 9464)),
        }
    }
}

/// `[gateway]`: the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayConfig {
    /// Address and port. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where people's browsers reach the gateway: `https://mooring.example.com`. Connecting by a browser needs it.
    pub public_url: Option<String>,
    /// Further addresses that browsers may be sent on to when they come back from connecting, each with what lies below
    /// it: `https://app.example.com/accounts`.
    pub return_urls: Vec<String>,
    /// Whether a proxy of ours stands before the gateway and notes callers' addresses in `X-Forwarded-For`. Where none
    /// does, callers could write there what they like.
    pub behind_proxy: bool,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            return_urls: Vec::new(),
            behind_proxy: false,
        }
    }
}

/// `[worker]`: what one worker process takes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerConfig {
    /// The lanes it serves: any of check, refresh, publish, verify, house.
    pub lanes: Vec<String>,
    /// Jobs in flight per lane.
    pub slots: PerLane,
    /// How long begun jobs may take to finish after the first signal, in seconds.
    pub drain_s: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            lanes: PerLane::LANES.map(str::to_owned).to_vec(),
            slots: PerLane {
                check: 64,
                refresh: 16,
                publish: 32,
                verify: 32,
                house: 4,
            },
            drain_s: 30,
        }
    }
}
