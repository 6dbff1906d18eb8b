//! Parameters as the server takes them: query, form, JSON, or a form with files.

use std::borrow::Cow;

use crate::call::Call;
use crate::mastodon::multipart::{self, Part};

/// The parameters of one call.
pub(super) struct Params<'c> {
    call: &'c Call,
    parts: Vec<Part<'c>>,
}

impl<'c> Params<'c> {
    pub(super) fn read(call: &'c Call) -> Self {
        Self {
            call,
            parts: multipart::parts(call),
        }
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let part = self.parts.iter().find(|part| part.name == name);
        let part = part.and_then(|part| std::str::from_utf8(part.body).ok());
        part.or_else(|| self.call.param(name))
    }

    /// A parameter as text, empty when it is not there.
    pub(super) fn text_or_empty(&self, name: &str) -> Cow<'_, str> {
        self.text(name).unwrap_or_default().into()
    }

    /// A parameter as a number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A file: of this name, or `attach://name`.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        let name = name.strip_prefix("attach://").unwrap_or(name);
        let part = self.parts.iter().find(|part| part.name == name);
        part.map(|part| part.body)
    }
}
