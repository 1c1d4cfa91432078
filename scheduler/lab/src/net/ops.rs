//! What a task does with its end of a connection. Errors are told as Linux tells them: once, and from then
//! on reads give the end of the stream, and writes `BrokenPipe`.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::task::{Context, Poll};

use super::conn::{Conn, Side};
use super::pipe::What;
use super::world::{ConnId, World};

impl World {
    /// A connection; there is none once the run is over.
    pub(super) fn conn(&mut self, id: ConnId) -> io::Result<&mut Conn> {
        self.conns.get_mut(&id).ok_or_else(|| ErrorKind::NotConnected.into())
    }

    pub(super) fn poll_connected(
        &mut self,
        id: ConnId,
        side: Side,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let conn = self.conn(id)?;
        conn.pipes[1 - side].object.write();
        let end = &mut conn.ends[side];
        if let Some(error) = end.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        if end.stands || end.dead {
            return Poll::Ready(if end.dead { Err(ErrorKind::NotConnected.into()) } else { Ok(()) });
        }
        let stale = end.writer.replace(cx.waker().clone());
        self.stale.extend(stale);
        Poll::Pending
    }

    pub(super) fn poll_read(
        &mut self,
        id: ConnId,
        side: Side,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.read_rules();
        let conn = self.conns.get_mut(&id).ok_or(ErrorKind::NotConnected)?;
        let settings = self.rules.of(conn.addrs);
        let (pipe, end) = (&mut conn.pipes[1 - side], &mut conn.ends[side]);
        pipe.object.write();
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !pipe.arrived.is_empty() && !end.read_shut {
            let n = pipe.read(&settings, buf);
            // There is room again.
            self.woken.extend(conn.ends[1 - side].writer.take());
            return Poll::Ready(Ok(n));
        }
        if pipe.ended || end.read_shut {
            return Poll::Ready(Ok(0));
        }
        if let Some(error) = end.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        if end.dead {
            return Poll::Ready(Ok(0));
        }
        self.stale.extend(end.reader.replace(cx.waker().clone()));
        Poll::Pending
    }

    pub(super) fn poll_write(
        &mut self,
        id: ConnId,
        side: Side,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.read_rules();
        let conn = self.conns.get_mut(&id).ok_or(ErrorKind::NotConnected)?;
        let settings = self.rules.of(conn.addrs);
        let (pipe, end) = (&mut conn.pipes[side], &mut conn.ends[side]);
        pipe.object.write();
        // Whether it failed is what the other pipe brought.
        conn.pipes[1 - side].object.read();
        if let Some(error) = end.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        if end.dead || end.write_shut {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let pipe = &mut conn.pipes[side];
        if pipe.room(&settings) == 0 {
            self.stale.extend(end.writer.replace(cx.waker().clone()));
            return Poll::Pending;
        }
        let n = pipe.write(self.now, &settings, bufs);
        self.pump(id, side);
        Poll::Ready(Ok(n))
    }

    pub(super) fn shutdown(&mut self, id: ConnId, side: Side, how: Shutdown) -> io::Result<()> {
        let conn = self.conn(id)?;
        conn.touch();
        let end = &mut conn.ends[side];
        if end.dead || !end.stands {
            return Err(ErrorKind::NotConnected.into());
        }
        let (reads, writes) = (how != Shutdown::Write, how != Shutdown::Read);
        let ends_now = writes && !end.write_shut;
        end.read_shut |= reads;
        end.write_shut |= writes;
        let wakers: Vec<_> = end.wakers().collect();
        self.woken.extend(wakers);
        if ends_now {
            self.send(id, side, What::Fin);
        }
        Ok(())
    }
}
