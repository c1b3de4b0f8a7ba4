//! Attribute values: the contract's own types with conversions and accessors, so that nothing is copied at the border.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use crate::bindings::imports::tenter::hooks::types::{
    Column, EntityRef, Link, LinkData, Member, Scalar, Series, Value,
};
use crate::time::Timestamp;

/// Makes `From` for [`Value`] and [`Scalar`] alike, since their first cases are the same.
macro_rules! from {
    ($($source:ty => $case:ident($v:ident, $with:expr);)*) => { $(
        impl From<$source> for Value {
            fn from($v: $source) -> Self { Self::$case($with) }
        }
        impl From<$source> for Scalar {
            fn from($v: $source) -> Self { Self::$case($with) }
        }
    )* };
}

from! {
    bool => Boolean(v, v);
    i64 => Integer(v, v);
    i32 => Integer(v, v.into());
    u32 => Integer(v, v.into());
    u16 => Integer(v, v.into());
    u8 => Integer(v, v.into());
    f64 => Real(v, v);
    f32 => Real(v, v.into());
    String => Text(v, v);
    &str => Text(v, v.to_owned());
    &String => Text(v, v.clone());
    Timestamp => Time(v, v.as_micros());
    IpAddr => Address(v, v.to_string());
    Ipv4Addr => Address(v, v.to_string());
    Ipv6Addr => Address(v, v.to_string());
    serde_json::Value => Json(v, v.to_string());
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Boolean(v) => Self::Boolean(v),
            Scalar::Integer(v) => Self::Integer(v),
            Scalar::Real(v) => Self::Real(v),
            Scalar::Text(v) => Self::Text(v),
            Scalar::Time(v) => Self::Time(v),
            Scalar::Address(v) => Self::Address(v),
            Scalar::Json(v) => Self::Json(v),
        }
    }
}

impl<T: Into<Scalar>> From<Vec<T>> for Value {
    /// An array or set of primitives.
    fn from(items: Vec<T>) -> Self {
        Self::Items(items.into_iter().map(Into::into).collect())
    }
}

impl From<EntityRef> for Value {
    /// A link that carries nothing.
    fn from(target: EntityRef) -> Self {
        Self::Link(target.into())
    }
}

impl From<&EntityRef> for Value {
    fn from(target: &EntityRef) -> Self {
        Self::Link(target.clone().into())
    }
}

impl From<Link> for Value {
    fn from(link: Link) -> Self {
        Self::Link(link)
    }
}

impl From<Vec<Link>> for Value {
    fn from(links: Vec<Link>) -> Self {
        Self::Links(links)
    }
}

impl From<Vec<EntityRef>> for Value {
    fn from(targets: Vec<EntityRef>) -> Self {
        Self::Links(targets.into_iter().map(Into::into).collect())
    }
}

impl From<Vec<Series>> for Value {
    fn from(series: Vec<Series>) -> Self {
        Self::Chunk(series)
    }
}

/// Accessors that [`Value`] and [`Scalar`] share.
macro_rules! accessors {
    ($name:ident) => {
        impl $name {
            /// An address: canonical text of an IP or hardware address.
            pub fn address(text: impl Into<String>) -> Self {
                Self::Address(text.into())
            }

            /// The text of `text`, `address` and `json`.
            #[must_use]
            pub fn as_str(&self) -> Option<&str> {
                match self {
                    Self::Text(v) | Self::Address(v) | Self::Json(v) => Some(v),
                    _ => None,
                }
            }

            /// The truth value of `boolean`.
            #[must_use]
            pub fn as_bool(&self) -> Option<bool> {
                if let Self::Boolean(v) = self { Some(*v) } else { None }
            }

            /// The number of `integer`.
            #[must_use]
            pub fn as_i64(&self) -> Option<i64> {
                if let Self::Integer(v) = self { Some(*v) } else { None }
            }

            /// The number of `real` and `integer`.
            #[must_use]
            pub fn as_f64(&self) -> Option<f64> {
                match self {
                    Self::Real(v) => Some(*v),
                    #[allow(clippy::cast_precision_loss, reason = "who asks for a float accepts its precision")]
                    Self::Integer(v) => Some(*v as f64),
                    _ => None,
                }
            }

            /// The time of `time`.
            #[must_use]
            pub fn as_time(&self) -> Option<Timestamp> {
                if let Self::Time(v) = self { Some(Timestamp(*v)) } else { None }
            }

            /// The IP address of `address` and `text`.
            #[must_use]
            pub fn as_ip(&self) -> Option<IpAddr> {
                match self {
                    Self::Address(v) | Self::Text(v) => v.parse().ok(),
                    _ => None,
                }
            }

            /// The parsed content of `json`.
            #[must_use]
            pub fn as_json(&self) -> Option<serde_json::Value> {
                if let Self::Json(v) = self { serde_json::from_str(v).ok() } else { None }
            }
        }
    };
}

accessors!(Value);
accessors!(Scalar);

impl Value {
    /// A dictionary.
    ///
    /// ```
    /// use tenter_sdk::Value;
    /// let v = Value::members([("list", "own"), ("note", "seen twice")]);
    /// assert_eq!(v.member("note").and_then(|n| n.as_str()), Some("seen twice"));
    /// ```
    pub fn members<N: Into<String>, V: Into<Scalar>>(members: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::Members(members.into_iter().map(|(n, v)| Member { name: n.into(), value: v.into() }).collect())
    }

    /// The elements of an array or set of primitives; empty for other values.
    #[must_use]
    pub fn as_items(&self) -> &[Scalar] {
        if let Self::Items(v) = self { v } else { &[] }
    }

    /// An entry of a dictionary.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Scalar> {
        let Self::Members(members) = self else { return None };
        members.iter().find(|m| m.name == name).map(|m| &m.value)
    }

    /// The links of a link, or of an array or set of links; empty for other values.
    #[must_use]
    pub fn as_links(&self) -> &[Link] {
        match self {
            Self::Link(link) => std::slice::from_ref(link),
            Self::Links(links) => links,
            _ => &[],
        }
    }

    /// The target of a link.
    #[must_use]
    pub fn as_entity(&self) -> Option<&EntityRef> {
        if let Self::Link(link) = self { Some(&link.target) } else { None }
    }

    /// A column of a timeseries chunk.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<&Column> {
        let Self::Chunk(series) = self else { return None };
        series.iter().find(|s| s.name == name).map(|s| &s.column)
    }
}

impl Series {
    /// A named column of `int` values.
    pub fn integers(name: impl Into<String>, items: impl IntoIterator<Item = i64>) -> Self {
        Self { name: name.into(), column: Column::Integers(items.into_iter().collect()) }
    }

    /// A named column of `float` values.
    pub fn reals(name: impl Into<String>, items: impl IntoIterator<Item = f64>) -> Self {
        Self { name: name.into(), column: Column::Reals(items.into_iter().collect()) }
    }

    /// A named column of times.
    pub fn times(name: impl Into<String>, items: impl IntoIterator<Item = Timestamp>) -> Self {
        Self { name: name.into(), column: Column::Times(items.into_iter().map(Timestamp::as_micros).collect()) }
    }
}

impl Column {
    /// All items as floating point numbers; times as microseconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "who asks for floats accepts their precision")]
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::Reals(v) => v.clone(),
            Self::Integers(v) | Self::Times(v) => v.iter().map(|i| *i as f64).collect(),
        }
    }
}

impl From<EntityRef> for Link {
    fn from(target: EntityRef) -> Self {
        Self { target, data: None }
    }
}

impl Link {
    /// A link that carries one primitive.
    pub fn with(target: EntityRef, data: impl Into<Scalar>) -> Self {
        Self { target, data: Some(LinkData::One(data.into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_convert() {
        assert_eq!(Value::from(22u16), Value::Integer(22));
        assert_eq!(Value::from(vec!["a", "b"]).as_items().len(), 2);
        assert_eq!(Value::from(Timestamp(5)).as_time(), Some(Timestamp(5)));
        assert_eq!(Value::address("192.0.2.1").as_ip(), "192.0.2.1".parse().ok());
        assert_eq!(Value::Integer(3).as_f64(), Some(3.0));
        assert_eq!(Value::Integer(3).as_str(), None);
        let target = EntityRef::new("ip", "192.0.2.1");
        assert_eq!(Value::from(&target).as_entity(), Some(&target));
        assert_eq!(Value::from(vec![target.clone(), target]).as_links().len(), 2);
        assert_eq!(Value::from(serde_json::json!({"a": 1})).as_json(), Some(serde_json::json!({"a": 1})));
        assert_eq!(Value::from(Scalar::from(1.5)), Value::Real(1.5));
    }
}
