//! What a row of the table of routes says for people: what it does, what it takes and what it answers.
//!
//! The rows say it themselves, and not annotations at handlers (as utoipa would have it): one table makes the router, the
//! guard, the matrix of access and the OpenAPI document, so a route cannot be in one and lack in another. Handlers answer
//! JSON that they put together, so there is no Rust type whose derived schema would be the truth; `openapi/schemas.json`
//! has the shapes by name, and tests hold them against the answers of a running server.

use tenter_model::case::ObjectKind;

/// The words of one route.
#[derive(Debug, Clone, Default)]
pub(super) struct Operation {
    /// One sentence without a full stop.
    pub(super) summary: &'static str,
    /// Parameters of the query.
    pub(super) params: Vec<Param>,
    /// What the body is; `None`: there is none.
    pub(super) body: Option<Content>,
    /// What a 200 holds.
    pub(super) answer: Content,
    /// Other answers than those that follow from what it takes: status and when.
    pub(super) more: Vec<(u16, &'static str)>,
}

/// A body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// JSON of a shape in `openapi/schemas.json`.
    Json(&'static str),
    /// The same; the body may be left out.
    MaybeJson(&'static str),
    /// Something else, by its media type.
    Media(&'static str),
    /// The fields of a kind of case object, as its table has them; whether a new one is made.
    Fields(ObjectKind, bool),
}

impl Default for Content {
    fn default() -> Self {
        Self::Json("Any")
    }
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) form: ParamForm,
    pub(super) about: &'static str,
    pub(super) must: bool,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParamForm {
    Text,
    /// Given several times.
    Texts,
    /// A number from 0 on, with its default.
    Number(u32),
    /// A number that has no default.
    Position,
    Time,
    /// JSON as text.
    Json,
    Flag,
    /// One of these; the first is the default.
    Word(&'static [&'static str]),
}

/// A parameter that may be left out.
pub(super) const fn may(name: &'static str, form: ParamForm, about: &'static str) -> Param {
    Param { name, form, about, must: false }
}

/// A parameter that must be there.
pub(super) const fn must(name: &'static str, form: ParamForm, about: &'static str) -> Param {
    Param { name, form, about, must: true }
}
