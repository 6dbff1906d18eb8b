use super::*;

#[test]
fn every_metric_is_rendered_with_its_labels() {
    let metrics = Metrics::new("worker");
    metrics.job_finished("publish", "bluesky", "done", Duration::from_millis(20));
    metrics.queue_wait("publish", Duration::from_secs(2));
    metrics.attempts("refresh", 3);
    metrics.decision_discarded("check");
    metrics.envelope_dropped("expired");
    metrics.claimed("check", 500);
    metrics.recovered("check", 2);
    metrics.lane_depth("check", 17);
    metrics.slots("check", 64, 63);
    metrics.clock_offset(-250);
    metrics.provider_call(
        "bluesky",
        "/xrpc/com.atproto.repo.putRecord",
        Some(200),
        "",
        Duration::from_millis(3),
    );
    metrics.register(|r| {
        r.register(
            "mooring_extra",
            "Added by a crate",
            Counter::<u64>::default(),
        );
    });
    let text = metrics.render();
    for line in [
        "mooring_build_info{version=\"0.1.0\",role=\"worker\"} 1",
        "mooring_jobs_finished_total{kind=\"publish\",platform=\"bluesky\",outcome=\"done\"} 1",
        "mooring_job_queue_wait_seconds_bucket{le=\"2.5\",kind=\"publish\"} 1",
        "messaging_process_duration_seconds_count{kind=\"publish\",platform=\"bluesky\"} 1",
        "mooring_job_attempts_sum{kind=\"refresh\"} 3.0",
        "mooring_decisions_discarded_total{kind=\"check\"} 1",
        "mooring_envelopes_dropped_total{reason=\"expired\"} 1",
        "mooring_jobs_claimed_total{kind=\"check\"} 500",
        "mooring_jobs_recovered_total{kind=\"check\"} 2",
        "mooring_lane_depth{lane=\"check\"} 17",
        "mooring_worker_slots{lane=\"check\"} 64",
        "mooring_worker_slots_busy{lane=\"check\"} 63",
        "mooring_clock_offset_seconds -0.25",
        "status_class=\"2xx\"",
        "mooring_extra_total 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
}

#[test]
fn a_sampled_trace_becomes_an_exemplar() {
    use opentelemetry::trace::TraceContextExt;
    let metrics = Metrics::new("worker");
    let story = trace::story(uuid::Uuid::now_v7());
    let context = opentelemetry::Context::new().with_remote_span_context(story.clone());
    let guard = context.attach();
    metrics.queue_wait("check", Duration::from_millis(1));
    drop(guard);
    let expected = format!("# {{trace_id=\"{}\"}} 0.001", story.trace_id());
    assert!(metrics.render().contains(&expected), "{}", metrics.render());
}
