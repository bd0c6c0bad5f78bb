//! Which facts were received, so that an ack is true and a duplicate is one.

use std::collections::BTreeMap;

use crate::time::Time;

/// The most boots remembered; beyond, the one unheard for longest is forgotten and its daemon sends a snapshot.
const MAX_BOOTS: usize = 4096;

/// The most gaps remembered per boot. A daemon keeps at most 32 facts in flight, so an honest one needs fewer.
const MAX_RUNS: usize = 64;

/// What was received of one daemon start.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Everything up to this was received, or its daemon has settled it otherwise.
    settled: u64,
    /// Received beyond `settled`: disjoint runs, first to last.
    runs: BTreeMap<u64, u64>,
    /// The newest that was received or accounted for; a fact past its successor leaves a hole.
    newest: u64,
    begun: bool,
    heard: Time,
}

/// What one fact means for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receipt {
    /// Received for the first time.
    New {
        /// Facts before it are missing.
        hole: bool,
    },
    /// Received before.
    Duplicate,
}

impl Ledger {
    /// The last of the dense prefix: everything up to it needs no resend.
    pub(super) fn ack(&self) -> u64 {
        self.settled
    }

    /// Whether any fact was received; then a rejoin goes on where it was.
    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    /// Takes one fact.
    pub(super) fn record(&mut self, seq: u64) -> Receipt {
        let before = self.runs.range(..=seq).next_back().map(|(&first, &last)| (first, last));
        if seq <= self.settled || before.is_some_and(|(_, last)| seq <= last) {
            return Receipt::Duplicate;
        }
        self.begun = true;
        let first = before.filter(|&(_, last)| last + 1 == seq).map_or(seq, |(first, _)| first);
        let last = seq.checked_add(1).and_then(|next| self.runs.remove(&next)).unwrap_or(seq);
        self.runs.insert(first, last);
        self.absorb();
        if self.runs.len() > MAX_RUNS {
            // An ack beyond a gap would be a lie; what is forgotten may at worst be taken twice.
            self.runs.pop_last();
        }
        let hole = seq > self.newest.saturating_add(1);
        self.newest = self.newest.max(seq);
        Receipt::New { hole }
    }

    /// Takes the daemon's word that nothing up to `seq` will be sent any more.
    pub(super) fn settle(&mut self, seq: u64) {
        self.settled = self.settled.max(seq);
        self.runs.retain(|_, &mut last| last > seq);
        self.absorb();
        self.account(seq);
    }

    /// Takes a snapshot's word that the state up to `seq` is in it. Taps up to there may still come.
    pub(super) fn account(&mut self, seq: u64) {
        self.newest = self.newest.max(seq);
    }

    fn absorb(&mut self) {
        while let Some(run) = self.runs.first_entry()
            && *run.key() <= self.settled.saturating_add(1)
        {
            self.settled = self.settled.max(run.remove());
        }
    }
}

/// The ledgers of all boots of all endpoints.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    by_boot: BTreeMap<(String, String), Ledger>,
}

impl Ledgers {
    /// The ledger of one boot, begun if there is none.
    pub(super) fn of(&mut self, now: Time, endpoint: &str, boot: &str) -> &mut Ledger {
        let key = (endpoint.to_owned(), boot.to_owned());
        if self.by_boot.len() >= MAX_BOOTS && !self.by_boot.contains_key(&key) {
            let oldest = self.by_boot.iter().min_by_key(|(_, ledger)| ledger.heard).map(|(key, _)| key.clone());
            oldest.map(|key| self.by_boot.remove(&key));
        }
        let ledger = self.by_boot.entry(key).or_default();
        ledger.heard = now;
        ledger
    }

    /// Forgets one boot, as if it had never joined.
    pub(super) fn forget(&mut self, endpoint: &str, boot: &str) {
        self.by_boot.remove(&(endpoint.to_owned(), boot.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ack_is_the_end_of_the_dense_prefix() {
        use Receipt::{Duplicate, New};
        let steps = [
            (1, New { hole: false }, 1),
            (2, New { hole: false }, 2),
            (2, Duplicate, 2),
            (4, New { hole: true }, 2),
            (5, New { hole: false }, 2),
            (5, Duplicate, 2),
            (7, New { hole: true }, 2),
            (3, New { hole: false }, 5),
            (6, New { hole: false }, 7),
            (8, New { hole: false }, 8),
            (u64::MAX, New { hole: true }, 8),
            (u64::MAX, Duplicate, 8),
            (u64::MAX - 1, New { hole: false }, 8),
        ];
        let mut ledger = Ledger::default();
        for (seq, receipt, ack) in steps {
            assert_eq!((ledger.record(seq), ledger.ack()), (receipt, ack), "seq {seq}");
        }
    }

    #[test]
    fn what_the_daemon_settled_is_not_missing() {
        let mut ledger = Ledger::default();
        ledger.record(1);
        ledger.record(5);
        ledger.settle(4);
        assert_eq!(ledger.ack(), 5);
        assert_eq!(ledger.record(3), Receipt::Duplicate);
        assert_eq!(ledger.record(6), Receipt::New { hole: false });
        ledger.record(9);
        ledger.settle(20);
        assert_eq!((ledger.ack(), ledger.runs.len()), (20, 0));
        ledger.settle(u64::MAX);
        assert_eq!(ledger.record(u64::MAX), Receipt::Duplicate);
    }

    #[test]
    fn a_snapshot_explains_a_hole_but_a_tap_from_before_it_is_new() {
        let mut ledger = Ledger::default();
        ledger.settle(997);
        ledger.account(1000);
        assert_eq!(ledger.record(1001), Receipt::New { hole: false });
        assert_eq!(ledger.ack(), 997, "what was not received is not acked");
        assert_eq!(ledger.record(999), Receipt::New { hole: false });
    }

    #[test]
    fn gaps_are_bounded() {
        let mut ledger = Ledger::default();
        for seq in 1..=10 * MAX_RUNS as u64 {
            ledger.record(seq * 2);
        }
        assert_eq!(ledger.runs.len(), MAX_RUNS);
        assert_eq!(ledger.ack(), 0, "1 was never received");
        assert_eq!(ledger.record(1), Receipt::New { hole: false });
        assert_eq!(ledger.ack(), 2);
    }

    #[test]
    fn the_longest_unheard_boot_is_forgotten_first() {
        let mut ledgers = Ledgers::default();
        for n in 0..=MAX_BOOTS as u64 {
            ledgers.of(Time::from_secs(n), "a", &n.to_string()).record(1);
        }
        assert_eq!(ledgers.by_boot.len(), MAX_BOOTS);
        let now = Time::from_secs(9999);
        assert!(ledgers.of(now, "a", "1").is_begun());
        assert!(!ledgers.of(now, "a", "0").is_begun());
    }
}
