//! Refinements of a subscription, and what its default id is made of.

use crate::bindings::cases::exports::tenter::hooks::cases::AfterFilter;
use crate::bindings::ingest::exports::tenter::hooks::ingest::{AttributeWatch, Creation};
use crate::bindings::schedule::exports::tenter::hooks::schedule::{CronFields, Timer};
use crate::bindings::snapshot::exports::tenter::hooks::snapshot::Correlation;

/// A subscription just made. Keep its id over versions: stored rows, cursors and the operator's decisions name it.
pub struct Chosen<'a, D> {
    pub(crate) id: &'a mut String,
    pub(crate) details: &'a mut D,
}

impl<D> Chosen<'_, D> {
    /// Sets the id; the default is made of the kind and what it is about, such as `on-new-attribute:ip.open_ports`.
    /// Needed where two subscriptions are about the same.
    pub fn id(self, id: impl Into<String>) -> Self {
        *self.id = id.into();
        self
    }
}

macro_rules! refresh {
    ($($details:ty),*) => { $(
        impl Chosen<'_, $details> {
            /// Runs the hook again in the next snapshot after a change of configuration; such a run may set these
            /// paths of the entity.
            pub fn refresh(self, may_change: impl IntoIterator<Item: IntoPath>) -> Self {
                self.details.refresh = true;
                self.details.may_change = paths(may_change);
                self
            }
        }
    )* };
}

refresh!(Creation, AttributeWatch);

impl Chosen<'_, Correlation> {
    /// Sees all current values of the entity, not only those that `depends_on` names. Dearer.
    pub fn whole(self) -> Self {
        self.details.whole = true;
        self
    }
}

impl Chosen<'_, Timer> {
    /// How late, in seconds, a missed slot may still be caught up; 1 without it.
    pub fn grace(self, seconds: u32) -> Self {
        self.details.grace_seconds = seconds;
        self
    }

    /// JSON that the handler gets at each call.
    pub fn arguments(self, arguments: &serde_json::Value) -> Self {
        self.details.arguments = arguments.to_string();
        self
    }
}

impl Chosen<'_, AfterFilter> {
    /// The request waits, and the effects are applied before it is answered.
    pub fn synchronous(self) -> Self {
        self.details.synchronous = true;
        self
    }
}

/// No paths, for a correlation that depends on no value or changes none: `on.correlate("ip", NO_PATHS, ["seen"], ..)`.
pub const NO_PATHS: [&str; 0] = [];

/// A walk over attributes of linked entities: a name, dotted names (`"site.name"`), or a list of names.
pub trait IntoPath {
    /// The names.
    fn into_path(self) -> Vec<String>;
}

impl IntoPath for &str {
    fn into_path(self) -> Vec<String> {
        self.split('.').map(str::to_owned).collect()
    }
}

impl<const N: usize> IntoPath for [&str; N] {
    fn into_path(self) -> Vec<String> {
        self.map(str::to_owned).into()
    }
}

impl IntoPath for Vec<String> {
    fn into_path(self) -> Vec<String> {
        self
    }
}

pub(crate) fn paths(paths: impl IntoIterator<Item: IntoPath>) -> Vec<Vec<String>> {
    paths.into_iter().map(IntoPath::into_path).collect()
}

pub(crate) fn correlation(
    etype: String,
    depends_on: impl IntoIterator<Item: IntoPath>,
    may_change: impl IntoIterator<Item: IntoPath>,
) -> Correlation {
    Correlation { etype, depends_on: paths(depends_on), may_change: paths(may_change), whole: false }
}

/// Fields as of cron, with weekday 0 = Monday. A field less significant than the least one given is its minimum,
/// any other that is absent matches all: `Cron::new().hour("3")` is at 03:00:00 of every day.
#[derive(Debug, Clone)]
pub struct Cron(pub(crate) CronFields);

impl Default for Cron {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident),*) => { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, expression: impl Into<String>) -> Self {
            self.0.$name = Some(expression.into());
            self
        }
    )* };
}

impl Cron {
    /// No field yet, in UTC.
    #[must_use]
    pub fn new() -> Self {
        Self(CronFields {
            year: None,
            month: None,
            day: None,
            week: None,
            day_of_week: None,
            hour: None,
            minute: None,
            second: None,
            timezone: "UTC".into(),
        })
    }

    fields! {
        /// Four digits.
        year,
        /// 1 to 12.
        month,
        /// 1 to 31.
        day,
        /// ISO week, 1 to 53.
        week,
        /// 0 (Monday) to 6, or `mon` to `sun`.
        day_of_week,
        /// 0 to 23.
        hour,
        /// 0 to 59.
        minute,
        /// 0 to 59.
        second
    }

    /// Name of the time zone, such as `Europe/Prague`.
    #[must_use]
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.0.timezone = name.into();
        self
    }
}

/// Default id of a timer: its fields.
pub(crate) fn cron_id(f: &CronFields) -> String {
    let mut id = String::from("cron");
    for (name, field) in [
        ("y", &f.year),
        ("mo", &f.month),
        ("d", &f.day),
        ("w", &f.week),
        ("wd", &f.day_of_week),
        ("h", &f.hour),
        ("mi", &f.minute),
        ("s", &f.second),
    ] {
        if let Some(expression) = field {
            // What an id cannot hold would make different expressions alike.
            let expression = expression.replace('*', "any").replace('/', ".by.").replace(',', ".and.");
            id.push_str(&format!(":{name}.{expression}"));
        }
    }
    id
}

/// `"*"` is every name.
pub(crate) fn named(name: &str) -> Option<String> {
    (name != "*").then(|| name.to_owned())
}

pub(crate) fn case_id(phase: &str, object: &str, action: &str) -> String {
    let name = |n: &str| if n == "*" { "any".to_owned() } else { n.to_owned() };
    format!("{phase}:{}.{}", name(object), name(action))
}

/// A default id: in lower case, with `-` for what an id cannot hold, at most 64 characters.
pub(crate) fn clean(id: &str) -> String {
    let keep = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | ':' | '-');
    id.chars().map(|c| c.to_ascii_lowercase()).map(|c| if keep(c) { c } else { '-' }).take(64).collect()
}

/// Whether the host accepts the id.
pub(crate) fn is_valid(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) && id == clean(id)
}
