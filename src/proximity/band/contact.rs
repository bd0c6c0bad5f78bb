//! Taps by evidence of contact, and by the documented rule where nothing shows that a hand came.

use std::time::Duration;

use super::{Decisions, Record, Rules, why};
use crate::event::{AdapterId, Evidence, Rule, Why};
use crate::proximity::adaptive::Contact;
use crate::proximity::classic::Trigger;
use crate::proximity::constants::TAP_GAP;
use crate::proximity::level::Level;
use crate::time::Time;

impl Record {
    /// Takes a sample for a sign of contact and says whether it is a tap.
    pub(super) fn look_for_contact(
        &mut self,
        at: Time,
        (adapter, level, threshold): (AdapterId, Level, Level),
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let window = rules.settings.window_tap;
        let contact = self.contact(adapter);
        contact.push(at, level, threshold, window);
        let (has_left, was_away, grip) = (contact.has_left(), contact.was_away(), contact.grip(window));
        if has_left && self.trigger == (Trigger::Spent { at: adapter }) {
            self.trigger = Trigger::Armed;
            self.drop_evidence(); // what others heard of that contact is told
        }
        if self.trigger != Trigger::Armed || self.has_no_say(at, adapter, rules) {
            return;
        }
        if let Some(grip) = grip {
            let evidence =
                Evidence { evidence_cdb: grip.evidence * 10, need_cdb: grip.need * 10, rise_cdb: grip.rise * 10 };
            let why = Why { contact: Some(evidence), ..why(Rule::TapContact, Some(grip.view), Duration::ZERO) };
            self.trigger = Trigger::Spent { at: adapter };
            self.conclude_tap(at, adapter, (grip.view, grip.peak, threshold), why, rules, decisions);
        } else if !was_away {
            self.look_for_mean(at, (adapter, threshold), rules, decisions);
        }
    }

    /// The documented rule, at one dongle.
    fn look_for_mean(
        &mut self,
        at: Time,
        (adapter, threshold): (AdapterId, Level),
        rules: Rules<'_>,
        decisions: &mut Decisions,
    ) {
        let Some((_, track)) = self.tracks.iter().find(|(id, _)| *id == adapter) else { return };
        let (Some(mean), Some(view), Some(peak)) = (track.tap_mean(), track.tap_view(), track.tap_peak()) else {
            return;
        };
        if self.trigger.observe(adapter, mean, threshold) {
            let why = why(Rule::TapMean, Some(view), Duration::ZERO);
            self.conclude_tap(at, adapter, (view, peak, threshold), why, rules, decisions);
        }
    }

    /// Drops all evidence of contact.
    pub(super) fn drop_evidence(&mut self) {
        self.contacts.iter_mut().for_each(|(_, contact)| contact.drop_evidence());
    }

    fn contact(&mut self, adapter: AdapterId) -> &mut Contact {
        let place = self.contacts.iter().position(|(id, _)| *id == adapter).unwrap_or_else(|| {
            self.contacts.push((adapter, Contact::default()));
            self.contacts.len() - 1
        });
        &mut self.contacts[place].1
    }

    /// Whether the dongle is not well, and another that is hears the band.
    fn has_no_say(&self, at: Time, adapter: AdapterId, rules: Rules<'_>) -> bool {
        let hears = |heard: Option<Time>| heard.is_some_and(|heard| at.since(heard) <= TAP_GAP);
        let is_well = |id: &AdapterId| !rules.is_sick(*id);
        !is_well(&adapter) && self.tracks.iter().any(|(id, track)| is_well(id) && hears(track.heard()))
    }
}
