//! What the adaptive detector learns, beyond the bands in the table and beyond this run.

use bgapi::{Address, BdAddr};

use super::{Engine, Listed};
use crate::event::AdapterId;
use crate::proximity::band::Record;
use crate::proximity::memory::{Learnt, Under, bounded};
use crate::proximity::settings::Settings;
use crate::roster::Mode;
use crate::time::Time;

impl Engine {
    /// Whether anything is learnt: where the adaptive detector decides.
    pub fn is_learning(&self) -> bool {
        self.settings.model.is_some()
    }

    /// What was learnt of bands, the newest heard first; `day` names the day of a moment, where that is known.
    pub fn learnt(&self, day: impl Fn(Time) -> Option<u32>) -> Vec<Learnt> {
        if !self.is_learning() {
            return Vec::new();
        }
        let live = self.table.iter().flat_map(|(_, record)| lessons(record, &self.settings, &self.dongles)).collect();
        bounded(self.memory.with(live, day))
    }

    /// Takes over what was learnt at another time; it is used once a band is heard at its dongle for the first time, and
    /// for no other band. What was learnt under other cutoffs is dropped.
    pub fn recall(&mut self, learnt: Vec<Learnt>) {
        let Some(cutoffs) = self.settings.cutoffs.filter(|_| self.is_learning()) else { return };
        let roster = self.roster.as_ref();
        let fits = |learnt: &Learnt| learnt.under.has_cutoffs(cutoffs) && may_be_kept(roster, learnt.band.key());
        bounded(learnt.into_iter().filter(fits)).into_iter().for_each(|learnt| self.memory.put(None, learnt));
    }

    /// Takes the address by which a dongle is known: what was learnt at another in its place is that one's.
    pub fn handle_dongle(&mut self, adapter: AdapterId, address: BdAddr) {
        let place = usize::from(adapter.0);
        if self.dongles.len() <= place {
            self.dongles.resize(place + 1, None);
        }
        if self.dongles[place] == Some(address) {
            return;
        }
        // A dongle may come to another port without ever being told gone at the old one.
        let dongles = (0..).map(AdapterId).zip(&self.dongles);
        let changed: Vec<AdapterId> =
            dongles.filter(|(id, at)| *id == adapter || **at == Some(address)).map(|(id, _)| id).collect();
        self.park(|id| changed.contains(&id));
        for id in changed {
            self.dongles[usize::from(id.0)] = None;
            self.table.iter_mut().for_each(|(_, record)| record.drop_dongle(id));
        }
        self.dongles[place] = Some(address);
    }

    /// Puts what was learnt at the dongles that are meant where it outlives the table's records.
    fn park(&mut self, is_meant: impl Fn(AdapterId) -> bool) {
        for (_, record) in self.table.iter() {
            for (at, learnt) in lessons(record, &self.settings, &self.dongles) {
                if (0..)
                    .zip(&self.dongles)
                    .any(|(id, dongle)| *dongle == Some(learnt.dongle) && is_meant(AdapterId(id)))
                {
                    self.memory.put(at, learnt);
                }
            }
        }
    }

    /// Keeps what was learnt of a band that leaves the table.
    pub(super) fn outlive(&mut self, record: &Record) {
        for (at, learnt) in lessons(record, &self.settings, &self.dongles) {
            self.memory.put(at, learnt);
        }
    }

    /// Recalls what was learnt of a band when a dongle hears it for the first time.
    pub(super) fn remember(&mut self, adapter: AdapterId, key: u64) {
        let Some(model) = self.settings.model.as_deref() else { return };
        let Some(record) = self.table.find_mut(key).filter(|record| !record.knows(adapter)) else { return };
        let Some(dongle) = self.dongles.get(usize::from(adapter.0)).copied().flatten() else { return };
        let under = self.settings.cutoffs.map(|cutoffs| Under::new(cutoffs, self.settings.offset(adapter)));
        if let Some(learnt) = self.memory.take(key, dongle)
            && Some(learnt.under) == under
        {
            record.recall(model, adapter, learnt.lesson);
        }
    }

    /// Forgets what was learnt under settings that hold no more; called while the old ones still do.
    pub(super) fn unlearn(&mut self, new: &Settings) {
        let Some(model) = new.model.as_deref() else {
            // Another detector decides: what was learnt waits for this one to come back.
            self.park(|_| true);
            self.table.iter_mut().for_each(|(_, record)| record.drop_adaptive());
            return;
        };
        let old = &self.settings;
        let is_other = |adapter| old.cutoffs != new.cutoffs || old.offset(adapter) != new.offset(adapter);
        self.table.iter_mut().for_each(|(_, record)| record.forget(model, is_other));
        self.memory.retain(|learnt| new.cutoffs.is_some_and(|cutoffs| learnt.under.has_cutoffs(cutoffs)));
    }

    /// Forgets bands that a new roster leaves out; `gone` are those that leave the table.
    pub(super) fn forget_unlisted(&mut self, new: &Listed, gone: &[u64]) {
        let old = self.roster.as_ref();
        self.memory.retain(|learnt| {
            let key = learnt.band.key();
            let was_listed = old.is_some_and(|old| old.bands.contains_key(&key));
            let is_removed = was_listed && !new.bands.contains_key(&key) || gone.contains(&key);
            !is_removed && may_be_kept(Some(new), key)
        });
    }
}

/// Whether a roster lets anything of a band be kept.
fn may_be_kept(roster: Option<&Listed>, key: u64) -> bool {
    roster.is_none_or(|roster| roster.mode != Mode::Listed || roster.bands.contains_key(&key))
}

/// What was learnt of one band at dongles that are known by their addresses.
fn lessons(
    record: &Record,
    settings: &Settings,
    dongles: &[Option<BdAddr>],
) -> impl Iterator<Item = (Option<Time>, Learnt)> {
    let (band, cutoffs): (Address, _) = (record.band.address, settings.cutoffs);
    record.lessons().filter_map(move |(adapter, at, lesson)| {
        let dongle = (*dongles.get(usize::from(adapter.0))?)?;
        let under = Under::new(cutoffs?, settings.offset(adapter));
        Some((at, Learnt { band, dongle, under, lesson, day: None }))
    })
}
