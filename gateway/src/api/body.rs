//! Bodies of requests: JSON, unknown fields refused, and what is wrong said in our form.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
};
use serde::de::DeserializeOwned;

use super::{Kind, Problem};

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            // The reader's text names field and line; it repeats no value but the one that it could not read.
            Err(JsonRejection::JsonDataError(error)) => {
                Err(Problem::new(Kind::Invalid, error.body_text()))
            }
            Err(other) => Err(Problem::new(Kind::Malformed, other.body_text())),
        }
    }
}
