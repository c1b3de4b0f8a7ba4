//! Datapoints: statements about one attribute of one entity.

use serde::{Deserialize, Serialize};

use crate::id::AttrName;
use crate::time::Timestamp;
use crate::value::Value;

/// A statement about one attribute; the entity is that of the task it travels in.
///
/// In a datapoint that [`crate::schema::Schema`] has accepted, `t1` and `t2` are set for observations and timeseries
/// and absent for plain attributes, and the value has the attribute's type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataPoint {
    /// The attribute.
    pub attr: AttrName,
    /// The value.
    pub value: Value,
    /// Who says so, free text. For what a hook returned without it: the module's name.
    pub src: Option<String>,
    /// Start of validity.
    pub t1: Option<Timestamp>,
    /// End of validity.
    pub t2: Option<Timestamp>,
    /// 0..1 for observations, 1 when absent; passed through for plain attributes.
    pub confidence: Option<f64>,
}
