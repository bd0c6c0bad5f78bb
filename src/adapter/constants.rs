//! Every number the dongle's session goes by, with its reason.

use std::time::Duration;

/// How long a start-up command may stay unanswered while the line is silent: a well dongle takes some ms.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// How long it may stay unanswered while frames come in: in dense surroundings the reports are served first, and
/// answers seconds late have been seen.
pub(super) const PATIENCE_BUSY: Duration = Duration::from_secs(8);

/// How long to say nothing so that the chip drops half a command that a dead program left in it; it does so after 1 s.
pub(super) const PAUSE: Duration = Duration::from_millis(1_100);

/// How long `system_hello` may stay unanswered after the pause. With `PATIENCE` and `PAUSE` before it this makes the
/// first verdict on a port fall within 3 s of opening.
pub(super) const PATIENCE_HELLO: Duration = Duration::from_secs(1);

/// How long `system_hello` may stay unanswered by a dongle that was scanning: 2 s is what is known as a dead one.
pub(super) const PATIENCE_SCANNING: Duration = Duration::from_secs(2);

/// How long the `connection_status` events may take that follow the answer to `system_get_connections`.
pub(super) const STATUS_WAIT: Duration = Duration::from_millis(200);

/// How often one start-up may pause and go on after an answered hello, be refused a command, or send a command again
/// after a protocol error, before it has failed; and how often a dongle may restart within `RESTARTS_WITHIN`.
pub(super) const MAX_SETBACKS: u8 = 3;

/// Restarts of the dongle that are further apart have nothing to do with each other.
pub(super) const RESTARTS_WITHIN: Duration = Duration::from_secs(60);

/// A line quiet for so long in the middle of a frame will not complete it; a dongle sends a frame in one go.
pub(super) const FRAME_GAP: Duration = Duration::from_millis(100);

/// Nothing heard from anyone for so long: the dongle is asked whether it is well.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// How often a dongle in a quiet room is asked whether it is well, and how long a rung has to end a silence. Longer
/// than bands take to become absent by default, so that an emptied room is not put down to the dongle.
pub(super) const QUIET_CHECK: Duration = Duration::from_secs(35);

/// A silent dongle that answers is suspected only if it has reported adverts within this time: rooms do fall quiet.
/// The ladder takes less.
pub(super) const RECENT: Duration = Duration::from_secs(180);

/// What comes in is judged in stretches of this length.
pub(super) const WINDOW: Duration = Duration::from_secs(5);

/// How long what looks sick and is too little to tell is kept for the windows that follow, unless adverts with content
/// come in.
pub(super) const EVIDENCE: Duration = Duration::from_secs(120);

/// Fewer discarded bytes in one window are no garbage storm, whatever their share.
pub(super) const GARBAGE_BYTES: u32 = 256;

/// Fewer adverts in one window prove nothing by being empty: some devices have nothing to say.
pub(super) const EMPTY_REPORTS: u32 = 20;

/// The rung "wait and read on": how long a dongle that has stopped answering may be merely late.
pub(super) const LISTEN: Duration = Duration::from_secs(4);

/// How long after `system_reset` a dongle that neither left the bus nor booted has ignored it.
pub(super) const RESET_WAIT: Duration = Duration::from_secs(3);

/// How long a dongle may be off the bus after a reset: 0.5 to 2 s, longer inside a virtual machine.
pub(super) const RETURN_WAIT: Duration = Duration::from_secs(10);

/// How long a lost port is left alone; a node may linger for a while and fail at once.
pub(super) const REOPEN: Duration = Duration::from_millis(250);

/// How often to try a port that cannot be opened; leaves time to be scanning within 2 s of it becoming openable.
pub(super) const REOPEN_REFUSED: Duration = Duration::from_millis(1_000);

/// How often to try a port without permission at first: after a plug it takes udev 100 to 200 ms to set the group.
pub(super) const REOPEN_DENIED: Duration = Duration::from_millis(150);

/// How long a missing permission may be that race.
pub(super) const DENIED_RACE: Duration = Duration::from_millis(1_050);

/// How long a port that vanishes on opening may be one on its way to appear or to go.
pub(super) const GONE_RACE: Duration = Duration::from_secs(2);

/// How long opening a port may take before that is worth a word: a sick device holds it up.
pub(super) const OPEN_WAIT: Duration = Duration::from_secs(5);

/// The pause before the port is opened again after the whole ladder, or a loss before the dongle has worked for a
/// window: doubled each time, up to `BACK_OFF_MAX`.
pub(super) const BACK_OFF: Duration = Duration::from_secs(1);

/// See `BACK_OFF`; also bounds how long a dongle that is well again goes unnoticed.
pub(super) const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// How many of the discarded bytes are kept for a verdict on what the port is.
pub(super) const KEPT_DISCARDS: usize = 256;

/// Fewer discarded bytes are not called text.
pub(super) const TEXT_BYTES: usize = 8;
