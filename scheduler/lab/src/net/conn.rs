//! One connection: two ends, and a pipe from each.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::task::Waker;

use super::pipe::Pipe;

/// Which end: the client's, which connected, or the server's.
pub(super) type Side = usize;
pub(super) const CLIENT: Side = 0;
pub(super) const SERVER: Side = 1;

/// A connection, from the first attempt until nobody has an end of it.
pub(super) struct Conn {
    /// Of both ends.
    pub(super) addrs: [SocketAddr; 2],
    pub(super) ends: [End; 2],
    /// From each end to the other.
    pub(super) pipes: [Pipe; 2],
}

/// One end.
#[derive(Default)]
pub(super) struct End {
    /// The connection stands, as far as it knows.
    pub(super) stands: bool,
    /// Told once.
    pub(super) error: Option<ErrorKind>,
    /// It has failed, and neither sends nor takes anything.
    pub(super) dead: bool,
    /// Nobody has it any more.
    pub(super) gone: bool,
    pub(super) read_shut: bool,
    pub(super) write_shut: bool,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
}

impl End {
    /// What comes here is refused.
    pub(super) fn is_closed(&self) -> bool {
        self.dead || self.gone
    }

    pub(super) fn wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.reader.take().into_iter().chain(self.writer.take())
    }
}

impl Conn {
    /// This step uses it.
    pub(super) fn touch(&self) {
        self.pipes.iter().for_each(|pipe| pipe.object.write());
    }

    /// An end fails: what it had not read and what it had sent is gone.
    pub(super) fn fail(&mut self, side: Side, kind: ErrorKind) {
        self.touch();
        let end = &mut self.ends[side];
        if !end.dead {
            end.dead = true;
            // Who had read the end of the stream has only its own sending to be told of.
            end.error = Some(if self.pipes[1 - side].ended { ErrorKind::BrokenPipe } else { kind });
            self.pipes[1 - side].arrived.clear();
            self.pipes[side].clear_flight();
        }
    }
}
