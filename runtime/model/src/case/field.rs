//! What a field of a case object is: one row of a table that validation, defaults, patches and documentation read.

use super::kind::ObjectKind;
use super::look_up::LookUpKind;
use super::object::Relation;

/// A field of a kind of object. Its name is the one of requests, of stored bodies and of records.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What values it takes.
    pub shape: Shape,
    /// Who gives it, and whether it must.
    pub need: Need,
    /// What it is when nobody gave it.
    pub made: Made,
    /// What each update sets it to.
    pub touch: Option<Made>,
    /// What is said when it is missing.
    pub missing: &'static str,
    /// The name under which its errors are told, where it is not its own.
    pub told_as: &'static str,
    /// Whether a module's patch may set it.
    pub settable: bool,
}

/// What values a field takes. Except for [`Shape::Text`] that must be there, null is a value of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text of so many characters.
    Text {
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// An integer from 0, or its decimal text.
    Count,
    /// A boolean, 0 or 1, or a word for one.
    Truth,
    /// The id of a row of a look-up table, or its decimal text.
    LookUp {
        /// The table.
        kind: LookUpKind,
        /// What is said when there is no such row.
        wrong: &'static str,
    },
    /// The id of an object of the same case.
    Object {
        /// Its kind.
        kind: ObjectKind,
        /// What is said when the case has none of that id.
        wrong: &'static str,
    },
    /// A list of ids that becomes links and is no part of the body. Those that cannot be linked are left out.
    Links(Relation),
    /// Words separated by commas, of so many characters in all.
    Tags {
        /// At most.
        max: usize,
    },
    /// A time of a timeline without zone.
    LocalTime,
    /// An offset such as `+02:00`.
    Zone,
    /// A point in time, kept in UTC without zone.
    Moment,
    /// One of [`COLOURS`]; others become empty.
    Colour,
    /// A list of `{role, name, contact}`.
    People,
    /// A tree of custom attributes; see [`super::custom`].
    Custom,
    /// Any JSON.
    Json,
}

/// Colours that events may have.
pub const COLOURS: [&str; 7] = ["#fff", "#1572E899", "#6861CE99", "#48ABF799", "#31CE3699", "#F2596199", "#FFAD4699"];

/// Who gives a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The request that creates must have it.
    Create,
    /// Every request must have it.
    Always,
    /// Requests may have it.
    May,
    /// Requests may have it and it is not stored.
    Input,
    /// The server makes it; what requests say of it is ignored.
    Server,
}

/// A value that the server makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Null.
    Null,
    /// A text.
    Text(&'static str),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Truth(bool),
    /// An empty list.
    NoItems,
    /// The time.
    Now,
    /// The date.
    Today,
    /// The id of who acts.
    User,
}

/// Said of a required field that is not there.
pub const MISSING: &str = "Missing data for required field.";

/// Characters of a long text at most: a field is bounded even where a request would be let through.
pub const LONG: usize = 4 << 20;

impl Field {
    const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            need: Need::May,
            made: Made::Null,
            touch: None,
            missing: MISSING,
            told_as: name,
            settable: false,
        }
    }

    pub(super) const fn text(name: &'static str, min: usize, max: usize) -> Self {
        Self::new(name, Shape::Text { min, max })
    }

    pub(super) const fn long(name: &'static str) -> Self {
        Self::text(name, 0, LONG)
    }

    pub(super) const fn of(name: &'static str, shape: Shape) -> Self {
        Self::new(name, shape)
    }

    pub(super) const fn look_up(name: &'static str, kind: LookUpKind, wrong: &'static str) -> Self {
        Self::new(name, Shape::LookUp { kind, wrong })
    }

    pub(super) const fn object(name: &'static str, kind: ObjectKind, wrong: &'static str) -> Self {
        Self::new(name, Shape::Object { kind, wrong })
    }

    pub(super) const fn custom() -> Self {
        Self::new("custom_attributes", Shape::Custom)
    }

    /// One that the server makes.
    pub(super) const fn server(name: &'static str, made: Made) -> Self {
        Self { need: Need::Server, made, ..Self::new(name, Shape::Json) }
    }

    pub(super) const fn required(self) -> Self {
        Self { need: Need::Create, ..self }
    }

    pub(super) const fn always(self) -> Self {
        Self { need: Need::Always, ..self }
    }

    pub(super) const fn input(self) -> Self {
        Self { need: Need::Input, ..self }
    }

    pub(super) const fn or(self, made: Made) -> Self {
        Self { made, ..self }
    }

    pub(super) const fn touched(self, made: Made) -> Self {
        Self { touch: Some(made), ..self }
    }

    pub(super) const fn missing(self, missing: &'static str) -> Self {
        Self { missing, ..self }
    }

    pub(super) const fn told_as(self, told_as: &'static str) -> Self {
        Self { told_as, ..self }
    }

    pub(super) const fn settable(self) -> Self {
        Self { settable: true, ..self }
    }

    /// Whether it is a part of stored bodies.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.need != Need::Input && !matches!(self.shape, Shape::Links(_))
    }
}
