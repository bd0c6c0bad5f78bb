//! Which advertisers are bands while no roster has come: by company, name, service or address.

use bgapi::ad::Structures;
use bgapi::{Address, BdAddr};

/// The `[bands]` table of nbe.toml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Every advertiser is a band; for a laboratory.
    pub all: bool,
    /// Company identifiers of manufacturer data.
    pub company_ids: Vec<u16>,
    /// Beginnings of the local name, byte for byte.
    pub name_prefixes: Vec<Vec<u8>>,
    /// 16-bit service UUIDs, advertised as offered or with data.
    pub services16: Vec<u16>,
    /// 128-bit service UUIDs, advertised as offered or with data.
    pub services128: Vec<u128>,
    /// Addresses, whatever they advertise.
    pub addresses: Vec<BdAddr>,
}

impl Matcher {
    /// Whether this advertiser is a band, by what this one advert carries.
    pub fn matches(&self, address: Address, data: &[u8]) -> bool {
        self.all || self.addresses.contains(&address.bytes) || self.matches_data(data)
    }

    fn matches_data(&self, data: &[u8]) -> bool {
        Structures::new(data).any(|structure| {
            structure.manufacturer_data().is_some_and(|(company, _)| self.company_ids.contains(&company))
                || structure.name().is_some_and(|name| self.name_prefixes.iter().any(|prefix| name.starts_with(prefix)))
                || self.offers(structure)
        })
    }

    fn offers(&self, structure: bgapi::ad::Structure<'_>) -> bool {
        let short = |uuid: u16| self.services16.contains(&uuid);
        let long = |uuid: u128| self.services128.contains(&uuid);
        structure.uuids16().any(short)
            || structure.uuids128().any(long)
            || structure.service_data16().is_some_and(|(uuid, _)| short(uuid))
            || structure.service_data128().is_some_and(|(uuid, _)| long(uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bgapi::AddressType;

    const SOMEBODY: Address = Address { bytes: BdAddr([1, 2, 3, 4, 5, 6]), address_type: AddressType::PUBLIC };

    fn documented() -> Matcher {
        Matcher { company_ids: vec![434], name_prefixes: vec![b"Nymi".to_vec()], ..Matcher::default() }
    }

    #[test]
    fn a_band_is_known_by_company_or_name() {
        let cases: [(&str, &[u8], bool); 9] = [
            ("the company's data", b"\x02\x01\x06\x05\xff\xb2\x01\x00\x00", true),
            ("another company's", b"\x02\x01\x06\x05\xff\x4c\x00\xb2\x01", false),
            ("its number with the bytes swapped", b"\x05\xff\x01\xb2\x00\x00", false),
            ("a full name", b"\x08\x09Nymi-01", true),
            ("a short name", b"\x05\x08Nymi", true),
            ("another name", b"\x05\x09Nym\x00", false),
            ("the name inside another structure", b"\x07\x16\x00\x00Nymi", false),
            ("nothing", b"", false),
            ("a length beyond the end, still readable", b"\x1f\xff\xb2\x01", true),
        ];
        for (case, data, is_band) in cases {
            assert_eq!(documented().matches(SOMEBODY, data), is_band, "{case}");
        }
    }

    #[test]
    fn a_laboratory_can_ask_for_services_addresses_or_all() {
        let services = Matcher { services16: vec![0x180d], services128: vec![1], ..Matcher::default() };
        assert!(services.matches(SOMEBODY, b"\x03\x03\x0d\x18"));
        assert!(services.matches(SOMEBODY, b"\x04\x16\x0d\x18\x55"));
        assert!(services.matches(SOMEBODY, b"\x11\x07\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
        assert!(!services.matches(SOMEBODY, b"\x03\x03\x0e\x18"));
        let one = Matcher { addresses: vec![SOMEBODY.bytes], ..Matcher::default() };
        assert!(one.matches(SOMEBODY, b""));
        assert!(Matcher { all: true, ..Matcher::default() }.matches(SOMEBODY, b""));
    }
}
