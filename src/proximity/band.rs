//! What is known of one band: its samples at every dongle, and what was concluded from them.

use std::time::Duration;

use super::classic::Trigger;
use super::constants::{HOLD_EVERY, PRESENT_SAMPLES, PRESENT_WITHIN, TAP_GAP};
use super::level::{Level, Mean};
use super::settings::Settings;
use super::window::{Track, View};
use crate::event::{
    AdapterId, Auth, Band, BandState, Conclusion, Decision, Presence, PresenceReason, Rule, Side, Trend, Why,
};
use crate::time::Time;

/// What the roster says about a band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) active: bool,
    pub(super) auth: Auth,
}

/// One band.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) band: Band,
    /// `None` while no roster lists the band.
    pub(super) listing: Option<Listing>,
    presence: Presence,
    side: Side,
    trigger: Trigger,
    /// The newest valid sample's moment, at any dongle.
    last: Option<Time>,
    /// Whether its silence is still to be noticed.
    awaited: bool,
    hold_due: Option<Time>,
    tracks: Vec<(AdapterId, Track)>,
}

/// Where conclusions go.
pub(super) type Decisions = std::collections::VecDeque<Decision>;

impl Record {
    pub(super) fn new(band: Band, listing: Option<Listing>) -> Self {
        Self {
            band,
            listing,
            presence: Presence::Absent,
            side: Side::Unknown,
            trigger: Trigger::ARMED,
            last: None,
            awaited: false,
            hold_due: None,
            tracks: Vec::new(),
        }
    }

    /// A record for another band in the memory of this one.
    pub(super) fn reused_for(mut self, band: Band, listing: Option<Listing>) -> Self {
        self.tracks.truncate(1);
        for (_, track) in &mut self.tracks {
            track.clear();
        }
        Self { tracks: self.tracks, ..Self::new(band, listing) }
    }

    pub(super) fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    /// Takes in one sample and says everything that follows from it.
    pub(super) fn handle_sample(
        &mut self,
        at: Time,
        adapter: AdapterId,
        level: Level,
        settings: &Settings,
        decisions: &mut Decisions,
    ) {
        let silence = self.last.map_or(Duration::ZERO, |last| at.since(last));
        if silence > settings.absent_after {
            self.trigger.rearm();
        }
        (self.last, self.awaited) = (Some(at), true);
        let track = self.track(adapter, settings);
        let pause = track.heard().map_or(Duration::ZERO, |heard| at.since(heard));
        if pause > TAP_GAP {
            track.clear_tap();
        }
        if pause > settings.absent_after {
            track.clear_long();
        }
        track.push(at, level);
        self.look_for_presence(at, adapter, settings, decisions);
        self.look_for_tap(at, settings, decisions);
        self.look_at_side(at, settings, decisions);
    }

    fn track(&mut self, adapter: AdapterId, settings: &Settings) -> &mut Track {
        let place = self.tracks.iter().position(|(id, _)| *id == adapter).unwrap_or_else(|| {
            match self.tracks.iter_mut().position(|(_, track)| track.heard().is_none()) {
                Some(unused) => {
                    self.tracks[unused].0 = adapter;
                    unused
                }
                None => {
                    self.tracks.push((adapter, Track::new(settings.window_tap, settings.window_long)));
                    self.tracks.len() - 1
                }
            }
        });
        &mut self.tracks[place].1
    }

    fn look_for_presence(&mut self, at: Time, adapter: AdapterId, settings: &Settings, decisions: &mut Decisions) {
        if self.is_present() {
            return;
        }
        let heard_enough = self.tracks.iter().any(|(_, track)| {
            track.heard_back(PRESENT_SAMPLES - 1).is_some_and(|first| at.since(first) <= PRESENT_WITHIN)
        });
        if self.listing.is_some() || heard_enough {
            self.become_present(at, adapter, settings, decisions);
        }
    }

    fn become_present(&mut self, at: Time, adapter: AdapterId, settings: &Settings, decisions: &mut Decisions) {
        self.presence = Presence::Present;
        let conclusion =
            Conclusion::Presence { before: Presence::Absent, after: Presence::Present, reason: PresenceReason::Heard };
        let why = why(Rule::Heard, self.long_view(adapter), Duration::ZERO);
        decisions.push_back(self.decision(at, Some(adapter), settings, conclusion, why));
    }

    fn look_for_tap(&mut self, at: Time, settings: &Settings, decisions: &mut Decisions) {
        let Some(threshold) = settings.tap_threshold else { return };
        let Some((place, mean)) = self.strongest(at, TAP_GAP, Track::tap_mean) else { return };
        if !self.trigger.observe(mean, threshold) {
            return;
        }
        let (adapter, track) = &self.tracks[place];
        let (adapter, view, peak) = (*adapter, track.tap_view(), track.tap_peak());
        let (Some(view), Some(peak)) = (view, peak) else { return };
        if !self.is_present() {
            self.become_present(at, adapter, settings, decisions);
        }
        let conclusion = Conclusion::Tap {
            mean_cdb: mean.cdb(),
            peak_cdb: peak.cdb(),
            samples: view.n as u32,
            span_ms: view.span.as_millis() as u64,
            threshold_cdb: threshold.cdb(),
        };
        let why = Why { threshold_cdb: Some(threshold.cdb()), ..why(Rule::TapMean, Some(view), Duration::ZERO) };
        decisions.push_back(self.decision(at, Some(adapter), settings, conclusion, why));
    }

    fn look_at_side(&mut self, at: Time, settings: &Settings, decisions: &mut Decisions) {
        let Some(cutoffs) = settings.cutoffs else { return };
        let least = super::constants::TREND_MIN_SAMPLES;
        let Some((place, _)) = self.strongest(at, settings.absent_after, |track| track.long_mean(least)) else {
            return;
        };
        let (adapter, track) = &self.tracks[place];
        let adapter = *adapter;
        let Some((side, rule, cutoff)) = cutoffs.side(track, self.side) else { return };
        if !self.is_present() {
            self.become_present(at, adapter, settings, decisions);
        }
        let after = if side == Side::Near { Trend::Near } else { Trend::Away };
        self.hold_due = (side == Side::Near).then(|| at + HOLD_EVERY);
        self.state_trend(at, adapter, settings, decisions, (after, rule, Some(cutoff)));
        self.side = side;
    }

    /// States a trend of the long window at `adapter`, as it is now.
    fn state_trend(
        &self,
        at: Time,
        adapter: AdapterId,
        settings: &Settings,
        decisions: &mut Decisions,
        (after, rule, cutoff): (Trend, Rule, Option<Level>),
    ) {
        let view = self.long_view(adapter);
        let halves = self.tracks.iter().find(|(id, _)| *id == adapter).and_then(|(_, track)| track.halves());
        let conclusion = Conclusion::Trend {
            before: self.side,
            after,
            mean_cdb: view.map(|view| view.mean.cdb()),
            slope_cdb: halves.map(|(newer, older)| newer.minus(older)),
            samples: view.map_or(0, |view| view.n as u32),
        };
        let age = self.last.map_or(Duration::ZERO, |last| at.since(last));
        let why = Why {
            threshold_cdb: cutoff.map(Level::cdb),
            newer_cdb: halves.map(|(newer, _)| newer.cdb()),
            older_cdb: halves.map(|(_, older)| older.cdb()),
            ..why(rule, view, age)
        };
        decisions.push_back(self.decision(at, Some(adapter), settings, conclusion, why));
    }

    /// The dongle with the highest mean among those heard within `fresh`, by its place, and that mean.
    fn strongest(&self, at: Time, fresh: Duration, mean: impl Fn(&Track) -> Option<Mean>) -> Option<(usize, Mean)> {
        let mut strongest: Option<(usize, Mean)> = None;
        for (place, (_, track)) in self.tracks.iter().enumerate() {
            if track.heard().is_none_or(|heard| at.since(heard) > fresh) {
                continue;
            }
            if let Some(mean) = mean(track)
                && strongest.is_none_or(|(_, best)| mean.compare_mean(best).is_gt())
            {
                strongest = Some((place, mean));
            }
        }
        strongest
    }

    fn long_view(&self, adapter: AdapterId) -> Option<View> {
        self.tracks.iter().find(|(id, _)| *id == adapter).and_then(|(_, track)| track.long_view())
    }

    /// The dongle that heard the band last.
    fn last_adapter(&self) -> Option<AdapterId> {
        self.tracks.iter().max_by_key(|(_, track)| track.heard()).map(|(id, _)| *id)
    }

    /// The next moment something follows from silence.
    pub(super) fn due(&self, settings: &Settings) -> Option<Time> {
        let absent = self.absent_due(settings);
        match (absent, self.hold_due) {
            (Some(absent), Some(hold)) => Some(absent.min(hold)),
            (due, None) | (None, due) => due,
        }
    }

    /// The first moment at which the silence is longer than `absent_after`.
    fn absent_due(&self, settings: &Settings) -> Option<Time> {
        self.last.filter(|_| self.awaited).map(|last| last + settings.absent_after + Duration::from_micros(1))
    }

    /// Says what follows from silence at `due`, a moment that [`Record::due`] named.
    ///
    /// `woken` is the moment the machine woke, if it slept through `due`.
    pub(super) fn handle_due(
        &mut self,
        due: Time,
        woken: Option<Time>,
        sick: impl Fn(AdapterId) -> bool,
        settings: &Settings,
        decisions: &mut Decisions,
    ) {
        if self.absent_due(settings) == Some(due) {
            let reason = match woken {
                Some(_) => PresenceReason::Suspend,
                None if self.last_adapter().is_some_and(sick) => PresenceReason::Adapter,
                None => PresenceReason::Silence,
            };
            self.lose(due, reason, Rule::Silence, settings, decisions);
        } else if self.hold_due == Some(due) {
            self.hold_due = Some(woken.map_or(due, |woken| woken.max(due)) + HOLD_EVERY);
            let fresh = self.last.is_some_and(|last| due.since(last) <= HOLD_EVERY);
            if fresh && let Some(adapter) = self.last_adapter() {
                self.state_trend(due, adapter, settings, decisions, (Trend::Hold, Rule::Hold, None));
            }
        }
    }

    /// Makes the band absent, and away before that if it was near; its samples count no more.
    pub(super) fn lose(
        &mut self,
        at: Time,
        reason: PresenceReason,
        rule: Rule,
        settings: &Settings,
        decisions: &mut Decisions,
    ) {
        let adapter = self.last_adapter();
        if self.side == Side::Near
            && let Some(adapter) = adapter
        {
            self.state_trend(at, adapter, settings, decisions, (Trend::Away, rule, None));
        }
        if self.is_present() {
            let age = self.last.map_or(Duration::ZERO, |last| at.since(last));
            let why = why(rule, adapter.and_then(|adapter| self.long_view(adapter)), age);
            let conclusion = Conclusion::Presence { before: Presence::Present, after: Presence::Absent, reason };
            decisions.push_back(self.decision(at, adapter, settings, conclusion, why));
        }
        (self.presence, self.side) = (Presence::Absent, Side::Unknown);
        (self.awaited, self.hold_due) = (false, None);
        self.trigger.rearm();
        for (_, track) in &mut self.tracks {
            track.clear();
        }
    }

    /// Follows the roster.
    pub(super) fn list(
        &mut self,
        at: Time,
        id: Option<std::sync::Arc<str>>,
        listing: Option<Listing>,
        settings: &Settings,
        decisions: &mut Decisions,
    ) {
        let auth = |listing: Option<Listing>| listing.map(|listing| listing.auth).unwrap_or_default();
        let (before, after) = (auth(self.listing), auth(listing));
        (self.band.id, self.listing) = (id, listing);
        if before != after {
            let why = why(Rule::Roster, None, Duration::ZERO);
            decisions.push_back(self.decision(at, None, settings, Conclusion::Auth { before, after }, why));
        }
    }

    /// Follows changed settings: thresholds at once, windows keep their newest samples.
    pub(super) fn reload(&mut self, settings: &Settings) {
        for (_, track) in &mut self.tracks {
            track.resize(settings.window_tap, settings.window_long);
            if let (Some(threshold), Some(mean)) = (settings.tap_threshold, track.tap_mean()) {
                self.trigger.disarm_at(mean, threshold);
            }
        }
        if settings.cutoffs.is_none() {
            (self.side, self.hold_due) = (Side::Unknown, None);
        }
    }

    pub(super) fn state(&self) -> BandState {
        let listing = self.listing.unwrap_or_default();
        BandState {
            band: self.band.clone(),
            presence: self.presence,
            side: self.side,
            auth: listing.auth,
            active: listing.active,
            last: self.last,
            mean_cdb: self.last_adapter().and_then(|adapter| self.long_view(adapter)).map(|view| view.mean.cdb()),
        }
    }

    fn decision(
        &self,
        at: Time,
        adapter: Option<AdapterId>,
        settings: &Settings,
        conclusion: Conclusion,
        why: Why,
    ) -> Decision {
        Decision {
            at,
            band: self.band.clone(),
            listed: self.listing.is_some(),
            authenticated: self.listing.is_some_and(|listing| listing.auth == Auth::Authenticated),
            adapter,
            config: settings.digest,
            conclusion,
            why,
        }
    }
}

fn why(rule: Rule, view: Option<View>, age: Duration) -> Why {
    Why {
        rule,
        mean_cdb: view.map(|view| view.mean.cdb()),
        threshold_cdb: None,
        newer_cdb: None,
        older_cdb: None,
        n: view.map_or(0, |view| view.n as u32),
        span_ms: view.map_or(0, |view| view.span.as_millis() as u64),
        age_ms: age.as_millis() as u64,
    }
}
