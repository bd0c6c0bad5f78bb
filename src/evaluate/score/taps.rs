//! Taps: hits, repeats and false ones.

use std::time::Duration;

use super::{Said, micros};
use crate::evaluate::trace::{Label, Trace};

/// A tap may come so long before the contact: the hand is on its way.
const BEFORE: Duration = Duration::from_millis(700);

/// And so long after it.
const AFTER: Duration = Duration::from_millis(500);

/// So near, in metres, a tap without contact is neither right nor false: the hand is as good as there.
const AT_HAND_M: f64 = 0.15;

/// What is counted of taps in one trace, or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taps {
    /// Contacts: how often somebody tapped.
    pub contacts: u64,
    /// Contacts that were told as a tap.
    pub hits: u64,
    /// Further taps told for the same contact.
    pub repeats: u64,
    /// Taps told where there was none.
    pub false_taps: u64,
    /// Of them, while the band was held near the antenna.
    pub near_misses: u64,
    /// From the first to the last row.
    pub span: Duration,
    /// From the contact to each hit, in µs; negative where it was told before.
    pub latency_us: Vec<i64>,
}

impl Taps {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.contacts += other.contacts;
        self.hits += other.hits;
        self.repeats += other.repeats;
        self.false_taps += other.false_taps;
        self.near_misses += other.near_misses;
        self.span += other.span;
        self.latency_us.extend(&other.latency_us);
    }
}

/// Scores the taps that a detector told in a trace.
pub fn score_taps(trace: &Trace, said: &Said) -> Taps {
    let mut counted = Taps { contacts: trace.contacts.len() as u64, ..Taps::default() };
    let Some((first, last)) = trace.rows.first().zip(trace.rows.last()) else { return counted };
    counted.span = last.at.since(first.at);
    let mut hit = vec![false; trace.contacts.len()];
    for &at in &said.taps {
        let next = trace.contacts.partition_point(|(_, end)| *end + AFTER < at);
        let touched = trace.contacts.get(next).is_some_and(|(begin, _)| *begin <= at + BEFORE);
        match touched.then_some(next) {
            Some(place) if hit[place] => counted.repeats += 1,
            Some(place) => {
                hit[place] = true;
                counted.hits += 1;
                counted.latency_us.push(micros(trace.contacts[place].0, at));
            }
            None => {
                let row = trace.rows.partition_point(|row| row.at <= at).saturating_sub(1);
                let row = &trace.rows[row];
                if row.distance_m.is_none_or(|distance| distance > AT_HAND_M) {
                    counted.false_taps += 1;
                    counted.near_misses += u64::from(row.label == Label::NearMiss);
                }
            }
        }
    }
    counted
}

#[cfg(test)]
mod tests;
