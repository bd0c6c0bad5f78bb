//! Addresses as the agent writes them: lower-case hex with colons, and the kind beside it.

use bgapi::{Address, AddressType};

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
        assert_eq!(
            (address.bytes.to_string().as_str(), address.address_type),
            ("5c:f3:70:8a:11:02", AddressType::RANDOM)
        );
        assert_eq!(parse("00:00:00:00:00:00", None).unwrap().address_type, AddressType::PUBLIC);
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
