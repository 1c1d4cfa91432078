//! The native sockets behind core's `Sockets`.

use std::io::{self, IoSlice, Read, Write};
use std::net::{self, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::task::{Context, Poll};

use asupersync_core::io::{Datagrams, Listener, Sockets, Stream};
use mio::Interest;
use mio::net::{TcpListener, TcpStream, UdpSocket};

use super::source::Source;
use super::udp::NativeDatagrams;
use crate::backlog;
use crate::driver::Driver;

/// The system's sockets.
#[derive(Clone)]
pub(crate) struct NativeNet(pub(crate) Arc<Driver>);

impl Sockets for NativeNet {
    fn tcp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let listener = TcpListener::bind(addr)?;
        let source = Source::new(&self.0, listener, Interest::READABLE)?;
        Ok(Box::new(NativeListener(source)))
    }

    fn tcp_connect(&self, addr: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let stream = NativeStream::new(&self.0, TcpStream::connect(addr)?)?;
        stream.0.readiness.write.wait_for_edge();
        Ok(Box::new(stream))
    }

    fn udp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Datagrams>> {
        Ok(Box::new(NativeDatagrams::new(&self.0, UdpSocket::bind(addr)?)?))
    }

    fn udp_adopt(&self, socket: net::UdpSocket) -> io::Result<Box<dyn Datagrams>> {
        socket.set_nonblocking(true)?;
        Ok(Box::new(NativeDatagrams::new(&self.0, UdpSocket::from_std(socket))?))
    }

    fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((name, port).to_socket_addrs()?.collect())
    }

    fn boxed(&self) -> Box<dyn Sockets> {
        Box::new(self.clone())
    }
}

struct NativeListener(Source<TcpListener>);

impl NativeListener {
    fn enroll(&self, (stream, peer): (TcpStream, SocketAddr)) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        Ok((Box::new(NativeStream::new(self.0.driver(), stream)?), peer))
    }
}

impl Listener for NativeListener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Stream>, SocketAddr)>> {
        let accepted = self.0.readiness.read.poll(cx, || self.0.get().accept(), |_| false);
        accepted.map(|accepted| self.enroll(accepted?))
    }

    fn accept_queued(&self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        self.enroll(self.0.get().accept()?)
    }

    fn stop_queueing(&self) -> io::Result<()> {
        backlog::stop_queueing(self.0.get())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get().local_addr()
    }
}

struct NativeStream(Source<TcpStream>);

impl NativeStream {
    fn new(driver: &Arc<Driver>, stream: TcpStream) -> io::Result<Self> {
        Ok(NativeStream(Source::new(driver, stream, Interest::READABLE | Interest::WRITABLE)?))
    }
}

impl Stream for NativeStream {
    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.0.get();
        let attempt = || {
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            match socket.peer_addr() {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                Err(error) => Err(error),
            }
        };
        self.0.readiness.write.poll(cx, attempt, |()| false)
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = buf.len();
        // A read that does not fill its buffer took all there was.
        self.0.readiness.read.poll(cx, || self.0.get().read(buf), |&n| n > 0 && n < len)
    }

    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.readiness.write.poll(cx, || self.0.get().write(buf), |&n| n > 0 && n < buf.len())
    }

    fn poll_write_vectored(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        self.0.readiness.write.poll(cx, || self.0.get().write_vectored(bufs), |&n| n > 0 && n < len)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.get().shutdown(how)
    }

    fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.0.get().set_nodelay(on)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get().peer_addr()
    }
}
