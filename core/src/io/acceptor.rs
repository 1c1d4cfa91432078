//! Accepting on and on: what a server does with the errors of `accept`.
//!
//! An error of `accept` almost never concerns the listener. Either a connection died in the
//! backlog, and the next one is taken at once; or the process or the system lacks something (files,
//! memory), and trying again at once would spin, so the next attempt waits, longer each time.
//! Only an error that says that this is no listening socket ends the loop.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use super::{TcpListener, TcpStream};
use crate::cx::Cx;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Takes connections from a listener, and lives through the errors of that.
pub struct Acceptor<'a> {
    listener: &'a TcpListener,
    pause: Duration,
    errors: u64,
}

/// What follows from an error of `accept`.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// That connection is gone; the next may be fine.
    AtOnce,
    /// Something is short.
    Pause,
    /// This is no listening socket.
    GiveUp,
}

fn after(error: &io::Error) -> Next {
    match error.kind() {
        ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionRefused
        | ErrorKind::Interrupted => Next::AtOnce,
        ErrorKind::InvalidInput | ErrorKind::NotConnected | ErrorKind::Unsupported => Next::GiveUp,
        _ => Next::Pause,
    }
}

impl<'a> Acceptor<'a> {
    /// Accepts from `listener`.
    pub fn new(listener: &'a TcpListener) -> Self {
        Acceptor { listener, pause: FIRST_PAUSE, errors: 0 }
    }

    /// The next connection. Errors of single connections are skipped; while files or memory are
    /// short it tries again after a pause that doubles up to a second.
    ///
    /// # Errors
    /// A cancellation at Request; the system's error if this is no listening socket.
    ///
    /// # Cancel safety
    /// As [`TcpListener::accept`].
    pub async fn next<C>(&mut self, cx: &Cx<C>) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            match self.listener.accept(cx).await {
                Ok(accepted) => {
                    self.pause = FIRST_PAUSE;
                    return Ok(accepted);
                }
                Err(error) if cx.is_cancelled() => return Err(error),
                Err(error) => {
                    self.errors += 1;
                    match after(&error) {
                        // A host that always fails must not keep the others from running.
                        Next::AtOnce => cx.yield_now().await?,
                        Next::Pause => {
                            cx.wait_until(cx.host().now() + self.pause).await?;
                            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                        }
                        Next::GiveUp => return Err(error),
                    }
                }
            }
        }
    }

    /// Errors lived through so far.
    pub fn errors(&self) -> u64 {
        self.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broken_listener_is_given_up() {
        let of = |code| after(&io::Error::from_raw_os_error(code));
        // Linux: EMFILE, ENFILE, ENOMEM, ENETDOWN; ECONNABORTED; EINVAL.
        if cfg!(target_os = "linux") {
            for short in [24, 23, 12, 100] {
                assert_eq!(of(short), Next::Pause);
            }
            assert_eq!(of(103), Next::AtOnce);
            assert_eq!(of(22), Next::GiveUp);
        }
        assert_eq!(after(&ErrorKind::ConnectionReset.into()), Next::AtOnce);
    }
}
