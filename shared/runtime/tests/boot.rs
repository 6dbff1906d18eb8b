//! One whole life of a process: it starts, works, gets SIGTERM, drains, and its last spans arrive.
//!
//! Alone in its file, because telemetry is installed once per process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use mooring_runtime::trace::{KeyValue, adopt, start_story};
use mooring_runtime::{Config, boot};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tracing::Instrument;
use uuid::Uuid;

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Serves on a thread of its own, so that it outlives the process under test.
    fn start(&self) -> SocketAddr {
        let (send, receive) = mpsc::channel();
        let service =
            TraceServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
                send.send(incoming.local_addr().unwrap()).unwrap();
                Server::builder()
                    .add_service(service)
                    .serve_with_incoming(incoming)
                    .await
                    .unwrap();
            });
        });
        receive.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let scopes = requests
            .iter()
            .flat_map(|r| &r.resource_spans)
            .flat_map(|r| &r.scope_spans);
        scopes.flat_map(|s| &s.spans).cloned().collect()
    }

    fn resource(&self) -> Vec<String> {
        let requests = self.0.lock().unwrap();
        let resource = requests[0].resource_spans[0].resource.clone().unwrap();
        resource
            .attributes
            .iter()
            .map(|kv| kv.key.clone())
            .collect()
    }
}

#[test]
fn a_process_drains_on_sigterm_and_its_last_spans_arrive() {
    let collector = Collector::default();
    let mut config = Config::default();
    config.admin.bind = SocketAddr::from(([127, 0, 0, 1], 0));
    config.telemetry.otlp_endpoint = Some(format!("http://{}", collector.start()));
    let id = Uuid::now_v7();
    let drained = Arc::new(Mutex::new(false));
    let noted = Arc::clone(&drained);

    let code = boot("worker", config, move |context| async move {
        let story = start_story(
            "send publish",
            id,
            vec![KeyValue::new("mooring.job.kind", "publish")],
            &[],
        );
        let pid = std::process::id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-TERM", &pid])
                .status()?
                .success()
        );
        context.lifecycle.soft().cancelled().await;
        let span = adopt(
            tracing::info_span!("process publish", otel.kind = "consumer"),
            &story,
            &[],
        );
        async { *noted.lock().unwrap() = true }
            .instrument(span)
            .await;
        Ok(())
    });

    assert_eq!(
        format!("{code:?}"),
        format!("{:?}", std::process::ExitCode::SUCCESS)
    );
    assert!(*drained.lock().unwrap());
    let spans = collector.spans();
    let named = |name: &str| {
        spans
            .iter()
            .find(|s| s.name == name)
            .unwrap_or_else(|| panic!("no {name} in {spans:?}"))
    };
    let (send, process) = (named("send publish"), named("process publish"));
    assert_eq!(send.trace_id, id.as_bytes());
    assert_eq!(send.span_id, id.as_bytes()[8..]);
    assert!(send.parent_span_id.is_empty());
    assert_eq!(
        (&process.trace_id, &process.parent_span_id),
        (&send.trace_id, &send.span_id)
    );
    let resource = collector.resource();
    for key in [
        "service.name",
        "service.instance.id",
        "service.version",
        "deployment.environment.name",
    ] {
        assert!(
            resource.iter().any(|k| k == key),
            "{key} is not in {resource:?}"
        );
    }
}
