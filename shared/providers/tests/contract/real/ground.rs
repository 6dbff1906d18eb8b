//! The ground of a case: the server, by what its operator and the owners of accounts can do and see.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use http::Method;
use mooring_domain::{Time, failure::RateScope, time::seconds};
use mooring_providers::BaseUrls;
use mooring_runtime::Clock;
use mooring_simulator::{Delivery, FaultKind};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::place::Place;
use crate::{arena::Scene, ground::Ground};

const POSTS: &str = "app.bsky.feed.post";

/// Points that an account may spend on writes in an hour, and what a post costs (packages/pds, `index.ts` and
/// `repo/putRecord.ts`).
const POINTS: usize = 5_000;
const POINTS_OF_A_POST: usize = 2;

/// The ground of one case.
pub(crate) struct Real(pub(crate) Arc<Place>);

impl Ground for Real {
    fn clock(&self) -> Arc<dyn Clock> {
        self.0.server.clock()
    }

    fn urls(&self) -> BaseUrls {
        BaseUrls {
            bluesky: self.0.server.url.clone(),
            bluesky_directory: self.0.server.directory.clone(),
            ..BaseUrls::default()
        }
    }

    fn address(&self) -> String {
        let url = &self.0.server.url;
        format!("localhost:{}", url.port().expect("a port"))
    }

    fn tolerance(&self) -> TimeDelta {
        seconds(10)
    }

    fn advance(&self, by: Duration) {
        self.0.server.advance(by);
    }

    fn fault(&self, _scene: &dyn Scene, operation: &str, kind: FaultKind, times: u64) {
        match kind {
            // Nobody pretends: the account has really used up what it may write.
            FaultKind::RateLimited { .. } => self.use_up(POINTS),
            kind => self.0.server.front.fault(operation, kind, times),
        }
    }

    fn clear_faults(&self) {
        self.0.server.front.clear();
    }

    fn calls(&self) -> u64 {
        self.0.server.front.calls(None)
    }

    fn calls_of(&self, _account: &str, operation: &str) -> u64 {
        self.0.server.front.calls(Some(operation))
    }

    /// Those that are there: no case asks after it has deleted one.
    fn made(&self, scene: &dyn Scene) -> usize {
        self.posts(&scene.account()).len()
    }

    fn doubled(&self, scene: &dyn Scene) -> usize {
        let mut copies = BTreeMap::<String, usize>::new();
        for post in self.posts(&scene.account()) {
            *copies.entry(post["value"]["text"].to_string()).or_default() += 1;
        }
        copies.values().filter(|count| **count > 1).count()
    }

    fn delete_post(&self, scene: &dyn Scene, remote_id: &str) -> Result<(), String> {
        let body = json!({
            "repo": scene.account(), "collection": POSTS, "rkey": key(remote_id)?,
        });
        self.as_owner("com.atproto.repo.deleteRecord", &body);
        Ok(())
    }

    fn edit_post(&self, scene: &dyn Scene, remote_id: &str, text: &str) -> Result<(), String> {
        let posts = self.posts(&scene.account());
        let post = posts.iter().find(|post| post["uri"] == remote_id);
        let mut record = post.ok_or("no such post")?["value"].clone();
        record["text"] = text.into();
        let body = json!({
            "repo": scene.account(), "collection": POSTS, "rkey": key(remote_id)?, "record": record,
        });
        self.as_owner("com.atproto.repo.putRecord", &body);
        Ok(())
    }

    fn one_more(&self, _scene: &dyn Scene, whose: RateScope) -> Result<(), &'static str> {
        match whose {
            RateScope::Account => self.use_up(POINTS - POINTS_OF_A_POST),
            // The server counts callers by their address. Another account of the same caller is not at its own limit.
            RateScope::App | RateScope::Provider => {
                self.0.move_in_anew();
                self.call_until_one_is_left();
            }
        }
        Ok(())
    }

    /// By the server's own word, which must be a time to come.
    fn limited_until(&self, _scene: &dyn Scene, _for_so_long: TimeDelta) -> Time {
        let reset = self.0.server.front.reset().expect("a refusal");
        let until = chrono::DateTime::from_timestamp(reset, 0).expect("a time");
        assert!(until > self.clock().now(), "{until}");
        until
    }

    fn deliveries(&self) -> Vec<Delivery> {
        Vec::new()
    }
}

impl Real {
    /// Every post of an account that the public sees; none of one that was shut.
    fn posts(&self, did: &str) -> Vec<Value> {
        let operator = &self.0.server.operator;
        let method = "com.atproto.repo.listRecords";
        let mut call = operator.call(method);
        call.method = Method::GET;
        let call = call
            .query("repo", did)
            .query("collection", POSTS)
            .query("limit", "100");
        let answer = self.0.server.block(operator.http.send(call));
        let answer = answer.expect("an answer");
        let listed: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let shut = answer.status == 400 || listed["error"] == "UpstreamFailure";
        assert!(answer.status.is_success() || shut, "{listed}");
        listed["records"].as_array().cloned().unwrap_or_default()
    }

    fn as_owner(&self, method: &'static str, body: &Value) {
        let server = &self.0.server;
        let token = self.0.owner_token();
        server.block(server.operator.post(method, body, Some(token.expose())));
    }

    /// Spends points of the account: a batch of writes that is too large is counted first and refused then.
    fn use_up(&self, points: usize) {
        let write = json!({ "$type": "com.atproto.repo.applyWrites#create", "collection": "a.b.c", "value": {} });
        let remove = json!({ "$type": "com.atproto.repo.applyWrites#delete", "collection": "a.b.c", "rkey": "d" });
        // Three points each, and one.
        let mut writes = vec![write; points / 3];
        writes.extend(vec![remove; points % 3]);
        let body = json!({ "repo": self.0.did(), "writes": writes });
        let operator = &self.0.server.operator;
        let call = self
            .0
            .unprivileged("com.atproto.repo.applyWrites")
            .bearer(self.0.owner_token().expose())
            .json(&body)
            .expect("JSON");
        let answer = self.0.server.block(operator.http.send(call));
        let answer = answer.expect("an answer");
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(told.contains("Too many writes"), "{told}");
    }

    /// Calls from the case's address until its next call is the last one within the limit. Thousands of them: they go
    /// out one behind the other on one connection.
    fn call_until_one_is_left(&self) {
        let server = &self.0.server;
        let http = &server.operator.http;
        let mut call = self.0.unprivileged("com.atproto.server.describeServer");
        call.method = Method::GET;
        let answer = server.block(http.send(call)).expect("an answer");
        let left = answer.header("ratelimit-remaining").expect("a limit");
        let left: usize = left.parse().expect("a number");
        let calls = self.many(left - 1);
        let answers = server.block(async {
            let address = server.operator.url.socket_addrs(|| None).expect("one")[0];
            let stream = TcpStream::connect(address).await.expect("it listens");
            let (mut reads, mut writes) = stream.into_split();
            let mut answers = Vec::new();
            let (written, read) = tokio::join!(
                writes.write_all(calls.as_bytes()),
                reads.read_to_end(&mut answers)
            );
            written.and(read).expect("all are answered");
            String::from_utf8_lossy(&answers).to_lowercase()
        });
        assert_eq!(answers.matches("http/1.1 200").count(), left - 1);
        assert_eq!(answers.matches("ratelimit-remaining: 1\r\n").count(), 1);
    }

    /// So many calls in their wire form; the connection ends with the last one.
    fn many(&self, count: usize) -> String {
        let caller = self.0.server.front.caller();
        let line = "GET /xrpc/com.atproto.server.describeServer HTTP/1.1\r\nhost: localhost";
        let call = format!("{line}\r\nx-forwarded-for: {caller}\r\n\r\n");
        let last = format!("{line}\r\nx-forwarded-for: {caller}\r\nconnection: close\r\n\r\n");
        call.repeat(count - 1) + &last
    }
}

fn key(remote_id: &str) -> Result<&str, String> {
    remote_id
        .rsplit('/')
        .next()
        .ok_or_else(|| "no post's URI".to_owned())
}
