//! A connection that a foreign library polls, with no scope, lets others run.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::task::{Context, Poll, Waker};

use asupersync_core::io::{Listener, Stream, TcpListener};

use crate::hand::{World, ready};

/// A network on which everything is always ready.
struct Fast;

const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

impl Listener for Fast {
    fn poll_accept(&self, _: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Poll::Ready(Ok((Box::new(Fast), HERE)))
    }
    fn accept_queued(&self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        Err(io::ErrorKind::WouldBlock.into())
    }
    fn stop_queueing(&self) -> io::Result<()> {
        Ok(())
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(HERE)
    }
}

impl Stream for Fast {
    fn poll_connected(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_read(&self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_write(&self, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_write_vectored(&self, _: &mut Context<'_>, _: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(1))
    }
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
    fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(HERE)
    }
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(HERE)
    }
}

#[test]
fn a_fast_peer_does_not_keep_the_thread() {
    let world = World::new();
    let listener = TcpListener::from(Box::new(Fast) as Box<dyn Listener>);
    let (stream, _) = ready(listener.accept(&world.cx())).expect("it is fast");
    let task = &mut Context::from_waker(Waker::noop());
    let reads = (0..1000).take_while(|_| stream.poll_read(task, &mut [0]).is_ready()).count();
    let writes = (0..1000).take_while(|_| stream.poll_write(task, &[0]).is_ready()).count();
    assert!(reads < 1000 && writes == reads, "{reads} reads and {writes} writes in a row");
    let gathered = (0..1000).take_while(|_| stream.poll_write_vectored(task, &[]).is_ready()).count();
    assert_eq!(gathered, reads, "it went on after it had let others run");
}
