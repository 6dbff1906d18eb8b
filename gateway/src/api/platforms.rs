//! `/platforms`: what can be connected, and what is to come.

use axum::{Json, extract::State};
use mooring_domain::{
    Platform,
    plan::Plan,
    platform::{COMING_SOON, RefreshRule, ways},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ByViewer, Problem};
use crate::App;

/// A way into a platform.
#[derive(Serialize, ToSchema)]
pub(crate) struct Way {
    /// Its name in addresses: `POST /connect/{name}`.
    name: &'static str,
    /// What people call it.
    display_name: &'static str,
    /// available, `not_in_plan` or `coming_soon`.
    status: &'static str,
    /// Whether its credentials renew themselves.
    renews: bool,
    /// The permissions that publishing and verifying need, and those that one right more depends on.
    scopes: Vec<&'static str>,
}

/// Lists the ways in.
#[utoipa::path(get, path = "/platforms", responses((status = OK, body = Vec<Way>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    ByViewer(caller): ByViewer,
    State(app): State<App>,
) -> Result<Json<Vec<Way>>, Problem> {
    let plan = app.store.plan(caller.workspace).await?;
    let built = ways().map(|one| way(one, &plan));
    let to_come = COMING_SOON.iter().map(|name| Way {
        name,
        display_name: name,
        status: "coming_soon",
        renews: false,
        scopes: Vec::new(),
    });
    Ok(Json(built.chain(to_come).collect()))
}

fn way(platform: Platform, plan: &Plan) -> Way {
    let row = platform.capabilities();
    let optional = row.optional_scopes.iter().map(|(scope, _)| *scope);
    Way {
        name: row.name,
        display_name: row.display_name,
        status: if plan.admits(platform, 0).is_ok() {
            "available"
        } else {
            "not_in_plan"
        },
        renews: row.refresh != RefreshRule::None,
        scopes: row
            .required_scopes
            .iter()
            .copied()
            .chain(optional)
            .collect(),
    }
}
