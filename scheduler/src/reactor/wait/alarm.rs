//! What ends a wait at a point in time: the system's own timer, as one more source of events. It knows
//! nanoseconds, where a wait for events knows milliseconds, and can be set while another thread waits.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::{ALARM, Bell};

pub(super) struct Alarm(OwnedFd);

/// The alarm alone ends a wait.
pub(super) struct Until;

impl Alarm {
    pub(super) fn new(registry: &Registry) -> io::Result<(Self, Until)> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // Edge-triggered: nobody reads how often it went off.
        registry.register(&mut SourceFd(&timer.as_raw_fd()), ALARM, Interest::READABLE)?;
        Ok((Alarm(timer), Until))
    }

    pub(super) fn set(&self, after: Duration, bell: &Bell) {
        // Zero would stop it.
        let after = after.max(Duration::from_nanos(1));
        let it_value = Timespec::try_from(after).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        if let Err(error) = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once) {
            eprintln!("asupersync: cannot set the system's timer: {error}");
            bell.ring();
        }
    }
}

impl Until {
    pub(super) fn wait(&self) -> Option<Duration> {
        None
    }
}
