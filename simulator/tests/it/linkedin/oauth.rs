//! Consent, codes, tokens, introspection, people and roles.

use mooring_simulator::linkedin::{
    LinkedInRevokeReason, LinkedInTokenScope, MemberState, NewLinkedInApp,
};

use super::{DAY, LinkedIn, is};
use crate::client::{START_MS, get, post_form, send};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// Where the consent page leads.
async fn consent(li: &LinkedIn, scope: &str, more: &str) -> String {
    let (id, member) = (&li.app.id, &li.member.id);
    let path = format!(
        "/linkedin/oauth/v2/authorization?response_type=code&client_id={id}&redirect_uri=http://127.0.0.1/cb&state=s%201&scope={scope}&login_hint={member}{more}"
    );
    let reply = send(&li.simulator, &get(path)).await;
    assert_eq!(reply.status, 302);
    reply.headers["location"].clone()
}

fn code_in(location: &str) -> &str {
    let (code, state) = location
        .split_once("code=")
        .unwrap()
        .1
        .split_once('&')
        .unwrap();
    assert_eq!(state, "state=s+1");
    code
}

fn exchange(code: &str, redirect: &str) -> String {
    format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}")
}

#[tokio::test]
async fn a_code_is_good_once_for_thirty_minutes_and_for_its_own_address() {
    let li = LinkedIn::new().await;
    let scope = "openid%20profile%20w_member_social";
    let location = consent(&li, scope, "").await;
    let code = code_in(&location);
    let other = li
        .oauth("accessToken", &exchange(code, "http://other/"))
        .await;
    is(&other, 400, "invalid_redirect_uri");
    let form = exchange(code, "http://127.0.0.1/cb");
    let token = li.oauth("accessToken", &form).await.json();
    assert_eq!(token["expires_in"], 5_184_000);
    assert_eq!(token["refresh_token_expires_in"], 31_536_000);
    assert_eq!(token["scope"], "openid,profile,w_member_social");
    assert!(token["access_token"].as_str().unwrap().len() > 300);
    assert!(token["id_token"].is_string());
    is(
        &li.oauth("accessToken", &form).await,
        401,
        "invalid_request",
    );

    let location = consent(&li, scope, "").await;
    li.admin.clock().advance(30 * 60 * SECOND + SECOND).unwrap();
    let form = exchange(code_in(&location), "http://127.0.0.1/cb");
    is(
        &li.oauth("accessToken", &form).await,
        400,
        "invalid_redirect_uri",
    );
}

#[tokio::test]
async fn the_client_must_be_right_and_every_parameter_there() {
    let li = LinkedIn::new().await;
    let path = "/linkedin/oauth/v2/accessToken";
    let form = format!("{}&client_id={}", exchange("x", "http://a/"), li.app.id);
    let missing = send(&li.simulator, &post_form(path, &form)).await;
    is(&missing, 400, "invalid_request");
    let text = "A required parameter \"client_secret\" is missing";
    assert_eq!(missing.json()["error_description"], text);
    let wrong = send(
        &li.simulator,
        &post_form(path, &format!("{form}&client_secret=no")),
    )
    .await;
    is(&wrong, 401, "invalid_client");
    let page = get("/linkedin/oauth/v2/authorization?response_type=code&client_id=nobody");
    assert_eq!(send(&li.simulator, &page).await.status, 401);
}

#[tokio::test]
async fn consent_is_all_or_nothing_and_only_to_what_the_app_has() {
    let li = LinkedIn::new().await;
    for more in ["&deny=1", "&decline=w_member_social"] {
        let location = consent(&li, "openid,w_member_social", more).await;
        assert!(
            location.contains("error=user_cancelled_authorize"),
            "{location}"
        );
        assert!(location.contains("state=s+1"));
    }
    let location = consent(&li, "openid%20r_member_social", "").await;
    assert!(
        location.contains("error=unauthorized_scope_error"),
        "{location}"
    );
}

#[tokio::test]
async fn a_consent_to_other_permissions_ends_the_tokens_before() {
    let li = LinkedIn::new().await;
    let same = "openid%20profile%20w_member_social%20w_organization_social%20r_organization_social%20rw_organization_admin";
    for (scope, alive) in [(same, true), ("openid%20profile", false)] {
        let location = consent(&li, scope, "").await;
        let form = exchange(code_in(&location), "http://127.0.0.1/cb");
        assert_eq!(li.oauth("accessToken", &form).await.status, 200);
        let reply = li.get("v2/userinfo").await;
        assert_eq!(reply.status == 200, alive);
        if !alive {
            is(&reply, 401, "INVALID_ACCESS_TOKEN");
            assert_eq!(reply.json()["serviceErrorCode"], 65_600);
        }
    }
}

#[tokio::test]
async fn an_access_token_lives_sixty_days_and_is_refreshed_by_the_same_refresh_token() {
    let li = LinkedIn::new().await;
    let refresh = li.member.refresh_token.as_deref().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    li.admin.clock().advance(59 * DAY).unwrap();
    let fresh = li.oauth("accessToken", &form).await.json();
    assert_eq!(fresh["refresh_token"], refresh, "it does not rotate");
    assert_eq!(
        fresh["refresh_token_expires_in"],
        306 * 24 * 3600,
        "its end is fixed"
    );
    assert_eq!(
        li.get("v2/userinfo").await.status,
        200,
        "the old one lives on"
    );
    li.admin.clock().advance(DAY).unwrap();
    let expired = li.get("v2/userinfo").await;
    is(&expired, 401, "EXPIRED_ACCESS_TOKEN");
    assert_eq!(expired.json()["serviceErrorCode"], 65_602);

    li.admin.clock().advance(300 * DAY).unwrap();
    let last = li.oauth("accessToken", &form).await.json();
    assert_eq!(
        last["expires_in"],
        5 * 24 * 3600,
        "no longer than the refresh token"
    );
    li.admin.clock().advance(5 * DAY).unwrap();
    let over = li.oauth("accessToken", &form).await;
    is(&over, 400, "invalid_request");
    let text = "The provided authorization grant or refresh token is invalid, expired or revoked";
    assert_eq!(over.json()["error_description"], text);
}

#[tokio::test]
async fn an_ordinary_app_gets_no_refresh_token() {
    let new = NewLinkedInApp {
        refresh_tokens: false,
        ..NewLinkedInApp::default()
    };
    let li = LinkedIn::with(new).await;
    assert!(li.member.refresh_token.is_none());
    let location = consent(&li, "openid", "").await;
    let form = exchange(code_in(&location), "http://127.0.0.1/cb");
    let token = li.oauth("accessToken", &form).await.json();
    assert!(token["refresh_token"].is_null());
}

#[tokio::test]
async fn introspection_answers_200_for_dead_tokens_and_for_foreign_ones() {
    let li = LinkedIn::new().await;
    let token = li.member.access_token.to_string();
    let live = li.introspect(&token).await;
    assert_eq!(
        (&live["active"], &live["status"]),
        (&true.into(), &"active".into())
    );
    assert_eq!(live["expires_at"], START_MS / 1000 + 5_184_000);
    assert_eq!(live["auth_type"], "3L");
    assert!(live["scope"].as_str().unwrap().contains("w_member_social,"));

    let other = li
        .admin
        .create_linkedin_app(NewLinkedInApp::default())
        .unwrap();
    let form = format!(
        "token={token}&client_id={}&client_secret={}",
        other.id, &*other.secret
    );
    let path = "/linkedin/oauth/v2/introspectToken";
    let foreign = send(&li.simulator, &post_form(path, &form)).await;
    assert_eq!(
        (foreign.status, &foreign.json()["active"]),
        (200, &false.into())
    );
    assert!(foreign.json()["status"].is_null());
    let form = format!("token={token}&client_id={}&client_secret=no", other.id);
    is(
        &send(&li.simulator, &post_form(path, &form)).await,
        401,
        "invalid_client",
    );
    is(
        &li.oauth("introspectToken", "token=AQXnothing").await,
        400,
        "invalid_request",
    );

    assert_eq!(
        li.oauth("revoke", &format!("token={token}")).await.status,
        200
    );
    let revoked = li.introspect(&token).await;
    assert_eq!(
        (&revoked["active"], &revoked["status"]),
        (&false.into(), &"revoked".into())
    );
    is(&li.get("v2/userinfo").await, 401, "REVOKED_ACCESS_TOKEN");
    li.admin.clock().advance(61 * DAY).unwrap();
    let refresh = li.member.refresh_token.as_deref().unwrap();
    assert_eq!(
        li.introspect(refresh).await["active"],
        true,
        "refresh tokens, too"
    );
}

#[tokio::test]
async fn every_way_to_lose_access_has_its_own_answer() {
    let li = LinkedIn::new().await;
    let (admin, member) = (&li.admin, li.member.id.as_str());
    admin
        .set_linkedin_member_state(member, MemberState::Restricted)
        .unwrap();
    let restricted = li.get("v2/userinfo").await;
    is(&restricted, 401, "RESTRICTED_MEMBER");
    assert_eq!(restricted.json()["serviceErrorCode"], 65_608);
    admin
        .set_linkedin_member_state(member, MemberState::Active)
        .unwrap();

    admin
        .set_linkedin_scope(member, "w_organization_social", false)
        .unwrap();
    let refused = li.publish(li.page(), "as a page").await;
    is(&refused, 400, "BAD_REQUEST");
    let text = "Organization permissions must be used when using organization as author";
    assert_eq!(refused.json()["message"], text);
    admin
        .set_linkedin_scope(member, "w_member_social", false)
        .unwrap();
    let refused = li.publish(&li.member.urn, "as myself").await;
    is(&refused, 403, "ACCESS_DENIED");
    let text = "Not enough permissions to access: partnerApiPostsExternal.CREATE.20260901";
    assert_eq!(refused.json()["message"], text);
    admin
        .set_linkedin_scope(member, "w_organization_social", true)
        .unwrap();

    let organization = &li.member.organizations[0].id;
    let analyst = Some(("ANALYST", "APPROVED"));
    admin
        .set_linkedin_role(organization, member, analyst)
        .unwrap();
    is(
        &li.publish(li.page(), "as an analyst").await,
        403,
        "ACCESS_DENIED",
    );
    let administrator = Some(("ADMINISTRATOR", "APPROVED"));
    admin
        .set_linkedin_role(organization, member, administrator)
        .unwrap();
    assert_eq!(li.publish(li.page(), "again").await.status, 201);
    admin
        .set_linkedin_product(&li.app.id, "w_organization_social", false)
        .unwrap();
    is(
        &li.publish(li.page(), "the app lost it").await,
        403,
        "ACCESS_DENIED",
    );

    let reason = LinkedInRevokeReason::Removed;
    let all = LinkedInTokenScope::All;
    admin.revoke_linkedin_tokens(member, reason, all).unwrap();
    is(&li.get("v2/userinfo").await, 401, "REVOKED_ACCESS_TOKEN");
    assert_eq!(admin.ledger_summary().posts, 1);
    let bare = send(&li.simulator, &get("/linkedin/v2/userinfo")).await;
    is(&bare, 401, "EMPTY_ACCESS_TOKEN");
}

#[tokio::test]
async fn a_person_and_the_organizations_are_told_page_by_page() {
    let li = LinkedIn::new().await;
    let who = li.get("v2/userinfo").await.json();
    assert_eq!(
        (&who["sub"], &who["name"]),
        (
            &li.member.id.as_str().into(),
            &li.member.name.as_str().into()
        )
    );
    let path = "rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED&count=2";
    let first = li.get(path).await.json();
    assert_eq!(first["elements"].as_array().unwrap().len(), 2);
    let row = &first["elements"][0];
    assert_eq!(row["organization"], li.page());
    assert_eq!(row["roleAssignee"], li.member.urn.as_str());
    let next = first["paging"]["links"][0]["href"]
        .as_str()
        .unwrap()
        .trim_start_matches('/');
    let second = li.get(next).await.json();
    assert_eq!(second["elements"].as_array().unwrap().len(), 1);
    assert_eq!(second["paging"]["links"].as_array().unwrap().len(), 0);

    let organization = &li.member.organizations[1];
    let read = li
        .get(&format!("rest/organizations/{}", organization.id))
        .await
        .json();
    assert_eq!(read["localizedName"], organization.name.as_str());
    li.admin
        .set_linkedin_organization(&organization.id, false)
        .unwrap();
    is(
        &li.get(&format!("rest/organizations/{}", organization.id))
            .await,
        404,
        "NOT_FOUND",
    );
    let left = li.get("rest/organizationAcls?q=roleAssignee").await.json();
    assert_eq!(left["elements"].as_array().unwrap().len(), 2);
    let ids = format!("{},{}", li.member.organizations[0].id, organization.id);
    let several = li
        .get(&format!("rest/organizations?ids=List({ids})"))
        .await
        .json();
    assert_eq!(several["errors"][&organization.id]["status"], 404);
    assert_eq!(several["results"].as_object().unwrap().len(), 1);
}
