//! Servers and listeners of tests: each on a thread of its own, so that they outlive the runtime and the processes
//! under test, and answer while a test waits for a process.

/// Runs `server` until the test's process ends.
pub(crate) fn serve(name: &str, server: impl Future<Output = ()> + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.to_owned());
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(server);
    };
    thread.spawn(run).expect("a thread");
}
