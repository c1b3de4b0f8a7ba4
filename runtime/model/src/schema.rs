//! The entity specification: which entity types exist, and which attributes they have.
//!
//! A [`Schema`] is complete and consistent once it exists: every link names a type that is there, and mirrors are
//! attributes of their own. [`crate::config`] makes one from `db_entities/*.yml`.

pub mod version;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::datatype::DataType;
use crate::id::{AttrName, EntityType};

/// Type of an entity's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdType {
    /// Text, as it is.
    #[default]
    String,
    /// An integer of any size.
    Int,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A hardware address.
    Mac,
}

/// How long an entity lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lifetime {
    /// For ever.
    #[default]
    Immortal,
    /// Until all its TTL tokens are past.
    Ttl {
        /// Microseconds that the token `base` gives at creation.
        on_create: i64,
        /// Whether data keep the entity as long as their history is kept.
        mirror_data: bool,
    },
    /// While something links to it.
    Weak,
}

/// How the history of an observations attribute is kept. Durations in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryParams {
    /// Older points are removed.
    pub max_age: Option<i64>,
    /// More points than this are removed, oldest first.
    pub max_items: Option<u64>,
    /// This long after its end a value can be current at most; `None` = as long as `post_validity` says.
    pub expire_time: Option<i64>,
    /// Validity before `t1`, with falling confidence.
    pub pre_validity: i64,
    /// Validity after `t2`, with falling confidence.
    pub post_validity: i64,
    /// Whether equal neighbours are merged.
    pub aggregate: bool,
}

impl Default for HistoryParams {
    fn default() -> Self {
        Self { max_age: None, max_items: None, expire_time: None, pre_validity: 0, post_validity: 0, aggregate: true }
    }
}

/// How the items of a timeseries are placed in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeseriesType {
    /// One item each `time_step`.
    Regular,
    /// Each item has a `time`.
    Irregular,
    /// Each item has `time_first` and `time_last`.
    IrregularIntervals,
}

/// Data type of one series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesType {
    /// 64-bit integers.
    Int,
    /// 64-bit integers.
    Int64,
    /// Floating point numbers.
    Float,
    /// Points in time.
    Time,
}

/// What differs between the three kinds of attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeKind {
    /// One value; the last write wins.
    Plain {
        /// Type of the value.
        data_type: DataType,
        /// A hint for user interfaces.
        editable: bool,
        /// For a mirror: the type and attribute that it mirrors. Datapoints of mirrors are refused.
        mirror_of: Option<(EntityType, AttrName)>,
    },
    /// A history of values with intervals of validity.
    Observations {
        /// Type of the values.
        data_type: DataType,
        /// A hint for user interfaces.
        editable: bool,
        /// A hint for user interfaces: confidence matters.
        confidence: bool,
        /// Whether several values can be current at once.
        multi_value: bool,
        /// How the history is kept.
        history: HistoryParams,
        /// A hint for user interfaces.
        force_graph: bool,
    },
    /// Chunks of numbers over time.
    Timeseries {
        /// How items are placed in time.
        kind: TimeseriesType,
        /// The series with their types, implicit time series included.
        series: Vec<(String, SeriesType)>,
        /// Older chunks are removed; microseconds.
        max_age: Option<i64>,
        /// Distance of items; microseconds. Regular only.
        time_step: Option<i64>,
    },
}

impl AttributeKind {
    /// DP³'s number of the kind, used in its API: 1 plain, 2 observations, 4 timeseries.
    #[must_use]
    pub fn number(&self) -> u8 {
        match self {
            Self::Plain { .. } => 1,
            Self::Observations { .. } => 2,
            Self::Timeseries { .. } => 4,
        }
    }

    /// The name in configuration files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "plain",
            Self::Observations { .. } => "observations",
            Self::Timeseries { .. } => "timeseries",
        }
    }

    /// How long history is kept, in microseconds; `None` for plain attributes and where there is no end.
    #[must_use]
    pub fn max_age(&self) -> Option<i64> {
        match self {
            Self::Plain { .. } => None,
            Self::Observations { history, .. } => history.max_age,
            Self::Timeseries { max_age, .. } => *max_age,
        }
    }

    /// The data type of values, for plain and observations.
    #[must_use]
    pub fn data_type(&self) -> Option<&DataType> {
        match self {
            Self::Plain { data_type, .. } | Self::Observations { data_type, .. } => Some(data_type),
            Self::Timeseries { .. } => None,
        }
    }
}

/// One attribute of an entity type.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeSpec {
    /// Name in data.
    pub id: AttrName,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// How long a datapoint keeps an entity of limited lifetime; microseconds.
    pub ttl: i64,
    /// What the kind of attribute adds.
    pub kind: AttributeKind,
}

/// One entity type.
#[derive(Debug, Clone, PartialEq)]
pub struct EntitySpec {
    /// Name in data.
    pub id: EntityType,
    /// Type of the ids.
    pub id_type: IdType,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Whether entities without links take part in snapshots.
    pub snapshot: bool,
    /// How long entities live.
    pub lifetime: Lifetime,
    attributes: Vec<AttributeSpec>,
    index: HashMap<AttrName, usize>,
}

impl EntitySpec {
    /// Puts a type together; a later attribute of the same name replaces an earlier one.
    #[must_use]
    pub fn new(
        id: EntityType,
        id_type: IdType,
        name: String,
        description: String,
        snapshot: bool,
        lifetime: Lifetime,
        attributes: Vec<AttributeSpec>,
    ) -> Self {
        let mut spec =
            Self { id, id_type, name, description, snapshot, lifetime, attributes: Vec::new(), index: HashMap::new() };
        for attribute in attributes {
            spec.add(attribute);
        }
        spec
    }

    /// Adds an attribute or replaces the one of the same name.
    pub fn add(&mut self, attribute: AttributeSpec) {
        match self.index.get(&attribute.id).and_then(|i| self.attributes.get_mut(*i)) {
            Some(slot) => *slot = attribute,
            None => {
                self.index.insert(attribute.id.clone(), self.attributes.len());
                self.attributes.push(attribute);
            }
        }
    }

    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeSpec> {
        self.index.get(name).and_then(|i| self.attributes.get(*i))
    }

    /// Place of an attribute in [`EntitySpec::attributes`].
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// All attributes, in the order of the file, mirrors last.
    #[must_use]
    pub fn attributes(&self) -> &[AttributeSpec] {
        &self.attributes
    }
}

/// What counts of a key that stands twice in one object of JSON that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicateKeys {
    /// The last, as in DP³.
    #[default]
    Last,
    /// None: the request is refused, since readers disagree.
    Refused,
}

/// All entity types, and the rules by which their values are read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    entities: Vec<EntitySpec>,
    index: HashMap<EntityType, usize>,
    /// Of requests.
    pub duplicate_keys: DuplicateKeys,
}

impl Schema {
    /// Puts types together; a later type of the same name replaces an earlier one. Links are not checked here:
    /// [`crate::config`] does that while it still knows the lines.
    #[must_use]
    pub fn new(entities: Vec<EntitySpec>) -> Self {
        let mut schema = Self::default();
        for entity in entities {
            match schema.index.get(&entity.id).and_then(|i| schema.entities.get_mut(*i)) {
                Some(slot) => *slot = entity,
                None => {
                    schema.index.insert(entity.id.clone(), schema.entities.len());
                    schema.entities.push(entity);
                }
            }
        }
        schema
    }

    /// The entity type of that name.
    #[must_use]
    pub fn entity(&self, etype: &str) -> Option<&EntitySpec> {
        self.index.get(etype).and_then(|i| self.entities.get(*i))
    }

    /// The attribute of that type and name.
    #[must_use]
    pub fn attribute(&self, etype: &str, attr: &str) -> Option<&AttributeSpec> {
        self.entity(etype)?.attribute(attr)
    }

    /// All types, in the order of the configuration.
    #[must_use]
    pub fn entities(&self) -> &[EntitySpec] {
        &self.entities
    }
}
