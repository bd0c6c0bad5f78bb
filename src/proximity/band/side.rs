//! How the side of a band changes: by a detector, by the user's word, and when what the user held back is said.

use super::{Decisions, HOLD_EVERY, Record, Rules, Veto, why};
use crate::event::{AdapterId, Conclusion, Presence, PresenceReason, Rule, Side, Trend, Why};
use crate::proximity::adaptive::{Adaptive, Model};
use crate::proximity::level::Level;
use crate::time::Time;

impl Record {
    /// The side that the detector asked for last: it is away already while the user holds that back.
    pub(super) fn asked_side(&self) -> Side {
        if self.veto.since().is_some() { Side::Away } else { self.side }
    }

    /// Takes over the side that a detector asks for, with its rule and the cutoff that was met; the user may hold `away`
    /// back.
    pub(super) fn take_side(
        &mut self,
        at: Time,
        adapter: AdapterId,
        (side, rule, cutoff): (Side, Rule, Option<Level>),
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        if side == self.side {
            return self.veto.withdraw();
        }
        let after = if side == Side::Near { Trend::Near } else { Trend::Away };
        let (conclusion, why) = self.trend(at, Some(adapter), (after, rule, cutoff), rules);
        let mut said = Some((adapter, conclusion, why));
        if self.side == Side::Near {
            said = said.and_then(|away| self.veto.ask(at, rules.active, away));
        }
        let Some((adapter, conclusion, why)) = said else { return };
        if !self.is_present() {
            self.become_present(at, adapter, rules, decisions);
        }
        decisions.push_back(self.decision(at, Some(adapter), rules, conclusion, why));
        self.enter(at, side);
    }

    /// Takes a sample over into what the adaptive detector knows, and the side that it asks for.
    pub(super) fn reckon(
        &mut self,
        at: Time,
        (adapter, level): (AdapterId, Level),
        model: &Model,
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let held = self.asked_side();
        let known = self.adaptive.get_or_insert_default();
        // Keys hold a band that is near; they make none near.
        let active = self.veto.active(rules.active).filter(|_| self.side == Side::Near);
        let has_say = |adapter| !rules.is_sick(adapter);
        let asked = known.observe(model, at, (adapter, level.tenths()), held, active, has_say);
        let Some(side) = asked else { return };
        let rule = if side == Side::Near { Rule::NearLikely } else { Rule::AwaySure };
        let adapter = self.nearest_adapter(at, rules).unwrap_or(adapter);
        self.take_side(at, adapter, (side, rule, None), rules, decisions);
    }

    /// What the adaptive detector knows and reckons with, where it decides.
    pub(super) fn reckoned<'a>(&'a self, rules: Rules<'a>) -> Option<(&'a Adaptive, &'a Model)> {
        Some((self.adaptive.as_deref()?, rules.settings.model.as_deref()?))
    }

    /// The first moment at which the silence is too long for a wearer who is near: adaptive alone says so early.
    pub(super) fn silent_due(&self, rules: Rules<'_>) -> Option<Time> {
        let (known, model) = self.reckoned(rules)?;
        let patience = known.patience(model, rules.settings.absent_after);
        if self.side == Side::Near { self.silence_due(rules, patience) } else { None }
    }

    /// Says away for a silence. Nothing holds that back: whoever uses the terminal is not heard there.
    pub(super) fn fall_silent(&mut self, due: Time, rules: Rules<'_>, decisions: &mut Decisions) {
        let adapter = self.nearest_adapter(due, rules);
        let (conclusion, why) = self.trend(due, adapter, (Trend::Away, Rule::AwaySilent, None), rules);
        decisions.push_back(self.decision(due, adapter, rules, conclusion, why));
        self.enter(due, Side::Away);
    }

    /// Goes over to a side that was just stated.
    pub(super) fn enter(&mut self, at: Time, side: Side) {
        self.side = side;
        self.hold_due = (side == Side::Near).then(|| at + HOLD_EVERY);
        self.veto = Veto::new(at);
    }

    /// Says the `away` that the user held back until `due`, with the numbers that it was asked for with.
    pub(super) fn release(&mut self, due: Time, rules: Rules<'_>, decisions: &mut Decisions) {
        let held_ms = self.held_ms(due);
        if let Some((adapter, conclusion, why)) = self.veto.release() {
            let why = Why { held_ms, age_ms: self.age(due).as_millis() as u64, ..why };
            decisions.push_back(self.decision(due, Some(adapter), rules, conclusion, why));
            self.enter(due, Side::Away);
        }
    }

    /// Takes the agent's word that the wearer is at the terminal: near at once, and silence counts from here. The samples
    /// so far stay what they are.
    pub(in crate::proximity) fn sign_in(&mut self, at: Time, rules: Rules<'_>, decisions: &mut Decisions) {
        let why = why(Rule::SignedIn, None, self.age(at));
        if !self.is_present() {
            let (before, after) = (Presence::Absent, Presence::Present);
            let conclusion = Conclusion::Presence { before, after, reason: PresenceReason::SignedIn };
            decisions.push_back(self.decision(at, None, rules, conclusion, why));
        }
        let after = if self.side == Side::Near { Trend::Hold } else { Trend::Near };
        let conclusion = Conclusion::Trend { before: self.side, after, mean_cdb: None, slope_cdb: None, samples: 0 };
        decisions.push_back(self.decision(at, None, rules, conclusion, why));
        self.presence = Presence::Present;
        (self.signed_in, self.awaited) = (Some(at), true);
        if let (Some(known), Some(model)) = (&mut self.adaptive, rules.settings.model.as_deref()) {
            known.arrive(model, self.side);
        }
        self.enter(at, Side::Near);
        // Whoever signs in uses the terminal.
        self.veto.note(at);
    }

    /// Notes that this wearer uses keyboard or mouse.
    pub(in crate::proximity) fn note_active(&mut self, moment: Time) {
        if self.side == Side::Near {
            self.veto.note(moment);
        }
    }

    /// For how long `away` has been held back.
    pub(super) fn held_ms(&self, at: Time) -> Option<u64> {
        self.veto.since().map(|since| at.since(since).as_millis() as u64)
    }
}
