//! A process's metrics, as Prometheus would read them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::Process;

/// What `/metrics` of a process said.
pub struct Scrape(String);

impl Scrape {
    /// Asks a process that has started.
    #[must_use]
    pub fn of(process: &Process) -> Self {
        let address = process.event("admin.listening").and_then(|line| {
            let address = line["address"].as_str()?;
            address.parse::<std::net::SocketAddr>().ok()
        });
        let address = address.expect("the process told where its metrics are");
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a time-out");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: mooring\r\nconnection: close\r\n\r\n")
            .expect("it takes a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        Self(String::from_utf8_lossy(&answer).into_owned())
    }

    /// A histogram, over all its labels: how many values were at most so many microseconds, per bucket but the last.
    #[must_use]
    pub fn histogram(&self, name: &str) -> Vec<(u64, u64)> {
        let lines = self.0.lines();
        let buckets = lines.filter_map(|line| {
            let rest = line.strip_prefix(name)?.strip_prefix("_bucket{")?;
            let (labels, value) = rest.split_once("} ")?;
            let end = labels.split("le=\"").nth(1)?.split('"').next()?;
            let seconds: f64 = end.parse().ok().filter(|end: &f64| end.is_finite())?;
            let count = value.split(' ').next()?.parse().ok()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a bucket's end is some seconds"
            )]
            let micros = (seconds * 1_000_000.0).round() as u64;
            Some((micros, count))
        });
        buckets.collect()
    }
}
