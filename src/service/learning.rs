//! What the adaptive detector learns, kept: read when it begins to decide, written now and then and at the end.

use std::time::Duration;

use super::Service;
use crate::clock;
use crate::endpoint::Endpoint;
use crate::log::{self, Entry};
use crate::proximity::{Learnt, from_json, to_json};
use crate::time::Time;

/// How often it is written while it changes.
const EVERY: Duration = Duration::from_secs(600);

/// What is kept of what was learnt.
#[derive(Debug, Default)]
pub(super) struct Learning {
    /// When it is next looked at; `None` until it was read.
    next: Option<Time>,
    /// What the file holds; `None` where that is of no use.
    kept: Option<Vec<Learnt>>,
    /// Whether the log has said that something recalled did not fit.
    said_misfit: bool,
}

impl Learning {
    /// When it is next looked at.
    pub(super) fn poll_timeout(&self, endpoint: &Endpoint) -> Option<Time> {
        self.next.filter(|_| endpoint.is_learning())
    }
}

impl Service {
    /// Recalls what was learnt at another time, once the detector that learns decides.
    pub(super) fn recall(&mut self, now: Time) {
        if self.learning.next.is_some() || !self.endpoint.is_learning() {
            return;
        }
        self.learning.next = Some(now + EVERY);
        let Some(read) = self.state.learnt() else { return };
        let unread = |reason: String| {
            log::entry!(
                warn,
                Entry::LearntUnread,
                "what the adaptive detector learnt before cannot be read: {reason}; it begins anew, and the next save \
                 replaces the file"
            );
        };
        match read.map(|bytes| bytes.map(|bytes| from_json(&bytes))) {
            Ok(None) => self.learning.kept = Some(Vec::new()),
            Ok(Some(Ok((learnt, dropped)))) => {
                let today = today();
                let in_time: Vec<Learnt> = learnt.iter().filter_map(|learnt| learnt.in_time(today)).collect();
                let all = dropped + learnt.len();
                tracing::info!("learnt before: {} of {all} records are taken over", in_time.len());
                self.learning.kept = Some(learnt).filter(|_| dropped == 0);
                self.endpoint.recall(in_time);
            }
            Ok(Some(Err(error))) => unread(error.to_string()),
            Err(error) => unread(error.to_string()),
        }
    }

    /// Keeps what was learnt, if it is another than what is kept.
    pub(super) fn keep_learnt(&mut self, now: Time) {
        if self.learning.poll_timeout(&self.endpoint).is_none() {
            return;
        }
        self.learning.next = Some(now + EVERY);
        let (wall, today) = (clock::wall_ms(), today());
        let day = |at: Time| today.and(day_of(wall - now.since(at).as_millis() as i64));
        let learnt = self.endpoint.learnt(day).into_iter();
        let learnt: Vec<Learnt> = learnt.filter_map(|learnt| learnt.in_time(today)).collect();
        if self.learning.kept.as_ref() != Some(&learnt) {
            self.state.keep_learnt_soon(to_json(&learnt));
            self.learning.kept = Some(learnt);
        }
    }

    /// Looks whether it is time to keep what was learnt, and whether what was recalled fits.
    pub(super) fn handle_learning(&mut self, now: Time) {
        if !self.learning.said_misfit && self.endpoint.misfits() > 0 {
            self.learning.said_misfit = true;
            log::entry!(
                info,
                Entry::LearntMisfit,
                "what was learnt of a seat before no longer fits, since the dongle or the seat was moved: it is learnt anew, \
                 and so are others without a word"
            );
        }
        if self.learning.poll_timeout(&self.endpoint).is_some_and(|next| next <= now) {
            self.keep_learnt(now);
        }
    }
}

/// The day, counted from 1970, while the clock can be right.
fn today() -> Option<u32> {
    Some(clock::wall_ms()).filter(|wall| clock::is_plausible(*wall)).and_then(day_of)
}

fn day_of(wall_ms: i64) -> Option<u32> {
    u32::try_from(wall_ms / 86_400_000).ok()
}
