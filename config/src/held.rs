//! Values that are proven one by one, and where each came from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use crate::diagnostic::{Diagnostic, Diagnostics, Excerpt, Lines, Location, printable};
use crate::layers::Origin;
use crate::schema::Key;

/// A draft and where its values came from.
#[derive(Clone)]
pub(crate) struct Filled<D: 'static> {
    keys: &'static [Key<D>],
    pub draft: D,
    /// Where the table itself stands, if it does in one place.
    pub place: (Location, Option<Excerpt>),
    /// By position in `keys`; a key whose topmost value is wrong has none.
    held: BTreeMap<usize, Held>,
    /// The keys whose topmost value is wrong.
    refused: BTreeSet<usize>,
}

/// A proven value as it was written, and where.
#[derive(Clone)]
pub(crate) struct Held {
    pub value: toml::Value,
    pub location: Location,
    pub excerpt: Option<Excerpt>,
}

/// A layer, which can say where in it something stands.
pub(crate) enum Layer<'a> {
    Default,
    File { path: &'a Path, lines: &'a Lines<'a> },
    Environment { name: &'a str, text: &'a str },
    Flag { name: &'a str, text: &'a str },
}

impl<D: Default> Filled<D> {
    pub(crate) fn new(keys: &'static [Key<D>]) -> Self {
        Self {
            keys,
            draft: D::default(),
            place: (Location::None, None),
            held: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }
}

impl<D> Filled<D> {
    pub(crate) fn get(&self, name: &str) -> Option<&Held> {
        let position = self.keys.iter().position(|key| key.name == name)?;
        self.held.get(&position)
    }

    /// Whether the key's topmost value is wrong, which has been told already.
    pub(crate) fn is_refused(&self, name: &str) -> bool {
        self.refused.iter().any(|&position| self.keys[position].name == name)
    }

    /// Drops where a value came from; the caller clears the draft.
    pub(crate) fn forget(&mut self, name: &str) {
        self.held.retain(|&position, _| self.keys[position].name != name);
    }

    /// What is set, in the order of the table of keys.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static str, &Held)> {
        self.held.iter().map(|(&position, held)| (self.keys[position].name, held))
    }

    /// The key called `name`, and its place for [`Filled::set`].
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &'static Key<D>)> {
        self.keys.iter().enumerate().find(|(_, key)| key.name == name)
    }

    /// Proves one value and lays it over what was there; `full_name` is the key's name in a message.
    pub(crate) fn set(
        &mut self,
        (position, key): (usize, &Key<D>),
        full_name: &str,
        value: &Spanned<DeValue<'_>>,
        layer: &Layer<'_>,
        out: &mut Diagnostics,
    ) {
        self.held.remove(&position);
        self.refused.remove(&position);
        match (key.set)(&mut self.draft, value) {
            Ok(()) => {
                let (location, excerpt) = layer.locate(&value.span());
                // What a key takes always has this form: only numbers beyond 128 bits have none.
                if let Ok(value) = toml::Value::deserialize(ValueDeserializer::from(value.clone())) {
                    let held = Held { value, location, excerpt };
                    self.held.insert(position, held);
                }
            }
            Err(misfit) => {
                self.refused.insert(position);
                let (location, excerpt) = layer.locate(&misfit.at.unwrap_or(value.span()));
                let mut message = format!("{full_name} must be {}", (key.takes)());
                if !misfit.is_secret {
                    message += &format!(", found {}", misfit.found);
                }
                if let Some(cause) = misfit.because {
                    message += &format!(" ({cause})");
                }
                let excerpt = excerpt.filter(|_| !misfit.is_secret);
                out.push(Diagnostic::error(location, message).with_excerpt(excerpt));
            }
        }
    }
}

impl Held {
    pub(crate) fn origin(&self) -> Origin {
        Origin::from(&self.location)
    }

    /// The layer it came from, lowest first.
    pub(crate) fn rank(&self) -> u8 {
        match self.location {
            Location::None => 0,
            Location::File { .. } | Location::Line { .. } => 1,
            Location::Environment { .. } => 2,
            Location::Flag { .. } => 3,
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        self.rank() == 0
    }

    pub(crate) fn error(&self, message: impl AsRef<str>) -> Diagnostic {
        Diagnostic::error(self.location.clone(), message).with_excerpt(self.excerpt.clone())
    }

    pub(crate) fn warning(&self, message: impl AsRef<str>) -> Diagnostic {
        Diagnostic::warning(self.location.clone(), message).with_excerpt(self.excerpt.clone())
    }
}

impl Layer<'_> {
    /// Where `span`, in bytes of the layer's text, stands.
    pub(crate) fn locate(&self, span: &Range<usize>) -> (Location, Option<Excerpt>) {
        let typed = |prefix: String, text: &str| {
            let span = prefix.len() + span.start..prefix.len() + span.end;
            Some(Excerpt::new(&(prefix + text), span))
        };
        match *self {
            Self::Default => (Location::None, None),
            Self::File { path, lines } => {
                let (location, excerpt) = lines.locate(path, span);
                (location, Some(excerpt))
            }
            Self::Environment { name, text } => {
                let location = Location::Environment { name: printable(name) };
                (location, typed(format!("{name}="), text))
            }
            Self::Flag { name, text } => (Location::Flag { name: name.to_owned() }, typed(format!("{name} "), text)),
        }
    }
}
