//! Entity ids: canonical text from input, and JSON from canonical text.
//!
//! Integer ids may have any size. As JSON they are numbers up to 64 bits and text beyond, because a JSON reader
//! that computes with doubles would silently change them; both forms are accepted again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value as Json;

use super::{quoted, shown};
use crate::id::EntityId;
use crate::schema::IdType;
use crate::value::Mac;

impl IdType {
    /// The name in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Mac => "mac",
        }
    }

    /// All types of ids.
    pub const ALL: [Self; 5] = [Self::String, Self::Int, Self::Ipv4, Self::Ipv6, Self::Mac];

    fn describe(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Int => "an integer",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Mac => "a hardware address such as 00:1b:63:84:45:e6",
        }
    }

    /// Canonical text of an id: an integer without plus and leading zeros, compressed IPv6, a hardware address in
    /// lower case with colons, text as it is.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(self, text: &str) -> Result<EntityId, String> {
        let wrong = || format!("expected {}, found {}", self.describe(), quoted(text));
        match self {
            Self::String => id(text),
            Self::Int => id(&integer(text.trim()).ok_or_else(wrong)?),
            Self::Ipv4 => text.parse::<Ipv4Addr>().map_err(|_| wrong()).and_then(|a| id(&a.to_string())),
            Self::Ipv6 => text.parse::<Ipv6Addr>().map_err(|_| wrong()).and_then(|a| id(&a.to_string())),
            Self::Mac => Mac::parse(text).ok_or_else(wrong).and_then(|m| id(&m.to_string())),
        }
    }

    /// An id from JSON. A number is no string id; text is fine for an integer id, and an integer for an address.
    ///
    /// # Errors
    /// What was expected.
    pub fn accept_json(self, json: &Json) -> Result<EntityId, String> {
        let wrong = || format!("expected {}, found {}", self.describe(), shown(json));
        match (self, json) {
            (_, Json::String(text)) => self.parse(text),
            (Self::Int, Json::Number(n)) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
                (Some(n), ..) => id(&n.to_string()),
                (None, Some(n), _) => id(&n.to_string()),
                (None, None, Some(x)) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => {
                    id(&format!("{x:.0}"))
                }
                (None, None, Some(x)) if x.fract() == 0.0 => {
                    Err(format!("{} is too large for a JSON number; send such an id as text", shown(json)))
                }
                _ => Err(wrong()),
            },
            (Self::Ipv4, Json::Number(n)) => match n.as_u64().and_then(|n| u32::try_from(n).ok()) {
                Some(n) => id(&Ipv4Addr::from(n).to_string()),
                None => Err(wrong()),
            },
            (Self::Ipv6, Json::Number(n)) => match n.as_u64() {
                Some(n) => id(&Ipv6Addr::from(u128::from(n)).to_string()),
                None => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }

    /// JSON of an id: a number for integer ids of up to 64 bits, else text.
    #[must_use]
    pub fn to_json(self, eid: &EntityId) -> Json {
        let text = eid.as_str();
        if self == Self::Int {
            if let Ok(n) = text.parse::<i64>() {
                return Json::from(n);
            }
            if let Ok(n) = text.parse::<u64>() {
                return Json::from(n);
            }
        }
        Json::from(text)
    }

    /// The address that an id of an address type names.
    #[must_use]
    pub fn address(self, eid: &EntityId) -> Option<IpAddr> {
        matches!(self, Self::Ipv4 | Self::Ipv6).then(|| eid.as_str().parse().ok())?
    }
}

fn id(text: &str) -> Result<EntityId, String> {
    EntityId::new(text).map_err(|e| e.to_string())
}

/// Canonical decimal text; `5.0` counts as an integer, as in DP³.
pub(super) fn integer(text: &str) -> Option<String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(match (digits, negative) {
        ("", _) => "0".to_owned(),
        (digits, true) => format!("-{digits}"),
        (digits, false) => digits.to_owned(),
    })
}
