//! A socket for quinn: the system's, in batches and with ECN, by quinn-udp; or any other host's, one datagram
//! at a time.
//!
//! A host's socket wakes one task that waits to write, and each connection of quinn's may be one: their
//! wakers are kept in a list, and all of them are woken.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use asupersync_core::io::{Direction, UdpSocket};
use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};

pub(super) struct Socket {
    socket: UdpSocket,
    /// `None`: the host has no sockets of the system's.
    system: Option<(std::net::UdpSocket, UdpSocketState)>,
    writers: Arc<Writers>,
    /// Wakes all of them.
    waker: Waker,
}

/// Who waits to write.
#[derive(Default)]
struct Writers(Mutex<Vec<Waker>>);

impl Wake for Writers {
    fn wake(self: Arc<Self>) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Writers {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn remove(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|other| !other.will_wake(waker));
    }
}

impl Socket {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let system = match socket.system() {
            Ok(system) => {
                let state = UdpSocketState::new((&system).into())?;
                Some((system, state))
            }
            Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
            Err(error) => return Err(error),
        };
        let writers = Arc::<Writers>::default();
        Ok(Socket { socket, system, waker: writers.clone().into(), writers })
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let task = &mut Context::from_waker(&self.waker);
        let sent = match &self.system {
            Some((system, state)) => {
                self.socket.may_send(transmit.destination)?;
                self.socket.poll_io(task, Direction::Write, || state.send(system.into(), transmit))
            }
            None => self.socket.poll_send_to(task, transmit.contents, transmit.destination).map_ok(drop),
        };
        match sent {
            Poll::Ready(sent) => sent,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn poll_recv(
        &self,
        task: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if let Some((system, state)) = &self.system {
            return self.socket.poll_io(task, Direction::Read, || state.recv(system.into(), bufs, meta));
        }
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        let (len, addr) = ready!(self.socket.poll_recv_from(task, buf))?;
        *meta = RecvMeta::default();
        (meta.addr, meta.len, meta.stride) = (addr, len, len);
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.system.as_ref().map_or(1, |(_, state)| state.max_gso_segments())
    }

    fn max_receive_segments(&self) -> usize {
        self.system.as_ref().map_or(1, |(_, state)| state.gro_segments())
    }

    fn may_fragment(&self) -> bool {
        self.system.as_ref().is_none_or(|(_, state)| state.may_fragment())
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("addr", &self.socket.local_addr().ok()).finish_non_exhaustive()
    }
}

/// Waits for one connection, or for the endpoint.
#[derive(Debug)]
struct Poller(Arc<Socket>);

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Poller(socket) = &*self;
        // Before it is looked: who becomes writable meanwhile wakes this one too.
        socket.writers.add(task.waker());
        let polled =
            socket.socket.poll_io(&mut Context::from_waker(&socket.waker), Direction::Write, || Ok(()));
        if polled.is_ready() {
            socket.writers.remove(task.waker());
        }
        polled
    }
}
