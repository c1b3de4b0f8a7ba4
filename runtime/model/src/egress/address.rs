//! Which addresses are of the Internet at large.
//!
//! A module that may send requests stands where the server stands, and sees what the server sees: its loopback, the
//! networks behind it, the metadata service of its cloud. So an address that is not plainly one of the Internet is
//! refused, unless the operator named a network that holds it in the grant. What IPv6 addresses carry of IPv4 is
//! looked through.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network: all addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is in it. An IPv4 address and the IPv6 address that maps it are the same one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                same_start(u128::from(network.to_bits()) << 96, u128::from(ip.to_bits()) << 96, self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => same_start(network.to_bits(), ip.to_bits(), self.bits),
            _ => false,
        }
    }

    /// Whether another network lies within this one.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4() && self.bits <= other.bits && self.contains(other.address)
    }
}

fn same_start(a: u128, b: u128, bits: u8) -> bool {
    (a ^ b).leading_zeros() >= u32::from(bits)
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network; expected such as 10.0.0.0/8, fd00::/8 or 127.0.0.1");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|n| *n <= most).ok_or_else(wrong)?,
        };
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// What kind of address this is, when it is not one of the Internet at large.
#[must_use]
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

/// Whether an address may be connected to. `internal` are the networks that the operator opened.
///
/// # Errors
/// What kind of address it is.
pub fn check(address: IpAddr, internal: &[Network]) -> Result<(), &'static str> {
    if internal.iter().any(|network| network.contains(address)) {
        return Ok(());
    }
    special(address).map_or(Ok(()), Err)
}

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (0, ..) => Some("of this network"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("private"),
        (100, 64..=127, _) => Some("shared by the customers of a provider"),
        (127, ..) => Some("loopback"),
        (169, 254, _) => Some("link-local, where clouds have their metadata"),
        (192, 0, 0) | (192, 31, 196) | (192, 52, 193) | (192, 88, 99) | (192, 175, 48) => Some("of a protocol"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("for documentation"),
        (198, 18..=19, _) => Some("for benchmarks"),
        (224..=239, ..) => Some("multicast"),
        (240.., ..) => Some("reserved"),
        _ => None,
    }
}

fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfc00..=0xfdff, ..] => Some("private"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        // Of the kinds below each carries an IPv4 address to somebody else who unpacks it.
        [0x64, 0xff9b, ..] => Some("of a translator to IPv4"),
        [0x2002, ..] => Some("of a tunnel (6to4)"),
        [0x2001, 0, ..] => Some("of a tunnel (Teredo)"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("for documentation"),
        [0x2001, 1..=0x1ff, ..] => Some("of a protocol"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("not of the Internet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_internet_at_large_is_open() {
        for closed in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.170",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(special(ip(closed)).is_some(), "{closed}");
        }
        for open in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888"] {
            assert_eq!(special(ip(open)), None, "{open}");
        }
    }

    #[test]
    fn a_network_opens_its_addresses_and_no_others() {
        let open = |networks: &[&str], address: &str| {
            let networks: Vec<Network> = networks.iter().map(|n| n.parse().unwrap()).collect();
            check(ip(address), &networks).is_ok()
        };
        assert!(!open(&[], "10.1.2.3"));
        assert!(open(&["10.0.0.0/8"], "10.1.2.3"));
        assert!(open(&["10.1.2.3"], "10.1.2.3"));
        assert!(!open(&["10.1.2.3"], "10.1.2.4"));
        assert!(!open(&["10.0.0.0/8"], "127.0.0.1"));
        assert!(open(&["127.0.0.1"], "::ffff:127.0.0.1"));
        assert!(open(&["fd00::/8"], "fd12::1"));
        assert!(open(&["0.0.0.0/0"], "127.0.0.1"));
        assert!(!open(&["0.0.0.0/0"], "::1"));
        assert!(open(&["10.0.0.0/8"], "1.1.1.1"));
    }

    #[test]
    fn networks_are_read_and_written() {
        for text in ["10.0.0.0/8", "fd00::/8", "127.0.0.1/32", "::1/128", "0.0.0.0/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/x", "ten", "10.0.0.0/-1", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    proptest! {
        /// However an IPv4 address is dressed as IPv6, it is judged as what it is, or refused.
        #[test]
        fn a_mapped_address_is_judged_as_what_it_maps(bits: u32) {
            let four = Ipv4Addr::from_bits(bits);
            let six = IpAddr::V6(four.to_ipv6_mapped());
            prop_assert_eq!(special(IpAddr::V4(four)), special(six));
            for start in ["64:ff9b::", "::", "2002::"] {
                let base: Ipv6Addr = start.parse().unwrap();
                let carried = if start == "2002::" { u128::from(bits) << 80 } else { u128::from(bits) };
                prop_assert!(special(IpAddr::V6(Ipv6Addr::from_bits(base.to_bits() | carried))).is_some());
            }
        }
    }
}
