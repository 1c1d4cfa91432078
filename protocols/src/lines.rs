//! Messages that end with a newline.
//!
//! Reading is cancel-correct: what has arrived stays in the reader until it is returned as a
//! whole line, whatever is cancelled or dropped meanwhile.

use std::fmt;
use std::io;

use asupersync_core::Cx;
use asupersync_core::io::TcpStream;

const READ: usize = 8 * 1024;

/// Reads lines from a stream.
pub struct Lines<'a> {
    stream: &'a TcpStream,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were returned already.
    returned: usize,
    /// Bytes of `buffer` in which no newline was found.
    searched: usize,
    longest: usize,
    ended: bool,
}

/// A line is longer than the reader takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// The longest line that would have been taken, in bytes.
    pub longest: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer sent a line of more than {} bytes", self.longest)
    }
}

impl std::error::Error for TooLong {}

impl<'a> Lines<'a> {
    /// Reads lines of at most `longest` bytes, the newline not counted.
    pub fn new(stream: &'a TcpStream, longest: usize) -> Self {
        Lines { stream, buffer: Vec::new(), returned: 0, searched: 0, longest, ended: false }
    }

    /// The next line, without its newline and a carriage return before that; `None` at the end of
    /// the stream. What comes after the last newline is a line, if it is not empty.
    ///
    /// # Errors
    /// The stream's; `InvalidData` with [`TooLong`] inside; a cancellation at Request, since a line
    /// is a new message, even where its beginning has arrived.
    ///
    /// # Cancel safety
    /// Nothing is lost: the next call goes on with what has arrived.
    pub async fn next<C>(&mut self, cx: &Cx<C>) -> io::Result<Option<&[u8]>> {
        self.buffer.drain(..self.returned);
        self.searched -= self.returned;
        self.returned = 0;
        let end = loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                self.searched += at + 1;
                self.returned = self.searched;
                break self.searched - 1;
            }
            self.searched = self.buffer.len();
            if self.ended {
                self.returned = self.searched;
                break self.searched;
            }
            // One byte more than the longest may be a carriage return.
            if self.searched > self.longest + 1 {
                return Err(self.too_long());
            }
            self.fill(cx).await?;
        };
        if self.ended && self.returned == 0 {
            return Ok(None);
        }
        let line = &self.buffer[..end];
        let length = line.strip_suffix(b"\r").unwrap_or(line).len();
        if length > self.longest {
            return Err(self.too_long());
        }
        Ok(Some(&self.buffer[..length]))
    }

    async fn fill<C>(&mut self, cx: &Cx<C>) -> io::Result<()> {
        let filled = self.buffer.len();
        self.buffer.resize(filled + READ, 0);
        let mut filling = Filling { buffer: &mut self.buffer, filled };
        let read = self.stream.read(cx, &mut filling.buffer[filled..]).await?;
        filling.filled += read;
        self.ended = read == 0;
        Ok(())
    }

    fn too_long(&self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, TooLong { longest: self.longest })
    }
}

/// Room for what is read. However the read ends, dropped half-way too, only what has arrived stays.
struct Filling<'a> {
    buffer: &'a mut Vec<u8>,
    filled: usize,
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(self.filled);
    }
}
