//! The delivery contract: every fact is numbered, acknowledged, resent, folded into a snapshot, or counted.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::item::{Class, Item, Part};
use super::queue::{Queue, Room};
use super::status::Counters;
use super::window::{Sending, Window};
use crate::event::{Fact, Snapshot};
use crate::time::Time;

/// Everything on its way to the agent.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Queue,
    window: Window,
    /// Parts of a snapshot that have no number yet; they go before the queue, except that taps go before all but the
    /// first.
    parts: VecDeque<Part>,
    snapshot: Want,
    /// Given to the next item that enters the window; from 1, without holes.
    next_seq: u64,
    terms: Option<Terms>,
    pub(super) counters: Counters,
}

/// Whether a snapshot is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Nothing,
    /// As soon as there is a join and room.
    Due,
    /// The daemon was asked for one.
    Asked,
}

/// What an agent asks for in its answer to a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Facts that may be unacknowledged at once.
    pub(super) in_flight: usize,
    /// The longest frame, in bytes.
    pub(super) frame: usize,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            queue: Queue::default(),
            window: Window::default(),
            parts: VecDeque::new(),
            snapshot: Want::Nothing,
            next_seq: 1,
            terms: None,
            counters: Counters::default(),
        }
    }

    /// Takes a fact, joined or not.
    pub(super) fn push(&mut self, fact: Fact) {
        self.counters.facts_accepted += 1;
        if self.queue.push(fact, &mut self.counters) == Room::StateFolded {
            self.want_snapshot();
        }
    }

    /// A join was accepted by an agent that has everything of this boot up to `resume`, or knows nothing of it.
    pub(super) fn join(&mut self, now: Time, resume: Option<u64>, terms: Terms) {
        self.terms = Some(terms);
        match resume {
            Some(ack) => {
                self.window.ack_through(ack, &mut self.counters);
                // It has forgotten what it once acknowledged, and what we therefore have no more.
                if ack.saturating_add(1) < self.oldest_seq() {
                    self.want_snapshot();
                }
            }
            None => {
                self.window.fold(now, &mut self.counters);
                self.want_snapshot();
            }
        }
    }

    /// The join is over. Says what was given up, if one join after the other ended on it.
    pub(super) fn leave(&mut self, now: Time) -> Option<&'static str> {
        self.terms = None;
        if self.snapshot == Want::Asked {
            self.snapshot = Want::Due;
        }
        let given_up = self.window.leave(now, &mut self.counters)?;
        // What it said is said otherwise, unless saying it all is what the agent cannot stand.
        if given_up.class() == Class::State && given_up.is_fact() {
            self.want_snapshot();
        }
        Some(given_up.name())
    }

    pub(super) fn is_joined(&self) -> bool {
        self.terms.is_some()
    }

    /// The agent needs the whole state; parts of an earlier one that were not sent are out of date.
    pub(super) fn want_snapshot(&mut self) {
        self.parts.clear();
        if self.snapshot == Want::Nothing {
            self.snapshot = Want::Due;
        }
    }

    /// Whether a snapshot must be taken now; true once for each.
    pub(super) fn poll_snapshot(&mut self) -> bool {
        let room = self.terms.is_some_and(|terms| self.window.has_room(terms.in_flight));
        let ask = room && self.snapshot == Want::Due;
        if ask {
            self.snapshot = Want::Asked;
        }
        ask
    }

    /// Takes the snapshot that was asked for, and folds waiting state into it.
    pub(super) fn handle_snapshot(
        &mut self,
        snapshot: Snapshot,
        split: impl FnOnce(&Snapshot, usize) -> Vec<Range<usize>>,
    ) {
        let (Want::Asked, Some(terms)) = (self.snapshot, self.terms) else { return };
        self.snapshot = Want::Nothing;
        self.queue.fold(snapshot.at, &mut self.counters);
        self.counters.snapshots += 1;
        let ranges = split(&snapshot, terms.frame);
        let (snapshot, as_of, parts) = (Arc::new(snapshot), self.next_seq - 1, ranges.len());
        self.parts = (1..)
            .zip(ranges)
            .map(|(part, bands)| Part { snapshot: Arc::clone(&snapshot), as_of, part, parts, bands })
            .collect();
    }

    /// The next thing to write, counted as written: what must be resent, then the snapshot, then new facts in order.
    pub(super) fn poll_send(&mut self, now: Time, next_ref: impl FnOnce() -> u64) -> Option<Sending<'_>> {
        let Terms { in_flight, .. } = self.terms?;
        if !self.window.has_due()
            && self.window.has_room(in_flight)
            && let Some(item) = self.next_item(now)
        {
            self.window.push(self.next_seq, item);
            self.next_seq += 1;
        }
        self.window.poll_send(now, in_flight, next_ref, &mut self.counters)
    }

    /// The agent has taken what was written under this ref, and everything up to `through`.
    pub(super) fn handle_ack(&mut self, reference: u64, through: Option<u64>) {
        self.window.ack(reference, &mut self.counters);
        if let Some(seq) = through {
            self.window.ack_through(seq, &mut self.counters);
        }
    }

    /// The agent wants what was written under this ref again, later.
    pub(super) fn handle_retry(&mut self, now: Time, reference: u64, after: Duration) {
        self.window.retry(now, reference, after);
    }

    /// The agent does not want it; says what it was.
    pub(super) fn handle_refusal(&mut self, now: Time, reference: u64, reason: &str) -> Option<&'static str> {
        self.window.refuse(now, reference, reason, &mut self.counters).map(|item| item.name())
    }

    /// Does what is due; false if the agent has been silent for so long that the socket counts as dead.
    pub(super) fn handle_timeout(&mut self, now: Time) -> bool {
        !self.is_joined() || self.window.handle_timeout(now, &mut self.counters)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.terms.and_then(|_| self.window.poll_timeout())
    }

    /// What the next item will be numbered.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The lowest number that can still be sent.
    pub(super) fn oldest_seq(&self) -> u64 {
        self.window.oldest().unwrap_or(self.next_seq)
    }

    /// Facts without a number, and items with one that are not acknowledged.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.queue.len(), self.window.len())
    }

    /// Whether the agent owes an acknowledgement.
    pub(super) fn is_overdue(&self) -> bool {
        self.window.is_overdue()
    }

    /// Facts that no agent has acknowledged: those that wait, and those that were given up.
    pub(super) fn unacknowledged(&self) -> usize {
        let given_up = self.counters.facts_dropped + self.counters.facts_refused;
        self.queue.len() + self.window.unacknowledged() + usize::try_from(given_up).unwrap_or(usize::MAX)
    }

    /// Whether all is said and acknowledged.
    pub(super) fn is_idle(&self) -> bool {
        self.depth() == (0, 0) && self.parts.is_empty() && self.snapshot == Want::Nothing
    }

    fn next_item(&mut self, now: Time) -> Option<Item> {
        // The rest of a long snapshot takes an agent longer than a gesture can wait.
        let overtaken = self.parts.front().is_some_and(|part| part.part > 1)
            && self.queue.peek().is_some_and(|item| item.class() == Class::Tap && !item.is_old_tap(now));
        if !overtaken && let Some(part) = self.parts.pop_front() {
            return Some(Item::Snapshot(part));
        }
        if self.snapshot != Want::Nothing {
            return None;
        }
        let item = self.queue.pop()?;
        let old = item.is_old_tap(now);
        match item {
            Item::Fact(Fact::Band(decision)) if old => {
                self.counters.taps_expired += 1;
                Some(Item::TapExpired(decision))
            }
            item => Some(item),
        }
    }
}

#[cfg(test)]
mod tests;
