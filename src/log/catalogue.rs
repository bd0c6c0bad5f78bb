//! What the log can say that an administrator acts on, each with an identity that never changes.

use crate::adapter::{self, Trouble};
use crate::agent;
use crate::event::{Conclusion, Presence, Trend};

/// Makes the catalogue from one table: number, name, level, MESSAGE_ID, meaning.
macro_rules! catalogue {
    ($($number:literal, $name:ident, $level:ident, $id:literal: $meaning:literal;)*) => {
        /// An entry of the catalogue; packaging/linux/nbe.catalog says what to do about each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Entry {
            $(#[doc = $meaning] $name,)*
        }

        impl Entry {
            /// All entries, by number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number: 1xx dongle, 2xx agent, 3xx configuration, 4xx decision, 5xx service.
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The journal's MESSAGE_ID: 128 bits as 32 hexadecimal digits.
            pub fn message_id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How loud it is.
            pub const fn level(self) -> adapter::Level {
                match self { $(Self::$name => adapter::Level::$level,)* }
            }

            /// What it means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

catalogue! {
    101, DongleMissing, Warn, "f3cbde8290ff47f5b12b3bd8a42ebb22": "There is no dongle";
    102, DongleNotOpened, Error, "aee3740c1a9a4a3a865d55349c8a0dbc": "The port of the dongle cannot be opened";
    103, DongleLost, Warn, "3faca8365a9d4aaaabc6228dbd8bb9ad": "The dongle is gone";
    104, DongleSilent, Error, "ac514b5103ea4d549803671b587b8018": "The dongle does not answer";
    105, DongleForeign, Error, "d422f71f52dc4f16ae6fae04075244bf": "The device is no BLED112";
    106, DongleGarbled, Error, "5ea0f764228f4285930887396f38d52b": "Most of what the dongle sends makes no sense";
    107, DongleEmptyAdverts, Error, "c8cc63f6447c4dc8b754457097c3008b": "The dongle reports adverts without content";
    108, DongleRefuses, Error, "af7e9cb2d4104ab7bf022f430d4acf85": "The dongle refuses a command";
    109, DongleUnstable, Error, "c00a947852e14fee8977d83ad4220a15": "The dongle restarts again and again";
    110, DongleOther, Error, "cde2b18499904f7ab00432ef81c7ca25": "It is another dongle than the one asked for";
    111, DongleRestarted, Warn, "cfb58db7b5fc4999a5f0c8f60abff71d": "The dongle has restarted by itself";
    112, DongleRecovered, Info, "1f1d4827db35481395408420b0aebaee": "The dongle is well again";
    113, DongleScanning, Info, "9edbda847b7f4f63af73e42ea163fda0": "The dongle scans";
    114, DongleQuiet, Info, "81d49abab3dc4da6be59b332331f1295": "Nobody advertises";
    201, AgentJoined, Info, "917db1826f7f48f6822dc0e1a955f773": "The agent is joined";
    202, AgentLost, Warn, "dd543d2134f14aa0ba71a5e3201dae4b": "The connection to the agent ended";
    203, AgentUnreachable, Warn, "b824f3b3d379473e8b11045f6edd7e41": "The agent cannot be reached";
    204, AgentRefuses, Error, "4f03c68f52f041fd95377dd0312a78a8": "The agent refuses this endpoint";
    205, AgentJoinFailed, Warn, "9b263225c693495cbb318044406c097e": "The agent does not let this endpoint join";
    206, AgentSuperseded, Error, "01546c5e5b954a68b0c288a45f8f592a": "Another daemon has the same endpoint id";
    207, AgentFactRefused, Warn, "808ceed00d874da9ae43abd6aa8e185e": "The agent refused a fact";
    208, AgentCommandRefused, Warn, "e8647d78f04c40c8a456a5f060b299d3": "A command of the agent was refused";
    209, AgentNonsense, Warn, "acd2d404bb474900bbd116aa8eaac331": "The agent sent what makes no sense";
    210, AgentCongested, Warn, "ef3b73c15eb74d99b2dc20395d2d9db2": "The agent does not read";
    301, ConfigMistake, Error, "90d1c25a581e44f783b618f704781394": "The configuration has a mistake";
    302, ConfigWarning, Warn, "827605d4f6aa4e0db8d0df5ed18d9e3a": "Something in the configuration is odd";
    303, ConfigRejected, Error, "100a2968816e4c7bba0fb19e29ce1d12": "A changed configuration was rejected";
    304, ConfigReloaded, Info, "8cbd639d4be248cf8b800e98e09dfa94": "A changed configuration is in force";
    305, ConfigLastGood, Error, "58e75f78ecc9409c9a2a240e98dca7d5": "The last good copy of the configuration is in force";
    306, ConfigGone, Warn, "df7ad4c8f4c842eab9ff36bac57076da": "The configuration file is gone";
    401, Tap, Info, "2fa1016716574abd8ce5b0e450f80f12": "A band was tapped";
    402, Near, Info, "e9cc40ccc3784f6ea025e88fa4cffd18": "A band is near";
    403, Away, Info, "ca0792c1a2a2476494b09e046be767dd": "A band is away";
    404, Present, Info, "ea39225d4b0b42b99936743d9c719fd8": "A band is present";
    405, Absent, Info, "ebda8e6ef78b4cfb87377d6639b66c6b": "A band is absent";
    406, Authentication, Info, "a2d4e71b5e534c08b82bd3c709b9df40": "What the agent says of a wearer has changed";
    501, Started, Info, "27895f761b6d42f1b2f012e660fd26d1": "The daemon has started";
    502, Stopping, Info, "c0aeacf6e9dc435da803833dc42d35f2": "The daemon stops";
    503, Slept, Info, "56f62f395e064f1cb3d2c785835d44b3": "The machine slept";
    504, Unacknowledged, Warn, "dde0fda521a742429a61ccb98635bf94": "Facts are lost with the stop";
    505, ClockWrong, Warn, "6e60b055de90410d885dc9d4bdc449bf": "The clock of the machine is wrong";
    506, ClockSet, Info, "6873a56724c245b0bdf321e4c0e212a7": "The clock of the machine is set";
    507, NoControl, Warn, "8030cf3c4c33431fb132b5564aee8045": "Nobody can ask the daemon";
    508, StateInMemory, Warn, "b4d4937adcff47abace5434ad532bda6": "State is kept in memory only";
    509, MachineIdMissing, Warn, "8f1bf9e2979d4ecbb8a0888dd18835a2": "The machine has no id of its own";
    510, EveryAdvert, Warn, "27d061a2bd92444892da81eac49b8303": "Every advert of every band goes to the agent";
    511, LearntUnread, Warn, "04993b994c20439db7970e62e5f27181": "What was learnt cannot be read";
    512, LearntMisfit, Info, "60059243d4ba4ad6809e0f43f4072e05": "What was learnt no longer fits";
}

impl Entry {
    /// What a line of `entry` carries: the id and the number.
    pub fn fields(entry: Option<Self>) -> (Option<&'static str>, Option<u16>) {
        (entry.map(Self::message_id), entry.map(Self::number))
    }

    /// The entry of a note about a dongle, if an administrator cares.
    pub fn of_adapter(note: &adapter::Note) -> Option<Self> {
        use adapter::Note;
        Some(match note {
            Note::Missing { .. } => Self::DongleMissing,
            Note::NotOpened { .. } => Self::DongleNotOpened,
            Note::Lost { .. } => Self::DongleLost,
            Note::Trouble(trouble) => match trouble {
                Trouble::NeverAnswered | Trouble::NoAnswer => Self::DongleSilent,
                Trouble::Gecko | Trouble::Text | Trouble::Echo => Self::DongleForeign,
                Trouble::Garbage => Self::DongleGarbled,
                Trouble::EmptyAdverts => Self::DongleEmptyAdverts,
                Trouble::Refused { .. } => Self::DongleRefuses,
                Trouble::Restarts => Self::DongleUnstable,
                Trouble::WrongAddress { .. } => Self::DongleOther,
            },
            Note::Booted => Self::DongleRestarted,
            Note::Recovered => Self::DongleRecovered,
            Note::Scanning => Self::DongleScanning,
            Note::Quiet => Self::DongleQuiet,
            Note::Opened | Note::Firmware { .. } | Note::Identified { .. } | Note::LinkOpen { .. } => return None,
            Note::Heard | Note::Climbing(_) | Note::SentAgain { .. } => return None,
        })
    }

    /// The entry of a note about the agent.
    pub fn of_agent(note: &agent::Note) -> Self {
        use agent::Note;
        match note {
            Note::Joined { .. } => Self::AgentJoined,
            Note::Lost { .. } => Self::AgentLost,
            Note::Unreachable { .. } => Self::AgentUnreachable,
            Note::Refused { .. } => Self::AgentRefuses,
            Note::JoinFailed { .. } => Self::AgentJoinFailed,
            Note::Superseded { .. } => Self::AgentSuperseded,
            Note::FactRefused { .. } => Self::AgentFactRefused,
            Note::CommandRefused { .. } => Self::AgentCommandRefused,
            Note::Nonsense { .. } => Self::AgentNonsense,
            Note::Congested { .. } => Self::AgentCongested,
        }
    }

    /// The entry of a decision. That a band is still near is none, nor whether a band that no roster lists is present:
    /// anybody can advertise, and a crowd would fill the log.
    pub fn of_conclusion(conclusion: &Conclusion, is_listed: bool) -> Option<Self> {
        Some(match conclusion {
            Conclusion::Tap { .. } => Self::Tap,
            Conclusion::Trend { after: Trend::Near, .. } => Self::Near,
            Conclusion::Trend { after: Trend::Away, .. } => Self::Away,
            Conclusion::Trend { after: Trend::Hold, .. } => return None,
            Conclusion::Presence { .. } if !is_listed => return None,
            Conclusion::Presence { after: Presence::Present, .. } => Self::Present,
            Conclusion::Presence { .. } => Self::Absent,
            Conclusion::Auth { .. } => Self::Authentication,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    const CATALOG: &str = include_str!("../../packaging/linux/nbe.catalog");
    const DOCUMENT: &str = include_str!("../../docs/LOGS.md");

    #[test]
    fn every_entry_has_an_identity_of_its_own_in_its_range() {
        let numbers: Vec<u16> = Entry::ALL.iter().map(|entry| entry.number()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        let ids: BTreeSet<&str> = Entry::ALL.iter().map(|entry| entry.message_id()).collect();
        assert_eq!(ids.len(), Entry::ALL.len());
        for id in ids {
            assert!(id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{id}");
        }
        for entry in Entry::ALL {
            let name = format!("{entry:?}");
            let range = match entry.number() / 100 {
                1 => name.starts_with("Dongle"),
                2 => name.starts_with("Agent"),
                3 => name.starts_with("Config"),
                4 | 5 => !["Dongle", "Agent", "Config"].iter().any(|start| name.starts_with(start)),
                _ => false,
            };
            assert!(range, "{entry:?} is {}", entry.number());
        }
    }

    #[test]
    fn the_journals_catalog_has_each_entry_and_no_other() {
        let sections: Vec<&str> = CATALOG.split("\n-- ").skip(1).collect();
        assert_eq!(sections.len(), Entry::ALL.len());
        for (entry, section) in Entry::ALL.iter().zip(sections) {
            let mut lines = section.lines();
            assert_eq!(lines.next(), Some(entry.message_id()), "{entry:?}");
            assert_eq!(lines.next(), Some(&*format!("Subject: {}", entry.meaning())), "{entry:?}");
            assert_eq!(lines.next(), Some("Defined-By: nbe"), "{entry:?}");
            let paragraphs: Vec<&str> = section.split("\n\n").skip(1).filter(|text| text.len() > 2).collect();
            assert_eq!(paragraphs.len(), 2, "{entry:?} says what it means and what to do: {paragraphs:?}");
        }
    }

    #[test]
    fn the_document_has_each_entry() {
        let rows = DOCUMENT.lines().filter(|line| line.starts_with("| ") && line.contains(" | `")).count();
        assert_eq!(rows, Entry::ALL.len());
        for entry in Entry::ALL {
            let level = format!("{:?}", entry.level()).to_lowercase();
            let row = format!("| {} | {level} | `{}` | {}.", entry.number(), entry.message_id(), entry.meaning());
            assert!(DOCUMENT.contains(&row), "{row}");
        }
    }

    /// The numbers of one hundred.
    fn numbers(hundred: u16) -> BTreeSet<u16> {
        Entry::ALL.iter().map(|entry| entry.number()).filter(|number| number / 100 == hundred).collect()
    }

    #[test]
    fn a_note_of_a_dongle_is_as_loud_as_its_entry() {
        let refused = Trouble::Refused { command: "gap_discover", code: bgapi::ErrorCode(0x0181) };
        let troubles = [
            Trouble::NeverAnswered,
            Trouble::NoAnswer,
            Trouble::Gecko,
            Trouble::Text,
            Trouble::Echo,
            Trouble::Garbage,
            Trouble::EmptyAdverts,
            refused,
            Trouble::Restarts,
            Trouble::WrongAddress { found: bgapi::BdAddr([1; 6]), wanted: bgapi::BdAddr([2; 6]) },
        ];
        let mut notes: Vec<_> = troubles.into_iter().map(adapter::Note::Trouble).collect();
        notes.extend([adapter::Note::Booted, adapter::Note::Recovered, adapter::Note::Scanning, adapter::Note::Quiet]);
        notes.push(adapter::Note::Missing { reason: String::new() });
        notes.push(adapter::Note::NotOpened { message: String::new() });
        notes.push(adapter::Note::Lost { message: String::new() });
        let mut met = BTreeSet::new();
        for note in notes {
            let entry = Entry::of_adapter(&note).unwrap();
            assert_eq!(entry.level(), note.level(), "{note:?}");
            met.insert(entry.number());
        }
        assert_eq!(met, numbers(1));
    }

    #[test]
    fn a_note_about_the_agent_is_as_loud_as_its_entry() {
        use agent::Note;
        let (text, again_in) = (String::new, Duration::ZERO);
        let notes = [
            Note::Joined { resumed: false },
            Note::Lost { reason: text() },
            Note::Unreachable { error: text() },
            Note::Refused { status: 403, error: text(), again_in },
            Note::JoinFailed { reason: text() },
            Note::Superseded { again_in },
            Note::FactRefused { kind: "band.tap", reason: text() },
            Note::CommandRefused { event: text(), reason: text() },
            Note::Nonsense { what: text() },
            Note::Congested { bytes: 1 },
        ];
        let mut met = BTreeSet::new();
        for note in notes {
            let entry = Entry::of_agent(&note);
            assert_eq!(format!("{:?}", entry.level()), format!("{:?}", note.level()), "{note:?}");
            met.insert(entry.number());
        }
        assert_eq!(met, numbers(2));
    }

    #[test]
    fn decisions_are_told_of_but_for_those_that_anybody_could_bring_about() {
        use crate::event::{Auth, PresenceReason, Side};
        let presence = |after| Conclusion::Presence { before: after, after, reason: PresenceReason::Heard };
        let trend =
            |after| Conclusion::Trend { before: Side::Near, after, mean_cdb: None, slope_cdb: None, samples: 0 };
        let conclusions = [
            Conclusion::Tap { mean_cdb: 0, peak_cdb: 0, samples: 1, span_ms: 0, threshold_cdb: 0 },
            trend(Trend::Near),
            trend(Trend::Away),
            presence(Presence::Present),
            presence(Presence::Absent),
            Conclusion::Auth { before: Auth::Unknown, after: Auth::Authenticated },
        ];
        let number = |conclusion, is_listed| Entry::of_conclusion(conclusion, is_listed).map(Entry::number);
        assert_eq!(conclusions.each_ref().map(|it| number(it, true)), [401, 402, 403, 404, 405, 406].map(Some));
        let unlisted = [Some(401), Some(402), Some(403), None, None, Some(406)];
        assert_eq!(conclusions.each_ref().map(|it| number(it, false)), unlisted);
        assert_eq!(number(&trend(Trend::Hold), true), None);
        assert_eq!(numbers(4).len(), 6);
    }
}
