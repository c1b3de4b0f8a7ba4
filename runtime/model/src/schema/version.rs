//! What stored data rely on in the specification, to be kept beside them (as JSON) and compared at start.
//!
//! Additions take effect by themselves. What would make stored data unreadable or orphaned is *destructive*: the runtime
//! does not start on it, shows the plan, and `tenter schema-update` carries it out. A change that all stored values
//! survive is no destruction: a wider category, a new optional entry of a dictionary, `int` for `int64`, a mirror.

mod wider;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AttributeKind, IdType, Schema, SeriesType, TimeseriesType};
use crate::id::{AttrName, EntityType};

/// The part of the specification that stored data rely on. Mirrors are left out, since nothing is stored of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SchemaVersion {
    /// By type.
    pub entities: BTreeMap<EntityType, EntityShape>,
}

/// What stored data of an entity type rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityShape {
    /// Type of its ids.
    pub id_type: IdType,
    /// By name.
    pub attributes: BTreeMap<AttrName, AttributeShape>,
}

/// What stored data of an attribute rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum AttributeShape {
    /// One value.
    Plain {
        /// As configuration writes it.
        data_type: String,
    },
    /// A history.
    Observations {
        /// As configuration writes it.
        data_type: String,
    },
    /// Chunks.
    Timeseries {
        /// How items are placed in time.
        timeseries_type: TimeseriesType,
        /// In the order of the specification.
        series: Vec<(String, SeriesType)>,
    },
}

impl fmt::Display for AttributeShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { data_type } => write!(f, "plain {data_type}"),
            Self::Observations { data_type } => write!(f, "observations of {data_type}"),
            Self::Timeseries { timeseries_type, series } => {
                let kind = match timeseries_type {
                    TimeseriesType::Regular => "regular",
                    TimeseriesType::Irregular => "irregular",
                    TimeseriesType::IrregularIntervals => "irregular_intervals",
                };
                let series: Vec<String> = series.iter().map(|(name, of)| format!("{name}: {}", of.name())).collect();
                write!(f, "{kind} timeseries of {}", series.join(", "))
            }
        }
    }
}

impl SeriesType {
    /// The name in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Float => "float",
            Self::Time => "time",
        }
    }
}

impl SchemaVersion {
    /// What data stored under this specification will rely on.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let shape = |kind: &AttributeKind| match kind {
            AttributeKind::Plain { mirror_of: Some(_), .. } => None,
            AttributeKind::Plain { data_type, .. } => Some(AttributeShape::Plain { data_type: data_type.to_string() }),
            AttributeKind::Observations { data_type, .. } => {
                Some(AttributeShape::Observations { data_type: data_type.to_string() })
            }
            AttributeKind::Timeseries { kind, series, .. } => {
                Some(AttributeShape::Timeseries { timeseries_type: *kind, series: series.clone() })
            }
        };
        let entities = schema.entities().iter().map(|spec| {
            let attributes = spec.attributes().iter().filter_map(|a| Some((a.id.clone(), shape(&a.kind)?))).collect();
            (spec.id.clone(), EntityShape { id_type: spec.id_type, attributes })
        });
        Self { entities: entities.collect() }
    }

    /// What has to be done with data stored under this version before they can serve under a newer one.
    #[must_use]
    pub fn compare(&self, newer: &Self) -> SchemaDiff {
        let mut diff = SchemaDiff::default();
        for (etype, old) in &self.entities {
            let Some(new) = newer.entities.get(etype) else {
                diff.destructive.push(Destruction::RemoveEntity { etype: etype.clone() });
                continue;
            };
            if old.id_type != new.id_type {
                let (from, to) = (old.id_type, new.id_type);
                diff.destructive.push(Destruction::RetypeEntity { etype: etype.clone(), from, to });
                continue;
            }
            for (attr, from) in &old.attributes {
                let (etype, attr) = (etype.clone(), attr.clone());
                match new.attributes.get(&attr) {
                    None => diff.destructive.push(Destruction::RemoveAttribute { etype, attr }),
                    Some(to) if from == to => {}
                    Some(to) if wider::holds(to, from) => diff.additions.push(Addition::WiderAttribute {
                        etype,
                        attr,
                        from: from.clone(),
                        to: to.clone(),
                    }),
                    Some(to) => {
                        let (from, to) = (from.clone(), to.clone());
                        diff.destructive.push(Destruction::ChangeAttribute { etype, attr, from, to });
                    }
                }
            }
            let fresh = new.attributes.keys().filter(|attr| !old.attributes.contains_key(*attr));
            diff.additions.extend(fresh.map(|attr| Addition::Attribute { etype: etype.clone(), attr: attr.clone() }));
        }
        let fresh = newer.entities.keys().filter(|etype| !self.entities.contains_key(*etype));
        diff.additions.extend(fresh.map(|etype| Addition::Entity { etype: etype.clone() }));
        diff
    }
}

/// The difference of two versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaDiff {
    /// What is new; nothing has to be done.
    pub additions: Vec<Addition>,
    /// What loses data, in the order in which to do it.
    pub destructive: Vec<Destruction>,
}

impl SchemaDiff {
    /// Whether stored data can serve as they are.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        self.destructive.is_empty()
    }

    /// Whether the versions are equal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.additions.is_empty() && self.destructive.is_empty()
    }
}

impl fmt::Display for SchemaDiff {
    /// The plan, one line for each change: `+` is new, `-` loses data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for addition in &self.additions {
            writeln!(f, "+ {addition}")?;
        }
        for destruction in &self.destructive {
            writeln!(f, "- {destruction}")?;
        }
        Ok(())
    }
}

/// A change that takes effect by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// A new entity type.
    Entity {
        /// Its name.
        etype: EntityType,
    },
    /// A new attribute.
    Attribute {
        /// Its entity type.
        etype: EntityType,
        /// Its name.
        attr: AttrName,
    },
    /// An attribute whose new type takes all values of the old one.
    WiderAttribute {
        /// Its entity type.
        etype: EntityType,
        /// Its name.
        attr: AttrName,
        /// The old type.
        from: AttributeShape,
        /// The new type.
        to: AttributeShape,
    },
}

impl fmt::Display for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entity { etype } => write!(f, "entity '{etype}' is new"),
            Self::Attribute { etype, attr } => write!(f, "attribute '{etype}.{attr}' is new"),
            Self::WiderAttribute { etype, attr, from, to } => {
                write!(f, "attribute '{etype}.{attr}' changes from {from} to {to}: stored values stay valid")
            }
        }
    }
}

/// A change that loses data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destruction {
    /// A type is gone.
    RemoveEntity {
        /// Its name.
        etype: EntityType,
    },
    /// The ids of a type are of another type now.
    RetypeEntity {
        /// Its name.
        etype: EntityType,
        /// The old type of ids.
        from: IdType,
        /// The new type of ids.
        to: IdType,
    },
    /// An attribute is gone.
    RemoveAttribute {
        /// Its entity type.
        etype: EntityType,
        /// Its name.
        attr: AttrName,
    },
    /// Stored values of an attribute do not fit its new type.
    ChangeAttribute {
        /// Its entity type.
        etype: EntityType,
        /// Its name.
        attr: AttrName,
        /// The old type.
        from: AttributeShape,
        /// The new type.
        to: AttributeShape,
    },
}

impl fmt::Display for Destruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ENTITIES: &str = "all its entities are deleted, with records, raw datapoints, snapshots and links";
        const VALUES: &str = "its values are removed from all records";
        match self {
            Self::RemoveEntity { etype } => write!(f, "entity '{etype}' is gone: {ENTITIES}"),
            Self::RetypeEntity { etype, from, to } => {
                let (from, to) = (from.name(), to.name());
                write!(f, "entity '{etype}' has ids of type {to} instead of {from}: {ENTITIES}")
            }
            Self::RemoveAttribute { etype, attr } => write!(f, "attribute '{etype}.{attr}' is gone: {VALUES}"),
            Self::ChangeAttribute { etype, attr, from, to } => {
                write!(f, "attribute '{etype}.{attr}' changes from {from} to {to}: {VALUES}")
            }
        }
    }
}
