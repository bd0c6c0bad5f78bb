//! What a decision rests on: the rule that fired, and the numbers it compared.

use serde::Serialize;

/// The rule that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The mean of a full tap window reached the threshold.
    TapMean,
    /// Enough evidence of contact behind a rise.
    TapContact,
    /// At or above close, and rising.
    NearRising,
    /// So far above close that the trend does not matter.
    NearAbove,
    /// At or below far, and falling.
    AwayFalling,
    /// So far below far that the trend does not matter.
    AwayBelow,
    /// The wearer is likely to be at the seat.
    NearLikely,
    /// The wearer has surely been away from the seat for long enough.
    AwaySure,
    /// Silent for longer than the band's own adverts leave open.
    AwaySilent,
    /// The wearer signed in.
    SignedIn,
    /// Near, and heard within the last 10 s.
    Hold,
    /// Heard.
    Heard,
    /// Silent for `absent_after_s`.
    Silence,
    /// The roster changed.
    Roster,
    /// The table of bands was full.
    Evicted,
}

impl Rule {
    /// Its name in events, in the log and in the documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TapMean => "tap.mean",
            Self::TapContact => "tap.contact",
            Self::NearRising => "near.rising",
            Self::NearAbove => "near.above",
            Self::AwayFalling => "away.falling",
            Self::AwayBelow => "away.below",
            Self::NearLikely => "near.likely",
            Self::AwaySure => "away.sure",
            Self::AwaySilent => "away.silent",
            Self::SignedIn => "near.signed_in",
            Self::Hold => "hold",
            Self::Heard => "heard",
            Self::Silence => "silence",
            Self::Roster => "roster",
            Self::Evicted => "evicted",
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The rule behind a decision and the numbers it compared; absent where a rule compares no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// Which rule.
    pub rule: Rule,
    /// Mean of the window, hundredths of a dBm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_cdb: Option<i32>,
    /// What the mean was compared with, hundredths of a dBm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_cdb: Option<i32>,
    /// Mean of the window's newer half, hundredths of a dBm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer_cdb: Option<i32>,
    /// Mean of the window's older half, hundredths of a dBm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_cdb: Option<i32>,
    /// What says that the band was held to the antenna.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Evidence>,
    /// Samples in the window.
    pub n: u32,
    /// From the window's oldest sample to its newest, in ms.
    pub span_ms: u64,
    /// From the newest sample to the decision, in ms.
    pub age_ms: u64,
    /// What the adaptive detector made of the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reckoning: Option<Reckoning>,
    /// For how long away by level has been held back, in ms, because the terminal was in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_ms: Option<u64>,
}

/// What the adaptive detector believed when it decided; rounded for print only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reckoning {
    /// How likely the wearer was farther than midway between seat and room, in thousandths.
    pub away_permille: u16,
    /// How likely the wearer was walking, in thousandths.
    pub walking_permille: u16,
    /// How much of the evidence that away takes had gathered, in thousandths.
    pub gathered_permille: u16,
    /// The mean pause between samples, in ms.
    pub interval_ms: u64,
}

/// Evidence of contact: 2 dB for each sample at or above the threshold, less what others lie below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// How much there is, hundredths of a dB.
    pub evidence_cdb: i32,
    /// How much it takes, hundredths of a dB.
    pub need_cdb: i32,
    /// How far the level rose as the hand came, hundredths of a dB.
    pub rise_cdb: i32,
}
