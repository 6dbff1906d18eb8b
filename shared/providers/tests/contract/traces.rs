//! Collects everything that is traced, as the house's logs and spans would hold it.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{MakeWriter, format::FmtSpan},
};

/// What was traced so far.
#[derive(Clone, Default)]
pub(crate) struct Traces(Arc<Mutex<Vec<u8>>>);

/// Collects every event and every span with all its fields, of every crate, at every level, in this process.
pub(crate) fn collect() -> Traces {
    static ONCE: OnceLock<Traces> = OnceLock::new();
    ONCE.get_or_init(subscribe).clone()
}

fn subscribe() -> Traces {
    let traces = Traces::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(traces.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .expect("the only subscriber of this process");
    traces
}

impl Traces {
    /// Fails when a secret was traced, without printing it.
    pub(crate) fn hold_no_secret(&self, secrets: &[String]) {
        let bytes = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.contains("http.request"),
            "the calls' spans were collected"
        );
        assert!(
            secrets.len() > 100,
            "only {} secrets were used",
            secrets.len()
        );
        for secret in secrets {
            assert!(
                secret.len() >= 12,
                "a secret that is too short to be looked for"
            );
            if text.contains(secret.as_str()) {
                let line = text.lines().find(|line| line.contains(secret.as_str()));
                let line = line.unwrap_or("over several lines");
                panic!(
                    "a secret was traced: {}",
                    line.replace(secret.as_str(), "[SECRET]")
                );
            }
        }
    }
}

impl io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Traces {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
