//! Tokio's sockets for datagrams behind core's `Datagrams`.
//!
//! Tokio's `poll_recv_ready` does not tell of an error that came with no datagram, such as that nobody
//! receives what was sent. Its `ready` does, as a future, which is kept while it waits.

use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use asupersync_core::io::{Datagrams, Direction};
use socket2::SockRef;
use tokio::io::{Interest, Ready};
use tokio::net::UdpSocket;

use super::host::lock;

type Waiting = Pin<Box<dyn Future<Output = io::Result<Ready>> + Send>>;

pub(super) struct HostedDatagrams {
    socket: Arc<UdpSocket>,
    /// Until something comes in.
    waiting: Mutex<Option<Waiting>>,
}

impl HostedDatagrams {
    pub(super) fn new(socket: UdpSocket) -> Self {
        HostedDatagrams { socket: Arc::new(socket), waiting: Mutex::new(None) }
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = lock(&self.waiting);
        let future = waiting.get_or_insert_with(|| {
            let socket = self.socket.clone();
            Box::pin(async move { socket.ready(Interest::READABLE | Interest::ERROR).await })
        });
        let ready = ready!(future.as_mut().poll(cx));
        *waiting = None;
        drop(waiting);
        if ready?.is_error() {
            // Forgotten first, so that one that comes meanwhile is seen later.
            let forget = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            drop(self.socket.try_io(Interest::ERROR, forget));
            if let Some(error) = self.socket.take_error()? {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Runs `attempt`, which tells by `WouldBlock` that it must be waited.
    fn poll_with<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut attempt: impl FnMut(&UdpSocket) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match attempt(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
            match direction {
                Direction::Read => ready!(self.poll_readable(cx))?,
                Direction::Write => ready!(self.socket.poll_send_ready(cx))?,
            }
        }
    }
}

impl Datagrams for HostedDatagrams {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        SockRef::from(&*self.socket).connect(&addr.into())
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll_with(cx, Direction::Read, |socket| socket.try_recv_from(buf))
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<SocketAddr>,
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, Direction::Write, |socket| match to {
            Some(to) => socket.try_send_to(buf, to),
            None => socket.try_send(buf),
        })
    }

    fn poll_io(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        attempt: &mut dyn FnMut() -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        let interest = match direction {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        };
        self.poll_with(cx, direction, |socket| socket.try_io(interest, &mut *attempt))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    fn system(&self) -> io::Result<net::UdpSocket> {
        Ok(SockRef::from(&*self.socket).try_clone()?.into())
    }
}
