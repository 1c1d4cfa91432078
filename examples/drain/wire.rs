//! A client's end of one HTTP/1.1 connection, byte by byte, so that the load can tell exactly how
//! far a response came: not begun, begun, or complete.
//!
//! It knows what the service sends (one status line, `content-length` or `chunked`) and no more.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::service::{REQUEST_ID, Route};

/// How far the response to one request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Status 200 and the whole body; a chunked one with its terminal chunk.
    Complete,
    /// A whole response that says something else than 200.
    Refused,
    /// The connection ended within the response.
    CutMid,
    /// The connection ended before the first byte of a response.
    CutBefore,
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Length(usize),
    Chunked,
}

/// A connection; `Drop` closes it.
#[derive(Debug)]
pub(crate) struct Conn {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// A response's head has come.
    begun: bool,
    /// Whether the server keeps the connection for another request.
    pub(crate) reusable: bool,
    /// The body of the last response that had a length.
    pub(crate) body: Vec<u8>,
}

impl Conn {
    pub(crate) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new(), begun: false, reusable: true, body: Vec::new() })
    }

    /// Writes a whole request.
    pub(crate) async fn send(&mut self, route: Route, id: u64) -> io::Result<()> {
        let path = route.path();
        let head = format!("GET {path} HTTP/1.1\r\nhost: drain\r\n{REQUEST_ID}: {id}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await
    }

    /// Writes a request that stops in the middle of a header.
    pub(crate) async fn send_half_a_head(&mut self) -> io::Result<()> {
        self.stream.write_all(b"GET /short HTTP/1.1\r\nhost: drain\r\nx-hal").await
    }

    /// Reads the response to the request sent last; `on_chunk` is told of each chunk.
    ///
    /// Dropped while it waits, it leaves the connection in the middle of a response: the caller
    /// then closes it.
    pub(crate) async fn receive(&mut self, mut on_chunk: impl FnMut()) -> Fate {
        self.begun = false;
        match self.response(&mut on_chunk).await {
            Ok(200) => Fate::Complete,
            Ok(_) => Fate::Refused,
            Err(_) if self.begun || !self.buffer.is_empty() => Fate::CutMid,
            Err(_) => Fate::CutBefore,
        }
    }

    /// Waits until the server closes an idle connection.
    pub(crate) async fn closed(&mut self) {
        while self.fill().await.is_ok() {}
    }

    async fn response(&mut self, on_chunk: &mut impl FnMut()) -> io::Result<u16> {
        let head = self.until(b"\r\n\r\n").await?;
        self.begun = true;
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        self.reusable = header(&head, "connection") != Some("close");
        let framing = match header(&head, "content-length") {
            Some(length) => Framing::Length(length.parse().map_err(io::Error::other)?),
            None => Framing::Chunked,
        };
        match framing {
            Framing::Length(length) => self.body = self.take(length).await?,
            Framing::Chunked => loop {
                let size = self.until(b"\r\n").await?;
                let size = std::str::from_utf8(&size).map_err(io::Error::other)?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
                self.take(size + 2).await?;
                if size == 0 {
                    break;
                }
                on_chunk();
            },
        }
        Ok(status)
    }

    /// Takes what stands before `end` and `end` itself.
    async fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            let found = self.buffer.windows(end.len()).position(|window| window == end);
            if let Some(at) = found {
                return Ok(self.buffer.drain(..at + end.len()).collect());
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The value of a header in a lower-case head.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key == name).then(|| value.trim())
    })
}
