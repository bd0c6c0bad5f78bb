//! The numbers of the detection rules that are not keys of nbe.toml, each with its reason.

use std::time::Duration;

/// The longest pause between two samples of one tap window; a longer one empties it.
///
/// A hand at the antenna is heard several times a second; after a second of silence it may have left and come back.
pub const TAP_GAP: Duration = Duration::from_secs(1);

/// How far the mean must fall below the tap threshold before the next tap can be told from this one, in tenths of a dB.
///
/// Twice the noise of a mean of ten samples at the antenna, and well under the 19 dB between antenna and desk.
pub(super) const TAP_REARM: i32 = 60;

/// What a sample at or above the tap threshold adds to the evidence of contact, in tenths of a dB; one below takes back
/// as much as it lies below.
///
/// A sample that scatters as far below as contact does, 3 dB, costs less than two give.
pub(super) const CONTACT_GAIN: i32 = 20;

/// What the evidence must reach, in tenths of a dB for each sample of the tap window.
///
/// A quarter of what a sample adds: 10 samples of window ask for 3 of contact, which come within half a second though
/// one advert in four is lost, and which no outlier makes.
pub(super) const CONTACT_NEED: i32 = CONTACT_GAIN / 4;

/// How far the level must have risen for a hand to have come, in tenths of a dB.
///
/// Well over the 2 to 3 dB by which a band at rest scatters, and no more than saturation leaves of the way to an antenna
/// that hears the desk at -46 dBm.
pub(super) const CONTACT_RISE: i32 = 80;

/// Within what time it must have risen so far.
///
/// A hand takes less than a second; the rest is for lost adverts.
pub(super) const CONTACT_RISE_WITHIN: Duration = Duration::from_secs(2);

/// How many samples in a row [`TAP_REARM`] below the threshold are a band that has left the antenna.
///
/// One may be lost in a fade while the band is held.
pub(super) const CONTACT_LEFT: u8 = 2;

/// How far beyond a cutoff the trend no longer matters, in tenths of a dB.
///
/// A level that has arrived has spent its trend: it is flat, and would otherwise never be told.
pub(super) const TREND_SPENT: i32 = 30;

/// The fewest samples of the long window that say anything (a shorter window needs all of its own).
pub const TREND_MIN_SAMPLES: usize = 4;

/// How often near is restated, and how fresh a sample must be for that.
///
/// A third of the 30 s after which the lock control of a terminal takes a wearer for gone.
pub const HOLD_EVERY: Duration = Duration::from_secs(10);

/// For how long the use of keyboard or mouse holds `away` by level back.
///
/// One who types is at the terminal, whatever the level; the pauses between two keys or two looks at the screen are
/// shorter as a rule. An activity told of later than that is none.
pub(super) const ACTIVE_FOR: Duration = Duration::from_secs(10);

/// For how long `away` by level is held back at most, from the detector's first word on.
///
/// Time enough to finish a sentence with the body between band and dongle; and the most that a stranger wins who sits
/// down at a terminal just left open.
pub(super) const HELD_AT_MOST: Duration = Duration::from_secs(60);

/// A band that no roster lists is present after this many samples within [`PRESENT_WITHIN`].
///
/// A single advert from a made-up address must not become an event.
pub const PRESENT_SAMPLES: usize = 3;

/// See [`PRESENT_SAMPLES`].
pub const PRESENT_WITHIN: Duration = Duration::from_secs(10);

/// The most bands tracked that no roster lists; listed ones are bounded by the roster.
///
/// More wearers than fit a room; a flood of made-up addresses ends here.
pub const MAX_UNLISTED: usize = 256;
