use super::*;

const LONG: Duration = Duration::from_mins(1);

/// A process that does not end fails its test instead of hanging it.
async fn ends<T>(run: impl Future<Output = T>) -> T {
    let in_time = tokio::time::timeout(Duration::from_secs(20), run).await;
    in_time.expect("the process does not end")
}

#[tokio::test]
async fn a_signal_lets_running_work_finish() {
    let lifecycle = Lifecycle::new();
    let (send, signals) = Signals::by_hand();
    let soft = lifecycle.soft().clone();
    lifecycle.spawn("worker", async move {
        soft.cancelled().await;
        tokio::task::yield_now().await;
        Ok(())
    });
    send.send("SIGTERM").unwrap();
    let mut told = false;
    assert!(ends(lifecycle.run(LONG, signals, || told = true)).await);
    assert!(told);
    assert_eq!(lifecycle.failure(), None);
    assert!(!lifecycle.hard().is_cancelled());
}

#[tokio::test]
async fn a_second_signal_is_the_hard_step_at_once() {
    let lifecycle = Lifecycle::new();
    let (send, signals) = Signals::by_hand();
    let hard = lifecycle.hard().clone();
    lifecycle.spawn("worker", async move {
        hard.cancelled().await;
        Ok(())
    });
    send.send("SIGTERM").unwrap();
    send.send("SIGINT").unwrap();
    assert!(ends(lifecycle.run(LONG, signals, || ())).await);
    assert!(lifecycle.hard().is_cancelled());
}

#[tokio::test]
async fn the_end_of_the_drain_time_is_the_hard_step() {
    let lifecycle = Lifecycle::new();
    let (_send, signals) = Signals::by_hand();
    let hard = lifecycle.hard().clone();
    lifecycle.spawn("worker", async move {
        hard.cancelled().await;
        Ok(())
    });
    lifecycle.stop();
    assert!(ends(lifecycle.run(Duration::from_millis(1), signals, || ())).await);
    assert!(lifecycle.hard().is_cancelled());
}

#[tokio::test]
async fn a_component_that_ends_fails_or_panics_ends_the_process_with_failure() {
    type Component = std::pin::Pin<Box<dyn Future<Output = TaskResult> + Send>>;
    let cases: [(Component, &str); 3] = [
        (Box::pin(async { Ok(()) }), "scheduler ended by itself"),
        (
            Box::pin(async { Err("no database".into()) }),
            "scheduler failed: no database",
        ),
        (Box::pin(async { panic!("a bug") }), "scheduler panicked"),
    ];
    for (component, expected) in cases {
        let lifecycle = Lifecycle::new();
        let (_send, signals) = Signals::by_hand();
        lifecycle.spawn("scheduler", component);
        assert!(ends(lifecycle.run(LONG, signals, || ())).await);
        assert_eq!(lifecycle.failure().as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_short_task_may_end() {
    let lifecycle = Lifecycle::new();
    assert_eq!(lifecycle.spawn_short(async { 7 }).await.unwrap(), 7);
    assert!(!lifecycle.stopping());
}

#[test]
fn a_chain_of_errors_is_one_line_without_repeats() {
    let inner = std::io::Error::other("connection refused");
    let outer = std::io::Error::other(inner);
    assert_eq!(chain(&outer), "connection refused");
}
