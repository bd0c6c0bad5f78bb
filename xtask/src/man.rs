//! nbe.toml(5), from the reference that the program carries.

use std::fmt::Write as _;

/// The page: comments are its text, keys stand as they are written.
pub(crate) fn configuration(reference: &str) -> String {
    let mut page = String::from(
        ".TH nbe.toml 5 \"\" \"nbe\" \"File formats\"\n.SH NAME\nnbe.toml \\- what the Bluetooth endpoint nbe goes by\n.SH DESCRIPTION\n",
    );
    let mut is_paragraph = false;
    for line in reference.lines() {
        let text = line.strip_prefix('#').map(|text| text.strip_prefix(' ').unwrap_or(text));
        match text {
            Some(heading) if heading.starts_with("----") => {
                let _ = writeln!(page, ".SH {}", escape(heading.trim_matches(['-', ' '])).to_uppercase());
                is_paragraph = false;
            }
            Some(text) if !is_commented_key(text) => {
                if !is_paragraph {
                    page.push_str(".PP\n");
                }
                // What is indented stands as it is written.
                let verbatim = text.starts_with("  ");
                let _ = writeln!(page, "{}{}", if verbatim { ".br\n" } else { "" }, escape(text.trim_start()));
                is_paragraph = true;
            }
            _ if line.is_empty() => is_paragraph = false,
            _ => {
                let _ = writeln!(page, ".PP\n.RS 4\n\\fB{}\\fR\n.RE", escape(line));
                is_paragraph = false;
            }
        }
    }
    page.push_str(".SH SEE ALSO\n.BR nbe (1),\n.BR nbe-check (1)\n");
    page
}

/// Whether a comment is a key that has no default: `key = value`.
fn is_commented_key(text: &str) -> bool {
    let name = text.split_once(" = ").map(|(name, _)| name);
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// Text that roff takes as text.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_text_and_keys_stay_as_written() {
        let page =
            configuration("# ---- The keys ---\n\n# A length, -1 or more.\n# Two lines.\nkey = -3\n\n# path = \"x\"\n");
        assert!(page.contains(".SH THE KEYS\n"), "{page}");
        assert!(
            page.contains(".PP\nA length, \\-1 or more.\nTwo lines.\n.PP\n.RS 4\n\\fBkey = \\-3\\fR\n.RE\n"),
            "{page}"
        );
        assert!(page.contains("\\fB# path = \"x\"\\fR"), "{page}");
    }

    #[test]
    fn every_key_of_the_reference_has_its_place() {
        let reference = include_str!("../../nbe.default.toml");
        let page = configuration(reference);
        let keys = reference.lines().filter(|line| line.contains(" = ") && !line.starts_with('#'));
        for key in keys {
            assert!(page.contains(&format!("\\fB{}\\fR", escape(key))), "{key}");
        }
    }
}
