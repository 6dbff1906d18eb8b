//! What goes wrong, in one form: `application/problem+json` (RFC 9457) with a stable `code`.
//!
//! `docs/problems.md` lists the codes for callers; a test holds it against [`Kind`].

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use mooring_runtime::lifecycle::chain;
use mooring_store::{Refusal, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::disconnect::Preview;
use crate::acts::{ActError, ConnectRefused, PostRefused};

/// What kind of problem it is: a code, a status, a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NoKey,
    UnknownKey,
    RoleTooLow,
    WorkspaceUnclear,
    WorkspaceForeign,
    Malformed,
    Invalid,
    NotFound,
    NoRoute,
    AlreadyBegun,
    AlreadyPublished,
    NotSettled,
    DuplicatePost,
    ChangedMeanwhile,
    AlreadyConnected,
    ConnectionRemoved,
    ConfirmationNeeded,
    StillAtWork,
    VaultKeyNotEverywhere,
    ComingSoon,
    PlanPlatform,
    PlanLimit,
    TooManyAttempts,
    ConnectedElsewhere,
    NotConfigured,
    ProviderError,
    CredentialsRefused,
    NotYours,
    NotOffered,
    DestinationRefused,
    AccountMismatch,
    AccountGone,
    Over,
    NothingToSync,
    PlatformUnreachable,
    NotLetIn,
    NotPublished,
    AttemptDangles,
    PostOwned,
    NotThisAccount,
    KeyReused,
    KeyInProgress,
    OutcomeUnknown,
    Unavailable,
    Internal,
}

impl Kind {
    /// Its row of the table.
    pub(crate) const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// What callers are told of a kind.
pub(crate) struct Row {
    kind: Kind,
    code: &'static str,
    status: StatusCode,
    title: &'static str,
}

const fn of(kind: Kind, code: &'static str, status: StatusCode, title: &'static str) -> Row {
    Row {
        kind,
        code,
        status,
        title,
    }
}

/// Every kind, in the order of its variants and of the page.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    of(Kind::NoKey, "no_key", StatusCode::UNAUTHORIZED, "no API key"),
    of(Kind::UnknownKey, "unknown_key", StatusCode::UNAUTHORIZED, "the API key is unknown or was taken back"),
    of(Kind::RoleTooLow, "role_too_low", StatusCode::FORBIDDEN, "the API key may not do this"),
    of(Kind::WorkspaceUnclear, "workspace_unclear", StatusCode::BAD_REQUEST, "the API key opens several workspaces"),
    of(Kind::WorkspaceForeign, "workspace_foreign", StatusCode::FORBIDDEN, "the API key does not open this workspace"),
    of(Kind::Malformed, "malformed", StatusCode::BAD_REQUEST, "the request cannot be read"),
    of(Kind::Invalid, "invalid", StatusCode::UNPROCESSABLE_ENTITY, "a field is wrong"),
    of(Kind::NotFound, "not_found", StatusCode::NOT_FOUND, "no such thing in this workspace"),
    of(Kind::NoRoute, "no_route", StatusCode::NOT_FOUND, "no such address"),
    of(Kind::AlreadyBegun, "already_begun", StatusCode::CONFLICT, "the post is on its way"),
    of(Kind::AlreadyPublished, "already_published", StatusCode::CONFLICT, "the post is out, or may be"),
    of(Kind::NotSettled, "not_settled", StatusCode::CONFLICT, "the post waits for its time"),
    of(Kind::DuplicatePost, "duplicate_post", StatusCode::CONFLICT, "another post says the same"),
    of(Kind::ChangedMeanwhile, "changed_meanwhile", StatusCode::CONFLICT, "somebody else has changed it"),
    of(Kind::AlreadyConnected, "already_connected", StatusCode::CONFLICT, "the account is connected already"),
    of(Kind::ConnectionRemoved, "connection_removed", StatusCode::CONFLICT, "the connection was disconnected"),
    of(Kind::ConfirmationNeeded, "confirmation_needed", StatusCode::PRECONDITION_REQUIRED, "this must be confirmed"),
    of(Kind::StillAtWork, "still_at_work", StatusCode::CONFLICT, "workers run on the database"),
    of(Kind::VaultKeyNotEverywhere, "vault_key_not_everywhere", StatusCode::CONFLICT, "a running process does not know the vault's key"),
    of(Kind::ComingSoon, "coming_soon", StatusCode::UNPROCESSABLE_ENTITY, "the platform is not built yet"),
    of(Kind::PlanPlatform, "plan_platform", StatusCode::FORBIDDEN, "the platform is not part of the plan"),
    of(Kind::PlanLimit, "plan_limit", StatusCode::FORBIDDEN, "the plan allows no more accounts"),
    of(Kind::TooManyAttempts, "too_many_attempts", StatusCode::TOO_MANY_REQUESTS, "too many attempts at connecting"),
    of(Kind::ConnectedElsewhere, "connected_elsewhere", StatusCode::CONFLICT, "the account is connected in another workspace"),
    of(Kind::NotConfigured, "not_configured", StatusCode::CONFLICT, "something is missing in this installation"),
    of(Kind::ProviderError, "provider_error", StatusCode::BAD_GATEWAY, "the platform failed"),
    of(Kind::CredentialsRefused, "credentials_refused", StatusCode::UNPROCESSABLE_ENTITY, "the platform refuses name or password"),
    of(Kind::NotYours, "not_yours", StatusCode::FORBIDDEN, "another key began this"),
    of(Kind::NotOffered, "not_offered", StatusCode::CONFLICT, "there is nothing to choose from"),
    of(Kind::DestinationRefused, "destination_refused", StatusCode::UNPROCESSABLE_ENTITY, "this account cannot be connected"),
    of(Kind::AccountMismatch, "account_mismatch", StatusCode::CONFLICT, "another account than the one that was meant"),
    of(Kind::AccountGone, "account_gone", StatusCode::CONFLICT, "the account is not there any more"),
    of(Kind::Over, "over", StatusCode::CONFLICT, "used already, or over"),
    of(Kind::NothingToSync, "nothing_to_sync", StatusCode::CONFLICT, "the post was never published"),
    of(Kind::PlatformUnreachable, "platform_unreachable", StatusCode::SERVICE_UNAVAILABLE, "the platform cannot be reached"),
    of(Kind::NotLetIn, "not_let_in", StatusCode::BAD_GATEWAY, "the platform does not let us look"),
    of(Kind::NotPublished, "not_published", StatusCode::CONFLICT, "there is no published copy"),
    of(Kind::AttemptDangles, "attempt_dangles", StatusCode::CONFLICT, "an attempt's outcome is not known yet"),
    of(Kind::PostOwned, "post_owned", StatusCode::CONFLICT, "the post belongs to another target"),
    of(Kind::NotThisAccount, "not_this_account", StatusCode::UNPROCESSABLE_ENTITY, "the address leads to no post of this account"),
    of(Kind::KeyReused, "idempotency_key_reused", StatusCode::UNPROCESSABLE_ENTITY, "the idempotency key belongs to another request"),
    of(Kind::KeyInProgress, "idempotency_key_in_progress", StatusCode::CONFLICT, "the first request with this idempotency key is at work"),
    of(Kind::OutcomeUnknown, "outcome_unknown", StatusCode::CONFLICT, "the first request with this idempotency key ended without an answer"),
    of(Kind::Unavailable, "unavailable", StatusCode::SERVICE_UNAVAILABLE, "try again later"),
    of(Kind::Internal, "internal", StatusCode::INTERNAL_SERVER_ERROR, "something is wrong on our side"),
];

// A kind finds its row by its place: one that stands elsewhere does not compile.
const _: () = {
    let mut place = 0;
    while place < TABLE.len() {
        assert!(TABLE[place].kind as usize == place);
        place += 1;
    }
};

/// A problem, as callers get it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The kind's page: stable, and the same for every problem with this code.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind_uri: Box<str>,
    /// What kind of problem it is, in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What kind of problem it is, for programs.
    code: &'static str,
    /// What happened here, and what to do.
    detail: String,
    /// The field that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    field: Option<Box<str>>,
    /// When the same request is welcome again, where that is known; `Retry-After` says it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    /// What would happen, where it must be confirmed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Box<Preview>>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let Row {
            code,
            status,
            title,
            ..
        } = *kind.row();
        Self {
            kind_uri: format!("urn:mooring:problem:{code}").into(),
            title,
            status: status.as_u16(),
            code,
            detail: detail.into(),
            field: None,
            until: None,
            preview: None,
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into().into_boxed_str());
        self
    }

    /// This must be confirmed: what it would do now, and how to say yes to exactly that.
    pub(crate) fn unconfirmed(preview: Preview) -> Self {
        let detail = format!(
            "{} connection(s) would be disconnected and {} pending post(s) cancelled: repeat it with confirm={}",
            preview.connections, preview.pending, preview.confirm,
        );
        let mut problem = Self::new(Kind::ConfirmationNeeded, detail);
        problem.preview = Some(Box::new(preview));
        problem
    }

    /// Nothing by this id, in this workspace.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(
            Kind::NotFound,
            format!("{what} does not exist in this workspace: check the id and the key"),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        if let Some(until) = self.until {
            // An HTTP date: no clock is needed to write it.
            let at = until.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            if let Ok(at) = HeaderValue::from_str(&at) {
                response.headers_mut().insert(header::RETRY_AFTER, at);
            }
        }
        response
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Invalid { field, problem } => {
                Self::new(Kind::Invalid, format!("{field}: {problem}")).field(field)
            }
            ActError::Refused(refusal) => {
                if let Refusal::NotFound { what } = &refusal {
                    // Somebody may be trying the ids of another workspace.
                    tracing::warn!(
                        event.name = "api.refused",
                        what,
                        "something was asked for that is not in the key's workspace"
                    );
                }
                let mut problem = Self::new(of_refusal(&refusal), refusal.to_string());
                if let Refusal::TooManyAttempts { until } = refusal {
                    problem.until = Some(until);
                }
                problem
            }
            ActError::Post(refused) => Self::new(of_post(&refused), refused.to_string()),
            ActError::Connect(refused) => Self::new(of_connect(&refused), refused.to_string()),
            ActError::Store(error) => error.into(),
            ActError::Media(error) => {
                tracing::error!(
                    event.name = "api.failed",
                    error = chain(&error),
                    "the media store failed"
                );
                Self::new(Kind::Unavailable, "the media store does not answer")
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(
            event.name = "api.failed",
            error = chain(&error),
            "a request failed"
        );
        if error.is_retryable() {
            Self::new(
                Kind::Unavailable,
                "the database does not answer; nothing was changed",
            )
        } else {
            Self::new(Kind::Internal, "nothing was changed; the log says more")
        }
    }
}

const fn of_refusal(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::AlreadyBegun { .. } => Kind::AlreadyBegun,
        Refusal::Published { .. }
        | Refusal::Unconfirmed { .. }
        | Refusal::AlreadyPublished { .. } => Kind::AlreadyPublished,
        Refusal::NotEnded { .. } => Kind::NotSettled,
        Refusal::Duplicate { .. } => Kind::DuplicatePost,
        Refusal::ChangedMeanwhile { .. } => Kind::ChangedMeanwhile,
        Refusal::NotFound { .. } => Kind::NotFound,
        Refusal::AlreadyConnected { .. } => Kind::AlreadyConnected,
        Refusal::ConnectionRemoved { .. } => Kind::ConnectionRemoved,
        Refusal::ConfirmationNeeded => Kind::ConfirmationNeeded,
        Refusal::StillAtWork { .. } => Kind::StillAtWork,
        Refusal::VaultKeyNotEverywhere { .. } => Kind::VaultKeyNotEverywhere,
        Refusal::ConnectedElsewhere { .. } => Kind::ConnectedElsewhere,
        Refusal::PlanPlatform { .. } => Kind::PlanPlatform,
        Refusal::PlanLimit { .. } => Kind::PlanLimit,
        Refusal::TooManyAttempts { .. } => Kind::TooManyAttempts,
        Refusal::NotPublished { .. } => Kind::NotPublished,
        Refusal::AttemptDangles { .. } => Kind::AttemptDangles,
        Refusal::PostOwned { .. } => Kind::PostOwned,
        Refusal::Over => Kind::Over,
    }
}

const fn of_post(refused: &PostRefused) -> Kind {
    match refused {
        PostRefused::NothingToSync(_) => Kind::NothingToSync,
        PostRefused::Unreachable(_) => Kind::PlatformUnreachable,
        PostRefused::NotLetIn { .. } => Kind::NotLetIn,
        PostRefused::NotThisAccount(_) => Kind::NotThisAccount,
    }
}

const fn of_connect(refused: &ConnectRefused) -> Kind {
    match refused {
        ConnectRefused::ComingSoon(_) => Kind::ComingSoon,
        ConnectRefused::NotConfigured(_) => Kind::NotConfigured,
        ConnectRefused::Platform { .. } => Kind::ProviderError,
        ConnectRefused::Credentials(_) => Kind::CredentialsRefused,
        ConnectRefused::NotYours => Kind::NotYours,
        ConnectRefused::NotOffered(_) => Kind::NotOffered,
        ConnectRefused::Barred { .. } => Kind::DestinationRefused,
        ConnectRefused::AccountMismatch { .. } => Kind::AccountMismatch,
        ConnectRefused::AccountGone(_) => Kind::AccountGone,
        ConnectRefused::NoRightThere(_) => Kind::RoleTooLow,
    }
}

pub(crate) async fn no_route(uri: Uri) -> Problem {
    let detail = format!(
        "{} is no address of this server: see /api/v1/openapi.json",
        uri.path()
    );
    Problem::new(Kind::NoRoute, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_problems_lists_every_code_and_no_other() {
        let page = include_str!("../../../docs/problems.md");
        let page = page.split("## How connecting ends").next().unwrap_or(page);
        let listed: Vec<(&str, u16)> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter_map(|(code, rest)| Some((code, rest.split(' ').next()?.parse().ok()?)))
            .collect();
        let ours: Vec<(&str, u16)> = TABLE
            .iter()
            .map(|row| (row.code, row.status.as_u16()))
            .collect();
        assert_eq!(listed, ours);
    }

    #[test]
    fn row_043_the_page_lists_every_outcome_of_connecting_and_no_other() {
        use mooring_domain::connecting::ConnectOutcome;
        let page = include_str!("../../../docs/problems.md");
        let (_, part) = page
            .split_once("## How connecting ends")
            .expect("the outcomes have their part");
        let listed: Vec<&str> = part
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split_once("` |")?.0))
            .collect();
        assert_eq!(listed, ConnectOutcome::ALL.map(ConnectOutcome::as_str));
    }
}
