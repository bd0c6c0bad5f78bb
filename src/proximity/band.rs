//! What is known of one band: its samples at every dongle, and what was concluded from them.

mod contact; // taps by evidence
mod learning; // what is learnt of it outlives it
mod side; // how the side changes

use std::time::Duration;

use super::adaptive::{Adaptive, Contact};
use super::classic::Trigger;
use super::constants::{HOLD_EVERY, PRESENT_SAMPLES, PRESENT_WITHIN, TAP_GAP, TREND_MIN_SAMPLES};
use super::level::{Level, Mean};
use super::settings::{Detector, Settings};
use super::user::Veto;
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
    /// What the adaptive detector takes for signs of contact.
    contacts: Vec<(AdapterId, Contact)>,
    /// The newest valid sample's moment, at any dongle.
    last: Option<Time>,
    /// When its wearer last signed in: silence counts from there at the earliest.
    signed_in: Option<Time>,
    /// Whether its silence is still to be noticed.
    awaited: bool,
    hold_due: Option<Time>,
    /// While near: the `away` that the user holds back.
    veto: Veto<Away>,
    tracks: Vec<(AdapterId, Track)>,
    /// What the adaptive detector knows; `None` until it has heard the band.
    adaptive: Option<Box<Adaptive>>,
}

/// An `away` by level as it is said, at once or later: at which dongle, and from what.
type Away = (AdapterId, Conclusion, Why);

/// Where conclusions go.
pub(super) type Decisions = std::collections::VecDeque<Decision>;

/// Under what a band is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) settings: &'a Settings,
    /// Since when the settings hold: nothing that follows from them happened before.
    pub(super) since: Time,
    /// By [`AdapterId`]: dongles that are not well.
    pub(super) sick: &'a [bool],
    /// When somebody last used keyboard or mouse, whoever it was.
    pub(super) active: Option<Time>,
}

impl Rules<'_> {
    fn is_sick(&self, adapter: AdapterId) -> bool {
        self.sick.get(usize::from(adapter.0)).copied().unwrap_or(false)
    }

    /// Whether nobody can be heard at all.
    fn are_all_sick(&self) -> bool {
        !self.sick.is_empty() && self.sick.iter().all(|sick| *sick)
    }
}

impl Record {
    pub(super) fn new(band: Band, listing: Option<Listing>) -> Self {
        Self {
            band,
            listing,
            presence: Presence::Absent,
            side: Side::Unknown,
            trigger: Trigger::Armed,
            contacts: Vec::new(),
            last: None,
            signed_in: None,
            awaited: false,
            hold_due: None,
            veto: Veto::new(Time::ZERO),
            tracks: Vec::new(),
            adaptive: None,
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
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let silence = self.last.map_or(Duration::ZERO, |last| at.since(last));
        if silence > rules.settings.absent_after {
            self.trigger = Trigger::Armed;
        }
        (self.last, self.awaited) = (Some(at), true);
        let track = self.track(adapter, rules);
        let pause = track.heard().map_or(Duration::ZERO, |heard| at.since(heard));
        if pause > TAP_GAP {
            track.clear_tap();
        }
        if pause > rules.settings.absent_after {
            track.clear_long();
        }
        track.push(at, level);
        self.look_for_presence(at, adapter, rules, decisions);
        self.look_for_tap(at, (adapter, level), rules, decisions);
        match rules.settings.model.as_deref() {
            None => self.look_at_side(at, rules, decisions),
            Some(model) => self.reckon(at, (adapter, level), model, rules, decisions),
        }
    }

    fn track(&mut self, adapter: AdapterId, rules: Rules<'_>) -> &mut Track {
        let place = self.tracks.iter().position(|(id, _)| *id == adapter).unwrap_or_else(|| {
            match self.tracks.iter_mut().position(|(_, track)| track.heard().is_none()) {
                Some(unused) => {
                    self.tracks[unused].0 = adapter;
                    unused
                }
                None => {
                    self.tracks.push((adapter, Track::new(rules.settings.window_tap, rules.settings.window_long)));
                    self.tracks.len() - 1
                }
            }
        });
        &mut self.tracks[place].1
    }

    fn look_for_presence(&mut self, at: Time, adapter: AdapterId, rules: Rules<'_>, decisions: &mut Decisions) {
        if self.is_present() {
            return;
        }
        let heard_enough = self.tracks.iter().any(|(_, track)| {
            track.heard_back(PRESENT_SAMPLES - 1).is_some_and(|first| at.since(first) <= PRESENT_WITHIN)
        });
        if self.listing.is_some() || heard_enough {
            self.become_present(at, adapter, rules, decisions);
        }
    }

    fn become_present(&mut self, at: Time, adapter: AdapterId, rules: Rules<'_>, decisions: &mut Decisions) {
        self.presence = Presence::Present;
        let conclusion =
            Conclusion::Presence { before: Presence::Absent, after: Presence::Present, reason: PresenceReason::Heard };
        let why = why(Rule::Heard, self.long_view(adapter), Duration::ZERO);
        decisions.push_back(self.decision(at, Some(adapter), rules, conclusion, why));
    }

    fn look_for_tap(
        &mut self,
        at: Time,
        (adapter, level): (AdapterId, Level),
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let Some(threshold) = rules.settings.tap_threshold else { return };
        if rules.settings.detector == Detector::Adaptive {
            return self.look_for_contact(at, (adapter, level, threshold), rules, decisions);
        }
        let tracks = &self.tracks;
        self.trigger.rearm(threshold, |spent_at| {
            let (_, track) = tracks.iter().find(|(adapter, _)| *adapter == spent_at)?;
            let pause = at.since(track.heard()?);
            if pause <= TAP_GAP { track.tap_mean() } else { None }
        });
        let Some((place, mean)) = self.strongest(at, TAP_GAP, rules, Track::tap_mean) else { return };
        if !self.trigger.observe(self.tracks[place].0, mean, threshold) {
            return;
        }
        let (adapter, track) = &self.tracks[place];
        let (adapter, view, peak) = (*adapter, track.tap_view(), track.tap_peak());
        let (Some(view), Some(peak)) = (view, peak) else { return };
        let why = why(Rule::TapMean, Some(view), Duration::ZERO);
        self.conclude_tap(at, adapter, (view, peak, threshold), why, rules, decisions);
    }

    fn conclude_tap(
        &mut self,
        at: Time,
        adapter: AdapterId,
        (view, peak, threshold): (View, Level, Level),
        why: Why,
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        if !self.is_present() {
            self.become_present(at, adapter, rules, decisions);
        }
        let conclusion = Conclusion::Tap {
            mean_cdb: view.mean.cdb(),
            peak_cdb: peak.cdb(),
            samples: view.n as u32,
            span_ms: view.span.as_millis() as u64,
            threshold_cdb: threshold.cdb(),
        };
        let why = Why { threshold_cdb: Some(threshold.cdb()), ..why };
        decisions.push_back(self.decision(at, Some(adapter), rules, conclusion, why));
    }

    fn look_at_side(&mut self, at: Time, rules: Rules<'_>, decisions: &mut Decisions) {
        let Some(cutoffs) = rules.settings.cutoffs else { return };
        let Some((adapter, track)) = self.deciding(at, rules) else { return };
        let Some((side, rule, cutoff)) = cutoffs.side(track, self.asked_side()) else { return };
        self.take_side(at, adapter, (side, rule, Some(cutoff)), rules, decisions);
    }

    /// What a trend of the long window at `adapter` says now.
    fn trend(
        &self,
        at: Time,
        adapter: Option<AdapterId>,
        (after, rule, cutoff): (Trend, Rule, Option<Level>),
        rules: Rules<'_>,
    ) -> (Conclusion, Why) {
        let track = self.tracks.iter().find(|(id, _)| Some(*id) == adapter).map(|(_, track)| track);
        let (view, halves) = (track.and_then(Track::long_view), track.and_then(Track::halves));
        let conclusion = Conclusion::Trend {
            before: self.side,
            after,
            mean_cdb: view.map(|view| view.mean.cdb()),
            slope_cdb: halves.map(|(newer, older)| newer.minus(older)),
            samples: view.map_or(0, |view| view.n as u32),
        };
        let why = Why {
            threshold_cdb: cutoff.map(Level::cdb),
            newer_cdb: halves.map(|(newer, _)| newer.cdb()),
            older_cdb: halves.map(|(_, older)| older.cdb()),
            reckoning: self.reckoned(rules).map(|(known, model)| known.reckoning(model)),
            held_ms: self.held_ms(at),
            ..why(rule, view, self.age(at))
        };
        (conclusion, why)
    }

    /// Since the newest sample, or the sign-in of a band that was never heard.
    fn age(&self, at: Time) -> Duration {
        self.last.or(self.signed_in).map_or(Duration::ZERO, |last| at.since(last))
    }

    /// The dongle with the highest mean among those heard within `fresh`, by its place, and that mean. One that is not
    /// well has no say while another has.
    fn strongest(
        &self,
        at: Time,
        fresh: Duration,
        rules: Rules<'_>,
        mean: impl Fn(&Track) -> Option<Mean>,
    ) -> Option<(usize, Mean)> {
        let mut strongest: Option<(bool, usize, Mean)> = None;
        for (place, (adapter, track)) in self.tracks.iter().enumerate() {
            if track.heard().is_none_or(|heard| at.since(heard) > fresh) {
                continue;
            }
            let Some(mean) = mean(track) else { continue };
            let well = !rules.is_sick(*adapter);
            let is_stronger = |(best_well, _, best): (bool, usize, Mean)| {
                well.cmp(&best_well).then_with(|| mean.compare_mean(best)).is_gt()
            };
            if strongest.is_none_or(is_stronger) {
                strongest = Some((well, place, mean));
            }
        }
        strongest.map(|(_, place, mean)| (place, mean))
    }

    /// The dongle whose long window decides, and what it heard.
    fn deciding(&self, at: Time, rules: Rules<'_>) -> Option<(AdapterId, &Track)> {
        let (place, _) =
            self.strongest(at, rules.settings.absent_after, rules, |track| track.long_mean(TREND_MIN_SAMPLES))?;
        let (adapter, track) = &self.tracks[place];
        Some((*adapter, track))
    }

    fn long_view(&self, adapter: AdapterId) -> Option<View> {
        self.tracks.iter().find(|(id, _)| *id == adapter).and_then(|(_, track)| track.long_view())
    }

    /// The dongle whose long window decides or, where none can, that heard the band last.
    fn nearest_adapter(&self, at: Time, rules: Rules<'_>) -> Option<AdapterId> {
        self.deciding(at, rules).map(|(adapter, _)| adapter).or_else(|| self.last_adapter())
    }

    /// The dongle that heard the band last.
    fn last_adapter(&self) -> Option<AdapterId> {
        let heard = self.tracks.iter().filter(|(_, track)| track.heard().is_some());
        heard.max_by_key(|(_, track)| track.heard()).map(|(id, _)| *id)
    }

    /// The next moment something follows from silence.
    pub(super) fn due(&self, rules: Rules<'_>) -> Option<Time> {
        let timers = [self.absent_due(rules), self.silent_due(rules), self.veto.end(rules.active), self.hold_due];
        timers.into_iter().flatten().min()
    }

    /// The first moment at which the silence is too long for a band that is present.
    fn absent_due(&self, rules: Rules<'_>) -> Option<Time> {
        let configured = rules.settings.absent_after;
        self.silence_due(rules, self.reckoned(rules).map_or(configured, |(known, _)| known.absent_after(configured)))
    }

    /// The first moment at which the silence is longer than this.
    fn silence_due(&self, rules: Rules<'_>, longest: Duration) -> Option<Time> {
        let last = self.last.max(self.signed_in).filter(|_| self.awaited)?;
        Some(rules.since.max(last + longest + Duration::from_micros(1)))
    }

    /// Says what follows from silence at `due`, a moment that [`Record::due`] named.
    ///
    /// `woken` is the moment the machine woke, if it slept through `due`.
    pub(super) fn handle_due(&mut self, due: Time, woken: Option<Time>, rules: Rules<'_>, decisions: &mut Decisions) {
        if self.absent_due(rules) == Some(due) {
            let reason = match woken {
                Some(_) => PresenceReason::Suspend,
                None if self.last_adapter().map_or(rules.are_all_sick(), |adapter| rules.is_sick(adapter)) => {
                    PresenceReason::Adapter
                }
                None => PresenceReason::Silence,
            };
            self.lose(due, reason, Rule::Silence, rules, decisions);
        } else if self.silent_due(rules) == Some(due) {
            self.fall_silent(due, rules, decisions);
        } else if self.veto.end(rules.active) == Some(due) {
            self.release(due, rules, decisions);
        } else if self.hold_due == Some(due) {
            self.hold_due = Some(woken.map_or(due, |woken| woken.max(due)) + HOLD_EVERY);
            let fresh = self.last.is_some_and(|last| due.since(last) <= HOLD_EVERY);
            if fresh {
                let adapter = self.nearest_adapter(due, rules);
                let (conclusion, why) = self.trend(due, adapter, (Trend::Hold, Rule::Hold, None), rules);
                decisions.push_back(self.decision(due, adapter, rules, conclusion, why));
            }
        }
    }

    /// Makes the band absent, and away before that if it was near; its samples count no more.
    pub(super) fn lose(
        &mut self,
        at: Time,
        reason: PresenceReason,
        rule: Rule,
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let adapter = self.nearest_adapter(at, rules);
        if self.side == Side::Near {
            let (conclusion, why) = self.trend(at, adapter, (Trend::Away, rule, None), rules);
            decisions.push_back(self.decision(at, adapter, rules, conclusion, why));
        }
        if self.is_present() {
            let why = why(rule, adapter.and_then(|adapter| self.long_view(adapter)), self.age(at));
            let conclusion = Conclusion::Presence { before: Presence::Present, after: Presence::Absent, reason };
            decisions.push_back(self.decision(at, adapter, rules, conclusion, why));
        }
        self.presence = Presence::Absent;
        (self.signed_in, self.awaited) = (None, false);
        self.enter(at, Side::Unknown);
        self.trigger = Trigger::Armed;
        for (_, track) in &mut self.tracks {
            track.clear();
        }
        if let (Some(adaptive), Some(model)) = (&mut self.adaptive, rules.settings.model.as_deref()) {
            adaptive.lose(model);
        }
    }

    /// Follows the roster.
    pub(super) fn list(
        &mut self,
        at: Time,
        id: Option<std::sync::Arc<str>>,
        listing: Option<Listing>,
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let auth = |listing: Option<Listing>| listing.map(|listing| listing.auth).unwrap_or_default();
        let (before, after) = (auth(self.listing), auth(listing));
        (self.band.id, self.listing) = (id, listing);
        if before != after {
            let why = why(Rule::Roster, None, Duration::ZERO);
            decisions.push_back(self.decision(at, None, rules, Conclusion::Auth { before, after }, why));
        }
    }

    /// Follows changed settings: thresholds at once, windows keep their newest samples.
    pub(super) fn reload(&mut self, rules: Rules<'_>) {
        self.drop_evidence();
        for (adapter, track) in &mut self.tracks {
            track.resize(rules.settings.window_tap, rules.settings.window_long);
            // A band that lies at the antenna came there before this threshold counted: that was no tap.
            if let (Some(threshold), Some(mean)) = (rules.settings.tap_threshold, track.tap_mean()) {
                self.trigger.observe(*adapter, mean, threshold);
            }
        }
        if rules.settings.cutoffs.is_none() {
            self.enter(rules.since, Side::Unknown);
        }
    }

    pub(super) fn state(&self, at: Time, rules: Rules<'_>) -> BandState {
        let listing = self.listing.unwrap_or_default();
        BandState {
            band: self.band.clone(),
            presence: self.presence,
            side: self.side,
            auth: listing.auth,
            active: listing.active,
            last: self.last,
            mean_cdb: self.deciding(at, rules).and_then(|(_, track)| track.long_view()).map(|view| view.mean.cdb()),
        }
    }

    fn decision(
        &self,
        at: Time,
        adapter: Option<AdapterId>,
        rules: Rules<'_>,
        conclusion: Conclusion,
        why: Why,
    ) -> Decision {
        Decision {
            at,
            band: self.band.clone(),
            listed: self.listing.is_some(),
            authenticated: self.listing.is_some_and(|listing| listing.auth == Auth::Authenticated),
            adapter,
            config: rules.settings.digest,
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
        contact: None,
        n: view.map_or(0, |view| view.n as u32),
        span_ms: view.map_or(0, |view| view.span.as_millis() as u64),
        age_ms: age.as_millis() as u64,
        reckoning: None,
        held_ms: None,
    }
}
