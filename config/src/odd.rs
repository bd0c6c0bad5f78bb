//! Characters that look right and are not: word processors and web pages put them where a plain one belongs.

/// Names the first such character of `text`.
pub(crate) fn odd(text: &str) -> Option<String> {
    let (c, name) = text.chars().find_map(|c| Some((c, name(c)?)))?;
    Some(format!("{c} is U+{:04X}, {name}", u32::from(c)))
}

fn name(c: char) -> Option<&'static str> {
    match c {
        '\u{2212}' => Some("a typographic minus sign"),
        '\u{2010}'..='\u{2015}' => Some("a dash"),
        '\u{2018}'..='\u{201f}' | '«' | '»' => Some("a typographic quotation mark"),
        _ if c.is_ascii() => None,
        _ if c.is_whitespace() || c == '\u{feff}' => Some("an unusual space"),
        _ if c.is_numeric() => Some("not a plain digit"),
        _ => None,
    }
}
