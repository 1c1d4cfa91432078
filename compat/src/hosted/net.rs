//! Tokio's sockets behind core's `Sockets`.

use std::future::Future;
use std::io::{self, IoSlice, Read};
use std::net::{self, Shutdown, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Mutex, OnceLock};
use std::task::{Context, Poll, ready};

use asupersync_core::io::{Datagrams, Listener, Sockets, Stream};
use asupersync_scheduler::backlog;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::runtime::Handle;

use super::host::lock;
use super::udp::HostedDatagrams;

/// The system tells of each arrival anew (epoll, kqueue), whether what came before was all read or not.
const EDGES: bool = cfg!(any(target_os = "linux", target_vendor = "apple"));

/// The sockets of one runtime.
#[derive(Clone)]
pub(super) struct TokioNet(pub(super) Handle);

impl Sockets for TokioNet {
    fn tcp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let _context = self.0.enter();
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        Ok(Box::new(HostedListener(socket.listen(1024)?)))
    }

    fn tcp_connect(&self, addr: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let _context = self.0.enter();
        let connecting = Box::pin(TcpStream::connect(addr));
        Ok(Box::new(HostedStream { connecting: Mutex::new(Some(connecting)), stream: OnceLock::new() }))
    }

    fn udp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Datagrams>> {
        self.udp_adopt(net::UdpSocket::bind(addr)?)
    }

    fn udp_adopt(&self, socket: net::UdpSocket) -> io::Result<Box<dyn Datagrams>> {
        socket.set_nonblocking(true)?;
        let _context = self.0.enter();
        Ok(Box::new(HostedDatagrams::new(UdpSocket::from_std(socket)?)))
    }

    fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((name, port).to_socket_addrs()?.collect())
    }

    fn boxed(&self) -> Box<dyn Sockets> {
        Box::new(self.clone())
    }
}

pub(super) struct HostedListener(pub(super) TcpListener);

impl Listener for HostedListener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Stream>, SocketAddr)>> {
        let (stream, peer) = ready!(self.0.poll_accept(cx))?;
        Poll::Ready(Ok((Box::new(HostedStream::of(stream)), peer)))
    }

    fn accept_queued(&self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        let (socket, peer) = SockRef::from(&self.0).accept()?;
        let peer = peer.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        socket.set_nonblocking(true)?;
        Ok((Box::new(HostedStream::of(TcpStream::from_std(socket.into())?)), peer))
    }

    fn stop_queueing(&self) -> io::Result<()> {
        backlog::stop_queueing(&self.0)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

struct HostedStream {
    connecting: Mutex<Option<Connecting>>,
    /// Set once connected.
    stream: OnceLock<TcpStream>,
}

impl HostedStream {
    /// One that is connected.
    fn of(stream: TcpStream) -> Self {
        HostedStream { connecting: Mutex::new(None), stream: OnceLock::from(stream) }
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        self.stream.get().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Tries first: mostly the system takes more, and Tokio need not be asked to wake anybody.
    fn poll_try(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = self.stream()?;
        loop {
            match write(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(stream.poll_write_ready(cx))?;
                }
                other => return Poll::Ready(other),
            }
        }
    }
}

impl Stream for HostedStream {
    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut connecting = lock(&self.connecting);
        let Some(future) = connecting.as_mut() else { return Poll::Ready(self.stream().map(drop)) };
        let connected = ready!(future.as_mut().poll(cx));
        *connecting = None;
        Poll::Ready(connected.map(|stream| drop(self.stream.set(stream))))
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let stream = self.stream()?;
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let mut read = None;
            let tried = stream.try_io(Interest::READABLE, || {
                let n = (&*SockRef::from(stream)).read(buf)?;
                read = Some(n);
                // What leaves room in the buffer was the last, and the next call would be a read in vain: Tokio
                // is told so. What arrives meanwhile is news that this does not take back.
                if EDGES && 0 < n && n < buf.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (read, tried) {
                (Some(n), _) => return Poll::Ready(Ok(n)),
                (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                (None, tried) => return Poll::Ready(tried.map(|()| 0)),
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_try(cx, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.poll_try(cx, |stream| stream.try_write_vectored(bufs))
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        SockRef::from(self.stream()?).shutdown(how)
    }

    fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.stream()?.set_nodelay(on)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream()?.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream()?.peer_addr()
    }
}
