//! People, their roles, and organizations.

use serde_json::{Value, json};

use super::access::{self, ADMIN_SCOPES};
use super::{Organization, errors, flat, gateway, organization_urn, person_urn};
use crate::call::{Answer, Call};
use crate::world::World;

const DEFAULT_COUNT: usize = 10;
const GREATEST_COUNT: usize = 100;

/// `GET /v2/userinfo`: `OpenID Connect`'s claims.
pub(super) fn userinfo(world: &mut World, call: &Call) -> Answer {
    flat(who(world, call))
}

fn who(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    access::need_one(world, call, &token, &["openid"], "userinfo.GET")?;
    let claims = claims(world, &token.member, &token.scopes);
    Ok(Answer::ok(&claims))
}

/// What `OpenID Connect` tells of a person with these permissions.
pub(super) fn claims(world: &World, id: &str, scopes: &[String]) -> Value {
    let mut claims = json!({ "sub": id });
    let has = |wanted: &str| scopes.iter().any(|scope| scope == wanted);
    let Some(member) = world.linkedin.members.get(id) else {
        return claims;
    };
    if has("profile") {
        claims["name"] = format!("{} {}", member.given_name, member.family_name).into();
        claims["given_name"] = member.given_name.clone().into();
        claims["family_name"] = member.family_name.clone().into();
        claims["locale"] = json!({ "country": "US", "language": "en" });
        let picture = format!("https://media.licdn.com/dms/image/{id}/profile-displayphoto");
        claims["picture"] = picture.into();
    }
    if has("email") {
        claims["email"] = format!("{}@example.com", id.to_ascii_lowercase()).into();
        claims["email_verified"] = true.into();
    }
    claims
}

/// `GET /v2/me`: the older profile call.
pub(super) fn me(world: &mut World, call: &Call) -> Answer {
    flat(profile(world, call))
}

fn profile(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let scopes = ["r_basicprofile", "r_liteprofile"];
    access::need_one(world, call, &token, &scopes, "me.GET")?;
    let member = world.linkedin.members.get(&token.member);
    let name = |pick: fn(&super::Member) -> &String| member.map(pick).cloned().unwrap_or_default();
    Ok(Answer::ok(&json!({
        "id": token.member,
        "localizedFirstName": name(|member| &member.given_name),
        "localizedLastName": name(|member| &member.family_name),
    })))
}

/// `GET /rest/organizationAcls?q=roleAssignee[&role=][&state=]`: the caller's roles.
pub(super) fn roles(world: &mut World, call: &Call) -> Answer {
    flat(list_roles(world, call))
}

fn list_roles(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let resource = "organizationAcls.FINDER-roleAssignee";
    access::need_one(world, call, &token, &ADMIN_SCOPES, resource)?;
    let fits = |name: &str, value: &str| call.param(name).is_none_or(|wanted| wanted == value);
    let mut there: Vec<(&String, &Organization)> = world
        .linkedin
        .organizations
        .iter()
        .filter(|(_, organization)| !organization.unavailable)
        .collect();
    there.sort_by_key(|(id, _)| *id);
    let rows: Vec<Value> = there
        .into_iter()
        .filter_map(|(id, organization)| {
            let role = organization.roles.get(&token.member)?;
            let shown = fits("role", &role.name) && fits("state", &role.state);
            let urn = organization_urn(id);
            shown.then(|| {
                json!({
                    "organization": urn,
                    "organizationTarget": urn,
                    "role": role.name,
                    "roleAssignee": person_urn(&token.member),
                    "state": role.state,
                })
            })
        })
        .collect();
    Ok(Answer::ok(&page(call, &rows)))
}

/// One page of a finder's answer: `elements`, and where the next page is.
pub(super) fn page(call: &Call, rows: &[Value]) -> Value {
    let number = |name: &str| call.param(name).and_then(|text| text.parse::<usize>().ok());
    let start = number("start").unwrap_or(0);
    let count = number("count")
        .unwrap_or(DEFAULT_COUNT)
        .clamp(1, GREATEST_COUNT);
    let end = start.saturating_add(count).min(rows.len());
    let elements = rows.get(start.min(end)..end).unwrap_or_default();
    let mut links = Vec::new();
    if end < rows.len() {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.params_except(&["start", "count"]));
        query.append_pair("start", &end.to_string());
        query.append_pair("count", &count.to_string());
        let href = format!("/{}?{}", call.path, query.finish());
        links.push(json!({ "rel": "next", "type": "application/json", "href": href }));
    }
    json!({
        "elements": elements,
        "paging": { "start": start, "count": count, "total": rows.len(), "links": links },
    })
}

/// `GET /rest/organizations/{id}`.
pub(super) fn organization(world: &mut World, call: &Call) -> Answer {
    flat(one_organization(world, call))
}

fn one_organization(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    access::need_one(world, call, &token, &ADMIN_SCOPES, "organizations.GET")?;
    let id = gateway::path_key(call)?;
    if id.parse::<u64>().is_err() {
        let text = format!("Key value '{id}' must be of type 'java.lang.Long'");
        return Err(errors::bad_request("ILLEGAL_ARGUMENT", &text));
    }
    let there = world.linkedin.organizations.get(id);
    let there = there.filter(|organization| !organization.unavailable);
    let organization = there.ok_or_else(errors::not_found)?;
    // Others than its administrators see less; here they see nothing.
    if access::role(world, &token, id).is_none() {
        return Err(errors::access_denied(&gateway::resource(
            call,
            "organizations.GET",
        )));
    }
    Ok(Answer::ok(&organization_object(id, organization)))
}

/// `GET /rest/organizations?ids=List(1,2)`.
pub(super) fn organizations(world: &mut World, call: &Call) -> Answer {
    flat(several_organizations(world, call))
}

fn several_organizations(world: &World, call: &Call) -> Result<Answer, Answer> {
    let token = access::caller(world, call)?;
    let resource = "organizations.BATCH_GET";
    access::need_one(world, call, &token, &ADMIN_SCOPES, resource)?;
    let (mut results, mut errors, mut statuses) = (json!({}), json!({}), json!({}));
    for id in gateway::list(call, "ids")? {
        let there = world.linkedin.organizations.get(&id);
        let there = there.filter(|organization| !organization.unavailable);
        if let Some(organization) = there.filter(|_| access::role(world, &token, &id).is_some()) {
            results[&id] = organization_object(&id, organization);
            statuses[&id] = 200.into();
        } else {
            statuses[&id] = 404.into();
            errors[&id] = json!({ "status": 404, "message": "Could not find entity" });
        }
    }
    Ok(Answer::ok(
        &json!({ "results": results, "statuses": statuses, "errors": errors }),
    ))
}

fn organization_object(id: &str, organization: &Organization) -> Value {
    json!({
        "id": id.parse::<u64>().unwrap_or(0),
        "$URN": organization_urn(id),
        "localizedName": organization.name,
        "vanityName": organization.vanity_name,
        "name": {
            "localized": { "en_US": organization.name },
            "preferredLocale": { "country": "US", "language": "en" },
        },
        "primaryOrganizationType": "NONE",
        "organizationType": "PRIVATELY_HELD",
        "versionTag": "1",
        "locations": [],
    })
}
