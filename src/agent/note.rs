//! What the link has to say to the log; the shell decides how.

use std::fmt;
use std::time::Duration;

/// Something worth a line in the log, said once per change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The channel is joined; facts flow.
    Joined {
        /// Whether the agent remembers this run of the daemon, so that no snapshot was needed.
        resumed: bool,
    },
    /// The connection ended.
    Lost {
        /// Why, as a sentence.
        reason: String,
    },
    /// No connection came about; tried again for ever.
    Unreachable {
        /// Why, as a sentence.
        error: String,
    },
    /// The agent answered the upgrade with a status that means no.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What that means, as a sentence.
        error: String,
        /// When it is asked again.
        again_in: Duration,
    },
    /// The agent refused the join, or let it wait.
    JoinFailed {
        /// The agent's own words, or what was missed.
        reason: String,
    },
    /// Another daemon with this endpoint's id has taken its place.
    Superseded {
        /// When this one tries again.
        again_in: Duration,
    },
    /// The agent refused a fact for good.
    FactRefused {
        /// The fact's event name.
        kind: &'static str,
        /// The agent's own words.
        reason: String,
    },
    /// A command of the agent could not be read or done.
    CommandRefused {
        /// Its event name.
        event: String,
        /// Why, as a sentence.
        reason: String,
    },
    /// The agent sent what is not a Phoenix frame, or a reply that makes no sense.
    Nonsense {
        /// What it was, as a sentence.
        what: String,
    },
    /// The socket takes no more; telemetry is dropped until it does.
    Congested {
        /// Bytes that wait.
        bytes: usize,
    },
}

/// How loud a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Part of a normal day.
    Info,
    /// Recovered from, or being recovered from.
    Warn,
    /// Needs a person.
    Error,
}

impl Note {
    /// A connection that the peer ended.
    pub(super) fn lost_by_close(code: Option<u16>, reason: &str) -> Self {
        let reason = match (code, reason) {
            (None, _) => "the connection ended without a word".to_owned(),
            (Some(code), "") => format!("it closed the connection (code {code})"),
            (Some(code), reason) => format!("it closed the connection (code {code}: {})", clip(reason)),
        };
        Self::Lost { reason }
    }

    /// How loud.
    pub fn level(&self) -> Level {
        match self {
            Self::Joined { .. } => Level::Info,
            Self::Refused { .. } | Self::Superseded { .. } => Level::Error,
            _ => Level::Warn,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { resumed: true } => write!(f, "joined the agent again; it remembers this run"),
            Self::Joined { resumed: false } => write!(f, "joined the agent"),
            Self::Lost { reason } => write!(f, "lost the agent: {reason}"),
            Self::Unreachable { error } => write!(f, "no agent: {error}; trying again"),
            Self::Refused { status, error, again_in } => {
                write!(
                    f,
                    "the agent refuses this endpoint (HTTP {status}): {error}; asking again in {} s",
                    again_in.as_secs()
                )
            }
            Self::JoinFailed { reason } => {
                write!(f, "the agent does not let this endpoint join: {reason}; asking again")
            }
            Self::Superseded { again_in } => write!(
                f,
                "another daemon with the same endpoint id has joined the agent; is this a copied installation, or does \
                 nbe run twice here? Trying again in {} s",
                again_in.as_secs()
            ),
            Self::FactRefused { kind, reason } => write!(f, "the agent refused {kind}: {reason}; it is given up"),
            Self::CommandRefused { event, reason } => write!(f, "refused the agent's {event}: {reason}"),
            Self::Nonsense { what } => write!(f, "the agent sent {what}; ignored"),
            Self::Congested { bytes } => {
                write!(f, "the agent does not read: {bytes} bytes wait; telemetry is dropped")
            }
        }
    }
}

/// The longest piece of the agent's words in a note, in characters.
const CLIP: usize = 160;

/// The agent's words, fit for one line of a log.
pub(super) fn clip(text: &str) -> String {
    let mut line: String = text.chars().take(CLIP).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(CLIP).is_some() {
        line.push('…');
    }
    line
}

/// Distinct mistakes of an agent that are told per join; all are counted.
const MISTAKES: usize = 16;

/// Keeps what can happen a hundred times a second from being said as often.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The last word on the connection.
    connection: Option<Note>,
    /// What the agent got wrong on this join.
    mistakes: Vec<Note>,
    /// Whether it was said that this connection is slow.
    congested: bool,
}

impl Notes {
    /// Whether a note says something that was not said yet.
    pub(super) fn is_news(&mut self, note: &Note) -> bool {
        match note {
            Note::Joined { .. } => {
                *self = Self::default();
                true
            }
            Note::Congested { .. } => !std::mem::replace(&mut self.congested, true),
            Note::Nonsense { .. } | Note::FactRefused { .. } | Note::CommandRefused { .. } => {
                let news = self.mistakes.len() < MISTAKES && !self.mistakes.contains(note);
                if news {
                    self.mistakes.push(note.clone());
                }
                news
            }
            // Each refusal waits longer than the one before; that alone is no news.
            Note::Refused { status, error, .. } => {
                let said = matches!(&self.connection, Some(Note::Refused { status: last_status, error: last_error, .. })
                    if last_status == status && last_error == error);
                self.connection = Some(note.clone());
                !said
            }
            Note::Lost { .. } | Note::Unreachable { .. } | Note::JoinFailed { .. } | Note::Superseded { .. } => {
                let news = self.connection.as_ref() != Some(note);
                self.connection = Some(note.clone());
                news
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_fact() {
        let note = Note::FactRefused { kind: "endpoint.state", reason: "no".to_owned() };
        assert_eq!(note.to_string(), "the agent refused endpoint.state: no; it is given up");
    }
}
