//! Facts that wait to be sent: in order of decision, state merged per band, bounded.

use std::collections::{BTreeMap, HashMap};

use bgapi::Address;

use super::item::{Class, Item};
use super::limits;
use super::status::Counters;
use crate::event::{AdapterId, Conclusion, Decision, Fact, Side, Trend};
use crate::time::Time;

/// Facts without a number yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By place; places only grow, and a merged fact takes the newest.
    items: BTreeMap<u64, Item>,
    /// Where the one waiting fact of each kind is; for look-ups only.
    places: HashMap<Key, u64>,
    next_place: u64,
    taps: usize,
}

/// What may wait only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Presence(Address),
    Trend(Address),
    Auth(Address),
    Adapter(AdapterId),
}

/// Whether a push left the queue complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Room {
    /// Nothing but what merging and the counters account for is missing.
    Enough,
    /// State had to go; a snapshot must say it.
    StateFolded,
}

impl Queue {
    /// Adds a fact behind all others, or works it into the one of its kind that waits already.
    pub(super) fn push(&mut self, fact: Fact, counters: &mut Counters) -> Room {
        let item = Item::Fact(fact);
        let Some(place) = Key::of(&item).and_then(|key| self.places.get(&key).copied()) else {
            return self.admit(item, counters);
        };
        let waiting = self.remove(place);
        counters.facts_merged += 1;
        match waiting.and_then(|waiting| merge(&waiting, item)) {
            Some(merged) => self.insert(merged),
            None => counters.facts_cancelled += 1,
        }
        Room::Enough
    }

    /// The oldest.
    pub(super) fn peek(&self) -> Option<&Item> {
        self.items.first_key_value().map(|(_, item)| item)
    }

    /// Takes the oldest.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let place = *self.items.first_key_value()?.0;
        self.remove(place)
    }

    /// Removes the state that a snapshot of that moment says.
    pub(super) fn fold(&mut self, until: Time, counters: &mut Counters) {
        let places = &mut self.places;
        self.items.retain(|_, item| {
            let told = item.class() == Class::State && item.at() <= until;
            if told {
                counters.facts_folded += 1;
                Key::of(item).map(|key| places.remove(&key));
            }
            !told
        });
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    fn admit(&mut self, item: Item, counters: &mut Counters) -> Room {
        let mut room = Room::Enough;
        if item.class() != Class::Tap && self.items.len() - self.taps >= limits::QUEUE - limits::QUEUE_FOR_TAPS {
            room = self.give_up(counters);
        }
        if self.items.len() >= limits::QUEUE {
            // Facts come as they are decided, so the new one's moment is now.
            match self.find(|waiting| waiting.is_old_tap(item.at())) {
                Some(place) => {
                    self.remove(place);
                    counters.facts_dropped += 1;
                }
                None => room = self.give_up(counters),
            }
        }
        self.insert(item);
        room
    }

    /// Makes room by what is missed least: a tap that can act goes last.
    fn give_up(&mut self, counters: &mut Counters) -> Room {
        let oldest = |class| self.find(|item| item.class() == class);
        let place = match self.find(is_unlisted_presence) {
            None if oldest(Class::State).is_some() => None,
            None => oldest(Class::Record).or_else(|| oldest(Class::Tap)),
            place => place,
        };
        let Some(place) = place else {
            self.fold(Time::from_micros(u64::MAX), counters);
            return Room::StateFolded;
        };
        self.remove(place);
        counters.facts_dropped += 1;
        Room::Enough
    }

    fn insert(&mut self, item: Item) {
        if let Some(key) = Key::of(&item) {
            self.places.insert(key, self.next_place);
        }
        self.taps += usize::from(item.class() == Class::Tap);
        self.items.insert(self.next_place, item);
        self.next_place += 1;
    }

    fn remove(&mut self, place: u64) -> Option<Item> {
        let item = self.items.remove(&place)?;
        if let Some(key) = Key::of(&item) {
            self.places.remove(&key);
        }
        self.taps -= usize::from(item.class() == Class::Tap);
        Some(item)
    }

    /// The oldest item that fits.
    fn find(&self, fits: impl Fn(&Item) -> bool) -> Option<u64> {
        self.items.iter().find(|(_, item)| fits(item)).map(|(place, _)| *place)
    }
}

impl Key {
    fn of(item: &Item) -> Option<Self> {
        match item {
            Item::Fact(Fact::Band(Decision { band, conclusion, .. })) => match conclusion {
                Conclusion::Presence { .. } => Some(Self::Presence(band.address)),
                Conclusion::Trend { .. } => Some(Self::Trend(band.address)),
                Conclusion::Auth { .. } => Some(Self::Auth(band.address)),
                Conclusion::Tap { .. } => None,
            },
            Item::Fact(Fact::Adapter { state, .. }) => Some(Self::Adapter(state.id)),
            _ => None,
        }
    }
}

fn is_unlisted_presence(item: &Item) -> bool {
    matches!(item, Item::Fact(Fact::Band(Decision { listed: false, conclusion: Conclusion::Presence { .. }, .. })))
}

/// The later fact with the earlier one's `before`; `None` where that leaves nothing to tell.
fn merge(earlier: &Item, later: Item) -> Option<Item> {
    let (Item::Fact(Fact::Band(earlier)), Item::Fact(Fact::Band(mut later))) = (earlier, later.clone()) else {
        return Some(later);
    };
    let news = match (&earlier.conclusion, &mut later.conclusion) {
        (Conclusion::Presence { before: first, .. }, Conclusion::Presence { before, after, .. }) => {
            *before = *first;
            before != after
        }
        (Conclusion::Auth { before: first, .. }, Conclusion::Auth { before, after }) => {
            *before = *first;
            before != after
        }
        (Conclusion::Trend { before: first, .. }, Conclusion::Trend { before, after, .. }) => {
            *before = *first;
            // A restated near is worth telling, since a lock timer waits for it; it never becomes the change itself,
            // which is as old as the first near and would look as young as the last.
            !matches!((before, after), (Side::Near, Trend::Near) | (Side::Away, Trend::Away))
        }
        _ => true,
    };
    news.then_some(Item::Fact(Fact::Band(later)))
}

#[cfg(test)]
mod tests;
