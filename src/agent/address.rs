//! Addresses as the agent writes them: lower-case hex with colons, and the kind beside it.

use bgapi::{Address, AddressType};

/// The word for an address's kind.
pub(super) fn kind_name(address_type: AddressType) -> &'static str {
    if address_type == AddressType::PUBLIC { "public" } else { "random" }
}

/// Reads `aa:bb:cc:dd:ee:ff` in either case, and its kind, which is public where none is given.
pub(super) fn parse(text: &str, kind: Option<&str>) -> Option<Address> {
    let address_type = match kind {
        None | Some("public") => AddressType::PUBLIC,
        Some("random") => AddressType::RANDOM,
        Some(_) => return None,
    };
    Some(Address { bytes: text.parse().ok()?, address_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let address = parse("5C:f3:70:8a:11:02", Some("random")).unwrap();
        assert_eq!(address.bytes.to_string(), "5c:f3:70:8a:11:02");
        assert_eq!(kind_name(address.address_type), "random");
        assert_eq!(kind_name(parse("00:00:00:00:00:00", None).unwrap().address_type), "public");
    }

    #[test]
    fn anything_else_is_none() {
        for text in
            ["", "5c:f3:70:8a:11", "5c:f3:70:8a:11:02:03", "5c-f3-70-8a-11-02", "5c:f3:70:8a:11:+2", "5c:f3:70:8a:11:2"]
        {
            assert_eq!(parse(text, None), None, "{text}");
        }
        assert_eq!(parse("5c:f3:70:8a:11:02", Some("static")), None);
    }
}
