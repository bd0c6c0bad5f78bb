//! Decisions as a person reads them.

use std::fmt;

use super::{Auth, Conclusion, Decision, Presence, PresenceReason, Reckoning, Rule, Trend};

impl fmt::Display for Decision {
    /// One line for a person: who, what, and what it rests on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.band.id {
            Some(id) => write!(f, "{:<17}  ", id.escape_debug().to_string())?,
            None => write!(f, "{:<17}  ", self.band.address.bytes.to_string())?,
        }
        let seconds = |ms: u64| ms as f64 / 1e3;
        match self.conclusion {
            Conclusion::Presence { reason: PresenceReason::SignedIn, .. } => {
                write!(f, "present   its wearer signed in")
            }
            Conclusion::Presence { after: Presence::Present, .. } => write!(f, "present"),
            Conclusion::Presence { reason, .. } => {
                let why = match reason {
                    PresenceReason::Heard | PresenceReason::SignedIn | PresenceReason::Silence => "not heard",
                    PresenceReason::Adapter => "the dongle is not well",
                    PresenceReason::Roster => "left out by the roster",
                    PresenceReason::Suspend => "the machine slept",
                    PresenceReason::Evicted => "too many bands",
                };
                write!(f, "absent    {why} for {:.1} s", seconds(self.why.age_ms))
            }
            Conclusion::Tap { mean_cdb, samples, span_ms, threshold_cdb, .. } => {
                let (mean, threshold) = (Dbm(mean_cdb), Dbm(threshold_cdb));
                let span = seconds(span_ms);
                match self.why.contact {
                    None => write!(f, "TAP       mean {mean} of {samples} samples in {span:.1} s reached {threshold}"),
                    Some(contact) => write!(
                        f,
                        "TAP       mean {mean} of {samples} samples in {span:.1} s, {} up, {} of {} evidence at {threshold}",
                        Db(contact.rise_cdb),
                        Db(contact.evidence_cdb),
                        Db(contact.need_cdb)
                    ),
                }
            }
            Conclusion::Trend { after, mean_cdb, samples, .. } => {
                let word = match after {
                    Trend::Near => "NEAR",
                    Trend::Hold => "hold",
                    Trend::Away => "AWAY",
                };
                write!(f, "{word:<8}")?;
                match (self.why.rule, mean_cdb) {
                    (Rule::SignedIn, _) => write!(f, "  its wearer signed in")?,
                    (_, Some(mean)) => write!(f, "  mean {} of {samples} samples", Dbm(mean))?,
                    (_, None) => write!(f, "  no samples")?,
                }
                match self.why.rule {
                    Rule::NearRising => write!(f, ", at or above close and rising"),
                    Rule::NearAbove => write!(f, ", well above close"),
                    Rule::AwayFalling => write!(f, ", at or below far and falling"),
                    Rule::AwayBelow => write!(f, ", well below far"),
                    Rule::NearLikely => write!(f, ", likely to be at the seat"),
                    Rule::AwaySure => write!(f, ", surely gone from the seat"),
                    Rule::Silence | Rule::AwaySilent => write!(f, ", not heard for {:.1} s", seconds(self.why.age_ms)),
                    _ => Ok(()),
                }?;
                if let Some(Reckoning { away_permille, walking_permille, .. }) = self.why.reckoning {
                    let percent = |permille: u16| f64::from(permille) / 10.0;
                    write!(f, ": away {:.0} %, walking {:.0} %", percent(away_permille), percent(walking_permille))?;
                }
                match self.why.held_ms {
                    Some(held) => write!(f, ", away held back for {:.1} s", seconds(held)),
                    None => Ok(()),
                }
            }
            Conclusion::Auth { after, .. } => match after {
                Auth::Unknown => write!(f, "auth      unknown"),
                Auth::Authenticated => write!(f, "auth      authenticated"),
                Auth::Unenrolled => write!(f, "auth      belongs to nobody"),
            },
        }
    }
}

/// A difference in hundredths of a dB, printed in tenths.
struct Db(i32);

impl fmt::Display for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} dB", f64::from(self.0) / 100.0)
    }
}

/// A level in hundredths of a dBm, printed in tenths.
struct Dbm(i32);

impl fmt::Display for Dbm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} dBm", f64::from(self.0) / 100.0)
    }
}
