//! The connections that the system has accepted for a listener, and nobody has taken yet.
//!
//! A listener that is closed resets them, requests and all, and between the last look at them and the close there
//! is always room for one more. So the system is first kept from adding any.

use std::io;

/// Has the system accept no more connections for `listener`: what would begin one is dropped, and those that are
/// there, or almost, stay. Who connects hears nothing; its system tries again, mostly after a second. Does nothing
/// but on Linux.
///
/// # Errors
/// The system's, if it allows no filter.
///
/// ```
/// use std::net::{TcpListener, TcpStream};
/// use std::{io, time::Duration};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let addr = listener.local_addr()?;
/// let _early = TcpStream::connect(addr)?;
/// asupersync_scheduler::backlog::stop_queueing(&listener)?;
/// # #[cfg(target_os = "linux")]
/// assert!(TcpStream::connect_timeout(&addr, Duration::from_millis(10)).is_err());
/// listener.accept()?;
/// # io::Result::Ok(())
/// ```
#[cfg(target_os = "linux")]
pub fn stop_queueing(listener: &impl std::os::fd::AsFd) -> io::Result<()> {
    socket2::SockRef::from(listener).attach_filter(&NO_SYN)
}

/// Has the system accept no more connections for `listener`, on Linux. Elsewhere it does nothing.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn stop_queueing<T>(_listener: &T) -> io::Result<()> {
    Ok(())
}

/// A classic BPF program over a TCP header, as Linux runs it for a socket (its `networking/filter.rst`): drops a
/// segment with SYN and without ACK (RFC 9293, 3.1), and lets the others pass.
#[cfg(target_os = "linux")]
const NO_SYN: [socket2::SockFilter; 5] = {
    use socket2::SockFilter;
    /// Where the flags are in the header.
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    // BPF_LD | BPF_B | BPF_ABS; BPF_ALU | BPF_AND | BPF_K; BPF_JMP | BPF_JEQ | BPF_K; BPF_RET | BPF_K
    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const SKIP_UNLESS: u16 = 0x15;
    const RETURN: u16 = 0x06;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        SockFilter::new(SKIP_UNLESS, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ]
};
