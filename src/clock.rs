//! The shell's clock and alarm: microseconds since the start, counting on while the machine sleeps.

use std::io;

use crate::time::Time;

/// Reads the clock behind every [`Time`] of a running daemon.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: source::Reading,
}

impl Clock {
    /// Starts at [`Time::ZERO`].
    pub fn start() -> Self {
        Self { started: source::read() }
    }

    /// Now.
    pub fn now(&self) -> Time {
        Time::from_micros(source::micros_since(self.started))
    }
}

/// Notices that the machine slept, by the clock that counts it running ahead of the one that does not.
#[derive(Debug)]
pub struct SleepWatch {
    ahead: std::time::Duration,
}

impl SleepWatch {
    /// The least sleep that matters; less is the reading of two clocks one after the other.
    const LEAST: std::time::Duration = std::time::Duration::from_millis(500);

    /// Begins to watch.
    pub fn new() -> Self {
        Self { ahead: source::ahead() }
    }

    /// Whether the machine slept since this was asked last.
    pub fn woke(&mut self) -> bool {
        let ahead = source::ahead();
        let woke = ahead > self.ahead + Self::LEAST;
        self.ahead = ahead;
        woke
    }
}

impl Default for SleepWatch {
    fn default() -> Self {
        Self::new()
    }
}

/// Milliseconds since 1970 by the wall clock, which may step at any time.
pub fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    match since {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// Whether a wall clock can be right: it is not before this program was written.
pub fn is_plausible(wall_ms: i64) -> bool {
    /// 2026-01-01T00:00:00Z, in ms.
    const WRITTEN: i64 = 1_767_225_600_000;
    wall_ms >= WRITTEN
}

/// Rings once at a moment of the clock, at once after a sleep of the machine that lasted past it.
#[derive(Debug)]
pub struct Alarm {
    clock: Clock,
    inner: source::Alarm,
}

impl Alarm {
    /// An alarm that is not set; must be made inside a tokio runtime.
    ///
    /// # Errors
    /// If the system has no timer left.
    pub fn new(clock: Clock) -> io::Result<Self> {
        Ok(Self { clock, inner: source::Alarm::new()? })
    }

    /// Waits until `due`; for ever without one. May be dropped and called again at any time, and may ring early: an
    /// alarm set for sooner is left as it is when `due` moves on, which it does with every advert.
    pub async fn ring(&mut self, due: Option<Time>) {
        match due {
            Some(due) if due <= self.clock.now() => {}
            Some(due) => self.inner.wait(self.clock.started, due).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(target_os = "linux")]
mod source {
    use std::io;

    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
        timerfd_settime,
    };
    use tokio::net::unix::pipe;

    use crate::time::Time;

    pub(super) type Reading = Timespec;

    pub(super) fn read() -> Reading {
        clock_gettime(ClockId::Boottime)
    }

    pub(super) fn micros_since(started: Reading) -> u64 {
        let now = read();
        let micros = (now.tv_sec - started.tv_sec) * 1_000_000 + (now.tv_nsec - started.tv_nsec) / 1_000;
        u64::try_from(micros).unwrap_or(0)
    }

    /// How long the machine has slept since it was started.
    pub(super) fn ahead() -> std::time::Duration {
        let (counting, standing) = (read(), clock_gettime(ClockId::Monotonic));
        let nanos = (counting.tv_sec - standing.tv_sec) * 1_000_000_000 + counting.tv_nsec - standing.tv_nsec;
        std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// A timerfd on the clock that counts suspended time; tokio's own timers stand still meanwhile.
    #[derive(Debug)]
    pub(super) struct Alarm {
        /// A readable descriptor; that it is no pipe makes no difference to waiting and reading.
        timer: pipe::Receiver,
        set_for: Option<Time>,
    }

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            Ok(Self { timer: pipe::Receiver::from_owned_fd_unchecked(timer)?, set_for: None })
        }

        pub(super) async fn wait(&mut self, started: Reading, due: Time) {
            if self.set_for.is_none_or(|set_for| due < set_for) {
                let nanos = started.tv_nsec + (due.as_micros() % 1_000_000) as i64 * 1_000;
                let seconds = started.tv_sec + (due.as_micros() / 1_000_000) as i64 + nanos / 1_000_000_000;
                let value = Timespec { tv_sec: seconds, tv_nsec: nanos % 1_000_000_000 };
                let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
                if timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once).is_err() {
                    return; // rings early rather than never
                }
                self.set_for = Some(due);
            }
            if self.timer.readable().await.is_ok() && self.timer.try_read(&mut [0; 8]).is_ok() {
                self.set_for = None;
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod source {
    use std::io;
    use std::time::{Duration, Instant};

    use crate::time::Time;

    /// Elsewhere the monotonic clock counts suspended time (Windows) or is the best there is.
    pub(super) type Reading = Instant;

    pub(super) fn read() -> Reading {
        Instant::now()
    }

    pub(super) fn micros_since(started: Reading) -> u64 {
        u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// There is only the one clock, so a sleep shows as time that passed.
    pub(super) fn ahead() -> Duration {
        Duration::ZERO
    }

    #[derive(Debug)]
    pub(super) struct Alarm;

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn wait(&mut self, started: Reading, due: Time) {
            let at = started + Duration::from_micros(due.as_micros());
            tokio::time::sleep_until(at.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_at_its_moment_and_may_be_set_anew() {
        let clock = Clock::start();
        let mut alarm = Alarm::new(clock).unwrap();
        let due = clock.now() + std::time::Duration::from_millis(20);
        tokio::select! {
            () = alarm.ring(Some(Time::from_secs(3600))) => panic!("an hour is not over"),
            () = std::future::ready(()) => {}
        }
        while clock.now() < due {
            alarm.ring(Some(due)).await;
        }
        alarm.ring(Some(Time::ZERO)).await;
    }
}
