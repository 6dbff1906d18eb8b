//! The API's ways: keys and roles, problems, pages, requests that come twice.

use mooring_domain::Role;
use mooring_gateway::acts;
use mooring_store::Actor;
use mooring_tests::{Api, World};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_open_what_their_role_allows_and_nothing_else() {
    let w = World::start().await;
    let stranger = Api::stranger(w.gateway);
    let detail = stranger.get("/me").await.problem(401, "no_key");
    assert!(detail.contains("Authorization: Bearer"), "{detail}");
    let guessed = stranger.clone().with_key("mk_guessed");
    let _ = guessed.get("/me").await.problem(401, "unknown_key");

    let (viewer, admin) = (w.api(Role::Viewer).await, w.api(Role::Admin).await);
    let me = viewer.get("/me").await.ok(200);
    assert_eq!(me["role"], "viewer");
    assert_eq!(me["workspace"], w.workspace.to_string());
    let before = w.events().await.len();
    let wish = json!({"name": "mine", "role": "admin"});
    let detail = viewer
        .post("/keys", wish.clone())
        .await
        .problem(403, "role_too_low");
    assert!(detail.contains("needs the role admin"), "{detail}");
    let _ = w
        .api(Role::Operator)
        .await
        .post("/keys", wish)
        .await
        .problem(403, "role_too_low");
    assert_eq!(
        w.events().await.len(),
        before + 1,
        "only the operator's own key was made"
    );

    let made = admin
        .post("/keys", json!({"name": "page", "role": "viewer"}))
        .await
        .ok(201);
    let (id, text) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let page = stranger.clone().with_key(text);
    assert_eq!(page.get("/me").await.ok(200)["name"], "page");
    let listed = admin.get("/keys").await;
    assert!(!listed.text.contains(text), "a list shows no key");
    assert!(
        listed
            .json
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["id"] == *id)
    );
    assert_eq!(admin.delete(&format!("/keys/{id}")).await.status, 204);
    let _ = page.get("/me").await.problem(401, "unknown_key");
    let _ = admin
        .delete(&format!("/keys/{id}"))
        .await
        .problem(404, "not_found");
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_one_workspace_does_not_open_another() {
    let w = World::start().await;
    let other = acts::create_workspace(&w.store, &Actor::Cli, "Pier", w.now())
        .await
        .unwrap();
    let here = w.api(Role::Admin).await;
    let _ = here
        .clone()
        .in_workspace(other)
        .get("/keys")
        .await
        .problem(403, "workspace_foreign");
    let both = [w.workspace, other];
    let key = acts::create_key(&w.store, &Actor::Cli, "both", &both, Role::Admin, w.now())
        .await
        .unwrap();
    let both = Api::stranger(w.gateway).with_key(key.text.expose());
    let _ = both.get("/keys").await.problem(400, "workspace_unclear");
    let there = both.clone().in_workspace(other).get("/keys").await.ok(200);
    assert_eq!(there.as_array().unwrap().len(), 1, "{there}");
    assert_eq!(
        both.in_workspace(w.workspace)
            .get("/keys")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .len(),
        2
    );
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_146_the_audit_tells_who_did_what_when_and_from_where() {
    let w = World::start().await;
    let admin = w.api(Role::Admin).await;
    for name in ["one", "two", "three"] {
        let _ = admin
            .post("/keys", json!({"name": name, "role": "viewer"}))
            .await
            .ok(201);
    }
    let me = admin.get("/me").await.ok(200);
    let page = admin.get("/audit?limit=2").await.ok(200);
    let first = &page["items"][0];
    assert_eq!(first["event"], "key_created");
    assert_eq!(first["data"]["name"], "three");
    assert_eq!(first["actor"], me["key"]);
    assert_eq!(first["origin"], "127.0.0.1");
    let cursor = page["next"].as_str().expect("there is more");
    let rest = admin.get(&format!("/audit?cursor={cursor}")).await.ok(200);
    let names: Vec<_> = rest["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["event"].clone())
        .collect();
    assert_eq!(
        names,
        ["key_created", "key_created", "workspace_created"],
        "{rest}"
    );
    assert_eq!(rest["items"][1]["actor"], "cli");
    let detail = admin
        .get("/audit?cursor=nonsense!")
        .await
        .problem(422, "invalid");
    assert!(detail.starts_with("cursor:"), "{detail}");
    // Append-only: not even our own database user can change it by mistake.
    for sql in ["UPDATE events SET actor = 'nobody'", "DELETE FROM events"] {
        let refused = w.store.connection().execute_unprepared(sql).await;
        assert!(
            refused.unwrap_err().to_string().contains("append-only"),
            "{sql}"
        );
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_comes_twice_is_carried_out_once() {
    let w = World::start().await;
    let admin = w.api(Role::Admin).await;
    let keyed = [("idempotency-key", "k-1")];
    let body = json!({"name": "page", "role": "viewer"});
    let send = |body| admin.send(Method::POST, "/keys", Some(body), &keyed);
    let (one, two) = tokio::join!(send(body.clone()), send(body.clone()));
    let third = send(body).await;
    let keys = admin.get("/keys").await.ok(200).as_array().unwrap().len();
    assert_eq!(keys, 2, "the admin's own and one more");
    let answered: Vec<_> = [one, two].into_iter().filter(|a| a.status == 201).collect();
    assert!(!answered.is_empty());
    assert!(
        answered.iter().all(|answer| answer.json == third.json),
        "the first answer comes again"
    );
    let other = send(json!({"name": "another", "role": "viewer"})).await;
    let _ = other.problem(422, "idempotency_key_reused");
    // What was refused has changed nothing, and may be mended.
    let twice = [("idempotency-key", "k-2")];
    let send = |body| admin.send(Method::POST, "/keys", Some(body), &twice);
    let _ = send(json!({"name": "", "role": "viewer"}))
        .await
        .problem(422, "invalid");
    let _ = send(json!({"name": "mended", "role": "viewer"}))
        .await
        .ok(201);
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn problems_name_the_field_and_the_fix() {
    let w = World::start().await;
    let admin = w.api(Role::Admin).await;
    for (body, says) in [
        (json!({"name": "x"}), "missing field `role`"),
        (json!({"name": "x", "role": "owner"}), "role"),
        (
            json!({"name": "x", "role": "viewer", "colour": "red"}),
            "unknown field `colour`",
        ),
    ] {
        let detail = admin.post("/keys", body).await.problem(422, "invalid");
        assert!(detail.contains(says), "{detail}");
    }
    let _ = admin.get("/nowhere").await.problem(404, "no_route");
    let document = Api::stranger(w.gateway).get("/openapi.json").await.ok(200);
    for path in [
        "/api/v1/me",
        "/api/v1/keys",
        "/api/v1/keys/{key}",
        "/api/v1/audit",
    ] {
        assert!(document["paths"][path].is_object(), "{path} is described");
    }
    w.done().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_kept_is_nobody_elses_to_see() {
    let w = World::start().await;
    let admin = w.api(Role::Admin).await;
    let keyed = [("idempotency-key", "k-3")];
    let body = json!({"name": "page", "role": "admin"});
    let made = admin
        .send(Method::POST, "/keys", Some(body.clone()), &keyed)
        .await
        .ok(201);
    let text = made["key"].as_str().unwrap();
    for other in [w.api(Role::Viewer).await, w.api(Role::Admin).await] {
        let answer = other
            .send(Method::POST, "/keys", Some(body.clone()), &keyed)
            .await;
        assert!(!answer.text.contains(text), "somebody else's key");
        let _ = answer.problem(422, "idempotency_key_reused");
    }
    // The address's query is part of the request.
    let send = |path| admin.send(Method::POST, path, Some(body.clone()), &keyed);
    let _ = send("/keys?again=1")
        .await
        .problem(422, "idempotency_key_reused");
    assert_eq!(send("/keys").await.ok(201), made);
    w.done().await;
}
