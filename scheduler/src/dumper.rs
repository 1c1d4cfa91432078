//! SIGUSR1 prints what a region tree looks like, from a thread of its own: it answers though every
//! worker, and the thread that called `block_on`, is stuck.
//!
//! The thread sleeps in a read of a pipe, to which the signal's handler writes a byte.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::{process, thread};

use asupersync_core::region::Root;
use signal_hook::consts::SIGUSR1;
use signal_hook::{SigId, low_level};

/// Prints a tree on stderr at each SIGUSR1, until this is dropped. For hosts.
#[derive(Debug)]
#[must_use = "dropped, it listens no more"]
pub struct Dumper {
    pipe: UnixStream,
    handler: SigId,
}

impl Dumper {
    /// Listens to the signal, which from then on does not end the process: not when this is dropped,
    /// either.
    ///
    /// # Errors
    /// The system's, when it gives no pipe, no thread or no signal handler.
    pub fn new(root: &Root) -> io::Result<Dumper> {
        let (read, write) = UnixStream::pair()?;
        let (pipe, root) = (read.try_clone()?, root.clone());
        thread::Builder::new().name("asupersync-dumper".into()).spawn(move || serve(read, &root))?;
        match low_level::pipe::register(SIGUSR1, write) {
            Ok(handler) => Ok(Dumper { pipe, handler }),
            Err(error) => {
                let _ = pipe.shutdown(Shutdown::Both);
                Err(error)
            }
        }
    }
}

impl Drop for Dumper {
    /// Does not wait for the thread, which may be writing to somebody who does not read.
    fn drop(&mut self) {
        low_level::unregister(self.handler);
        // Fails only if it was done before.
        let _ = self.pipe.shutdown(Shutdown::Both);
    }
}

fn serve(mut pipe: UnixStream, root: &Root) {
    // Signals that come together are one question.
    let mut bytes = [0; 64];
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => print(root),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                eprintln!("asupersync: cannot read the pipe of SIGUSR1: {error}");
                return;
            }
        }
    }
}

fn print(root: &Root) {
    let text = format!("asupersync: process {} at SIGUSR1: {}", process::id(), root.dump());
    // At once, so that nothing comes between its lines. Nobody can be told that stderr is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
