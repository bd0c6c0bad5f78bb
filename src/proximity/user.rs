//! What the user does at the terminal: keys that are used hold `away` by level back, for a while and no longer.

use super::constants::{ACTIVE_FOR, HELD_AT_MOST};
use crate::time::Time;

/// The user's veto against the `away` of one band; `T` is what is said once the veto ends.
///
/// It counts while the band is near. What happened before the band became near says nothing of its wearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Veto<T> {
    near_since: Time,
    /// The newest activity of this wearer.
    active: Option<Time>,
    /// What waits, and since when.
    held: Option<(Time, T)>,
}

impl<T> Veto<T> {
    /// That of a band which became near just now.
    pub(super) fn new(near_since: Time) -> Self {
        Self { near_since, active: None, held: None }
    }

    /// Notes that this wearer was active.
    pub(super) fn note(&mut self, moment: Time) {
        self.active = self.active.max(Some(moment));
    }

    /// The detector asks for `away`. Gives it back where it is to be said now; otherwise it is kept.
    ///
    /// `anybody` is the newest activity of somebody whose name is not known.
    pub(super) fn ask(&mut self, at: Time, anybody: Option<Time>, away: T) -> Option<T> {
        if self.held.is_some() {
            return None; // the first word stands, and so does its bound
        }
        if self.active_until(anybody).is_none_or(|until| until <= at) {
            return Some(away);
        }
        self.held = Some((at, away));
        None
    }

    /// The detector asks for `away` no more.
    pub(super) fn withdraw(&mut self) {
        self.held = None;
    }

    /// Since when something waits.
    pub(super) fn since(&self) -> Option<Time> {
        self.held.as_ref().map(|(since, _)| *since)
    }

    /// When that is said, if nothing more happens.
    pub(super) fn end(&self, anybody: Option<Time>) -> Option<Time> {
        let bound = self.since()? + HELD_AT_MOST;
        Some(self.active_until(anybody)?.min(bound))
    }

    /// Ends the veto and gives what was held back.
    pub(super) fn release(&mut self) -> Option<T> {
        self.held.take().map(|(_, away)| away)
    }

    /// The newest activity that may be this wearer's.
    pub(super) fn active(&self, anybody: Option<Time>) -> Option<Time> {
        self.active.max(anybody).filter(|moment| *moment >= self.near_since)
    }

    fn active_until(&self, anybody: Option<Time>) -> Option<Time> {
        self.active(anybody).map(|moment| moment + ACTIVE_FOR)
    }
}

/// Why nobody becomes near by signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The roster counts, and leaves the band out.
    #[error("the roster does not list this band: list it first")]
    Unlisted,
    /// Nothing is known by which this address could be a band's.
    #[error("this band has not been heard and no roster lists it: list it, or sign in once it is present")]
    Unknown,
    /// `rssi_cutoff_close` is 0.
    #[error("no band is near or away here: rssi_cutoff_close is 0 in the configuration")]
    NoSides,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    #[test]
    fn without_activity_nothing_is_held_back() {
        let mut veto = Veto::new(s(100));
        assert_eq!(veto.ask(s(200), None, "away"), Some("away"));
        assert_eq!((veto.since(), veto.end(None)), (None, None));
    }

    #[test]
    fn an_activity_holds_for_ten_seconds_and_not_a_microsecond_longer() {
        let end = s(205);
        for (at, said) in [(s(195), None), (end - std::time::Duration::from_micros(1), None), (end, Some("away"))] {
            let mut veto = Veto::new(s(100));
            veto.note(s(195));
            assert_eq!(veto.ask(at, None, "away"), said, "{at:?}");
            assert_eq!(veto.end(None), said.is_none().then_some(end));
        }
    }

    #[test]
    fn every_activity_prolongs_it_up_to_the_bound() {
        let mut veto = Veto::new(s(100));
        veto.note(s(200));
        assert_eq!(veto.ask(s(203), None, "first"), None);
        assert_eq!(veto.end(None), Some(s(210)));
        veto.note(s(198));
        assert_eq!(veto.end(None), Some(s(210)), "late news of something earlier");
        for active in 201..=300 {
            veto.note(s(active));
            assert_eq!(veto.ask(s(active), None, "again"), None);
            assert_eq!(veto.end(None), Some(s((active + 10).min(263))), "60 s from the first word");
        }
        assert_eq!(veto.release(), Some("first"));
        assert_eq!(veto.release(), None);
    }

    #[test]
    fn a_detector_that_changes_its_mind_begins_anew() {
        let mut veto = Veto::new(s(100));
        veto.note(s(200));
        veto.ask(s(203), None, "first");
        veto.withdraw();
        assert_eq!((veto.since(), veto.end(None), veto.release()), (None, None, None));
        veto.note(s(250));
        assert_eq!(veto.ask(s(255), None, "second"), None);
        veto.note(s(1_000));
        assert_eq!(veto.end(None), Some(s(315)));
    }

    #[test]
    fn what_happened_before_the_band_was_near_says_nothing() {
        for (moment, held) in [(s(99), false), (s(100), true)] {
            let mut named = Veto::new(s(100));
            named.note(moment);
            assert_eq!(named.ask(s(105), None, ()).is_none(), held);
            assert_eq!(Veto::new(s(100)).ask(s(105), Some(moment), ()).is_none(), held, "nor by nobody in particular");
        }
    }

    #[test]
    fn the_newer_of_two_activities_counts_whoever_it_was() {
        let mut veto = Veto::new(s(100));
        veto.note(s(200));
        veto.ask(s(201), Some(s(195)), ());
        assert_eq!(veto.end(Some(s(195))), Some(s(210)));
        assert_eq!(veto.end(Some(s(206))), Some(s(216)));
    }
}
