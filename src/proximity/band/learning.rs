//! What the adaptive detector learns of a band: taken over from another time, and handed over to another.

use super::Record;
use crate::event::AdapterId;
use crate::proximity::adaptive::{Lesson, Model};
use crate::time::Time;

impl Record {
    /// Whether the adaptive detector has heard the band at a dongle.
    pub(in crate::proximity) fn knows(&self, adapter: AdapterId) -> bool {
        self.adaptive.as_ref().is_some_and(|known| known.knows(adapter))
    }

    /// Begins at a dongle with what was learnt at another time.
    pub(in crate::proximity) fn recall(&mut self, model: &Model, adapter: AdapterId, lesson: Lesson) {
        self.adaptive.get_or_insert_default().recall(model, adapter, lesson);
    }

    /// What was learnt at each dongle, and when that last heard the band.
    pub(in crate::proximity) fn lessons(&self) -> impl Iterator<Item = (AdapterId, Option<Time>, Lesson)> {
        self.adaptive.iter().flat_map(|known| known.lessons())
    }

    /// Begins with the guess again at the dongles that are meant.
    pub(in crate::proximity) fn forget(&mut self, model: &Model, is_meant: impl Fn(AdapterId) -> bool) {
        if let Some(known) = &mut self.adaptive {
            known.forget(model, is_meant);
        }
    }

    /// Drops everything that the adaptive detector knows by a dongle: there is another in its place.
    pub(in crate::proximity) fn drop_dongle(&mut self, adapter: AdapterId) {
        if let Some(known) = &mut self.adaptive {
            known.drop_dongle(adapter);
        }
    }

    /// Drops everything that the adaptive detector knows: another decides.
    pub(in crate::proximity) fn drop_adaptive(&mut self) {
        self.adaptive = None;
    }

    /// How often what was recalled did not fit, since that was last asked.
    pub(in crate::proximity) fn take_misfits(&mut self) -> u64 {
        self.adaptive.as_mut().map_or(0, |known| known.take_misfits())
    }
}
