//! What the numbers leave out, and why.

use super::numbers::{DESK, HUMAN, is_one_of};
use super::plan::{Plan, Results};
use super::read::Recording;
use super::trace::{LOCK_ROWS, Trace};

/// What was left out of some recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Files that cannot be used, with the reason.
    pub unusable: Vec<(String, String)>,
    /// Rows whose level is none.
    pub no_readings: u64,
    /// In how many recordings.
    pub with_no_readings: u64,
    /// Recordings in which locks are not scored, with the reason; those of taps are meant to have none.
    pub no_locks: Vec<(String, String)>,
    /// Recordings in which locks are not scored in some ways to lose adverts, with the reason.
    pub too_thin: Vec<(String, String)>,
    /// Recordings that belong to neither group, so that only the rows of all traces have them.
    pub neither: Vec<String>,
    /// Recordings with contacts that no row counts, because they are no recordings of taps, with how many.
    pub contacts: Vec<(String, String)>,
}

impl Excluded {
    /// Looks through recordings; those that cannot be used have their reason already.
    pub fn new(recordings: &[Recording], unusable: Vec<(String, String)>) -> Self {
        let mut excluded = Self { unusable, ..Self::default() };
        for Recording { trace, no_readings } in recordings {
            excluded.no_readings += no_readings;
            excluded.with_no_readings += u64::from(*no_readings > 0);
            if trace.is_tap() {
                continue;
            }
            if !trace.contacts.is_empty() {
                excluded.contacts.push((trace.name.clone(), format!("contacts: {}", trace.contacts.len())));
            }
            match reason(trace) {
                Some(reason) => excluded.no_locks.push((trace.name.clone(), reason)),
                None if !is_one_of(&trace.name, &DESK) && !is_one_of(&trace.name, &HUMAN) => {
                    excluded.neither.push(trace.name.clone());
                }
                None => {}
            }
        }
        excluded
    }

    /// Adds what was left out for too few rows, once adverts were lost.
    pub fn with_lost(self, plan: &Plan, results: &Results) -> Self {
        let reason = |short, ways| format!("fewer than {LOCK_ROWS} rows are left in {short} of {ways} ways");
        let too_thin = results.too_thin(plan).map(|(trace, short, ways)| (trace.name.clone(), reason(short, ways)));
        Self { too_thin: too_thin.collect(), ..self }
    }
}

/// Why locks are not scored in a trace.
fn reason(trace: &Trace) -> Option<String> {
    let missing = match (trace.near_m, trace.far_m) {
        (None, None) => "no `# near_m:` and no `# far_m:` in its header",
        (None, _) => "no `# near_m:` in its header",
        (_, None) => "no `# far_m:` in its header",
        _ if trace.is_lock() => return None,
        _ => return Some(format!("{} rows, fewer than {LOCK_ROWS}", trace.rows.len())),
    };
    Some(missing.to_owned())
}
