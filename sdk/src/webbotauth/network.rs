//! Whose forwarded fields are believed: networks of proxies, by address.

use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that proxies of ours connect from: `10.0.0.7`, `10.1.0.0/16`, `2001:db8::/32`.
///
/// ```
/// use countersign::webbotauth::ProxyNetwork;
/// let ours: ProxyNetwork = "10.1.0.0/16".parse()?;
/// assert!(ours.contains("10.1.2.3".parse()?) && !ours.contains("10.2.0.1".parse()?));
/// assert!("0.0.0.0/0".parse::<ProxyNetwork>().is_err(), "that is everybody");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProxyNetwork {
    first: IpAddr,
    bits: u8,
}

/// Why a text names no network of proxies.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} {rule}")]
pub struct ProxyNetworkError {
    text: String,
    rule: &'static str,
}

impl ProxyNetwork {
    /// Whether `address` is one of them. An IPv4 address that a socket of both families shows in
    /// the form of IPv6 is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = u32::MAX << (32 - self.bits);
                first.to_bits() == address.to_bits() & mask
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let mask = u128::MAX << (128 - self.bits);
                first.to_bits() == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for ProxyNetwork {
    /// This address alone.
    fn from(address: IpAddr) -> Self {
        let first = address.to_canonical();
        let bits = if first.is_ipv4() { 32 } else { 128 };
        Self { first, bits }
    }
}

impl FromStr for ProxyNetwork {
    type Err = ProxyNetworkError;

    fn from_str(text: &str) -> Result<Self, ProxyNetworkError> {
        let refused = |rule| ProxyNetworkError {
            text: text.to_owned(),
            rule,
        };
        let syntax = "is no address, nor one with a slash and a number of bits";
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| refused(syntax))?;
        if first != first.to_canonical() {
            return Err(refused("is an IPv4 address in another form"));
        }
        let Some(bits) = bits else {
            return Ok(first.into());
        };
        let bits: u8 = bits.parse().map_err(|_| refused(syntax))?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        if bits == 0 {
            return Err(refused("is everybody"));
        }
        if bits > most {
            return Err(refused(syntax));
        }
        let made = Self { first, bits };
        // 10.1.2.3/8 says two things at once.
        if !made.contains(first) {
            return Err(refused("has bits beyond its length"));
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_proxies_ends_where_its_bits_say() {
        for (text, fine) in [
            ("10.1.0.0/16", true),
            ("10.1.0.1/16", false),
            ("10.1.0.0/33", false),
            ("0.0.0.0/0", false),
            ("::/0", false),
            ("128.0.0.0/1", true),
            ("203.0.113.9", true),
            ("::1", true),
            ("::ffff:10.0.0.1", false),
            ("2001:db8::/129", false),
            ("proxy.example", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<ProxyNetwork>().is_ok(), fine, "{text}");
        }
        for (network, address, inside) in [
            ("10.1.0.0/16", "10.0.255.255", false),
            ("10.1.0.0/16", "10.1.0.0", true),
            ("10.1.0.0/16", "10.1.255.255", true),
            ("10.1.0.0/16", "10.2.0.0", false),
            ("10.1.0.0/16", "::ffff:10.1.0.1", true),
            ("10.1.0.0/16", "::1", false),
            ("203.0.113.9", "203.0.113.9", true),
            ("203.0.113.9", "203.0.113.8", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
        ] {
            let network: ProxyNetwork = network.parse().expect("a network");
            let address = address.parse().expect("an address");
            assert_eq!(network.contains(address), inside, "{address}");
        }
    }
}
