//! Typed reading of values: `view.value::<f64>("score")`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::time::Timestamp;
use crate::value::{EntityRef, Link, Scalar, Value};

/// A type that a value can be read as. What is of another kind reads as nothing: data that does not fit is for a hook
/// to leave alone, and the specification of the site says which kind an attribute has.
///
/// ```
/// use tenter_sdk::{FromValue, Value};
/// assert_eq!(f64::from_value(&Value::Integer(3)), Some(3.0));
/// assert_eq!(<&str>::from_value(&Value::Integer(3)), None);
/// assert_eq!(Vec::<&str>::from_value(&Value::from(vec!["a", "b"])), Some(vec!["a", "b"]));
/// ```
pub trait FromValue<'a>: Sized {
    /// The value as this type.
    fn from_value(value: &'a Value) -> Option<Self>;
}

/// A type that an element of an array or an entry of a dictionary can be read as.
pub trait FromScalar<'a>: Sized {
    /// The element as this type.
    fn from_scalar(scalar: &'a Scalar) -> Option<Self>;
}

macro_rules! read {
    ($($target:ty => $v:ident: $with:expr;)*) => { $(
        impl<'a> FromValue<'a> for $target {
            fn from_value($v: &'a Value) -> Option<Self> { $with }
        }
        impl<'a> FromScalar<'a> for $target {
            fn from_scalar($v: &'a Scalar) -> Option<Self> { $with }
        }
    )* };
}

read! {
    bool => v: v.as_bool();
    i64 => v: v.as_i64();
    i32 => v: v.as_i64()?.try_into().ok();
    u64 => v: v.as_i64()?.try_into().ok();
    u32 => v: v.as_i64()?.try_into().ok();
    u16 => v: v.as_i64()?.try_into().ok();
    u8 => v: v.as_i64()?.try_into().ok();
    f64 => v: v.as_f64();
    &'a str => v: v.as_str();
    String => v: v.as_str().map(str::to_owned);
    Timestamp => v: v.as_time();
    IpAddr => v: v.as_ip();
    Ipv4Addr => v: v.as_str()?.parse().ok();
    Ipv6Addr => v: v.as_str()?.parse().ok();
    serde_json::Value => v: v.as_json();
}

impl<'a> FromValue<'a> for &'a Value {
    fn from_value(value: &'a Value) -> Option<Self> {
        Some(value)
    }
}

impl<'a> FromValue<'a> for &'a EntityRef {
    fn from_value(value: &'a Value) -> Option<Self> {
        value.as_entity()
    }
}

impl<'a> FromValue<'a> for EntityRef {
    fn from_value(value: &'a Value) -> Option<Self> {
        value.as_entity().cloned()
    }
}

impl<'a> FromValue<'a> for &'a Link {
    fn from_value(value: &'a Value) -> Option<Self> {
        if let Value::Link(link) = value { Some(link) } else { None }
    }
}

impl<'a> FromValue<'a> for &'a [Link] {
    fn from_value(value: &'a Value) -> Option<Self> {
        matches!(value, Value::Link(_) | Value::Links(_)).then(|| value.as_links())
    }
}

impl<'a, T: FromScalar<'a>> FromValue<'a> for Vec<T> {
    /// An array or set of which every element is of the type.
    fn from_value(value: &'a Value) -> Option<Self> {
        let Value::Items(items) = value else { return None };
        items.iter().map(T::from_scalar).collect()
    }
}

impl Value {
    /// The value as a type, such as `value.read::<f64>()`.
    #[must_use]
    pub fn read<'a, T: FromValue<'a>>(&'a self) -> Option<T> {
        T::from_value(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_they_are() {
        assert_eq!(Value::Integer(300).read::<u16>(), Some(300));
        assert_eq!(Value::Integer(300).read::<u8>(), None);
        assert_eq!(Value::Integer(-1).read::<u64>(), None);
        assert_eq!(Value::Real(1.5).read::<i64>(), None);
        assert_eq!(Value::address("192.0.2.1").read::<Ipv4Addr>(), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(Value::from(vec![1, 2]).read::<Vec<i64>>(), Some(vec![1, 2]));
        assert_eq!(Value::Items(vec![1.into(), "a".into()]).read::<Vec<i64>>(), None);
        let target = EntityRef::new("ip", "192.0.2.1");
        assert_eq!(Value::from(&target).read::<&EntityRef>(), Some(&target));
        assert_eq!(Value::from(vec![target.clone()]).read::<&[Link]>().map(<[_]>::len), Some(1));
        assert_eq!(Value::from(vec![target]).read::<EntityRef>(), None);
        assert_eq!(Value::from("x").read::<&[Link]>(), None);
    }
}
