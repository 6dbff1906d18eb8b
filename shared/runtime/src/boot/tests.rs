use std::sync::Mutex;

use ::http::Method;
use url::Url;

use super::*;
use crate::http::Call;

fn config() -> Config {
    let mut config = Config::default();
    config.admin.bind = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.allow_private_addresses = true;
    config
}

fn context() -> Context {
    Context::new("worker", config()).unwrap()
}

#[tokio::test]
async fn a_main_that_returns_ends_the_process_in_good_order() {
    let context = context();
    let outcome = lives(&context, |c| async move {
        let soft = c.lifecycle.soft().clone();
        c.lifecycle.spawn("component", async move {
            soft.cancelled().await;
            Ok(())
        });
        Ok(())
    });
    assert_eq!(outcome.await.unwrap(), None);
    assert!(!context.readiness.ready().ok);
}

#[tokio::test]
async fn an_error_of_main_or_of_a_component_is_the_reason_of_the_failure() {
    let by_main = lives(&context(), |_| async {
        Err("cannot reach the database".into())
    })
    .await
    .unwrap();
    assert_eq!(by_main.as_deref(), Some("cannot reach the database"));
    let by_panic = lives(&context(), |_| async { panic!("a bug") })
        .await
        .unwrap();
    assert_eq!(by_panic.as_deref(), Some("the main task panicked"));
    let context = context();
    let by_component = lives(&context, |c| async move {
        c.lifecycle
            .spawn("scheduler", async { Err("no lanes".into()) });
        c.lifecycle.soft().cancelled().await;
        Ok(())
    });
    assert_eq!(
        by_component.await.unwrap().as_deref(),
        Some("scheduler failed: no lanes")
    );
}

#[tokio::test]
async fn the_admin_endpoints_answer_while_main_runs_and_while_it_drains() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let context = context();
    let outcome = lives(&context, |c| async move {
        c.readiness.started();
        for path in ["readyz", "livez", "version"] {
            let status = ask(&c, path).await;
            noted.lock().unwrap().push(status);
        }
        c.lifecycle.stop();
        while c.readiness.ready().ok {
            tokio::task::yield_now().await;
        }
        let status = ask(&c, "readyz").await;
        noted.lock().unwrap().push(status);
        Ok(())
    });
    assert_eq!(outcome.await.unwrap(), None);
    assert_eq!(*seen.lock().unwrap(), [200, 200, 200, 503]);
}

/// Runs a process; one that does not end fails its test instead of hanging it.
async fn lives<F, M>(context: &Context, main: F) -> Result<Option<String>, BootError>
where
    F: FnOnce(Context) -> M,
    M: Future<Output = TaskResult> + Send + 'static,
{
    let in_time = tokio::time::timeout(Duration::from_secs(20), serve(context, main)).await;
    in_time.expect("the process does not end")
}

async fn ask(context: &Context, path: &str) -> u16 {
    let address = context.admin_address().unwrap();
    let url = Url::parse(&format!("http://{address}/{path}")).unwrap();
    context
        .http
        .send(Call::new("admin", "/probe", Method::GET, url))
        .await
        .unwrap()
        .status
        .as_u16()
}

#[tokio::test]
async fn a_taken_admin_port_names_the_key() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config();
    config.admin.bind = taken.local_addr().unwrap();
    let context = Context::new("worker", config).unwrap();
    let error = lives(&context, |_| async { Ok(()) }).await.unwrap_err();
    assert!(error.to_string().contains("MOORING_ADMIN__BIND"), "{error}");
}

#[test]
fn a_clock_file_without_a_time_is_refused() {
    let mut config = config();
    config.clock_file = Some("/nowhere/clock".into());
    let error = Context::new("worker", config).unwrap_err();
    assert!(error.to_string().contains("/nowhere/clock"), "{error}");
}
