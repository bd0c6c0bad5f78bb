//! Facts that are sent and not acknowledged: numbered, in order, resent until they are.

use std::collections::VecDeque;
use std::time::Duration;

use super::item::{Class, Item};
use super::limits;
use super::status::Counters;
use super::wire::Number;
use crate::time::Time;

/// The send window, lowest seq first.
#[derive(Debug, Default)]
pub(super) struct Window {
    entries: VecDeque<Entry>,
    /// Joins in a row that ended while something was awaited, nothing having been acknowledged.
    ended: u32,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    item: Item,
    /// How often it was written, on any socket.
    written: u32,
    delivery: Delivery,
    /// How often it was written on this join without the agent having asked for it.
    tries: u32,
    /// The refs of those writes, newest last: an answer may come late.
    references: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// To be written as soon as there is a join and room; no timer runs.
    Due,
    /// Written on this join.
    Awaiting { deadline: Time },
    /// The agent asked for it again, later.
    Later { until: Time },
}

/// Something to write now.
#[derive(Debug)]
pub(super) struct Sending<'a> {
    pub(super) reference: u64,
    pub(super) number: Number,
    pub(super) item: &'a Item,
}

/// Writes whose answers are remembered per fact and join.
const REFERENCES: usize = 4;

/// Writes of a fact on one join before the socket counts as dead.
const TRIES: u32 = 2;

/// Why a fact is given up that no join outlives.
pub(super) const CRASHED: &str = "one join after the other ended on it";

impl Window {
    pub(super) fn push(&mut self, seq: u64, item: Item) {
        self.entries.push_back(Entry::new(seq, item));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is in it besides the stand-ins for facts that were given up.
    pub(super) fn unacknowledged(&self) -> usize {
        self.entries.iter().filter(|entry| !matches!(entry.item, Item::Dropped { .. })).count()
    }

    /// Whether the agent owes an acknowledgement: one did not come in time on this join, and is awaited again.
    pub(super) fn is_overdue(&self) -> bool {
        let awaited = |entry: &Entry| matches!(entry.delivery, Delivery::Awaiting { .. });
        self.entries.iter().any(|entry| awaited(entry) && entry.tries >= TRIES)
    }

    /// The lowest seq that is not acknowledged.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.seq)
    }

    /// Whether something new may be pushed. What the agent wants later keeps a place in the window, but does not count as
    /// on the way.
    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.on_the_way() < limit && self.entries.len() < limits::IN_FLIGHT
    }

    pub(super) fn has_due(&self) -> bool {
        self.entries.iter().any(|entry| entry.delivery == Delivery::Due)
    }

    /// The next thing to write, counted as written; at most `limit` are on the way at once.
    pub(super) fn poll_send(
        &mut self,
        now: Time,
        limit: usize,
        next_ref: impl FnOnce() -> u64,
        counters: &mut Counters,
    ) -> Option<Sending<'_>> {
        if self.on_the_way() >= limit {
            return None;
        }
        let entry = self.entries.iter_mut().find(|entry| entry.delivery == Delivery::Due)?;
        let number = Number { seq: entry.seq, re: entry.written };
        counters.facts_resent += u64::from(entry.written > 0);
        let reference = next_ref();
        entry.written += 1;
        entry.tries += 1;
        entry.delivery = Delivery::Awaiting { deadline: now + entry.patience() };
        if entry.references.len() == REFERENCES {
            entry.references.pop_front();
        }
        entry.references.push_back(reference);
        Some(Sending { reference, number, item: &entry.item })
    }

    /// The agent has taken what was written under this ref, however late it says so.
    pub(super) fn ack(&mut self, reference: u64, counters: &mut Counters) {
        self.settle(counters, |entry| entry.references.contains(&reference));
    }

    /// The agent has taken everything up to this seq.
    pub(super) fn ack_through(&mut self, seq: u64, counters: &mut Counters) {
        self.settle(counters, |entry| entry.seq <= seq && entry.written > 0);
    }

    /// The agent wants it again after a while.
    pub(super) fn retry(&mut self, now: Time, reference: u64, after: Duration) {
        if let Some(place) = self.find(reference) {
            let entry = &mut self.entries[place];
            entry.delivery = Delivery::Later { until: now + after };
            entry.tries = 0;
        }
    }

    /// The agent does not want it at all. Says what it was.
    pub(super) fn refuse(&mut self, now: Time, reference: u64, reason: &str, counters: &mut Counters) -> Option<Item> {
        let place = self.find(reference)?;
        Some(self.give_up(now, place, reason.to_owned(), counters))
    }

    /// The join is over: everything must be written again on the next. Says what was given up, if one join after the
    /// other ended on it.
    pub(super) fn leave(&mut self, now: Time, counters: &mut Counters) -> Option<Item> {
        // What an agent cannot stand is the oldest that it was working on.
        let suspect = self.entries.iter().position(|entry| entry.tries > 0);
        for entry in &mut self.entries {
            entry.delivery = Delivery::Due;
            entry.tries = 0;
            entry.references.clear();
        }
        self.ended += u32::from(suspect.is_some());
        let place = suspect.filter(|_| self.ended >= limits::JOINS_ENDED)?;
        self.ended = 0;
        Some(self.give_up(now, place, CRASHED.to_owned(), counters))
    }

    /// Removes what a snapshot says, and taps that cannot act any more.
    pub(super) fn fold(&mut self, now: Time, counters: &mut Counters) {
        self.entries.retain(|entry| {
            let state = entry.item.class() == Class::State;
            let old = entry.item.is_old_tap(now);
            counters.facts_folded += u64::from(state && entry.item.is_fact());
            counters.facts_dropped += u64::from(old);
            !state && !old
        });
    }

    /// Makes due what was not acknowledged in time, and what the agent wanted later; false if something was not
    /// acknowledged for the second time.
    pub(super) fn handle_timeout(&mut self, now: Time, counters: &mut Counters) -> bool {
        let mut alive = true;
        for entry in &mut self.entries {
            match entry.delivery {
                Delivery::Awaiting { deadline } if deadline <= now => {
                    counters.ack_timeouts += 1;
                    alive &= entry.tries < TRIES;
                    entry.delivery = Delivery::Due;
                }
                Delivery::Later { until } if until <= now => entry.delivery = Delivery::Due,
                _ => {}
            }
        }
        alive
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.entries
            .iter()
            .filter_map(|entry| match entry.delivery {
                Delivery::Due => None,
                Delivery::Awaiting { deadline: at } | Delivery::Later { until: at } => Some(at),
            })
            .min()
    }

    fn on_the_way(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.delivery, Delivery::Awaiting { .. })).count()
    }

    fn find(&self, reference: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.references.contains(&reference))
    }

    /// Lets something smaller take the seq. Says what it was.
    fn give_up(&mut self, now: Time, place: usize, reason: String, counters: &mut Counters) -> Item {
        let Entry { seq, item, .. } = &self.entries[place];
        let (seq, kind) = (*seq, item.name());
        counters.facts_refused += u64::from(item.is_fact());
        let dropped = Entry::new(seq, Item::Dropped { at: now, kind, reason });
        let given_up = std::mem::replace(&mut self.entries[place], dropped).item;
        if matches!(given_up, Item::Dropped { .. }) {
            // Whoever refuses to hear of a refusal does not hear of it.
            self.entries.remove(place);
        }
        given_up
    }

    fn settle(&mut self, counters: &mut Counters, taken: impl Fn(&Entry) -> bool) {
        let before = self.entries.len();
        self.entries.retain(|entry| {
            let taken = taken(entry);
            counters.facts_acked += u64::from(taken && entry.item.is_fact());
            !taken
        });
        if self.entries.len() < before {
            self.ended = 0;
        }
    }
}

impl Entry {
    fn new(seq: u64, item: Item) -> Self {
        Self { seq, item, written: 0, delivery: Delivery::Due, tries: 0, references: VecDeque::new() }
    }

    /// How long its acknowledgement may take.
    fn patience(&self) -> Duration {
        match self.item.class() {
            Class::Tap => limits::TAP_ACK,
            Class::State | Class::Record => limits::FACT_ACK,
        }
    }
}
