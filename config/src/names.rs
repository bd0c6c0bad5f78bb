//! Which names nbe.toml knows, for messages and for those who change a file.

use crate::schema::{self, ADAPTER};

/// What a name stands for in a table of nbe.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A key, which takes a value.
    Key,
    /// A table, such as `[log]`.
    Table,
    /// The table that stands once for each dongle, `[[adapter]]`.
    Adapters,
    /// Nothing that is known, with what was probably meant.
    Unknown(Option<String>),
}

/// Looks up `name` in the table called `scope`: empty for the top, `adapter` for one dongle's.
pub fn look_up(scope: &str, name: &str) -> Name {
    let full_name = match scope {
        "" => name.to_owned(),
        table => format!("{table}.{name}"),
    };
    if full_name == ADAPTER {
        Name::Adapters
    } else if schema::full_names().any(|known| known == full_name) {
        Name::Key
    } else if schema::is_table(&full_name) {
        Name::Table
    } else {
        Name::Unknown(meant(scope, name))
    }
}

/// What to do about an unknown name, where that can be told.
fn meant(scope: &str, name: &str) -> Option<String> {
    let elsewhere = schema::full_names().find_map(|full_name| match full_name.rsplit_once('.') {
        None if full_name == name => Some("at the top, above the first [table]".to_owned()),
        Some((ADAPTER, key)) if key == name => Some(format!("under [[{ADAPTER}]]")),
        Some((table, key)) if key == name => Some(format!("under [{table}]")),
        _ => None,
    });
    match elsewhere {
        Some(place) => Some(format!("{name} belongs {place}")),
        None => schema::nearest(name, schema::names_in(scope)).map(|meant| format!("did you mean {meant}?")),
    }
}
