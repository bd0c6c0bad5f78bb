//! Addresses as the agent writes them: lower-case hex with colons, and the kind beside it.

use bgapi::{Address, AddressType, BdAddr};

const PUBLIC: AddressType = AddressType(0);
const RANDOM: AddressType = AddressType(1);

/// The word for an address's kind.
pub(super) fn kind_name(kind: AddressType) -> &'static str {
    if kind == PUBLIC { "public" } else { "random" }
}

/// Reads `aa:bb:cc:dd:ee:ff` in either case, and its kind, which is public where none is given.
pub(super) fn parse(text: &str, kind: Option<&str>) -> Option<Address> {
    let kind = match kind {
        None | Some("public") => PUBLIC,
        Some("random") => RANDOM,
        Some(_) => return None,
    };
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in bytes.iter_mut().rev() {
        let part = parts.next().filter(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Address { bytes: BdAddr(bytes), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let address = parse("5C:f3:70:8a:11:02", Some("random")).unwrap();
        assert_eq!(address.bytes.to_string(), "5c:f3:70:8a:11:02");
        assert_eq!(kind_name(address.kind), "random");
        assert_eq!(kind_name(parse("00:00:00:00:00:00", None).unwrap().kind), "public");
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
