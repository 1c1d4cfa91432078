//! SIGINT and SIGTERM: the first one is told to the region tree, the second ends the process at
//! once, with code 128 + its number, even if no thread of the runtime is free to notice.

use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use mio::Interest;
use mio::net::UnixStream;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::driver::Driver;
use crate::reactor::Source;

/// A signal came before: the next one ends the process.
static ARMED: std::sync::OnceLock<Arc<AtomicBool>> = std::sync::OnceLock::new();

/// The handlers of both signals. For hosts.
#[derive(Debug)]
#[must_use = "dropped, nobody listens: the next signal ends the process"]
pub struct Caught {
    /// The number of the last signal. Its handler stores that before it writes to the pipe.
    last: Arc<AtomicUsize>,
    ids: Vec<signal_hook::SigId>,
}

impl Caught {
    /// Registers the handlers. Each signal writes a byte to the stream that is returned, which does not
    /// block.
    ///
    /// # Errors
    /// The system's, when it gives no pipe or no signal handler.
    pub fn new() -> io::Result<(Caught, StdUnixStream)> {
        // Once in a process: handlers run in the order in which they were registered, so the
        // conditional exit looks at the flag before the same signal raises it.
        let armed = match ARMED.get() {
            Some(armed) => armed,
            None => {
                let armed = Arc::new(AtomicBool::new(false));
                for signal in [SIGINT, SIGTERM] {
                    flag::register_conditional_shutdown(signal, 128 + signal, armed.clone())?;
                    flag::register(signal, armed.clone())?;
                }
                ARMED.get_or_init(|| armed)
            }
        };
        armed.store(false, SeqCst);
        let (read, write) = StdUnixStream::pair()?;
        read.set_nonblocking(true)?;
        let mut caught = Caught { last: Arc::new(AtomicUsize::new(0)), ids: Vec::new() };
        for (signal, number) in [(SIGINT, SIGINT as usize), (SIGTERM, SIGTERM as usize)] {
            caught.ids.push(flag::register_usize(signal, caught.last.clone(), number)?);
            caught.ids.push(low_level::pipe::register(signal, write.try_clone()?)?);
        }
        Ok((caught, read))
    }

    /// The name of the last signal.
    pub fn last(&self) -> &'static str {
        if self.last.load(SeqCst) == SIGTERM as usize { "SIGTERM" } else { "SIGINT" }
    }
}

impl Drop for Caught {
    /// A signal that comes when no runtime listens ends the process, as it would have without one.
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            low_level::unregister(id);
        }
        if let Some(armed) = ARMED.get() {
            armed.store(true, SeqCst);
        }
    }
}

/// The signals of one runtime.
pub(crate) struct Signals {
    pipe: Source<UnixStream>,
    caught: Caught,
}

impl Signals {
    pub(crate) fn new(driver: &Arc<Driver>) -> io::Result<Self> {
        let (caught, read) = Caught::new()?;
        let pipe = Source::new(driver, UnixStream::from_std(read), Interest::READABLE)?;
        Ok(Signals { pipe, caught })
    }

    /// Waits for the next signal and names it.
    pub(crate) async fn next(&self) -> &'static str {
        let mut byte = [0; 16];
        let read = std::future::poll_fn(|cx| {
            self.pipe.readiness.read.poll(cx, || self.pipe.get().read(&mut byte), |_| false)
        });
        // An error here would be a bug of the system; waiting for ever is then the safe answer.
        if let Err(error) = read.await {
            eprintln!("asupersync: cannot read the signal pipe: {error}");
            std::future::pending::<()>().await;
        }
        self.caught.last()
    }
}
