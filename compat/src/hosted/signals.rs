//! SIGINT and SIGTERM, heard on Tokio's reactor.

use std::future::pending;
use std::io;

use asupersync_scheduler::signal::Caught;
use tokio::net::UnixStream;

/// The signals of one root.
pub(super) struct Signals {
    pipe: UnixStream,
    caught: Caught,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        let (caught, pipe) = Caught::new()?;
        Ok(Signals { pipe: UnixStream::from_std(pipe)?, caught })
    }

    /// Waits for the next signal and names it.
    pub(super) async fn next(&self) -> &'static str {
        loop {
            let ready = self.pipe.readable().await;
            match ready.and_then(|()| self.pipe.try_read(&mut [0; 16])) {
                Ok(_) => return self.caught.last(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A bug of the system; waiting for ever is then the safe answer.
                Err(error) => {
                    eprintln!("asupersync: cannot read the signal pipe: {error}");
                    return pending().await;
                }
            }
        }
    }
}
