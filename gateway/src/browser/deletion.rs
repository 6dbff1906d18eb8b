//! `GET /hooks/deletions?code=…`: how far the deletion of a person's data is, for that person.

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use chrono::SecondsFormat;
use mooring_domain::Time;
use mooring_store::Deletion;
use serde::Deserialize;

use super::page::Sheet;
use crate::{App, api::Problem};

/// The longest code that is looked up.
const CODE_MAX: usize = 64;

/// The code that the platform gave the person.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    code: String,
}

pub(super) async fn show(
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let fits = (1..=CODE_MAX).contains(&asked.code.len());
    let found = if fits {
        app.store.deletion(&asked.code).await?
    } else {
        None
    };
    let (status, paragraphs) = found.map_or_else(unknown, |deletion| told(&deletion));
    let sheet = Sheet {
        title: "Deletion of your data",
        paragraphs,
        form: None,
    };
    Ok(sheet.answer(status, app.site.is_secure()))
}

fn told(deletion: &Deletion) -> (StatusCode, Vec<String>) {
    let asked = format!("You asked for this on {}.", day(deletion.asked_at));
    let done = deletion.done_at.map_or_else(
        || "We are at it. Look here again in a few minutes.".to_owned(),
        |at| {
            format!(
                "It was done on {}: the access that you gave us is deleted, and your accounts are disconnected.",
                day(at)
            )
        },
    );
    (StatusCode::OK, vec![asked, done])
}

fn unknown() -> (StatusCode, Vec<String>) {
    let text = "We know no request with this code. Check the address that you were given.";
    (StatusCode::NOT_FOUND, vec![text.to_owned()])
}

fn day(at: Time) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
