//! What kind of place an address is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The kind of place that an address is; see the tables of [`crate::policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AddressClass {
    /// Reachable by everybody.
    Public,
    /// Kept for examples.
    Documentation,
    /// Not to be used, or for purposes of its own.
    Reserved,
    /// Many hosts at once.
    Multicast,
    /// Behind a carrier's address translation.
    Shared,
    /// A private network.
    Private,
    /// This machine.
    Loopback,
    /// This network segment.
    LinkLocal,
    /// Where a cloud tells its machines who they are and hands them credentials.
    Metadata,
}

/// The fixed addresses of metadata and credential services of clouds.
pub const METADATA_ADDRESSES: &[IpAddr] = &[
    // AWS, Google Cloud, Azure, DigitalOcean, OpenStack and most others.
    v4(169, 254, 169, 254),
    // AWS: tasks of ECS, pods of EKS, time and names of the VPC.
    v4(169, 254, 170, 2),
    v4(169, 254, 170, 23),
    v4(169, 254, 169, 253),
    v4(169, 254, 169, 123),
    v6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    v6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    v6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253),
    // Google Cloud.
    v6(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    // Azure's wire server.
    v4(168, 63, 129, 16),
    // Alibaba Cloud.
    v4(100, 100, 100, 200),
    // Oracle Cloud.
    v4(192, 0, 0, 192),
    v6(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    // Tencent Cloud.
    v4(169, 254, 0, 23),
    // Scaleway.
    v4(169, 254, 42, 42),
    v6(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
    // OpenStack.
    v6(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

/// The names under which metadata services answer.
pub const METADATA_NAMES: &[&str] = &[
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "instance-data",
    "instance-data.ec2.internal",
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

#[expect(
    clippy::too_many_arguments,
    reason = "an IPv6 address has eight groups"
)]
const fn v6(a: u16, b: u16, c: u16, d: u16, e: u16, f: u16, g: u16, h: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h))
}

/// The class of a name whose addresses are known beforehand, in normal form.
pub(super) fn of_name(name: &str) -> Option<AddressClass> {
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(AddressClass::Loopback);
    }
    METADATA_NAMES
        .contains(&name)
        .then_some(AddressClass::Metadata)
}

impl AddressClass {
    /// The class of an address. One that carries another is what the other is.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        if METADATA_ADDRESSES.contains(&address) {
            return Self::Metadata;
        }
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Whether only a rule with an address may admit it, never one with a name.
    #[must_use]
    pub fn only_by_address(self) -> bool {
        matches!(self, Self::LinkLocal | Self::Metadata)
    }

    /// The word of the tables: `link-local`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Documentation => "documentation",
            Self::Reserved => "reserved",
            Self::Multicast => "multicast",
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Metadata => "metadata",
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn of_v4(address: Ipv4Addr) -> AddressClass {
    match address.octets() {
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [169, 254, ..] => AddressClass::LinkLocal,
        [100, 64..=127, ..] => AddressClass::Shared,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [224..=239, ..] => AddressClass::Multicast,
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => {
            AddressClass::Reserved
        }
        _ => AddressClass::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    if address.is_loopback() {
        return AddressClass::Loopback;
    }
    if address.is_unspecified() {
        return AddressClass::Reserved;
    }
    // Where several addresses may be meant, the class that is denied more strictly counts.
    if let Some(class) = inner(address)
        .into_iter()
        .flatten()
        .map(AddressClass::of)
        .max()
    {
        return match address.segments() {
            [0x64, 0xff9b, 1, ..] => class.max(AddressClass::Reserved),
            _ => class,
        };
    }
    match address.segments() {
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => AddressClass::Private,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Documentation,
        // 2001::/23 is for protocols, among them benchmarking and overlay identifiers.
        [0x2001, 0..=0x1ff, ..] => AddressClass::Reserved,
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

/// The IPv4 addresses that an IPv6 address carries, or may carry, by the forms of the table.
fn inner(address: Ipv6Addr) -> [Option<IpAddr>; 4] {
    let bytes = address.octets();
    let at = |places: [usize; 4]| Some(IpAddr::from(places.map(|place| bytes[place])));
    match address.segments() {
        // Mapped, compatible and translated; NAT64.
        [0, 0, 0, 0, 0, 0xffff | 0, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => [at([12, 13, 14, 15]), None, None, None],
        // A network's own NAT64, which may cut its prefix at 48, 56, 64 or 96 bits (RFC 6052, 2.2).
        [0x64, 0xff9b, 1, ..] => [
            at([6, 7, 9, 10]),
            at([7, 9, 10, 11]),
            at([9, 10, 11, 12]),
            at([12, 13, 14, 15]),
        ],
        [0x2002, ..] => [at([2, 3, 4, 5]), None, None, None],
        [0x2001, 0, ..] => {
            let client = [12, 13, 14, 15].map(|place| !bytes[place]);
            [at([4, 5, 6, 7]), Some(IpAddr::from(client)), None, None]
        }
        _ => [None; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(address: &str) -> AddressClass {
        AddressClass::of(address.parse().expect("an address"))
    }

    #[test]
    fn the_borders_of_each_network_are_where_the_table_says() {
        use AddressClass as C;
        for (first, last, expected) in [
            ("0.0.0.0", "0.255.255.255", C::Reserved),
            ("1.0.0.0", "9.255.255.255", C::Public),
            ("10.0.0.0", "10.255.255.255", C::Private),
            ("100.63.255.255", "100.63.255.255", C::Public),
            ("100.64.0.0", "100.127.255.255", C::Shared),
            ("100.128.0.0", "126.255.255.255", C::Public),
            ("127.0.0.0", "127.255.255.255", C::Loopback),
            ("169.254.0.0", "169.254.255.255", C::LinkLocal),
            ("172.15.255.255", "172.15.255.255", C::Public),
            ("172.16.0.0", "172.31.255.255", C::Private),
            ("172.32.0.0", "172.32.0.0", C::Public),
            ("192.168.0.0", "192.168.255.255", C::Private),
            ("198.17.255.255", "198.17.255.255", C::Public),
            ("198.18.0.0", "198.19.255.255", C::Reserved),
            ("198.20.0.0", "198.20.0.0", C::Public),
            ("224.0.0.0", "239.255.255.255", C::Multicast),
            ("240.0.0.0", "255.255.255.255", C::Reserved),
            ("fc00::", "fdff:ffff::", C::Private),
            ("fe80::", "febf:ffff::", C::LinkLocal),
            ("fec0::", "feff:ffff::", C::Private),
            ("ff00::", "ffff:ffff::", C::Multicast),
            ("2001:1::", "2001:1ff::", C::Reserved),
            ("2001:200::", "2001:200::", C::Public),
            ("2001:db8::", "2001:db8:ffff::", C::Documentation),
            ("3fff::", "3fff:fff::", C::Documentation),
            ("3fff:1000::", "3fff:1000::", C::Public),
            ("4000::", "fbff:ffff::", C::Reserved),
            ("64:ff9b:1::", "64:ff9b:1::", C::Reserved),
            ("64:ff9b:2::", "64:ff9b:ffff::", C::Reserved),
            ("100::", "100::ffff", C::Reserved),
        ] {
            assert_eq!(
                (class(first), class(last)),
                (expected, expected),
                "{first} to {last}"
            );
        }
    }

    #[test]
    fn what_an_address_carries_decides() {
        use AddressClass as C;
        assert_eq!(class("::ffff:10.0.0.1"), C::Private);
        assert_eq!(class("::7f00:1"), C::Loopback);
        assert_eq!(class("64:ff9b::a9fe:a9fe"), C::Metadata);
        assert_eq!(class("64:ff9b::808:808"), C::Public);
        assert_eq!(class("2002:7f00:1::"), C::Loopback);
        assert_eq!(class("2002:808:808::1"), C::Public);
        // A Teredo client at 10.0.0.1 behind a public server, and the other way round.
        assert_eq!(class("2001:0:808:808::f5ff:fffe"), C::Private);
        assert_eq!(class("2001:0:a00:1::f7f7:f7f7"), C::Private);
        assert_eq!(class("2001:0:808:808::f7f7:f7f7"), C::Public);
    }

    #[test]
    fn a_network_s_own_translation_is_read_at_each_length_of_its_prefix() {
        use AddressClass as C;
        for metadata in [
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:a9:fe:a9fe::",
            "64:ff9b:1:0:a9:fea9:fe00:0",
            "64:ff9b:1::a9fe:a9fe",
        ] {
            assert_eq!(class(metadata), C::Metadata, "{metadata}");
        }
        // Whatever it may carry, such an address is never public.
        assert_eq!(class("64:ff9b:1:808:8:800:808:808"), C::Reserved);
    }

    #[test]
    fn every_metadata_address_is_of_its_class_even_inside_another_network() {
        for address in METADATA_ADDRESSES {
            assert_eq!(
                AddressClass::of(*address),
                AddressClass::Metadata,
                "{address}"
            );
        }
        assert_eq!(
            of_name("metadata.google.internal"),
            Some(AddressClass::Metadata)
        );
        assert_eq!(of_name("a.localhost"), Some(AddressClass::Loopback));
        assert_eq!(of_name("notlocalhost"), None);
    }
}
