//! What kind of address an IP address is (IANA special-purpose registries, RFC 6890).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What an address is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressClass {
    /// A host on the public internet.
    Public,
    /// This machine.
    Loopback,
    /// A network of somebody's own: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// Anything else: nothing that a server of the public web is at.
    Special(&'static str),
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "this machine",
            Self::Private => "in a private network",
            Self::Special(name) => name,
        })
    }
}

/// What `address` is for.
pub fn class_of(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> AddressClass {
    match address.octets() {
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => {
            AddressClass::Private
        }
        [0, ..] => AddressClass::Special("of this network"),
        [169, 254, ..] => AddressClass::Special("link-local"),
        [192, 0, 0, _] => AddressClass::Special("for protocol assignments"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            AddressClass::Special("for documentation")
        }
        [192, 88, 99, _] => AddressClass::Special("a 6to4 relay"),
        [198, 18..=19, ..] => AddressClass::Special("for benchmarks"),
        [224..=239, ..] => AddressClass::Special("multicast"),
        [240..=255, ..] => AddressClass::Special("reserved"),
        _ => AddressClass::Public,
    }
}

fn class_v6(address: Ipv6Addr) -> AddressClass {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Special("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        // Forms of IPv4 addresses: the same hosts under names that checks of IPv4 do not see.
        [0, 0, 0, 0, 0, 0xffff, ..] => AddressClass::Special("an IPv4 address in another form"),
        [0x0064, 0xff9b, ..] => AddressClass::Special("a translated IPv4 address"),
        [0x2002, ..] => AddressClass::Special("a 6to4 address"),
        [0xfc00..=0xfdff, ..] => AddressClass::Private,
        [0xfe80..=0xfebf, ..] => AddressClass::Special("link-local"),
        [0xff00..=0xffff, ..] => AddressClass::Special("multicast"),
        // Teredo, benchmarks, ORCHID and their like.
        [0x2001, 0..=0x01ff, ..] => AddressClass::Special("for protocol assignments"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => {
            AddressClass::Special("for documentation")
        }
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Special("reserved"),
    }
}

/// A private network that is opened to URLs of strangers.
///
/// ```
/// use countersign::web::Network;
/// let ours: Network = "10.20.0.0/16".parse()?;
/// assert!("8.8.8.0/24".parse::<Network>().is_err(), "that is not private");
/// # Ok::<(), countersign::web::NetworkError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// Why a text is no private network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NetworkError {
    /// Not an address, a slash and a number of bits.
    #[error("{text:?} is not an address, a slash and a number of bits")]
    Syntax {
        /// The text.
        text: String,
    },
    /// Not wholly within 10/8, 172.16/12, 192.168/16, 100.64/10 or fc00::/7.
    #[error("{text} is not within a private range")]
    NotPrivate {
        /// The text.
        text: String,
    },
}

impl Network {
    /// Whether `address` is in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
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

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let syntax = || NetworkError::Syntax {
            text: text.to_owned(),
        };
        let (first, bits) = text.split_once('/').ok_or_else(syntax)?;
        let first: IpAddr = first.parse().map_err(|_| syntax())?;
        let bits: u8 = bits.parse().map_err(|_| syntax())?;
        let least = match (first, class_of(first)) {
            (IpAddr::V4(v4), AddressClass::Private) => match v4.octets() {
                [10, ..] => 8,
                [100, ..] => 10,
                [172, ..] => 12,
                _ => 16,
            },
            (IpAddr::V6(_), AddressClass::Private) => 7,
            _ => {
                let text = text.to_owned();
                return Err(NetworkError::NotPrivate { text });
            }
        };
        let most = if first.is_ipv4() { 32 } else { 128 };
        if bits > most {
            return Err(syntax());
        }
        if bits < least {
            let text = text.to_owned();
            return Err(NetworkError::NotPrivate { text });
        }
        let made = Self { first, bits };
        // 10.1.2.3/8 says two things at once.
        if !made.contains(first) {
            return Err(syntax());
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_ends_exactly_where_the_registry_says() {
        let public = AddressClass::Public;
        for (address, want) in [
            ("0.0.0.0", AddressClass::Special("of this network")),
            ("0.255.255.255", AddressClass::Special("of this network")),
            ("1.0.0.0", public),
            ("9.255.255.255", public),
            ("10.0.0.0", AddressClass::Private),
            ("10.255.255.255", AddressClass::Private),
            ("11.0.0.0", public),
            ("100.63.255.255", public),
            ("100.64.0.0", AddressClass::Private),
            ("100.127.255.255", AddressClass::Private),
            ("100.128.0.0", public),
            ("126.255.255.255", public),
            ("127.0.0.0", AddressClass::Loopback),
            ("127.255.255.255", AddressClass::Loopback),
            ("128.0.0.0", public),
            ("169.253.255.255", public),
            ("169.254.0.0", AddressClass::Special("link-local")),
            ("169.254.255.255", AddressClass::Special("link-local")),
            ("169.255.0.0", public),
            ("172.15.255.255", public),
            ("172.16.0.0", AddressClass::Private),
            ("172.31.255.255", AddressClass::Private),
            ("172.32.0.0", public),
            (
                "192.0.0.255",
                AddressClass::Special("for protocol assignments"),
            ),
            ("192.0.1.0", public),
            ("192.0.2.0", AddressClass::Special("for documentation")),
            ("192.88.98.255", public),
            ("192.88.99.0", AddressClass::Special("a 6to4 relay")),
            ("192.167.255.255", public),
            ("192.168.0.0", AddressClass::Private),
            ("192.169.0.0", public),
            ("198.17.255.255", public),
            ("198.18.0.0", AddressClass::Special("for benchmarks")),
            ("198.19.255.255", AddressClass::Special("for benchmarks")),
            ("198.20.0.0", public),
            ("198.51.100.7", AddressClass::Special("for documentation")),
            ("203.0.113.7", AddressClass::Special("for documentation")),
            ("223.255.255.255", public),
            ("224.0.0.0", AddressClass::Special("multicast")),
            ("239.255.255.255", AddressClass::Special("multicast")),
            ("240.0.0.0", AddressClass::Special("reserved")),
            ("255.255.255.255", AddressClass::Special("reserved")),
            ("::", AddressClass::Special("unspecified")),
            ("::1", AddressClass::Loopback),
            ("::2", AddressClass::Special("reserved")),
            ("::7f00:1", AddressClass::Special("reserved")),
            (
                "::ffff:8.8.8.8",
                AddressClass::Special("an IPv4 address in another form"),
            ),
            (
                "64:ff9b::808:808",
                AddressClass::Special("a translated IPv4 address"),
            ),
            (
                "64:ff9b:1::1",
                AddressClass::Special("a translated IPv4 address"),
            ),
            ("100::1", AddressClass::Special("reserved")),
            ("1fff:ffff::1", AddressClass::Special("reserved")),
            ("2000::1", public),
            ("2001::1", AddressClass::Special("for protocol assignments")),
            (
                "2001:1ff:ffff::1",
                AddressClass::Special("for protocol assignments"),
            ),
            ("2001:200::1", public),
            ("2001:db8::1", AddressClass::Special("for documentation")),
            ("2001:db9::1", public),
            ("2002:7f00:1::1", AddressClass::Special("a 6to4 address")),
            ("2003::1", public),
            ("3fff:fff::1", AddressClass::Special("for documentation")),
            ("3fff:1000::1", public),
            ("4000::1", AddressClass::Special("reserved")),
            ("fbff::1", AddressClass::Special("reserved")),
            ("fc00::1", AddressClass::Private),
            ("fdff::1", AddressClass::Private),
            ("fe80::1", AddressClass::Special("link-local")),
            ("febf::1", AddressClass::Special("link-local")),
            ("fec0::1", AddressClass::Special("reserved")),
            ("ff00::1", AddressClass::Special("multicast")),
        ] {
            assert_eq!(
                class_of(address.parse().expect("an address")),
                want,
                "{address}"
            );
        }
    }

    #[test]
    fn only_private_networks_can_be_listed() {
        let word = |text: &str| match text.parse::<Network>() {
            Ok(_) => "fine",
            Err(NetworkError::Syntax { .. }) => "syntax",
            Err(NetworkError::NotPrivate { .. }) => "not private",
        };
        for (text, want) in [
            ("10.0.0.0/8", "fine"),
            ("10.0.0.0/7", "not private"),
            ("10.1.2.3/32", "fine"),
            ("10.1.2.3/33", "syntax"),
            ("10.1.2.3/8", "syntax"),
            ("172.16.0.0/12", "fine"),
            ("172.16.0.0/11", "not private"),
            ("192.168.0.0/16", "fine"),
            ("100.64.0.0/10", "fine"),
            ("fd00::/8", "fine"),
            ("fc00::/6", "not private"),
            ("127.0.0.0/8", "not private"),
            ("169.254.169.254/32", "not private"),
            ("0.0.0.0/0", "not private"),
            ("::/0", "not private"),
            ("10.0.0.0", "syntax"),
            ("ten/8", "syntax"),
        ] {
            assert_eq!(word(text), want, "{text}");
        }
        let network: Network = "10.20.0.0/16".parse().expect("a network");
        for (address, want) in [
            ("10.19.255.255", false),
            ("10.20.0.0", true),
            ("10.20.255.255", true),
            ("10.21.0.0", false),
            ("fd00::1", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(network.contains(address), want, "{address}");
        }
    }
}
