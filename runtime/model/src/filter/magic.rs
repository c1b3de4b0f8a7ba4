//! Magic strings: DP³'s way to write in JSON what JSON has no form for, such as `$$IPv4{192.0.2.1}`.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::document::eid;
use super::item::Item;
use crate::config::nearest;
use crate::schema::IdType;
use crate::time::Timestamp;
use crate::value::Mac;

/// What a magic string stands for.
#[derive(Debug)]
pub(super) enum Magic {
    /// One value.
    One(Item<'static>),
    /// All values from the first to the last.
    Range(Item<'static>, Item<'static>),
}

const NAMES: [&str; 9] = ["int", "IPv4", "IPv6", "MAC", "Date", "DateTs", "IPv4Prefix", "IPv6Prefix", "Binary_ID"];

/// Reads a magic string; `None` when the text is of another form and stands for itself.
pub(super) fn read(text: &str, id_type: IdType) -> Result<Option<Magic>, String> {
    let Some((name, value)) = split(text) else { return Ok(None) };
    let text: String = text.chars().take(80).collect();
    let wrong = |what: &str| format!("the magic string {text:?} is not valid: expected {what} between the braces");
    let one = |item: Option<Item<'static>>, what: &str| item.map(Magic::One).ok_or_else(|| wrong(what));
    let value = value.trim();
    let read = match name {
        "int" => one(value.parse().ok().map(Item::Int), "an integer"),
        "IPv4" => one(value.parse().ok().map(|a| Item::Ip(IpAddr::V4(a))), "an IPv4 address"),
        "IPv6" => one(value.parse().ok().map(|a| Item::Ip(IpAddr::V6(a))), "an IPv6 address"),
        "MAC" => one(Mac::parse(value).map(Item::Mac), "a hardware address such as 00:1b:63:84:45:e6"),
        "Date" => one(Timestamp::parse(value).map(Item::Time), "a time such as 2020-01-01T00:00:00Z"),
        "DateTs" => one(unix(value).map(Item::Time), "seconds since 1970"),
        "IPv4Prefix" => prefix(value, 32).map_err(|e| wrong(&e)),
        "IPv6Prefix" => prefix(value, 128).map_err(|e| wrong(&e)),
        "Binary_ID" => binary_id(value, id_type).map_err(|e| wrong(&e)),
        other => {
            let near = nearest(other, NAMES).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
            Err(format!("the magic string {text:?} has an unknown name, expected one of {}{near}", NAMES.join(", ")))
        }
    };
    read.map(Some)
}

/// Name and value of `$$name{value}`.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix("$$")?.split_once('{')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    Some((name, rest.strip_suffix('}')?)).filter(|_| is_name)
}

fn unix(text: &str) -> Option<Timestamp> {
    let micros = (text.parse::<f64>().ok()? * 1e6).round();
    // Up to the year 9999; the cast is exact enough for the microsecond of such times.
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
    (micros.is_finite() && micros.abs() < 253_402_300_800_000_000.0).then_some(Timestamp(micros as i64))
}

/// First and last address of a network of `bits` bits.
fn prefix(text: &str, bits: u32) -> Result<Magic, String> {
    let what = || {
        format!(
            "an IPv{} network such as {}",
            if bits == 32 { 4 } else { 6 },
            if bits == 32 { "192.0.2.0/24" } else { "2001:db8::/32" }
        )
    };
    let (address, length) = text.split_once('/').map_or((text, Some(bits)), |(a, n)| (a, n.parse().ok()));
    let length = length.filter(|n| *n <= bits).ok_or_else(what)?;
    let number = match bits {
        32 => address.parse::<Ipv4Addr>().map(|a| u128::from(u32::from(a))).map_err(|_| what())?,
        _ => address.parse::<Ipv6Addr>().map(u128::from).map_err(|_| what())?,
    };
    // All ones in the part of the host.
    let host = 1u128.checked_shl(bits - length).map_or(u128::MAX, |n| n - 1);
    let address = |n: u128| match (bits, u32::try_from(n)) {
        (32, Ok(n)) => IpAddr::V4(n.into()),
        _ => IpAddr::V6(n.into()),
    };
    if number & host != 0 {
        return Err(format!("a network without bits of a host, such as {}/{length}", address(number & !host)));
    }
    Ok(Magic::Range(Item::Ip(address(number)), Item::Ip(address(number | host))))
}

/// What an id of a key can be.
const ID: &str = "an id, or a magic string for an integer, address or network";

/// Keys of all documents of one entity, or of entities of a network.
fn binary_id(text: &str, id_type: IdType) -> Result<Magic, String> {
    // One in the other means nothing, and could nest without end.
    if text.starts_with("$$Binary_ID") {
        return Err(ID.to_owned());
    }
    let (first, last) = match read(text, id_type)? {
        Some(Magic::One(item @ (Item::Int(_) | Item::Ip(_) | Item::Mac(_)))) => (item.clone(), item),
        Some(Magic::Range(first @ Item::Ip(_), last)) => (first, last),
        Some(_) => return Err(ID.to_owned()),
        None => {
            let id = id_type.parse(text)?;
            let item = eid(id_type, &id).into_owned();
            (item.clone(), item)
        }
    };
    let end = |item: Item<'static>, text_end: &str, byte: u8| match item {
        Item::Text(text) => Item::Text(Cow::Owned(format!("{text}_{text_end}"))),
        other => {
            let mut bytes = other.to_octets();
            bytes.extend_from_slice(&[byte; 8]);
            Item::Bytes(bytes)
        }
    };
    // `$` is the character after `#`, which stands before the time in keys of text.
    Ok(Magic::Range(end(first, "#", 0), end(last, "$", 0xff)))
}
