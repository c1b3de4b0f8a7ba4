//! A network prefix such as `192.0.2.0/24`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use tenter_sdk::HookError;

/// An address and how many of its bits count.
pub(crate) struct Prefix {
    address: IpAddr,
    bits: u32,
}

/// The address as one number with the first bit on the left, and how many bits it has.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(a) => (u128::from(a.to_bits()) << 96, 32),
        IpAddr::V6(a) => (a.to_bits(), 128),
    }
}

impl Prefix {
    /// Whether the address is in the prefix. Addresses of the other version never are.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        let ((own, size), (other, other_size)) = (number(self.address), number(ip));
        // A shift by all bits would overflow, and then every address is in it.
        size == other_size && (own ^ other).checked_shr(128 - self.bits).unwrap_or(0) == 0
    }
}

impl FromStr for Prefix {
    type Err = HookError;

    fn from_str(text: &str) -> Result<Self, HookError> {
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let address: Option<IpAddr> = address.parse().ok();
        let most = address.map_or(0, |a| number(a).1);
        let bits = if bits.is_empty() && !text.contains('/') { Some(most) } else { bits.parse().ok() };
        match (address, bits) {
            (Some(address), Some(bits)) if bits <= most => Ok(Self { address, bits }),
            _ => Err(HookError::invalid(format_args!("{text:?} is not a prefix: expected the form 192.0.2.0/24"))),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}
