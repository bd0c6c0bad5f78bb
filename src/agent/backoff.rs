//! Waits between tries: a shape, a place in it, and jitter from a seed.

use std::time::Duration;

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::limits;

/// How a wait is spread, so that endpoints that lost one agent do not return at one moment.
#[derive(Clone, Copy, Debug)]
enum Jitter {
    /// From half the wait to half as much again.
    Around,
    /// From the wait itself to half as much again.
    Above,
}

/// A place in a list of waits.
#[derive(Debug)]
pub(super) struct Backoff {
    waits_ms: &'static [u64],
    /// After this many tries at the last wait it doubles, up to two thirds of the cap; `None`: it repeats for ever.
    doubling: Option<(u32, u64)>,
    jitter: Jitter,
    tries: u32,
    random: Xoshiro128PlusPlus,
}

impl Backoff {
    /// Before connecting again.
    pub(super) fn reconnect(seed: u64) -> Self {
        let doubling = Some((limits::RECONNECT_PLATEAU, limits::RECONNECT_CAP_MS));
        Self::new(limits::RECONNECT_MS, doubling, Jitter::Around, seed)
    }

    /// Before joining again on the same socket.
    pub(super) fn rejoin(seed: u64) -> Self {
        Self::new(limits::REJOIN_MS, None, Jitter::Around, seed)
    }

    /// Before asking again where we were refused.
    pub(super) fn refused(seed: u64) -> Self {
        Self::new(limits::REFUSED_MS, None, Jitter::Above, seed)
    }

    fn new(waits_ms: &'static [u64], doubling: Option<(u32, u64)>, jitter: Jitter, seed: u64) -> Self {
        Self { waits_ms, doubling, jitter, tries: 0, random: Xoshiro128PlusPlus::seed_from_u64(seed) }
    }

    /// The next wait; longer each time until [`Backoff::reset`].
    pub(super) fn next(&mut self) -> Duration {
        let base_us = self.base_ms(self.tries) * 1_000;
        self.tries = self.tries.saturating_add(1);
        let least = match self.jitter {
            Jitter::Around => base_us / 2,
            Jitter::Above => base_us,
        };
        let spread = base_us + base_us / 2 - least;
        Duration::from_micros(least + u64::from(self.random.next_u32()) * spread / u64::from(u32::MAX))
    }

    /// What was tried has worked.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    fn base_ms(&self, tries: u32) -> u64 {
        let last = self.waits_ms.len() - 1;
        let index = usize::try_from(tries).unwrap_or(usize::MAX);
        if index < last {
            return self.waits_ms[index];
        }
        let at_last = tries - u32::try_from(last).unwrap_or(u32::MAX);
        match self.doubling {
            Some((plateau, cap_ms)) if at_last >= plateau => {
                let doubled = self.waits_ms[last].saturating_mul(1 << (at_last - plateau + 1).min(16));
                doubled.min(cap_ms * 2 / 3)
            }
            _ => self.waits_ms[last],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_the_official_clients_until_it_doubles() {
        let backoff = Backoff::reconnect(1);
        let bases: Vec<u64> = (0..26).map(|tries| backoff.base_ms(tries)).collect();
        assert_eq!(bases[..10], [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000, 5_000]);
        assert_eq!(bases[10..21], [5_000; 11]);
        assert_eq!(bases[21..], [10_000, 20_000, 20_000, 20_000, 20_000]);
        assert_eq!(backoff.base_ms(u32::MAX), 20_000);
    }

    #[test]
    fn jitter_stays_within_half_and_under_the_cap() {
        for seed in 0..50 {
            let mut backoff = Backoff::reconnect(seed);
            for tries in 0..40 {
                let base = backoff.base_ms(tries);
                let wait = backoff.next();
                assert!(wait >= Duration::from_millis(base / 2), "seed {seed}, try {tries}: {wait:?}");
                assert!(wait <= Duration::from_micros(base * 1_500), "seed {seed}, try {tries}: {wait:?}");
                assert!(wait <= Duration::from_millis(limits::RECONNECT_CAP_MS), "seed {seed}: {wait:?}");
            }
            backoff.reset();
            assert!(backoff.next() <= Duration::from_millis(15));
        }
    }

    #[test]
    fn a_refusal_waits_ten_seconds_rising_to_sixty() {
        let mut backoff = Backoff::refused(7);
        let waits: Vec<Duration> = (0..20).map(|_| backoff.next()).collect();
        assert!((10..=15).contains(&waits[0].as_secs()), "{waits:?}");
        assert!(waits[2..].iter().all(|wait| (40..=60).contains(&wait.as_secs())), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(55)), "{waits:?}");
    }

    #[test]
    fn seeds_decide_the_waits() {
        let waits = |seed| {
            let mut backoff = Backoff::rejoin(seed);
            std::array::from_fn::<_, 6, _>(|_| backoff.next())
        };
        assert_eq!(waits(3), waits(3));
        assert_ne!(waits(3), waits(4));
    }
}
