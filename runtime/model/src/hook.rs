//! The one table of hook kinds.
//!
//! Law 1:1:1:1: one kind here = one row of [`TABLE`] = one WIT function = one case of the `moment` variant of its
//! family's interface. Names, help, documentation and labels are derived from the table; a test parses `wit/` and
//! demands equality. Case hooks do not become a hundred kinds: which objects and actions exist is data, in
//! [`crate::case`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{AttrName, EntityType, SubscriptionId};

/// A family of hooks: one WIT interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Ingestion of one task.
    Ingest,
    /// A snapshot run.
    Snapshot,
    /// The sweep over stored entities.
    Update,
    /// Times of the clock.
    Schedule,
    /// Changes of case objects.
    Case,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 5] = [Self::Ingest, Self::Snapshot, Self::Update, Self::Schedule, Self::Case];

    /// Name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Snapshot => "snapshot",
            Self::Update => "update",
            Self::Schedule => "schedule",
            Self::Case => "case",
        }
    }

    /// Name of the WIT interface; `case` is a word that several languages reserve.
    #[must_use]
    pub fn interface(self) -> &'static str {
        match self {
            Self::Case => "cases",
            other => other.name(),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a hook may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    Nothing,
    /// Allow or deny.
    Verdict,
    /// Tasks, for the priority queue.
    PriorityTasks,
    /// Tasks, for the normal queue.
    Tasks,
    /// Changes to current values, and tasks.
    Changes,
    /// Data unchanged, replaced or denied.
    Judgement,
    /// Effects on case objects, and tasks.
    Effects,
}

impl Returns {
    /// Words for people.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Verdict => "allow or deny",
            Self::PriorityTasks => "tasks (priority queue)",
            Self::Tasks => "tasks (normal queue)",
            Self::Changes => "changes of values, tasks",
            Self::Judgement => "data unchanged, replaced or denied",
            Self::Effects => "effects on objects, tasks",
        }
    }
}

/// What the host does when a hook fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Record it and go on.
    Record,
    /// Retry the task, then make it a dead letter; `open` by setting lets it count as allowed.
    RetryThenDeadLetter,
    /// Retry faults that pass (`unavailable`, a host call that timed out) three times, then go on without the output.
    RetryThenSkip,
    /// Go on without the output.
    Skip,
    /// Skip the changes and mark the document as partial.
    MarkPartial,
    /// Keep the data and go on; `deny` by setting.
    KeepData,
    /// Retry, then make the job a dead letter.
    RetryThenDead,
    /// Show it to the person who asked.
    Show,
}

impl OnFailure {
    /// Words for people.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Record => "record, go on",
            Self::RetryThenDeadLetter => "retry, then dead-letter the task (setting: allow)",
            Self::RetryThenSkip => "retry transient faults 3 times, then skip its output",
            Self::Skip => "skip its output",
            Self::MarkPartial => "skip its changes, mark the document partial",
            Self::KeepData => "keep the data, go on (setting: deny)",
            Self::RetryThenDead => "retry, then dead letter",
            Self::Show => "shown to the person",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The kind.
    pub kind: HookKind,
    /// Its family.
    pub family: Family,
    /// Its name everywhere: CLI, API, metrics, WIT function, WIT case.
    pub name: &'static str,
    /// When it runs.
    pub when: &'static str,
    /// What it gets.
    pub sees: &'static str,
    /// What it may return.
    pub returns: Returns,
    /// What happens when it fails.
    pub on_failure: OnFailure,
}

macro_rules! hooks {
    ($($kind:ident: $family:ident, $name:literal, $when:literal, $sees:literal, $returns:ident, $fail:ident;)*) => {
        /// A kind of hook.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HookKind { $(
            #[doc = $when]
            $kind,
        )* }

        /// All kinds, in the order of the design.
        pub const TABLE: &[Row] = &[$(Row {
            kind: HookKind::$kind, family: Family::$family, name: $name, when: $when, sees: $sees,
            returns: Returns::$returns, on_failure: OnFailure::$fail,
        },)*];

        impl HookKind {
            /// The kind's row.
            #[must_use]
            pub fn row(self) -> &'static Row {
                // The constants are promoted: each arm is one static row.
                match self { $(
                    Self::$kind => &Row {
                        kind: Self::$kind, family: Family::$family, name: $name, when: $when, sees: $sees,
                        returns: Returns::$returns, on_failure: OnFailure::$fail,
                    },
                )* }
            }
        }
    };
}

hooks! {
    OnTaskStart: Ingest, "on-task-start", "First, for every task, delete tasks too.", "whole task", Nothing, Record;
    AllowEntityCreation: Ingest, "allow-entity-creation", "The entity is unknown, before any side effect.", "entity, task", Verdict, RetryThenDeadLetter;
    OnEntityCreation: Ingest, "on-entity-creation", "The entity was accepted, before datapoints are staged.", "entity, task", PriorityTasks, RetryThenSkip;
    OnNewAttribute: Ingest, "on-new-attribute", "After staging, once per datapoint of the attribute.", "entity, the datapoint as it came", PriorityTasks, RetryThenSkip;
    SnapshotInit: Snapshot, "snapshot-init", "Start of a run, once per lane.", "run", Tasks, Record;
    SnapshotFinalize: Snapshot, "snapshot-finalize", "End of a run, once per lane.", "run", Tasks, Record;
    Timeseries: Snapshot, "timeseries", "Per stored timeseries attribute, before current values.", "entity, attribute, raw history", Tasks, Skip;
    Correlate: Snapshot, "correlate", "Current values computed, used links loaded, topological order.", "current values, linked views", Changes, MarkPartial;
    CorrelateWithRecord: Snapshot, "correlate-with-record", "As correlate.", "current values, linked views, master record", Changes, MarkPartial;
    UpdateRecord: Update, "update-record", "Sweep over stored entities, spread over the period.", "type, id, master record", Tasks, RetryThenSkip;
    UpdateEntity: Update, "update-entity", "Sweep over stored entities, identity only.", "type, id", Tasks, RetryThenSkip;
    Cron: Schedule, "cron", "Cron fields; each slot fires once per lane.", "static arguments", Nothing, Record;
    Before: Case, "before", "Synchronous, before an object is written.", "context, request data", Judgement, KeepData;
    After: Case, "after", "After the commit; asynchronous by default.", "context, the object, old and new", Effects, RetryThenDead;
    Manual: Case, "manual", "A person clicks the menu entry.", "context with user, objects", Effects, Show;
}

impl HookKind {
    /// Its name everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its family.
    #[must_use]
    pub fn family(self) -> Family {
        self.row().family
    }

    /// Its WIT function, as `interface.function`.
    #[must_use]
    pub fn wit_function(self) -> String {
        format!("{}.{}", self.family().interface(), self.name())
    }
}

impl fmt::Display for HookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No hook kind has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a kind of hook{}; `tenter hook kinds` lists them", near(given))]
pub struct UnknownKind {
    /// The text as given.
    pub given: String,
}

fn near(given: &str) -> String {
    crate::config::nearest(given, TABLE.iter().map(|r| r.name))
        .map_or(String::new(), |n| format!(", did you mean {n:?}?"))
}

impl FromStr for HookKind {
    type Err = UnknownKind;

    /// Accepts the name with hyphens or underscores.
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let name = text.replace('_', "-");
        TABLE.iter().find(|r| r.name == name).map(|r| r.kind).ok_or_else(|| UnknownKind { given: text.to_owned() })
    }
}

impl Serialize for HookKind {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for HookKind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A walk over attributes of linked entities.
pub type Path = Vec<AttrName>;

/// What a subscription asks for: the moment, with what its kind needs to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Moment {
    /// First, for every task.
    OnTaskStart,
    /// An unknown entity of this type.
    AllowEntityCreation {
        /// The entity type.
        etype: EntityType,
    },
    /// A new entity of this type.
    OnEntityCreation {
        /// The entity type.
        etype: EntityType,
        /// Run again in the next snapshot after a change of configuration.
        refresh: bool,
        /// What such a run may set.
        may_change: Vec<Path>,
    },
    /// A datapoint of this attribute.
    OnNewAttribute {
        /// The entity type.
        etype: EntityType,
        /// The attribute.
        attr: AttrName,
        /// Run again in the next snapshot after a change of configuration.
        refresh: bool,
        /// What such a run may set.
        may_change: Vec<Path>,
    },
    /// Start of a snapshot run.
    SnapshotInit,
    /// End of a snapshot run.
    SnapshotFinalize,
    /// A stored timeseries.
    Timeseries {
        /// The entity type.
        etype: EntityType,
        /// The attribute.
        attr: AttrName,
    },
    /// Current values of entities of this type.
    Correlate(Correlation),
    /// The same, with the master record.
    CorrelateWithRecord(Correlation),
    /// Stored entities, with their records.
    UpdateRecord(Sweep),
    /// Stored entities, by identity.
    UpdateEntity(Sweep),
    /// Times of the clock.
    Cron(Timer),
    /// Before a write of a case object.
    Before(CaseFilter),
    /// After a write of a case object.
    After {
        /// Which objects and actions.
        #[serde(flatten)]
        filter: CaseFilter,
        /// Whether the request waits.
        synchronous: bool,
    },
    /// A menu entry.
    Manual {
        /// The kind of object, in kebab case.
        object: String,
        /// The entry's text.
        title: String,
    },
}

/// Which values a correlation reads and sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// The entity type.
    pub etype: EntityType,
    /// Paths it reads.
    pub depends_on: Vec<Path>,
    /// Paths it sets.
    pub may_change: Vec<Path>,
    /// Whether all values of the root are passed.
    pub whole: bool,
}

/// A sweep over an entity type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The entity type.
    pub etype: EntityType,
    /// Each entity is visited once in this many seconds.
    pub period_seconds: u64,
}

/// When a `cron` hook runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    /// Cron fields by name (`year` … `second`); `None` = once at start.
    pub fields: Option<Vec<(String, String)>>,
    /// Name of the time zone.
    pub timezone: String,
    /// How late a slot may still fire.
    pub grace_seconds: u32,
    /// JSON text handed back at each call.
    pub arguments: String,
}

/// Which case events; an absent name means every one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFilter {
    /// The kind of object, in kebab case.
    pub object: Option<String>,
    /// The action, in kebab case.
    pub action: Option<String>,
}

impl Moment {
    /// The kind of the moment.
    #[must_use]
    pub fn kind(&self) -> HookKind {
        match self {
            Self::OnTaskStart => HookKind::OnTaskStart,
            Self::AllowEntityCreation { .. } => HookKind::AllowEntityCreation,
            Self::OnEntityCreation { .. } => HookKind::OnEntityCreation,
            Self::OnNewAttribute { .. } => HookKind::OnNewAttribute,
            Self::SnapshotInit => HookKind::SnapshotInit,
            Self::SnapshotFinalize => HookKind::SnapshotFinalize,
            Self::Timeseries { .. } => HookKind::Timeseries,
            Self::Correlate(_) => HookKind::Correlate,
            Self::CorrelateWithRecord(_) => HookKind::CorrelateWithRecord,
            Self::UpdateRecord(_) => HookKind::UpdateRecord,
            Self::UpdateEntity(_) => HookKind::UpdateEntity,
            Self::Cron(_) => HookKind::Cron,
            Self::Before(_) => HookKind::Before,
            Self::After { .. } => HookKind::After,
            Self::Manual { .. } => HookKind::Manual,
        }
    }

    /// The entity type and attribute it is about, where it is about one.
    #[must_use]
    pub fn subject(&self) -> (Option<&EntityType>, Option<&AttrName>) {
        match self {
            Self::AllowEntityCreation { etype } | Self::OnEntityCreation { etype, .. } => (Some(etype), None),
            Self::OnNewAttribute { etype, attr, .. } | Self::Timeseries { etype, attr } => (Some(etype), Some(attr)),
            Self::Correlate(c) | Self::CorrelateWithRecord(c) => (Some(&c.etype), None),
            Self::UpdateRecord(s) | Self::UpdateEntity(s) => (Some(&s.etype), None),
            Self::OnTaskStart
            | Self::SnapshotInit
            | Self::SnapshotFinalize
            | Self::Cron(_)
            | Self::Before(_)
            | Self::After { .. }
            | Self::Manual { .. } => (None, None),
        }
    }
}

/// A module's wish for a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Chosen by the module, unique in it.
    pub id: SubscriptionId,
    /// The moment.
    #[serde(flatten)]
    pub moment: Moment,
}
